//! Who watches and is asked: a person at a terminal, a log, or a program that reads JSON.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deploy::Error;
use deploy::event::{Event, Frontend};
use deploy::plan::StackPlan;
use deploy::secrets::SecretText;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render;

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(120);

/// The standard streams.
pub(crate) struct Terminal {
    json: bool,
    yes: bool,
    /// The bar of the stack that is at work; drawn on terminals only.
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    pub(crate) fn new(json: bool, yes: bool) -> Self {
        Self {
            json,
            yes,
            bar: Mutex::new(None),
        }
    }

    fn progress(&self, event: &Event) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Working {
                stack,
                status,
                done,
                of,
            } => {
                let bar = bar.get_or_insert_with(new_bar);
                bar.set_length(*of as u64);
                bar.set_position(*done as u64);
                bar.set_message(format!("{stack} {status}"));
            }
            _ => {
                if let Some(text) = render::text(event) {
                    match &*bar {
                        Some(bar) => bar.suspend(|| render::print(&text)),
                        None => render::print(&text),
                    }
                }
                if matches!(event, Event::Complete { .. } | Event::Unchanged { .. })
                    && let Some(bar) = bar.take()
                {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

fn new_bar() -> ProgressBar {
    // It goes to standard error, so that what is piped on is the text alone.
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:24} {pos}/{len} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TURN);
    bar
}

impl Frontend for Terminal {
    fn event(&self, event: &Event) {
        if self.json {
            render::json(event);
        } else {
            self.progress(event);
        }
    }

    fn confirm(&self, plan: &StackPlan) -> Result<bool, Error> {
        if self.yes {
            return Ok(true);
        }
        let stack = plan.stack.clone();
        if !io::stdin().is_terminal() {
            return Err(Error::Unconfirmed { stack });
        }
        let mut stderr = io::stderr();
        let mut answer = String::new();
        let asked = write!(stderr, "Change {stack} so? [y/N] ").and_then(|()| stderr.flush());
        let read = asked.and_then(|()| io::stdin().read_line(&mut answer));
        read.map(|_| ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
            .map_err(|_| Error::Unconfirmed { stack })
    }

    fn credentials(&self, why: &str) -> Result<SecretText, Error> {
        if self.json || !io::stdin().is_terminal() {
            return Err(Error::NoCredentials(why.to_owned()));
        }
        render::note(why);
        rpassword::prompt_password("GitHub token (it is not shown): ")
            .map(|text| SecretText::new(text.trim()))
            .map_err(|_| Error::NoCredentials(why.to_owned()))
    }
}
