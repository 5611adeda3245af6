//! Each kind of state in the States Language.

use serde_json::json;
use synth::stepfunctions::{
    Caught, EdgeKind, Expr, Flow, LambdaService, Never, States, TRANSIENT, attempts, choice, choice_on, context,
    definition, fail, map, parallel, pass, proceed, rethrow, succeed, task, var, wait, wait_seconds, wait_until,
};
use synth::{ErrorName, hours, minutes, seconds, text};

use crate::support::{
    Build, CheckBuild, Commit, FetchError, FetchSource, Report, Source, StartBuild, Verdict, clean, emitted, to_json,
};

#[test]
fn a_task_invokes_its_function_with_its_input_and_unwraps_the_payload() {
    assert_eq!(
        emitted(task(FetchSource)),
        json!({
            "QueryLanguage": "JSONata",
            "StartAt": "Fetch source",
            "States": {"Fetch source": {
                "Type": "Task",
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:states:::lambda:invoke"},
                "Arguments": {
                    "FunctionName": {"Fn::GetAtt": ["FetchSource", "Arn"]},
                    "Payload": "{% $states.input %}",
                },
                "Output": "{% $states.result.Payload %}",
                "End": true,
            }},
        })
    );
}

#[test]
fn a_task_with_everything() {
    let source = var::<Source>("source");
    let key = var::<String>("key");
    let machine = task(FetchSource)
        .named("Fetch")
        .comment("Downloads the commit.")
        .arguments(|build: Expr<Build>| crate::support::CommitExpr {
            repository: "owner/name".into(),
            sha: build.id.clone(),
            number: 17.into(),
            fork: Expr::none(),
        })
        .assign(&source, |result| result)
        .assign(&key, |result| result.object_key.clone())
        .timeout(minutes(5))
        .output(|result| result.version.clone())
        .retry(
            TRANSIENT,
            attempts(4)
                .backing_off_from(seconds(2))
                .backoff_rate(1.5)
                .up_to(seconds(60))
                .full_jitter(),
        )
        .retry(FetchError::SourceMissing, attempts(1))
        .catch((FetchError::SourceRejected, States::Timeout), rethrow("Rejected"))
        .catch(
            States::All,
            fail("Broken", ErrorName("Broken")).because(|caught: Expr<Caught>| caught.error.clone()),
        );
    let fetch = &emitted(machine)["States"]["Fetch"];
    assert_eq!(
        *fetch,
        json!({
            "Type": "Task",
            "Comment": "Downloads the commit.",
            "Resource": {"Fn::Sub": "arn:${AWS::Partition}:states:::lambda:invoke"},
            "Arguments": {
                "FunctionName": {"Fn::GetAtt": ["FetchSource", "Arn"]},
                "Payload": {"repository": "owner/name", "sha": "{% $states.input.id %}", "number": 17, "fork": "{% null %}"},
            },
            "TimeoutSeconds": 300,
            "Assign": {"source": "{% $states.result.Payload %}", "key": "{% $states.result.Payload.objectKey %}"},
            "Output": "{% $states.result.Payload.`version-id` %}",
            "Retry": [
                {
                    "ErrorEquals": [
                        "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException",
                        "Lambda.TooManyRequestsException",
                    ],
                    "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 1.5, "MaxDelaySeconds": 60,
                    "JitterStrategy": "FULL",
                },
                {"ErrorEquals": ["SourceMissing"], "MaxAttempts": 1},
            ],
            "Catch": [
                {"ErrorEquals": ["SourceRejected", "States.Timeout"], "Next": "Rejected"},
                {"ErrorEquals": ["States.ALL"], "Next": "Broken"},
            ],
            "End": true,
        })
    );
}

#[test]
fn a_catcher_may_assign_and_go_on_with_something_else() {
    let failure = var::<String>("failure");
    let machine = task(FetchSource)
        .catch_with(
            FetchError::SourceMissing,
            |catching| {
                catching
                    .assign(&failure, |caught| caught.cause.unwrap_or("no cause"))
                    .output(|caught| caught.error.clone())
            },
            pass("Make do", |error: Expr<String>| crate::support::SourceExpr {
                object_key: error,
                version: failure.get(),
            }),
        )
        .then(task(StartBuild));
    let machine = emitted(machine);
    assert_eq!(
        machine["States"]["Fetch source"]["Catch"],
        json!([{
            "ErrorEquals": ["SourceMissing"],
            "Assign": {"failure": "{% $exists($states.errorOutput.Cause) and $states.errorOutput.Cause != null ? \
                                   $states.errorOutput.Cause : 'no cause' %}"},
            "Output": "{% $states.errorOutput.Error %}",
            "Next": "Make do",
        }])
    );
    assert_eq!(
        machine["States"]["Make do"],
        json!({
            "Type": "Pass",
            "Output": {"objectKey": "{% $states.input %}", "version-id": "{% $failure %}"},
            "Next": "Start build",
        })
    );
}

