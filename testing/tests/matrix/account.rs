//! One account with what the shared stacks make of it, one GitHub, and the state machine as it is emitted.
//!
//! Making one takes longer than a case, so several cases have the same one after the other, each with a repository of its own; one in
//! which something was left is used no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use codepipeline_local::{BuildRecord, Engine, Refusal};
use serde_json::{Value, json};
use stepfunctions_runner::{Machine, Time};
use testing::aws::states::{Outcome, StateMachine, StateMachines};
use testing::aws::{Client, Cloud, REGION};
use testing::emission;
use testing::github::GitHub;

use crate::builds::{Application, Builds, Plan};
use crate::clock::VirtualClock;
use crate::functions::{Functions, emissions};

/// How many cases may have an account, so that what MiniStack keeps of one never grows large.
const MOST_CASES: u32 = 25;
/// What GitHub signs with.
pub(crate) const WEBHOOK_SECRET: &str = "whsec-of-the-matrix";
/// The state machine's name.
pub(crate) const MACHINE: &str = "thebestest-pipeline-manager";
/// The table of records.
pub(crate) const RECORDS: &str = "thebestest-pull-requests";
/// Who sets up and looks around; its calls are none of the system's.
pub(crate) const OBSERVER: &str = "matrix";

/// Everything that is there before a pull request is opened.
pub(crate) struct Account {
    pub(crate) cloud: Cloud,
    pub(crate) github: GitHub,
    pub(crate) engine: Engine,
    pub(crate) clock: VirtualClock,
    pub(crate) builds: Builds,
    pub(crate) starts: Arc<Starts>,
    /// Asks as the observer.
    pub(crate) client: Client,
    /// The artifacts bucket.
    pub(crate) bucket: String,
    /// What only this deployment knows of the functions' variables.
    known: BTreeMap<&'static str, String>,
    cases: u32,
    /// How many calls of AWS, and requests of GitHub, were made before the case at work.
    pub(crate) calls_before: usize,
    pub(crate) requests_before: usize,
    /// The builds before the case at work.
    builds_before: BTreeSet<String>,
}

/// The executions that handlers ask Step Functions for.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// All names so far.
    names: Mutex<Vec<String>>,
    new: Mutex<Vec<(String, Value)>>,
}

