//! [`Event`]s as lines for people. Never writes them anywhere itself.

use anstyle::{AnsiColor, Style};

use super::event::{Event, Happening};

/// How many digits of a commit's SHA are shown, as GitHub does.
const SHORT: usize = 7;

/// The line of an event, with colours; none for what only the report shows.
#[must_use]
pub fn line(event: &Event, verbose: bool) -> Option<String> {
    let (label, style, text) = match &event.happening {
        Happening::Chapter { title } => {
            let bold = Style::new().bold();
            return Some(format!("\n{bold}{title}{bold:#}"));
        }
        Happening::Ready { what, url } => ("ready", plain(), with(what, url.as_deref())),
        Happening::Webhook { action, sha, status } => {
            let answer = status.map_or_else(|| "lost".to_owned(), |status| status.to_string());
            (
                "webhook",
                colour(AnsiColor::Cyan),
                format!("{action} at {} → {answer}", short(sha)),
            )
        }
        Happening::ExecutionStarted { execution } => {
            ("execution", plain(), format!("{} started", beginning(execution)))
        }
        Happening::StateEntered {
            execution,
            state,
            state_type,
        } => {
            let style = if state_type == "Task" {
                plain()
            } else {
                Style::new().dimmed()
            };
            ("state", style, format!("{} {state}", beginning(execution)))
        }
        Happening::Progress {
            execution,
            state,
            summary,
        } => (
            "progress",
            Style::new().dimmed(),
            format!("{} {state}: {summary}", beginning(execution)),
        ),
        Happening::TaskFailed {
            execution,
            state,
            error,
        } => (
            "failed",
            colour(AnsiColor::Yellow),
            format!("{} {state}: {error}", beginning(execution)),
        ),
        Happening::ExecutionEnded {
            execution,
            status,
            error,
        } => {
            let style = outcome(status);
            let text = format!("{} {status}", beginning(execution));
            ("execution", style, with(&text, error.as_deref()))
        }
        Happening::Pipeline {
            pipeline,
            action,
            status,
        } => ("pipeline", outcome(status), format!("{pipeline} {action}: {status}")),
        Happening::Build { project, line } if verbose => (
            "build",
            Style::new().dimmed(),
            format!("{project} | {}", line.trim_end()),
        ),
        Happening::Build { .. } => return None,
        Happening::CommitStatus {
            sha,
            context,
            state,
            description,
        } => (
            "status",
            outcome(state),
            format!("{} {context}: {state}. {description}", short(sha)),
        ),
        Happening::Deployment {
            environment,
            state,
            url,
        } => (
            "deployment",
            outcome(state),
            with(&format!("{environment}: {state}"), url.as_deref()),
        ),
        Happening::Answered { request, status, body } => {
            let style = outcome(if *status < 400 { "success" } else { "failure" });
            ("answer", style, format!("{request} → {status} {}", shortened(body)))
        }
        Happening::Fault { what } => ("fault", colour(AnsiColor::Magenta), what.clone()),
        Happening::Checked {
            promise,
            looked_at: 0,
            faults,
        } if faults.is_empty() => (
            "no matter",
            colour(AnsiColor::Yellow),
            format!("{promise}: not applicable"),
        ),
        Happening::Checked {
            promise,
            looked_at,
            faults,
        } if faults.is_empty() => ("kept", outcome("success"), format!("{promise} ({looked_at} looked at)")),
        Happening::Checked { promise, faults, .. } => (
            "BROKEN",
            outcome("failure"),
            format!("{promise}: {}", faults.join("; ")),
        ),
    };
    Some(format!("{:8.1} s  {style}{label:<10}{style:#}  {text}", event.at))
}

fn plain() -> Style {
    Style::new()
}

fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}

/// Green, red or yellow, by the words of AWS and GitHub.
fn outcome(word: &str) -> Style {
    match word.to_ascii_lowercase().as_str() {
        "succeeded" | "success" => colour(AnsiColor::Green),
        "failed" | "failure" | "error" | "timed_out" | "stopped" | "abandoned" => colour(AnsiColor::Red),
        _ => colour(AnsiColor::Yellow),
    }
}

fn with(text: &str, more: Option<&str>) -> String {
    more.map_or_else(|| text.to_owned(), |more| format!("{text}  {more}"))
}

fn short(sha: &str) -> &str {
    sha.get(..SHORT).unwrap_or(sha)
}

/// The beginning of an execution's name, which tells it from the others.
fn beginning(execution: &str) -> &str {
    execution.split('-').next().unwrap_or(execution)
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn shown(happening: Happening) -> String {
        let event = Event::new(Duration::from_millis(1_250), happening);
        let text = line(&event, false).unwrap_or_default();
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_line_says_when_what_and_how_it_went() {
        let status = Happening::CommitStatus {
            sha: "6dcb09b5b57875f334f61aebed695e2e4193db5e".to_owned(),
            context: "Unit tests".to_owned(),
            state: "success".to_owned(),
            description: "41 passed".to_owned(),
        };
        assert_eq!(
            shown(status),
            "     1.2 s  status      6dcb09b Unit tests: success. 41 passed"
        );
        let webhook = Happening::Webhook {
            action: "opened".to_owned(),
            sha: "6dcb09b".to_owned(),
            status: None,
        };
        assert_eq!(shown(webhook), "     1.2 s  webhook     opened at 6dcb09b → lost");
    }

    #[test]
    fn what_a_build_prints_is_shown_only_on_request() {
        let build = Event::new(
            Duration::ZERO,
            Happening::Build {
                project: "p".to_owned(),
                line: "compiling\n".to_owned(),
            },
        );
        assert_eq!(line(&build, false), None);
        assert!(line(&build, true).unwrap_or_default().contains("p | compiling"));
    }
}
