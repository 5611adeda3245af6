//! Whole stories of pull requests on this machine: every promise of the system is kept, faults included.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, with these words"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testing::rehearsal::{self, End, Fault, Plan, RehearsalError, Rehearsed, report, terminal};
use testing::{Error, skipped};

/// How long processes may take to see that they are to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A project that has nothing in common with this one: tests are a shell command, the application is a table.
fn other_repository() -> TempDir {
    repository(
        r#"{ "Places": { "Type": "AWS::DynamoDB::Table", "Properties": { "TableName": "places-ENVIRONMENT-places",
            "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] } } }"#,
    )
}

/// A project whose application has these resources, of the usual services.
fn repository(resources: &str) -> TempDir {
    configured(resources, include_str!("rehearsal/project.yaml"))
}

/// A project whose application has these resources.
fn configured(resources: &str, configuration: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let parameters = r#"{ "CodeBucket": { "Type": "String" }, "CodeKey": { "Type": "String" } }"#;
    let template = format!(r#"{{ "Parameters": {parameters}, "Resources": {resources} }}"#);
    for (name, text) in [
        ("project.yaml", configuration),
        ("template.json", template.as_str()),
        ("code.txt", "nothing\n"),
        (
            "test.sh",
            "mkdir -p reports && echo '<testsuite name=\"t\" tests=\"1\"><testcase name=\"it works\" classname=\"t\"/></testsuite>' > reports/t.xml\n",
        ),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for arguments in [
        &["init", "--quiet", "--initial-branch", "trunk"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "commit",
            "--quiet",
            "--message",
            "One",
        ],
    ] {
        let status = Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args(arguments)
            .status();
        assert!(status.expect("git is there").success());
    }
    folder
}

fn plan(repository: &Path) -> Plan {
    Plan {
        pull_request: 17,
        repository: repository.to_owned(),
        configuration: None,
        end: End::Merge,
        faults: Vec::new(),
        speed: 40,
        pushes: 0,
        keep: false,
    }
}

/// What came of it, every promise kept; none where a tool is missing, which is told.
fn rehearsed(what: &str, plan: &Plan) -> Option<Rehearsed> {
    let rehearsed = played(what, plan)?;
    assert!(rehearsed.summary.is_good(), "a promise was broken");
    Some(rehearsed)
}

fn played(what: &str, plan: &Plan) -> Option<Rehearsed> {
    let show = |event: &rehearsal::event::Event| {
        if let Some(line) = terminal::line(event, false) {
            println!("{}", anstream::adapter::strip_str(&line));
        }
    };
    let rehearsed = match rehearsal::run(plan, Arc::new(show), Arc::default()) {
        Err(RehearsalError::Tool(fault @ Error::Unavailable { .. })) => {
            skipped(what, &fault.to_string());
            return None;
        }
        other => other.unwrap_or_else(|fault| panic!("{fault}")),
    };
    println!("{}", rehearsed.summary.tables());
    Some(rehearsed)
}

#[test]
fn any_repository_is_rehearsed_with_its_own_configuration() {
    let repository = other_repository();
    let plan = Plan {
        pushes: 2,
        ..plan(repository.path())
    };
    let Some(rehearsed) = rehearsed("a repository of another project is rehearsed", &plan) else {
        return;
    };
    let summary = &rehearsed.summary;
    assert_eq!(summary.repository, "octo-org/places");
    let superseded = summary
        .executions
        .iter()
        .filter(|run| run.states.last().is_some_and(|state| state == "Superseded"));
    assert_eq!(superseded.count(), 1, "the second commit was overtaken by the third");
    let stopped = summary.statuses.iter().filter(|status| status.state != "success");
    let stopped: Vec<(&str, &str)> = stopped
        .map(|status| (status.context.as_str(), status.state.as_str()))
        .collect();
    assert_eq!(stopped, [("places/unit-tests", "error")], "nobody waits for its tests");
    let asked = summary
        .promises
        .iter()
        .find(|promise| promise.promise.contains("who has signed in"));
    let outcome = asked.unwrap().outcome();
    assert_eq!(outcome, "not applicable: there was nothing to look at", "it has no API");
    let page = report::page(&rehearsed.definition, summary, &rehearsed.events).unwrap();
    assert_eq!(page.matches("<svg").count(), summary.executions.len());
    assert!(page.contains("class=\"taken\"") && page.contains("nothing of the pull request is left"));
}

/// An application of other services than the usual: nothing in it has a name of its own.
const OF_OTHER_SERVICES: &str = r#"{ "Files": { "Type": "AWS::S3::Bucket" },
    "Jobs": { "Type": "AWS::SQS::Queue" },
    "Role": { "Type": "AWS::IAM::Role", "Properties": {
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] },
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"] } },
    "Work": { "Type": "AWS::Lambda::Function", "Properties": { "Runtime": "provided.al2023", "Handler": "work",
        "Role": { "Fn::GetAtt": ["Role", "Arn"] },
        "Code": { "S3Bucket": { "Ref": "CodeBucket" }, "S3Key": { "Ref": "CodeKey" } } } },
    "Feed": { "Type": "AWS::Lambda::EventSourceMapping", "Properties": {
        "FunctionName": { "Ref": "Work" }, "EventSourceArn": { "Fn::GetAtt": ["Jobs", "Arn"] } } } }"#;

/// What its role may not make ends red, and a promise that nothing was there for is not kept.
#[test]
fn an_application_that_its_role_may_not_make_is_refused_as_aws_would() {
    let repository = repository(OF_OTHER_SERVICES);
    let plan = Plan {
        end: End::Close,
        ..plan(repository.path())
    };
    let Some(rehearsed) = played("an application that its role may not make", &plan) else {
        return;
    };
    let statuses = &rehearsed.summary.statuses;
    let deploy = statuses
        .iter()
        .find(|status| status.context == "places/deploy")
        .unwrap();
    assert_eq!(deploy.state, "failure");
    let told = &deploy.description;
    let refused = [
        ("Files", "s3:CreateBucket"),
        ("Jobs", "sqs:CreateQueue"),
        ("Role", "iam:CreateRole"),
    ];
    let named = refused.iter().any(|(resource, action)| {
        told.contains(&format!(
            "{resource}: the role places-pr-17-cloudformation may not {action}"
        ))
    });
    assert!(named, "{told}");
    assert!(
        told.contains("in application.services?") || told.contains("iam:CreateRole"),
        "{told}"
    );
    let of = |promise: &str| {
        let mut promises = rehearsed.summary.promises.iter();
        promises.find(|known| known.promise.contains(promise)).unwrap()
    };
    assert!(!of("statuses are green").faults.is_empty());
    assert!(of("nothing of the pull request is left").outcome().starts_with("yes, "));
    assert!(of("who has signed in").outcome() != "yes", "there is no API at all");
}

/// The same application, its services listed and its role within the environment's boundary, is deployed and leaves nothing.
#[test]
fn an_application_of_services_that_are_listed_gets_its_environment() {
    let role = r#""Properties": {
        "AssumeRolePolicyDocument""#;
    let bounded = r#""Properties": {
        "PermissionsBoundary": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:policy/places-ENVIRONMENT-boundary" },
        "Policies": [{ "PolicyName": "jobs", "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "Resource": { "Fn::GetAtt": ["Jobs", "Arn"] } }] } }],
        "AssumeRolePolicyDocument""#;
    assert!(OF_OTHER_SERVICES.contains(role));
    let configuration = include_str!("rehearsal/project.yaml");
    let code = "  code: out/app.zip\n";
    assert!(configuration.contains(code));
    let listed = configuration.replace(code, &format!("{code}  services: [lambda, s3, sqs]\n"));
    let repository = configured(&OF_OTHER_SERVICES.replace(role, bounded), &listed);
    let Some(rehearsed) = rehearsed("an application of services that are listed", &plan(repository.path())) else {
        return;
    };
    let statuses = rehearsed.summary.statuses.iter();
    let deployed = statuses.filter(|status| status.context == "places/deploy" && status.state == "success");
    assert!(deployed.count() >= 1, "{:?}", rehearsed.summary.statuses);
}

#[test]
fn promises_are_kept_on_a_bad_day() {
    let repository = other_repository();
    let faults = vec![
        Fault::LostWebhook,
        Fault::RepeatedWebhooks,
        Fault::ForgedWebhook,
        Fault::GithubUnavailable,
        Fault::AwsThrottled,
        Fault::LambdaBusy,
        Fault::AnswersLost,
    ];
    let plan = Plan {
        pushes: 1,
        end: End::Close,
        faults,
        ..plan(repository.path())
    };
    let Some(rehearsed) = rehearsed("promises are kept on a bad day", &plan) else {
        return;
    };
    let forged = rehearsed
        .summary
        .executions
        .iter()
        .filter(|run| run.error.as_deref() == Some("SignatureRejected"));
    assert!(forged.count() >= 1, "{:?}", rehearsed.summary.executions);
}

#[test]
fn a_pull_request_may_be_closed_while_it_is_deployed() {
    let repository = other_repository();
    let plan = Plan {
        end: End::Close,
        faults: vec![Fault::ClosedEarly],
        ..plan(repository.path())
    };
    rehearsed("a pull request is closed while it is deployed", &plan);
}

/// The processes that have inherited a variable with this value.
#[cfg(target_os = "linux")]
fn marked(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    let marked = processes.filter(|process| {
        let variables = fs::read(process.path().join("environ")).unwrap_or_default();
        variables
            .split(|byte| *byte == 0)
            .any(|variable| variable.ends_with(mark.as_bytes()))
    });
    let names = marked.map(|process| fs::read_to_string(process.path().join("comm")).unwrap_or_default());
    names.collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_rehearsal_that_is_killed_takes_its_processes_with_it() {
    let repository = other_repository();
    let mark = format!("killed-{}", std::process::id());
    let mut process = Command::new(env!("CARGO_BIN_EXE_testing"))
        .args(["rehearse", "--pr", "17", "--json", "--repository"])
        .arg(repository.path())
        .env("REHEARSAL_MARK", &mark)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(process.stdout.take().unwrap()).lines();
    let begun = told
        .map_while(Result::ok)
        .find(|line| line.contains("Unit tests: start"));
    let alive = marked(&mark);
    drop(process.kill());
    let ended = process.wait().unwrap();
    if begun.is_none() {
        skipped(
            "a rehearsal is killed",
            &format!("it did not get to its unit tests: {ended}"),
        );
        return;
    }
    assert!(alive.len() > 1, "the local AWS is a process of its own: {alive:?}");
    let begun = Instant::now();
    while !marked(&mark).is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{:?} are left", marked(&mark));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn this_project_is_rehearsed_with_a_live_environment() {
    let repository = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let Some(rehearsed) = rehearsed("this project is rehearsed", &plan(&repository)) else {
        return;
    };
    let answered = rehearsed.events.iter().any(|event| {
        matches!(&event.happening, rehearsal::event::Happening::Answered { status: 200, request, .. } if request.contains("/items"))
    });
    assert!(answered, "no signed-in user was answered");
}

#[test]
fn a_repository_without_a_configuration_is_told_what_to_commit() {
    let repository = other_repository();
    let missing = Plan {
        configuration: Some("none.yaml".to_owned()),
        ..plan(repository.path())
    };
    match rehearsal::run(&missing, Arc::new(|_| {}), Arc::default()) {
        Err(RehearsalError::Tool(fault)) => skipped("a missing configuration is told", &fault.to_string()),
        Err(fault @ RehearsalError::NoConfiguration { .. }) => {
            let text = fault.to_string();
            assert!(
                text.contains("none.yaml") && text.contains("help: commit a project.yaml"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
}
