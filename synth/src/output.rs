//! Printing: results to standard output, everything else to standard error.
//!
//! A reader that closes the pipe early (`| head -1`) has read enough: that is no error. Colours appear in terminals only, and
//! never where `NO_COLOR` is set.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use crate::error::WriteError;

/// What is wrong or goes away.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// What comes.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What to look at.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// Prints data as it is.
///
/// # Errors
/// Where standard output takes no more, other than because its reader has gone.
pub(crate) fn data(text: &str) -> Result<(), WriteError> {
    let mut stdout = io::stdout().lock();
    finished(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Prints text for people; its colours are removed unless a terminal shows them.
///
/// # Errors
/// As [`data`].
pub(crate) fn text(text: &str) -> Result<(), WriteError> {
    let mut stdout = anstream::stdout().lock();
    finished(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Reports an error.
pub(crate) fn error(text: &str) {
    chatter(&format!("{}: {text}\n", painted(RED.bold(), "error")));
}

/// Says something that is not part of the result.
pub(crate) fn note(text: &str) {
    chatter(&format!("{text}\n"));
}

/// Text in a style.
pub(crate) fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The columns of the terminal that standard output is, or none where it is a pipe or file.
pub(crate) fn width() -> Option<u16> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0)
}

/// Whoever cannot read standard error learns from the exit code.
fn chatter(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
}

fn finished(result: io::Result<()>) -> Result<(), WriteError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(WriteError::Output),
    }
}