#[test]
fn a_choice_goes_on_with_its_input_whichever_way() {
    let machine = choice("Which?")
        .comment("Where to go.")
        .when(
            |commit: Expr<Commit>| commit.fork.is_some(),
            fail("Fork", ErrorName("ForkRejected")),
        )
        .when(|commit| !commit.number.equals(0), proceed())
        .otherwise(wait("A while", seconds(5)))
        .then(task(FetchSource));
    let machine = emitted(machine);
    assert_eq!(
        machine["States"]["Which?"],
        json!({
            "Type": "Choice",
            "Comment": "Where to go.",
            "Choices": [
                {"Condition": "{% $exists($states.input.fork) and $states.input.fork != null %}", "Next": "Fork"},
                {"Condition": "{% $states.input.number != 0 %}", "Next": "Fetch source"},
            ],
            "Default": "A while",
        })
    );
    assert_eq!(
        machine["States"]["A while"],
        json!({"Type": "Wait", "Seconds": 5, "Next": "Fetch source"})
    );
    assert_eq!(
        machine["States"]["Fork"],
        json!({"Type": "Fail", "Error": "ForkRejected"})
    );
    let order: Vec<_> = machine["States"].as_object().unwrap().keys().collect();
    assert_eq!(order, ["Which?", "Fork", "A while", "Fetch source"]);
}

#[test]
fn an_exhaustive_choice_has_no_default() {
    let machine: Flow<Build, Never> = choice_on("How did it end?", |build: Expr<Build>| build.verdict.clone())
        .case(Verdict::Passed, succeed("Good"))
        .case(Verdict::Failed, fail("Bad", ErrorName("TestsFailed")))
        .case(Verdict::Running, fail("Odd", ErrorName("StillRunning")))
        .exhaustive();
    let choice = &emitted(machine)["States"]["How did it end?"];
    assert_eq!(
        choice["Choices"][0],
        json!({"Condition": "{% $states.input.verdict = 'passed' %}", "Next": "Good"})
    );
    assert_eq!(choice.get("Default"), None);
}

#[test]
fn a_way_that_ends_the_machine_leads_to_a_state_that_says_so() {
    let machine: Flow<Commit, Commit> = choice("Fork?")
        .when(|commit: Expr<Commit>| commit.fork.is_some(), proceed())
        .otherwise(wait("A while", hours(1)));
    let machine = emitted(machine);
    assert_eq!(machine["States"]["Fork?"]["Choices"][0]["Next"], "Fork?: end");
    assert_eq!(machine["States"]["Fork?: end"], json!({"Type": "Succeed"}));
}

#[test]
fn waits_are_fixed_computed_or_until_a_time() {
    let machine = wait::<Commit>("Fixed", minutes(2))
        .then(wait_seconds("Computed", |commit: Expr<Commit>| {
            commit.number.clone() * 2
        }))
        .then(wait_until("Until", |_| context::execution_start_time()));
    let states = &emitted(machine)["States"];
    assert_eq!(
        states["Fixed"],
        json!({"Type": "Wait", "Seconds": 120, "Next": "Computed"})
    );
    assert_eq!(
        states["Computed"],
        json!({"Type": "Wait", "Seconds": "{% $states.input.number * 2 %}", "Next": "Until"})
    );
    assert_eq!(
        states["Until"],
        json!({"Type": "Wait", "Timestamp": "{% $states.context.Execution.StartTime %}", "End": true})
    );
}

#[test]
fn parallel_branches_give_a_tuple() {
    let machine = parallel(
        "Both",
        (
            task(FetchSource),
            pass("Number", |commit: Expr<Commit>| commit.number.clone()),
        ),
    )
    .retry(States::QueryEvaluationError, attempts(1))
    .output(|both| both.0.clone())
    .catch(FetchError::SourceRejected, rethrow("Rejected"))
    .then(task(StartBuild));
    let machine = emitted(machine);
    let both = &machine["States"]["Both"];
    assert_eq!(both["Branches"][1]["StartAt"], "Number");
    assert_eq!(both["Branches"][1]["States"]["Number"]["End"], true);
    assert_eq!(both["Output"], "{% $states.result[0] %}");
    assert_eq!(both["Retry"][0]["ErrorEquals"], json!(["States.QueryEvaluationError"]));
    assert_eq!(
        both["Catch"][0],
        json!({"ErrorEquals": ["SourceRejected"], "Next": "Rejected"})
    );
    assert_eq!(both["Next"], "Start build");
}

