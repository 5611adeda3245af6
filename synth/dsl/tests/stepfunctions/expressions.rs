//! Expressions as JSONata text and as JSON templates.

use std::collections::BTreeMap;

use serde_json::json;
use synth::stepfunctions::{Expr, concatenation, context, pass, var};
use synth::text;

use crate::support::{Build, BuildExpr, Source, SourceExpr, Verdict, emitted};

#[test]
fn fields_are_read_by_their_name_on_the_wire() {
    let source = var::<Source>("source").get();
    assert_eq!(source.object_key.to_jsonata(), "$source.objectKey");
    assert_eq!(source.version.to_jsonata(), "$source.`version-id`");
    assert_eq!(source.fields().version.to_jsonata(), "$source.`version-id`");
}

#[test]
fn conditions_keep_their_meaning_when_they_are_nested() {
    let build = var::<Build>("build").get();
    let running = build.verdict.equals(Verdict::Running);
    let empty = build.logs.is_empty();
    assert_eq!(
        running.or(empty.clone()).and(true).to_jsonata(),
        "($build.verdict = 'running' or $count($build.logs) = 0) and true"
    );
    assert_eq!(
        (!running.or(empty)).to_jsonata(),
        "$not($build.verdict = 'running' or $count($build.logs) = 0)"
    );
    assert_eq!(
        build.verdict.is_one_of([Verdict::Passed, Verdict::Failed]).to_jsonata(),
        "$build.verdict in ['passed', 'failed']"
    );
    assert_eq!(build.logs.contains("done").to_jsonata(), "'done' in $build.logs");
}

#[test]
fn numbers_are_compared_and_computed() {
    let count = var::<u64>("tries").get();
    assert_eq!(
        ((count.clone() + 1) * 2).less_than(10).to_jsonata(),
        "($tries + 1) * 2 < 10"
    );
    assert_eq!(
        (count.clone() - (count.clone() - 1)).to_jsonata(),
        "$tries - ($tries - 1)"
    );
    assert_eq!(count.min(60).max(1).to_jsonata(), "$max([$min([$tries, 60]), 1])");
    assert_eq!(count.scaled_up(1.5).to_jsonata(), "$ceil($tries * 1.5)");
    assert_eq!(
        context::state_entered_time().to_millis().at_least(0).to_jsonata(),
        "$toMillis($states.context.State.EnteredTime) >= 0"
    );
}

#[test]
fn what_may_be_absent_is_asked_for_before_it_is_read() {
    let name = var::<Option<String>>("name").get();
    assert_eq!(name.is_some().to_jsonata(), "$name != null");
    assert_eq!(name.is_none().to_jsonata(), "$not($name != null)");
    let logs = var::<Vec<String>>("logs").get();
    assert_eq!(
        logs.get(0).unwrap_or("none").to_jsonata(),
        "$exists($logs[0]) and $logs[0] != null ? $logs[0] : 'none'"
    );
    assert_eq!(logs.get(0).assume_some().to_jsonata(), "$logs[0]");
    let by_name = var::<BTreeMap<String, u64>>("sizes").get();
    assert_eq!(
        by_name.get("a").to_jsonata(),
        "$exists($lookup($sizes, 'a')) ? $lookup($sizes, 'a') : null"
    );
}

#[test]
fn text_is_put_together() {
    let number = var::<u64>("number").get();
    assert_eq!(
        text!["pr-", number.to_text(), "/it's"].to_jsonata(),
        r#"'pr-' & $string($number) & "/it's""#
    );
    assert_eq!(text!["a"].truncated(140).to_jsonata(), "$substring('a', 0, 140)");
    assert_eq!(text!["abc"].contains("b").to_jsonata(), "$contains('abc', 'b')");
}

#[test]
fn objects_are_templates_outside_and_constructors_within_an_expression() {
    let key = var::<String>("key");
    let source = || -> Expr<Source> {
        SourceExpr {
            object_key: key.get(),
            version: "1".into(),
        }
        .into()
    };
    assert_eq!(source().to_jsonata(), "{'objectKey': $key, 'version-id': '1'}");
    let machine = pass("Key", |key_now: Expr<String>| key_now)
        .assign(&key, |text| text)
        .then(pass("Outside", |_: Expr<String>| source()))
        .then(pass("Within", |known: Expr<Source>| {
            known.version.equals("1").choose(source(), known)
        }));
    let states = &emitted(machine)["States"];
    assert_eq!(
        states["Outside"]["Output"],
        json!({"objectKey": "{% $key %}", "version-id": "1"})
    );
    assert_eq!(
        states["Within"]["Output"],
        "{% $states.input.`version-id` = '1' ? {'objectKey': $key, 'version-id': '1'} : $states.input %}"
    );
}

#[test]
fn lists_of_lists_are_kept_from_being_flattened() {
    let logs = var::<Vec<String>>("logs").get();
    let both: Expr<Vec<Vec<String>>> = [logs.clone(), logs].into();
    assert_eq!(both.to_jsonata(), "[[$logs], [$logs]]");
}

#[test]
fn literal_text_that_looks_like_an_expression_stays_text() {
    let states = &emitted(pass("Odd", |_: Expr<()>| {
        Expr::literal("{% $states.input %}".to_owned())
    }))["States"];
    assert_eq!(states["Odd"]["Output"], r"{% '{\u0025 $states.input %\u007d' %}");
}

#[test]
fn a_literal_is_what_serde_makes_of_it() {
    let build = Build {
        id: "b".into(),
        verdict: Verdict::Passed,
        logs: vec!["x".into()],
    };
    let states = &emitted(pass("Literal", |_: Expr<()>| Expr::literal(build)))["States"];
    assert_eq!(
        states["Literal"]["Output"],
        json!({"id": "b", "verdict": "passed", "logs": ["x"]})
    );
    let put_together: Expr<Build> = BuildExpr {
        id: "b".into(),
        verdict: Verdict::Passed.into(),
        logs: ["x"].into(),
    }
    .into();
    assert_eq!(
        put_together.to_jsonata(),
        "{'id': 'b', 'verdict': 'passed', 'logs': ['x']}"
    );
}

/// Each `&` is a level of the expression, of which Step Functions takes a hundred: see <https://github.com/floci-io/floci/issues/2737>.
#[test]
fn text_of_many_parts_is_joined_instead_of_nested() {
    let parts = |count: usize| concatenation(vec![Expr::<String>::from("a"); count]);
    assert_eq!(parts(3).to_jsonata(), "'a' & 'a' & 'a'");
    assert!(parts(150).to_jsonata().starts_with("$join(['a', 'a', "));
    let machine = emitted(pass("Many", move |_: Expr<String>| parts(150)));
    assert!(machine["States"]["Many"]["Output"].is_string());
}
