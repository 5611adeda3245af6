//! Makes a fault come about at its state, and sees to it that it did: a fault that never came proves nothing.

use std::ops::Range;

use http::Method;
use serde_json::{Value, json};

use crate::account::{Account, RECORDS};
use crate::builds::OTHERS;
use crate::fault::{Fault, stack_is};
use crate::repository::NUMBER;
use crate::timeline::Timeline;

/// A fault that waits for its state.
#[derive(Debug)]
pub(crate) struct Armed {
    fault: Fault,
    state: &'static str,
    /// Which attempts of the state it breaks, in a row.
    attempts: Range<u32>,
    /// How many attempts there were.
    seen: u32,
    /// How often it came.
    pub(crate) came: u32,
    /// What was not as it should be for the fault to come about.
    pub(crate) amiss: Vec<String>,
}

impl Armed {
    pub(crate) fn new(state: &'static str, fault: Fault, attempts: Range<u32>) -> Self {
        Self {
            fault,
            state,
            attempts,
            seen: 0,
            came: 0,
            amiss: Vec::new(),
        }
    }

    /// The fault, if it is meant for this attempt of a state.
    pub(crate) fn due(&mut self, state: &str) -> Option<Fault> {
        if state != self.state {
            return None;
        }
        self.seen += 1;
        if !self.attempts.contains(&(self.seen - 1)) {
            return None;
        }
        self.came += 1;
        Some(self.fault.clone())
    }
}

/// Lets happen what happens outside of the function. Whether the function is to wait until that has come to its effect.
pub(crate) fn first(timeline: &mut Timeline<'_>, place: usize, fault: &Fault) -> bool {
    match fault {
        Fault::Happens { acts, webhook } => {
            timeline.happens(acts, *webhook);
            true
        }
        Fault::Redelivered => {
            let (input, now) = (timeline.executions[place].input.clone(), timeline.now());
            timeline.deliver(input, now);
            true
        }
        Fault::Stopped => {
            timeline.stop(place);
            false
        }
        Fault::Crashed => {
            timeline.lose_all();
            false
        }
        Fault::PipelineStopped(pipeline) => {
            stop_pipeline(timeline.account, pipeline);
            false
        }
        Fault::Builds(plan) => {
            *timeline.account.builds.plan() = plan.clone();
            false
        }
        Fault::Refused(count, why) => {
            timeline.account.engine.refuse_builds(*count, *why);
            false
        }
        Fault::Crowded { others, quota } => {
            timeline.account.engine.limit_builds(Some(*quota));
            let asked = timeline.executions[place].asked.iter().rev();
            let source = asked
                .filter(|asked| asked.function == "FetchSource")
                .find_map(|asked| asked.answer.as_ref().ok());
            let source = source.expect("the source was fetched before").clone();
            timeline.account.builds.others(*others, start_of_another(&source));
            timeline.move_pipelines();
            false
        }
        Fault::SourceGone => {
            lose_sources(timeline.account);
            false
        }
        Fault::BucketFilled => {
            fill(timeline.account);
            false
        }
        Fault::ApiThrottled(step) => {
            timeline.account.cloud.throttle("AWS::ApiGateway::RestApi", *step, 1);
            false
        }
        _ => false,
    }
}

/// What starts the tests of another pull request, on the same source.
fn start_of_another(source: &Value) -> Value {
    let revision =
        |kind: &str, value: &Value| json!({ "actionName": "Fetch", "revisionType": kind, "revisionValue": value });
    json!({
        "name": "thebestest-unit-test",
        "variables": [{ "name": "ENVIRONMENT", "value": OTHERS }],
        "sourceRevisions": [
            revision("S3_OBJECT_KEY", &source["key"]),
            revision("S3_OBJECT_VERSION_ID", &source["version_id"]),
        ],
    })
}

/// Deletes every version of what lies under `source/`.
fn lose_sources(account: &Account) {
    let list = format!("/{}?prefix=source%2F&versions=", account.bucket);
    let listed = account
        .client
        .rest("s3", Method::GET, &list, bytes::Bytes::new())
        .expect("they are listed");
    let listed = String::from_utf8_lossy(listed.body()).into_owned();
    let document = roxmltree::Document::parse(&listed).expect("it is XML");
    let versions = document
        .descendants()
        .filter(|node| node.tag_name().name() == "Version");
    for version in versions {
        let text = |name: &str| {
            let found = version.children().find(|child| child.tag_name().name() == name);
            found.and_then(|node| node.text()).expect("a version has it").to_owned()
        };
        let object = format!("/{}/{}?versionId={}", account.bucket, text("Key"), text("VersionId"));
        let deleted = account.client.rest("s3", Method::DELETE, &object, bytes::Bytes::new());
        deleted.expect("it is deleted");
    }
}