#[test]
fn map_runs_a_flow_for_each_item_and_gives_the_list() {
    let shouted = pass("Shout", |line: Expr<String>| {
        text![line, " (", context::map_item_index().to_text(), ")"]
    });
    let machine = map("Each line", |build: Expr<Build>| build.logs.clone(), shouted).concurrency(5);
    assert_eq!(
        emitted(machine)["States"]["Each line"],
        json!({
            "Type": "Map",
            "Items": "{% $states.input.logs %}",
            "MaxConcurrency": 5,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Shout",
                "States": {"Shout": {
                    "Type": "Pass",
                    "Output": "{% $states.input & ' (' & $string($states.context.Map.Item.Index) & ')' %}",
                    "End": true,
                }},
            },
            "End": true,
        })
    );
}

#[test]
fn fail_and_succeed_end_the_execution() {
    let machine: Flow<Build, Never> = choice("Well?")
        .when(|build: Expr<Build>| build.logs.is_empty(), succeed("Fine"))
        .otherwise(
            fail("Not fine", ErrorName("LogsLeft"))
                .because(|build: Expr<Build>| text!["build ", &build.id, " left logs"]),
        );
    let states = &emitted(machine)["States"];
    assert_eq!(states["Fine"], json!({"Type": "Succeed"}));
    assert_eq!(
        states["Not fine"],
        json!({"Type": "Fail", "Error": "LogsLeft", "Cause": "{% 'build ' & $states.input.id & ' left logs' %}"})
    );
}

#[test]
fn an_end_within_a_way_ends_the_execution_there() {
    let machine = choice("Running?")
        .when(
            |build: Expr<Build>| build.verdict.equals(Verdict::Running),
            task(CheckBuild),
        )
        .otherwise(task(Report).end())
        .then(pass("Last", |build: Expr<Build>| build.id.clone()));
    let states = &emitted(machine)["States"];
    assert_eq!(states["Check build"]["Next"], "Last");
    assert_eq!(states["Report"]["End"], true);
}

#[test]
fn a_definition_has_a_comment_and_a_time_out_and_knows_what_it_invokes() {
    let definition = definition(
        task(FetchSource)
            .then(task(StartBuild))
            .then(task(CheckBuild).named("Check")),
    )
    .comment("Builds a commit.")
    .timeout(hours(2));
    let json = clean(&definition);
    assert_eq!(
        (&json["Comment"], &json["TimeoutSeconds"]),
        (&json!("Builds a commit."), &json!(7200))
    );
    let order: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        order,
        ["Comment", "QueryLanguage", "TimeoutSeconds", "StartAt", "States"]
    );
    let invoked: Vec<_> = definition
        .invoked()
        .iter()
        .map(|arn| to_json(arn.node())["Fn::GetAtt"][0].clone())
        .collect();
    assert_eq!(invoked, ["FetchSource", "StartBuild", "CheckBuild"]);
}

#[test]
fn a_graph_has_the_states_and_the_ways_between_them() {
    let machine: Flow<Commit, Source> = choice("Fork?")
        .when(
            |commit: Expr<Commit>| commit.fork.is_some(),
            fail("Fork", ErrorName("ForkRejected")),
        )
        .otherwise(task(FetchSource).catch(LambdaService::Unknown, rethrow("Crashed")));
    let graph = definition(machine).graph();
    let nodes: Vec<_> = graph
        .nodes
        .iter()
        .map(|node| (node.name.as_str(), node.kind, node.start, node.end))
        .collect();
    assert_eq!(
        nodes,
        [
            ("Fork?", "Choice", true, false),
            ("Fork", "Fail", false, true),
            ("Fetch source", "Task", false, true),
            ("Crashed", "Fail", false, true),
        ]
    );
    let edges: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.kind))
        .collect();
    assert_eq!(
        edges,
        [
            ("Fork?", "Fork", EdgeKind::Choice),
            ("Fork?", "Fetch source", EdgeKind::Default),
            ("Fetch source", "Crashed", EdgeKind::Catch),
        ]
    );
    assert_eq!(graph.edges[2].label, "Lambda.Unknown");
}
