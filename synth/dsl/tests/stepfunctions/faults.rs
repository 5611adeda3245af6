//! What synthesis finds, each with its line.

use serde::Serialize;
use synth::stepfunctions::{
    Expr, Flow, Never, States, TRANSIENT, attempts, choice, choice_on, context, definition, fail, map, parallel, pass,
    proceed, rethrow, succeed, task, var, wait,
};
use synth::{ErrorName, Fault, Shape, days, seconds};

use crate::support::{
    Build, CheckBuild, Commit, FetchError, FetchSource, Source, StartBuild, Verdict, blamed_line, emitted, only_fault,
};

/// `blamed` is a part of the source line that the fault points at.
#[track_caller]
fn assert_fault(fault: &Fault, blamed: &str, path: &str, message: &str) {
    assert_eq!(
        (fault.path.as_str(), fault.message.as_str()),
        (path, message),
        "{fault}"
    );
    assert!(fault.help.is_some(), "{fault}");
    assert!(
        blamed_line(fault, include_str!("faults.rs")).contains(blamed),
        "{fault}"
    );
}

#[test]
fn a_variable_that_nobody_assigns() {
    let source = var::<Source>("source");
    let machine = pass("Read", |_: Expr<Commit>| source.get());
    assert_fault(
        &only_fault(machine),
        r#"pass("Read""#,
        "Read: Output",
        "the variable `source` is read, but no state assigns it",
    );
}

