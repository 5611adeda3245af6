//! Executions that were recorded on AWS, where the recordings are present.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
};

use stepfunctions_runner::conformance::{Grade, Summary, report, run_file};

/// The recordings: those that `ASL_CONFORMANCE` names, else those beside the repository.
fn recordings() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/asl-cases.json");
    let path = env::var_os("ASL_CONFORMANCE").map_or(beside, PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    // Past the capture of the test harness, which shows nothing of a passing test.
    let line = format!("SKIPPED: recorded executions: there is no file {}\n", path.display());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    None
}

#[test]
fn every_recorded_execution_ends_as_on_aws_or_is_refused_with_a_reason() {
    let Some(path) = recordings() else { return };
    let cases = run_file(&path).unwrap();
    assert!(!cases.is_empty());
    for language in ["ql:JSONata", "ql:JSONPath"] {
        let of_language: Vec<_> = cases
            .iter()
            .filter(|case| case.features.iter().any(|feature| feature == language))
            .cloned()
            .collect();
        println!("{language}: {}", Summary::of(&of_language));
    }
    let bad: Vec<String> = cases
        .iter()
        .filter_map(|case| match &case.grade {
            Grade::Exact => None,
            Grade::Refused(reason) if !reason.is_empty() => None,
            grade => Some(format!("{}: {grade:?}", case.id)),
        })
        .collect();
    assert!(bad.is_empty(), "{} cases:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn a_report_has_one_line_a_case_and_the_counts_as_its_last() {
    let Some(path) = recordings() else { return };
    let mut text = Vec::new();
    let summary = report(&path, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let cases = summary.exact + summary.cause_only + summary.refused + summary.wrong;
    assert_eq!(lines.len(), cases + 1);
    assert_eq!(lines.last(), Some(&summary.to_string().as_str()));
    assert!(
        summary
            .to_string()
            .starts_with(&format!("exact {} cause-only ", summary.exact))
    );
}