/// Stops what is in progress, as people do in the console.
fn stop_pipeline(account: &Account, pipeline: &str) {
    let ask = |operation: &str, parameters: Value| account.engine.answer(operation, &parameters);
    let list = ask("ListPipelineExecutions", json!({ "pipelineName": pipeline })).expect("they are listed");
    for execution in list["pipelineExecutionSummaries"].as_array().into_iter().flatten() {
        if execution["status"] == "InProgress" {
            let stop = json!({
                "pipelineName": pipeline,
                "pipelineExecutionId": execution["pipelineExecutionId"],
                "abandon": true,
            });
            ask("StopPipelineExecution", stop).expect("it is stopped");
        }
    }
}

/// Puts two versions of an object into the application's bucket, and marks another as deleted.
fn fill(account: &Account) {
    let bucket = format!("/thebestest-pr-17-{}-files", account.cloud.account());
    let ask = |method, path: &str, body: &'static [u8]| {
        let answer = account.client.rest("s3", method, path, body.into());
        answer.expect("S3 does it");
    };
    ask(Method::PUT, &format!("{bucket}/file"), b"one");
    ask(Method::PUT, &format!("{bucket}/file"), b"two");
    ask(Method::PUT, &format!("{bucket}/gone"), b"three");
    ask(Method::DELETE, &format!("{bucket}/gone"), b"");
}

/// What the reconciler finds besides what its case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// A place for an environment that nobody has.
    LeakedPlace,
    /// The pull request's environment, which has lost its place.
    NoPlace,
    /// A hundred pull requests that changed later, so that a list does not have the one of the case.
    Crowd,
    /// The approval of a fork's commit.
    Approval,
}

impl Found {
    /// Makes it so.
    pub(crate) fn make(self, timeline: &Timeline<'_>) {
        let (account, pull) = (timeline.account, &timeline.pull);
        let places = |environments: Value| {
            let item = json!({
                "repository": { "S": pull.name }, "number": { "N": "0" }, "environments": { "M": environments },
            });
            let asked = json!({ "TableName": RECORDS, "Item": item });
            let put = account.client.json("dynamodb", "DynamoDB_20120810.PutItem", &asked);
            put.expect("it is put");
        };
        match self {
            Self::Nothing => {}
            Self::LeakedPlace => places(json!({ "pr-99": { "N": "1" } })),
            Self::NoPlace => places(json!({})),
            Self::Crowd => {
                for number in 100..200 {
                    let other = pull.repository.pull_request(number, &pull.sha);
                    other.close().updated("2027-01-01T00:00:00Z");
                }
            }
            Self::Approval => {
                pull.repository.collaborator("keeper", "write");
                let reviewed = pull.repository.pull_request_of(NUMBER);
                reviewed.review("keeper", "APPROVED", &pull.sha);
            }
        }
    }
}

/// Arms what concerns the calls of one invocation. Returns how many of them there were so far.
pub(crate) fn arm(account: &Account, fault: &Fault) -> usize {
    match fault {
        Fault::Aws {
            service,
            operation,
            nth,
            calls,
            how,
        } => {
            for _ in 0..*calls {
                account.cloud.fail(service, operation, *nth, how.clone());
            }
        }
        Fault::StackIs(stack, status) => {
            let how = stack_is(account.cloud.account(), stack, status);
            account.cloud.fail("cloudformation", "DescribeStacks", 1, how);
        }
        Fault::GitHub { request, faults } => {
            account.github.faults().on(request, faults.iter().cloned());
        }
        _ => {}
    }
    count(account, fault)
}

/// Takes it back. Says what is amiss if the fault did not come about.
pub(crate) fn disarm(account: &Account, fault: &Fault, before: usize) -> Option<String> {
    if let Fault::GitHub { faults, .. } = fault {
        let asked = account.github.faults();
        let came = faults.len() - asked.left();
        asked.clear();
        return (came == 0).then(|| format!("no request was made that {fault:?} could break"));
    }
    let made = count(account, fault) - before;
    let needed = match fault {
        Fault::Aws { nth, calls, .. } => usize::try_from(*nth).unwrap_or(1) - 1 + usize::try_from(*calls).unwrap_or(1),
        Fault::StackIs(..) => 1,
        _ => 0,
    };
    (made < needed).then(|| format!("only {made} calls were made that {fault:?} could break"))
}

/// How many calls there were that the fault could break.
fn count(account: &Account, fault: &Fault) -> usize {
    let calls = |service: &str, operation: &str| {
        let calls = account.cloud.calls_after(account.calls_before);
        let of = calls
            .iter()
            .filter(|call| call.service == service && call.operation == operation);
        of.count()
    };
    match fault {
        Fault::Aws { service, operation, .. } => calls(service, operation),
        Fault::StackIs(..) => calls("cloudformation", "DescribeStacks"),
        _ => 0,
    }
}