impl Starts {
    /// Those that nobody has run yet.
    pub(crate) fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets all names: a case's executions are of a repository of its own, which has a state machine of its own.
    fn forget(&self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl StateMachines for Starts {
    fn answer(&self, operation: &str, parameters: &Value, _machine: Option<&StateMachine>) -> Option<Outcome> {
        if operation != "StartExecution" {
            return None;
        }
        let name = parameters["name"].as_str().unwrap_or_default().to_owned();
        let arn = format!("arn:aws:states:{REGION}:000000000000:execution:{MACHINE}:{name}");
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.contains(&name) {
            let message = format!("Execution Already Exists: '{arn}'");
            return Some(Err(("ExecutionAlreadyExists".to_owned(), message)));
        }
        names.push(name.clone());
        let input = serde_json::from_str(parameters["input"].as_str().unwrap_or("{}")).unwrap_or_default();
        let mut new = self.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.push((name, input));
        Some(Ok(json!({ "executionArn": arn, "startDate": 1_772_438_400.0 })))
    }
}

impl Account {
    /// An account in which the shared stacks were deployed. None without the tools.
    pub(crate) fn prepare() -> Option<Self> {
        const WHAT: &str = "the fault matrix";
        let github = testing::or_skip(WHAT, GitHub::start())?;
        let cloud = testing::or_skip(WHAT, Cloud::start())?;
        let client = cloud.client(OBSERVER);
        let (clock, builds) = (VirtualClock::new(), Builds::default());
        let engine = cloud
            .step_pipelines(builds.builder(), Arc::new(clock.clone()))
            .expect("there is no pipeline yet");
        for stack in ["thebestest-artifacts", "thebestest-unit-test"] {
            create_stack(&client, stack, emitted(stack));
        }
        // Of the pipeline manager's stack only the role with which CloudFormation applies the stacks of environments.
        let manager = "thebestest-pipeline-manager";
        let role = &emitted(manager)["Resources"]["StackRole"];
        create_stack(&client, manager, &json!({ "Resources": { "StackRole": role } }));
        make_records(&client);
        make_machine(&client);
        let starts = Arc::new(Starts::default());
        cloud.run_machines(Arc::clone(&starts) as Arc<dyn StateMachines>);
        let known = BTreeMap::from([
            ("WEBHOOK_SECRET", make_secret(&client, "webhook-secret", WEBHOOK_SECRET)),
            (
                "GITHUB_CREDENTIALS",
                make_secret(&client, "github-credentials", &github.token()),
            ),
            ("GITHUB_API", github.api().to_owned()),
        ]);
        Some(Self {
            bucket: format!("thebestest-artifacts-{}-{REGION}", cloud.account()),
            cloud,
            github,
            engine,
            starts,
            client,
            clock,
            builds,
            known,
            cases: 0,
            calls_before: 0,
            requests_before: 0,
            builds_before: BTreeSet::new(),
        })
    }

    /// Whether another case may have it.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.cases < MOST_CASES
    }

    /// A repository for the next case, and the functions that serve it.
    pub(crate) fn next_case(&mut self) -> (String, Functions) {
        self.cases += 1;
        self.cloud.clear_weather();
        self.starts.forget();
        self.calls_before = self.cloud.all_calls().len();
        self.requests_before = self.github.requests().len();
        self.builds_before = self.engine.builds().into_iter().map(|build| build.id).collect();
        self.unlimited();
        let mut project = emission::project();
        project.github_api = self.github.api().to_owned();
        project.repository = format!("thebestest/case-{}", self.cases);
        let mut known = self.known.clone();
        known.insert("PROJECT", serde_json::to_string(&project).expect("it is JSON"));
        (project.repository, Functions::deploy(&self.cloud, &self.clock, &known))
    }

    /// The builds of the case at work.
    pub(crate) fn case_builds(&self) -> Vec<BuildRecord> {
        let mut builds = self.engine.builds();
        builds.retain(|build| !self.builds_before.contains(&build.id));
        builds
    }

    /// How the next builds go. No role of the project may make a bucket: that of the environment may do everything for one that has.
    pub(crate) fn build(&self, plan: &Plan) {
        let role = format!(
            "arn:aws:iam::{}:role/thebestest-pr-17-cloudformation",
            self.cloud.account()
        );
        self.cloud
            .let_do_everything(&role, plan.application == Application::WithBucket);
        *self.builds.plan() = plan.clone();
    }

    /// Whatever the account's limits were, CodeBuild takes builds again.
    pub(crate) fn unlimited(&self) {
        self.builds.others(0, Value::Null);
        self.engine.limit_builds(None);
        self.engine.refuse_builds(0, Refusal::AccountLimit);
    }

    /// The state machine as it is emitted; its functions are named by their logical ids.
    pub(crate) fn machine() -> Machine {
        let definition = serde_json::from_str(&definition("123456789012")).expect("it is JSON");
        Machine::load(&definition).unwrap_or_else(|refusals| panic!("{refusals}"))
    }

    /// Every stack's name and status, but those that are gone.
    pub(crate) fn stacks(&self) -> Vec<(String, String)> {
        let told = self.cloud.observer().query("cloudformation", "DescribeStacks", &[]);
        let told = told.expect("stacks are described");
        let document = roxmltree::Document::parse(&told).expect("it is XML");
        let text = |node: roxmltree::Node<'_, '_>, name: &str| {
            let found = node.children().find(|child| child.tag_name().name() == name);
            found.and_then(|node| node.text()).unwrap_or_default().to_owned()
        };
        let stacks = document
            .descendants()
            .filter(|node| node.tag_name().name() == "StackName")
            .filter_map(|node| node.parent());
        stacks
            .map(|stack| (text(stack, "StackName"), text(stack, "StackStatus")))
            .filter(|(_, status)| status != "DELETE_COMPLETE")
            .collect()
    }

    /// When the first stack that waits for a function that never answers has waited long enough.
    pub(crate) fn timeout(&self) -> Option<Time> {
        let until = self.cloud.next_timeout()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Time::from_unix_millis(i64::try_from(until.as_millis()).ok()?))
    }