#[test]
fn a_variable_that_one_path_does_not_assign() {
    let source = var::<Source>("source");
    let machine = choice("Fork?")
        .when(
            |commit: Expr<Commit>| commit.fork.is_some(),
            wait("Only wait", seconds(1)),
        )
        .otherwise(pass("Assign", |commit: Expr<Commit>| commit).assign(&source, |_| Expr::literal(a_source())))
        .then(pass("Read", |_: Expr<Commit>| source.get()));
    let message = "the variable `source` is read, but the path Fork? → Only wait → Read does not assign it";
    assert_fault(&only_fault(machine), r#"pass("Read""#, "Read: Output", message);
}

#[test]
fn a_variable_that_a_caught_task_did_not_get_to_assign() {
    let source = var::<Source>("source");
    let machine: Flow<Commit, Source> = task(FetchSource)
        .assign(&source, |result| result)
        .catch(States::All, pass("Read", |_| source.get()))
        .into_flow();
    let message = "the variable `source` is read, but the path Fetch source → Read does not assign it";
    assert_fault(&only_fault(machine), r#"pass("Read""#, "Read: Output", message);
}

#[test]
fn a_state_reads_variables_as_they_were_before_it() {
    let tally = var::<u64>("tally");
    let machine = pass("Both", |_: Expr<Commit>| tally.get()).assign(&tally, |commit| commit.number.clone());
    let message = "the variable `tally` is read, but the path Both does not assign it";
    assert_fault(&only_fault(machine), r#"pass("Both""#, "Both: Output", message);
}

#[test]
fn a_loop_counts_for_what_it_assigns_before_it_is_entered() {
    let machine = synth::stepfunctions::poll("Build", task(CheckBuild))
        .until(|build| build.logs.is_empty())
        .otherwise(rethrow_build());
    assert_eq!(emitted(machine)["StartAt"], "Build: start");
}

fn rethrow_build() -> Flow<Build, Build> {
    proceed().then(wait("Give up", seconds(1)))
}

#[test]
fn a_variable_of_a_branch_is_unseen_outside() {
    let inner = var::<u64>("inner");
    let branch = pass("Inside", |commit: Expr<Commit>| commit).assign(&inner, |commit| commit.number.clone());
    let machine = parallel("Both", (branch, pass("Beside", |commit: Expr<Commit>| commit)))
        .then(pass("Outside", |_: Expr<(Commit, Commit)>| inner.get()));
    let message = "the variable `inner` is assigned in another branch or iteration alone, and unseen here";
    assert_fault(&only_fault(machine), r#"pass("Outside""#, "Outside: Output", message);
}

#[test]
fn a_branch_does_not_assign_what_is_outside() {
    let tally = var::<u64>("tally");
    let branch = pass("Inside", |commit: Expr<Commit>| commit).assign(&tally, |_| tally.get() + 1);
    let machine = pass("Before", |commit: Expr<Commit>| commit)
        .assign(&tally, |commit| commit.number.clone())
        .then(parallel(
            "Both",
            (branch, pass("Beside", |commit: Expr<Commit>| commit)),
        ));
    assert_fault(
        &only_fault(machine),
        ".assign(&tally, |_| tally.get() + 1)",
        "Inside",
        "the variable `tally` belongs to the scope around this one",
    );
}

#[test]
fn one_name_for_variables_of_two_types() {
    let machine = pass("Text", |commit: Expr<Commit>| commit)
        .assign(&var::<String>("thing"), |commit| commit.sha.clone())
        .then(pass("Number", |_: Expr<Commit>| var::<u64>("thing").get()));
    let message = "the variable `thing` is a `uint64` here and a `string` elsewhere";
    assert_fault(&only_fault(machine), r#"pass("Number""#, "Number", message);
}

#[test]
fn a_variable_that_hides_a_function() {
    let machine =
        pass("Count", |commit: Expr<Commit>| commit).assign(&var::<u64>("count"), |commit| commit.number.clone());
    let message = "a variable named `count` would hide JSONata's `$count`";
    assert_fault(&only_fault(machine), ".assign(", "Count: Assign", message);
}

#[test]
fn an_expression_of_another_state() {
    let mut stolen = None;
    let first = pass("First", |commit: Expr<Commit>| {
        stolen = Some(commit.sha.clone());
        commit
    });
    let machine = first.then(pass("Second", |_: Expr<Commit>| stolen.unwrap()));
    let message = "the expression reads the input of another closure, which is not the input of this state here";
    assert_fault(&only_fault(machine), r#"pass("Second""#, "Second: Output", message);
}

#[derive(Debug, Serialize, schemars::JsonSchema, Shape)]
struct Renamed {
    #[serde(rename(serialize = "head-sha", deserialize = "headSha"))]
    head_sha: String,
}

#[test]
fn a_field_that_serde_calls_otherwise() {
    let machine = pass("Read", |renamed: Expr<Renamed>| renamed.head_sha.clone());
    let message = "`Renamed` has no field `head_sha` in its JSON; it has head-sha";
    assert_fault(&only_fault(machine), r#"pass("Read""#, "Read: Output", message);
    let machine = pass("Build", |sha: Expr<String>| -> Expr<Renamed> {
        RenamedExpr { head_sha: sha }.into()
    });
    assert_fault(&only_fault(machine), r#"pass("Build""#, "Build: Output", message);
}

fn as_text<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&number.to_string())
}

#[derive(Debug, Serialize, schemars::JsonSchema, Shape)]
struct Reshaped {
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    number: u64,
}

#[test]
fn a_field_that_serde_writes_as_another_type() {
    let machine = pass("Read", |reshaped: Expr<Reshaped>| reshaped.number.clone());
    let message = "the field `number` of `Reshaped` is string in its JSON, but `uint64` is number";
    assert_fault(&only_fault(machine), r#"pass("Read""#, "Read: Output", message);
}

#[test]
fn a_choice_that_leaves_a_value_out() {
    let machine: Flow<Build, Never> = choice_on("How?", |build: Expr<Build>| build.verdict.clone())
        .case(Verdict::Passed, succeed("Good"))
        .exhaustive();
    let message = r#"no case for "running", "failed" of `Verdict`"#;
    assert_fault(&only_fault(machine), ".exhaustive()", "How?", message);
    let machine: Flow<Build, Never> = choice_on("Which?", |build: Expr<Build>| build.id.clone())
        .case("x".into(), succeed("X"))
        .exhaustive();
    let message = "`string` has no fixed set of values, so its cases cannot be exhaustive";
    assert_fault(&only_fault(machine), ".exhaustive()", "Which?", message);
}

#[test]
fn a_wildcard_that_is_not_last_or_not_alone() {
    let machine: Flow<Commit, Source> = task(FetchSource)
        .catch(States::All, rethrow("All"))
        .catch(FetchError::SourceMissing, rethrow("Missing"))
        .then(proceed());
    let message = "`States.ALL` is not last, so what follows is never looked at";
    assert_fault(
        &only_fault(machine),
        ".catch(States::All",
        "Fetch source: Catch",
        message,
    );
    let machine = task(FetchSource).retry((States::All, FetchError::SourceMissing), attempts(2));
    assert_fault(
        &only_fault(machine),
        ".retry((States::All",
        "Fetch source: Retry",
        "`States.ALL` stands with other errors",
    );
    let machine = task(FetchSource)
        .retry(TRANSIENT, attempts(2))
        .retry(TRANSIENT, attempts(3));
    assert_eq!(definition(machine).check().len(), 4);
}

#[test]
fn an_error_that_nothing_within_raises() {
    let machine = parallel(
        "Both",
        (
            task(StartBuild),
            proceed().then(pass("Key", |source: Expr<Source>| source.object_key.clone())),
        ),
    )
    .catch(FetchError::SourceMissing, rethrow("Missing"));
    let message = "nothing in this state fails with `SourceMissing`; it may fail with no error of a handler's own";
    assert_fault(
        &only_fault(machine),
        ".catch(FetchError::SourceMissing",
        "Both",
        message,
    );
}

#[test]
fn an_error_of_a_fail_state_within_is_caught_by_its_name() {
    const REFUSED: ErrorName = ErrorName("Refused");
    let refuse: Flow<Commit, Commit> = fail("Refuse", REFUSED).into_flow();
    let machine = parallel("Both", (refuse, pass("Beside", |commit: Expr<Commit>| commit)));
    assert!(
        definition(machine.catch(REFUSED, rethrow("Refused")))
            .check()
            .is_empty()
    );
}

#[test]
fn retries_out_of_range() {
    let machine = task(FetchSource).retry(TRANSIENT, attempts(2).backing_off_from(seconds(0)));
    assert_fault(
        &only_fault(machine),
        "attempts(2).backing_off",
        "Fetch source: Retry",
        "a first wait of 0 seconds is outside 1 to 99999999",
    );
    let machine = task(FetchSource).retry(TRANSIENT, attempts(2).backoff_rate(0.5));
    assert_fault(
        &only_fault(machine),
        "attempts(2).backoff_rate",
        "Fetch source: Retry",
        "a backoff rate of 0.5 is less than 1",
    );
    let machine = task(FetchSource).retry(TRANSIENT, attempts(2).up_to(seconds(1)));
    let message = "a longest wait of 1 seconds is not between the first wait of 1 and 31622400";
    assert_fault(
        &only_fault(machine),
        "attempts(2).up_to",
        "Fetch source: Retry",
        message,
    );
}

#[test]
fn times_out_of_range() {
    let machine = wait::<Commit>("Long", days(2_000));
    assert_fault(
        &only_fault(machine),
        "wait::<Commit>",
        "Long",
        "the wait of 172800000 seconds is outside 0 to 99999999",
    );
    let machine = task(FetchSource).timeout(seconds(0));
    assert_fault(
        &only_fault(machine),
        ".timeout(",
        "Fetch source",
        "the task's time-out of 0 seconds is outside 1 to 99999999",
    );
    let fault = definition(task(FetchSource)).timeout(seconds(0)).check().remove(0);
    assert_fault(
        &fault,
        ".timeout(",
        "",
        "the execution's time-out of 0 seconds is outside 1 to 99999999",
    );
}

#[test]
fn names_and_errors_that_step_functions_refuses() {
    let long = "x".repeat(81);
    let fault = only_fault(task(FetchSource).named(long.clone()));
    assert_fault(
        &fault,
        "task(FetchSource)",
        &long,
        "a state's name of 81 characters is not 1 to 80 long",
    );
    let machine: Flow<Commit, Never> = Flow::clone(&proceed()).then(fail("Odd", ErrorName("States.Odd")));
    let message = "the error name `States.Odd` starts with `States.`, which Step Functions keeps to itself";
    assert_fault(&only_fault(machine), r#"fail("Odd""#, "Odd", message);
}

#[test]
fn an_end_within_a_branch() {
    let branch = task(FetchSource).end::<String>();
    let machine = parallel("Both", (branch, pass("Beside", |commit: Expr<Commit>| commit)));
    let message = "`.end()` within a Parallel or Map state ends the branch, not the execution";
    assert_fault(&only_fault(machine), ".end::<String>()", "Both", message);
}

#[test]
fn states_that_nothing_leads_to() {
    let machine = task(FetchSource).end::<Source>().then(task(StartBuild));
    let message = "the state `Start build` is never reached: all that comes before it ends";
    assert_fault(&only_fault(machine), "task(StartBuild)", "Start build", message);
    assert_fault(
        &only_fault(proceed::<Commit>()),
        "only_fault(proceed",
        "",
        "there is no state to start with",
    );
}

#[test]
fn more_iterations_than_inline_mode_runs_at_once() {
    let each = pass("Index", |_: Expr<String>| context::map_item_index());
    let machine = map("Each", |build: Expr<Build>| build.logs.clone(), each).concurrency(41);
    assert_fault(
        &only_fault(machine),
        ".concurrency(41)",
        "Each",
        "41 iterations at once are outside 1 to 40",
    );
}

#[test]
fn a_definition_that_is_too_long() {
    let machine = pass("Long", |_: Expr<Commit>| Expr::literal("x".repeat(1_000_001)));
    let fault = only_fault(machine);
    assert!(fault.message.ends_with("characters, more than 1000000"), "{fault}");
}

fn a_source() -> Source {
    Source {
        object_key: "key".into(),
        version: "1".into(),
    }
}

/// A sum of a hundred terms is taken, one of a hundred and one is not: measured on AWS, see
/// <https://github.com/floci-io/floci/issues/2737>.
#[test]
fn an_expression_that_nests_too_deep() {
    let sum = |terms: i64| (1..terms).fold(Expr::literal(1), |sum: Expr<i64>, _| sum + 1);
    emitted(pass("Deep", move |_: Expr<String>| sum(100)));
    assert_fault(
        &only_fault(pass("Deep", move |_: Expr<String>| sum(101))),
        r#"pass("Deep""#,
        "Deep: Output",
        "the expression nests 101 levels deep, allowed are 100",
    );
}
