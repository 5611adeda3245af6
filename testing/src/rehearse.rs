//! The command `rehearse`: from the flags to what is printed.

use std::{
    error::Error,
    fs,
    io::Write,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use testing::rehearsal::{self, End, Plan, RehearsalError, Rehearsed, Show, event::Event, report, terminal};

use crate::cli::{self, Rehearse};

/// Rehearses as the flags say.
pub(crate) fn run(flags: &Rehearse) -> Result<ExitCode, Box<dyn Error>> {
    let plan = Plan {
        pull_request: flags.pr,
        repository: flags.repository.clone().unwrap_or_else(own),
        configuration: flags.config.clone(),
        end: if flags.close { End::Close } else { End::Merge },
        faults: flags.fault.clone(),
        speed: flags.speed,
        pushes: flags.pushes,
        keep: flags.keep,
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    let (interrupt, wait) = mpsc::channel();
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        // The second time, whoever asks means it.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(cli::INTERRUPTED.into());
        }
        // Nobody waits unless the local AWS is to be kept.
        let _ = interrupt.send(());
    })?;
    let rehearsed = match rehearsal::run(&plan, show(flags), interrupted) {
        Ok(rehearsed) => rehearsed,
        Err(RehearsalError::Interrupted) => {
            let _ = writeln!(
                anstream::stderr(),
                "interrupted: everything was on this machine and is gone"
            );
            return Ok(ExitCode::from(cli::INTERRUPTED));
        }
        Err(fault) => return Err(fault.into()),
    };
    conclude(flags, &rehearsed)?;
    if let Some(kept) = &rehearsed.kept {
        let _ = writeln!(
            anstream::stderr(),
            "\nThe local AWS is at {}; Ctrl-C ends it.",
            kept.endpoint()
        );
        // It fails when nobody can interrupt any more.
        let _ = wait.recv();
    }
    Ok(ExitCode::from(if rehearsed.summary.is_good() {
        0
    } else {
        cli::BROKEN
    }))
}

/// This project's repository: what was compiled is rehearsed.
fn own() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn show(flags: &Rehearse) -> Arc<Show> {
    let (json, verbose) = (flags.json, flags.verbose);
    let begun = Mutex::new(false);
    Arc::new(move |event: &Event| {
        // A reader that has gone away ends nothing: the rehearsal still tears down what it has built.
        if json {
            let line = serde_json::to_string(event).unwrap_or_default();
            let _ = writeln!(std::io::stdout(), "{line}");
        } else if let Some(line) = terminal::line(event, verbose) {
            let mut begun = begun.lock().unwrap_or_else(PoisonError::into_inner);
            let line = if *begun {
                line.as_str()
            } else {
                line.trim_start_matches('\n')
            };
            *begun = true;
            let _ = writeln!(anstream::stdout(), "{line}");
        }
    })
}

fn conclude(flags: &Rehearse, rehearsed: &Rehearsed) -> Result<(), Box<dyn Error>> {
    let summary = &rehearsed.summary;
    if flags.json {
        writeln!(
            std::io::stdout(),
            "{}",
            serde_json::json!({ "kind": "summary", "summary": summary })
        )?;
    } else {
        let mut out = anstream::stdout();
        writeln!(out, "\n{}", summary.tables())?;
        if let Some(comment) = &summary.comment {
            writeln!(out, "The comment on the pull request:\n\n{comment}")?;
        }
    }
    if let Some(path) = &flags.report {
        let page = report::page(&rehearsed.definition, summary, &rehearsed.events)?;
        fs::write(path, page).map_err(|fault| format!("cannot write the report to {}: {fault}", path.display()))?;
        let _ = writeln!(anstream::stderr(), "the report is {}", path.display());
    }
    Ok(())
}
