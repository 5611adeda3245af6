//! How cases are graded, on hand-written ones in the format of the recordings.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use stepfunctions_runner::conformance::{ConformanceError, Grade, report, run_file};

/// Cases for what no recording shows, from the specification.
const CASES: &str = include_str!("cases/from_the_specification.json");

/// The report on the cases.
fn reported(cases: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.json");
    std::fs::write(&path, cases.to_string()).unwrap();
    let mut text = Vec::new();
    report(&path, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The first case that has the feature, changed.
fn changed(feature: &str, change: impl FnOnce(&mut Value)) -> Value {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    let has = |case: &&Value| case["features"].as_array().unwrap().contains(&json!(feature));
    let mut case = cases.iter().find(has).unwrap().clone();
    change(&mut case);
    case
}

fn line(case: Value) -> String {
    reported(&json!([case])).lines().next().unwrap().to_owned()
}

#[test]
fn the_cases_from_the_specification_are_exact() {
    let cases: Value = serde_json::from_str(CASES).unwrap();
    let count = cases.as_array().unwrap().len();
    let text = reported(&cases);
    let last = text.lines().last().unwrap();
    assert_eq!(last, format!("exact {count} cause-only 0 refused 0 wrong 0"), "{text}");
}

#[test]
fn another_output_is_wrong() {
    let case = changed("choice:Or", |case| case["expected"]["output"] = json!(false));
    assert!(
        line(case).starts_with(
            "wrong from the specification: Or holds when its second test does: /output: true is not false"
        )
    );
}

#[test]
fn another_wording_of_the_cause_is_told_apart() {
    let case = changed("Retry", |case| {
        case["expected"] = json!({ "status": "FAILED", "error": "Busy", "cause": "too much to do" });
        let busy = case["tasks"][0].clone();
        case["tasks"][2] = busy;
    });
    assert!(line(case).starts_with("cause-only "));
}

#[test]
fn a_task_that_was_not_recorded_is_wrong_and_so_is_one_that_is_never_asked_for() {
    let case = changed("Retry", |case| case["tasks"][2]["input"] = json!({ "n": 2 }));
    assert!(line(case).contains("a task that was not recorded: state \"Work\" asks for {\"n\":1}"));
    let case = changed("Retry", |case| {
        let more = case["tasks"][2].clone();
        case["tasks"].as_array_mut().unwrap().push(more);
        case["trace_order_fixed"] = json!(true);
    });
    assert!(line(case).contains("the recorded task 3 was never asked for"));
}

#[test]
fn another_path_is_wrong_where_its_order_is_fixed() {
    let other = |case: &mut Value| case["trace"][2]["name"] = json!("No");
    assert!(
        line(changed("choice:StringMatches", other))
            .contains("trace: entry 2: PassStateEntered \"Yes\" is not PassStateEntered \"No\"")
    );
    let case = changed("choice:StringMatches", |case| {
        other(case);
        case["trace_order_fixed"] = json!(false);
    });
    assert!(line(case).starts_with("exact "));
}

#[test]
fn what_was_scrubbed_is_compared_by_its_mask() {
    let masked = |mask: Value| {
        changed("Catch", |case| {
            case["expected"]["output"]["Error"] = json!("<error>");
            case["masks"] = json!([mask]);
        })
    };
    assert!(line(masked(json!({ "pointer": "/output/Error", "any": true }))).starts_with("exact "));
    assert!(
        line(masked(
            json!({ "pointer": "/output/Error", "regex": "^States\\.Time.*$" })
        ))
        .starts_with("exact ")
    );
    assert!(line(masked(json!({ "pointer": "/output/Error", "regex": "^Lambda" }))).starts_with("wrong "));
}

#[test]
fn a_definition_that_is_refused_is_not_wrong_and_says_why() {
    let case = changed("choice:Or", |case| {
        case["definition"]["States"]["Yes"]["Colour"] = json!("red")
    });
    assert!(line(case).contains(
        "refused from the specification: Or holds when its second test does: state \"Yes\": Colour: not supported"
    ));
    assert!(line(json!({ "id": "no case" })).starts_with("refused no case: the case cannot be read: "));
}

#[test]
fn a_stopped_execution_is_stopped_while_it_waits() {
    let case = changed("HeartbeatSeconds", |case| {
        case["expected"] = json!({ "status": "ABORTED" });
        case["tasks"][0]["result"] = json!({});
    });
    assert!(line(case).starts_with("exact "));
}

#[test]
fn a_file_that_is_no_list_of_cases_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.json");
    assert!(matches!(run_file(&path), Err(ConformanceError::Read { .. })));
    std::fs::write(&path, "{").unwrap();
    let error = run_file(&path).unwrap_err();
    assert!(matches!(error, ConformanceError::Format { .. }));
    assert!(error.to_string().ends_with("cases.json is no list of cases"));
    std::fs::write(&path, "[]").unwrap();
    assert!(run_file(&path).unwrap().is_empty());
}

#[test]
fn grades_are_named_in_one_word() {
    let reason = String::new();
    for (grade, word) in [
        (Grade::Exact, "exact"),
        (Grade::CauseOnly(reason.clone()), "cause-only"),
        (Grade::Refused(reason.clone()), "refused"),
        (Grade::Wrong(reason), "wrong"),
    ] {
        assert_eq!(grade.to_string(), word);
    }
}
