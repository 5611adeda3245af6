//! Skips that leave a trace: a test that could not run says so on standard error and in `<target>/tools/skipped.log`, and
//! `TESTING_FORBID_SKIP=1` makes it fail instead, so that a green run cannot hide a missing tool.

use std::{env, fs::OpenOptions, io::Write, path::Path};

use crate::{Error, tools};

/// The variable that forbids skips when it is `1`.
pub const FORBID: &str = "TESTING_FORBID_SKIP";

/// Records that `what` was not tested, and why.
///
/// # Panics
/// With `TESTING_FORBID_SKIP=1`, and when the record cannot be written: an unrecorded skip would pass for a success.
pub fn skipped(what: &str, why: &str) {
    let log = tools::folder().unwrap_or_else(|fault| panic!("cannot record the skip of {what} ({why}): {fault}"));
    record(
        &log.join("skipped.log"),
        env::var(FORBID).is_ok_and(|value| value == "1"),
        what,
        why,
    );
}

fn record(log: &Path, forbidden: bool, what: &str, why: &str) {
    let line = format!(
        "SKIPPED: {what}: {}",
        why.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    say(&line);
    // One write of one line: appends of concurrent tests do not mix.
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .and_then(|mut log| log.write_all(format!("{line}\n").as_bytes()));
    if let Err(fault) = written {
        panic!("{line}\ncannot record it in {}: {fault}", log.display());
    }
    assert!(
        !forbidden,
        "{line}\nhelp: {FORBID}=1 forbids skips; install what is missing"
    );
}

/// Writes a line to standard error past the capture of the test harness: it is meant for who waits, and a passing test shows nothing.
pub(crate) fn say(line: &str) {
    // There is nobody to tell that standard error is closed.
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// The value, or `None` after recording a skip when the tool is not available here.
///
/// ```no_run
/// let Some(findings) = testing::or_skip("the templates pass cfn-lint", testing::cfn_lint::lint(&[], &[])) else { return };
/// ```
///
/// # Panics
/// On every other error, and as [`skipped`] does.
#[track_caller]
pub fn or_skip<T>(what: &str, result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(unavailable @ Error::Unavailable { .. }) => {
            skipped(what, &unavailable.to_string());
            None
        }
        Err(fault) => panic!("{what}: {fault}{}", causes(&fault)),
    }
}

fn causes(fault: &dyn std::error::Error) -> String {
    std::iter::successors(fault.source(), |cause| cause.source())
        .map(|cause| format!(": {cause}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_skip_is_one_line_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("skipped.log");
        record(&log, false, "templates pass", "no\nnode");
        record(&log, false, "machines pass", "no node");
        assert_eq!(
            fs::read_to_string(log).unwrap(),
            "SKIPPED: templates pass: no node\nSKIPPED: machines pass: no node\n"
        );
    }

    #[test]
    #[should_panic(expected = "TESTING_FORBID_SKIP=1 forbids skips")]
    fn a_forbidden_skip_fails_the_test() {
        let folder = tempfile::tempdir().unwrap();
        record(&folder.path().join("skipped.log"), true, "templates pass", "no node");
    }

    #[test]
    #[should_panic(expected = "it: cannot start node: no such thing")]
    fn only_a_missing_tool_is_skipped() {
        let fault = Error::Start {
            tool: "node",
            source: std::io::Error::other("no such thing"),
        };
        or_skip::<()>("it", Err(fault));
    }
}