    /// Deletes what a merge has left on `stage`.
    pub(crate) fn clear_stage(&self) {
        for stack in ["thebestest-stage-app", "thebestest-deploy-stage"] {
            let deleted = self
                .client
                .query("cloudformation", "DeleteStack", &[("StackName", stack)]);
            deleted.expect("it is deleted, or not there");
            self.settle();
        }
    }

    /// Waits until CloudFormation is done with everything but what waits for a function that never answers; in virtual time it takes
    /// none. Returns whether it was at work.
    pub(crate) fn settle(&self) -> bool {
        let at_work = |(name, status): &(String, String)| {
            let works = status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS";
            works && !self.cloud.waits(name)
        };
        let mut worked = false;
        while self.stacks().iter().any(at_work) {
            worked = true;
            thread::sleep(Duration::from_millis(5));
        }
        worked
    }
}

/// The emitted definition with everything that CloudFormation substitutes, where functions are named by their logical ids.
pub(crate) fn definition(account: &str) -> String {
    let documents = emissions().iter().flat_map(|emission| &emission.stack.documents);
    let mut documents = documents.filter(|document| document.name.ends_with(".asl.json"));
    let text = documents.next().expect("it is emitted").text().expect("it is text");
    let mut text = text.replace("${AWS::Partition}", "aws");
    while let Some((before, rest)) = text.split_once("${") {
        let (name, after) = rest.split_once(".Arn}").expect("only ARNs are substituted");
        text = format!("{before}arn:aws:lambda:{REGION}:{account}:function:{name}{after}");
    }
    text
}

fn emitted(stack: &str) -> &'static Value {
    let emission = emissions().iter().find(|emission| emission.stack.name == stack);
    &emission.expect("it is emitted").template
}

fn create_stack(client: &Client, name: &str, template: &Value) {
    let template = template.to_string();
    let parameters = [
        ("StackName", name),
        ("TemplateBody", &template),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    client
        .query("cloudformation", "CreateStack", &parameters)
        .expect("it is created");
    loop {
        let told = client.query("cloudformation", "DescribeStacks", &[("StackName", name)]);
        let told = told.expect("it is there");
        if told.contains("CREATE_COMPLETE") {
            return;
        }
        assert!(told.contains("CREATE_IN_PROGRESS"), "{told}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The table of records, as the template declares it but for what the emulator does not need.
fn make_records(client: &Client) {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let table = json!({
        "TableName": RECORDS,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("repository", "HASH"), key("number", "RANGE")],
        "AttributeDefinitions": [attribute("repository", "S"), attribute("number", "N")],
    });
    client
        .json("dynamodb", "DynamoDB_20120810.CreateTable", &table)
        .expect("the table is made");
}

/// A machine of this name, so that executions can be asked for; [`Starts`] answers.
fn make_machine(client: &Client) {
    let definition = json!({ "StartAt": "End", "States": { "End": { "Type": "Succeed" } } });
    let machine = json!({
        "name": MACHINE,
        "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::123456789012:role/machine",
    });
    client
        .json("states", "AWSStepFunctions.CreateStateMachine", &machine)
        .expect("the machine is made");
}

fn make_secret(client: &Client, name: &str, value: &str) -> String {
    let secret =
        json!({ "Name": format!("thebestest-{name}"), "SecretString": value, "ClientRequestToken": "0".repeat(32) });
    let made = client
        .json("secretsmanager", "secretsmanager.CreateSecret", &secret)
        .expect("the secret is made");
    made["ARN"].as_str().expect("it has one").to_owned()
}
