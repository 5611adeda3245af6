//! What the system promises, asked of what is there: of GitHub, of AWS, of the record, and of everything that was recorded.

use std::collections::BTreeMap;

use codepipeline_local::{BuildStatus, PhaseKind};
use contract::Decision;
use http::Method;
use runtime::record::{Record, Shared, Standing};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stacks::pipeline_manager::bound_minutes;
use testing::github::{Deployment, Status};

use crate::account::{OBSERVER, RECORDS, WEBHOOK_SECRET};
use crate::fault::Expect;
use crate::repository::NUMBER;
use crate::timeline::Timeline;

/// The context of the status of the tests, and of the deployment.
const TESTS: &str = "thebestest/unit-tests";
const DEPLOYMENT: &str = "thebestest/deploy";
/// The environment of the pull request.
const ENVIRONMENT: &str = "pr-17";
/// The stack of its application.
const APPLICATION: &str = "thebestest-pr-17-app";
/// The stacks of `stage`, which merges leave.
const OF_STAGE: [&str; 2] = ["thebestest-stage-app", "thebestest-deploy-stage"];
/// The stacks that are always there.
const SHARED: [&str; 3] = [
    "thebestest-artifacts",
    "thebestest-unit-test",
    "thebestest-pipeline-manager",
];

/// Looks at a case's world.
pub(crate) struct Promises<'a, 'b> {
    timeline: &'a Timeline<'b>,
    /// What is broken.
    pub(crate) broken: Vec<String>,
}

impl<'a, 'b> Promises<'a, 'b> {
    pub(crate) fn of(timeline: &'a Timeline<'b>) -> Self {
        Self {
            timeline,
            broken: Vec::new(),
        }
    }

    fn check(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(words());
        }
    }

    /// The record of the pull request.
    pub(crate) fn record(&self) -> Option<Record> {
        self.item(NUMBER)
    }

    /// Whoever has an environment holds a place for it, and nobody else does.
    fn places(&mut self) {
        let has = self.record().is_some_and(|record| record.environment);
        let has: &[&str] = if has { &[ENVIRONMENT] } else { &[] };
        let shared: Option<Shared> = self.item(0);
        let held = shared.map(|shared| shared.environments).unwrap_or_default();
        self.check(held.keys().map(String::as_str).eq(has.iter().copied()), || {
            format!("{has:?} is there, and {held:?} hold a place")
        });
    }

    /// An item of the table of records; 0 is what the pull requests share.
    fn item<T: DeserializeOwned>(&self, number: u32) -> Option<T> {
        let key = json!({ "repository": { "S": self.timeline.pull.name }, "number": { "N": number.to_string() } });
        let asked = json!({ "TableName": RECORDS, "Key": key, "ConsistentRead": true });
        let observer = self.timeline.account.cloud.observer();
        let told = observer
            .json("dynamodb", "DynamoDB_20120810.GetItem", &asked)
            .expect("it is read");
        let item = told.get("Item")?.as_object()?;
        let plain: serde_json::Map<String, Value> =
            item.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        Some(serde_json::from_value(Value::Object(plain)).expect("it is a record"))
    }

    /// Whether the record says that what GitHub shows was done, to a good end.
    pub(crate) fn is_good(&self) -> bool {
        let pull = &self.timeline.pull;
        let limits = testing::emission::project().limits;
        let now = u64::try_from(self.timeline.now().unix_millis() / 1_000).unwrap_or_default();
        self.record().is_some_and(|record| {
            let current = record.open == pull.open
                && match record.decision {
                    Decision::Deploy => record.sha == pull.sha,
                    _ => true,
                };
            current && record.standing(now, bound_minutes(&limits) * 60) == Standing::Done
        })
    }

    /// The latest status of each context of a commit.
    fn statuses(&self, sha: &str) -> BTreeMap<String, Status> {
        let statuses = self.timeline.pull.repository.statuses(sha).into_iter();
        statuses.map(|status| (status.context.clone(), status)).collect()
    }

    fn state(&self, sha: &str, context: &str) -> String {
        self.statuses(sha)
            .remove(context)
            .map_or_else(|| "none".to_owned(), |status| status.state)
    }

    /// While the pull request is open, and nothing happens any more.
    pub(crate) fn while_open(&mut self, expect: Expect, deployable: bool) {
        let sha = self.timeline.pull.sha.clone();
        self.final_statuses();
        self.one_environment();
        self.places();
        let tests = self.state(&sha, TESTS);
        let known = tests != "none" || expect == Expect::NoEnvironment;
        self.check(known, || "the head commit has no status".to_owned());
        let deployed = self.state(&sha, DEPLOYMENT);
        if expect == Expect::NoEnvironment {
            self.no_trace_on_aws();
        }
        if expect == Expect::NotRun {
            let status = self.statuses(&sha).remove(TESTS);
            let words = status.map(|status| format!("{}: {}", status.state, status.description));
            let words = words.unwrap_or_default();
            self.check(words.starts_with("error: The tests could not run: "), || {
                format!("the tests' status is {words:?}")
            });
        }
        if expect == Expect::Recovery {
            self.check(tests == "success", || format!("the tests' status is {tests}"));
            self.check(deployed == "success", || {
                format!("the deployment's status is {deployed}")
            });
        }
        if deployed == "success" && deployable && expect != Expect::NoEnvironment {
            self.runs(&sha, ENVIRONMENT);
        }
    }

    /// No commit was ever told that its tests have failed, unless a build came to run its commands and failed.
    pub(crate) fn only_what_ran_has_failed(&mut self) {
        let commands = [PhaseKind::PreBuild, PhaseKind::Build, PhaseKind::PostBuild];
        let builds = self.timeline.account.case_builds();
        let mut tests = builds.iter().filter(|build| build.project.name.ends_with("-unit-test"));
        let ran = tests.any(|build| {
            let mut phases = build.phases.iter();
            phases.any(|phase| {
                commands.contains(&phase.kind) && matches!(phase.status, BuildStatus::Failed | BuildStatus::TimedOut)
            })
        });
        // Of a commit that GitHub does not show, or whose archive could harm, there is nothing to test: that is its own fault.
        let archive = [
            "GitHub does not show the commit: ",
            "The commit's archive was refused: ",
        ];
        for status in self.timeline.pull.repository.all_statuses() {
            let own = archive.iter().any(|words| status.description.starts_with(words));
            let failed = status.context == TESTS && status.state == "failure" && !own;
            self.check(!failed || ran, || {
                format!(
                    "the tests of {} did not run, and are told to have failed: {}",
                    status.sha, status.description
                )
            });
        }
    }

    /// Nobody builds what nobody waits for.
    pub(crate) fn no_build_goes_on(&mut self) {
        self.timeline.move_pipelines();
        let builds = self.timeline.account.case_builds();
        let on: Vec<&str> = builds
            .iter()
            .filter(|build| !build.is_over())
            .map(|build| build.id.as_str())
            .collect();
        self.check(on.is_empty(), || format!("builds go on: {on:?}"));
    }

    /// The environment runs this commit, and GitHub says so.
    fn runs(&mut self, sha: &str, environment: &str) {
        let record = self.record();
        let known = record.as_ref().and_then(|record| match environment {
            ENVIRONMENT => record.deployed.clone(),
            _ => record.promoted.clone(),
        });
        self.check(known.as_deref() == Some(sha), || {
            format!("the record says that {known:?} runs on {environment}, not {sha}")
        });
        let commit = self.output(&format!("thebestest-{environment}-app"), "Commit");
        self.check(commit.as_deref() == Some(sha), || {
            format!("{commit:?} runs on {environment}, not {sha}")
        });
        let active = self.active(environment);
        let shown: Vec<&str> = active.iter().map(|deployment| deployment.sha.as_str()).collect();
        self.check(shown == [sha], || {
            format!("GitHub shows {shown:?} on {environment}, not {sha}")
        });
    }

    /// No commit's status stays pending, that of an overtaken one neither.
    fn final_statuses(&mut self) {
        let all = self.timeline.pull.repository.all_statuses().into_iter();
        let last: BTreeMap<(String, String), Status> = all
            .map(|status| ((status.sha.clone(), status.context.clone()), status))
            .collect();
        for ((sha, context), status) in last {
            self.check(status.state != "pending", || {
                format!("{context} of {sha} is pending: {}", status.description)
            });
        }
    }

    /// There is one environment, one comment, one deployment of a commit.
    fn one_environment(&mut self) {
        let stacks = self.own_stacks();
        let known = ["thebestest-pr-17-app", "thebestest-deploy-pr-17"];
        for (stack, _) in &stacks {
            let expected = known.contains(&stack.as_str()) || OF_STAGE.contains(&stack.as_str());
            self.check(expected, || format!("there is a stack {stack}"));
        }
        let comments = self.timeline.pull.repository.comments(NUMBER).len();
        self.check(comments <= 1, || format!("there are {comments} comments"));
        let deployments = self.timeline.pull.repository.deployments(ENVIRONMENT);
        let mut commits: Vec<&str> = deployments.iter().map(|deployment| deployment.sha.as_str()).collect();
        commits.sort_unstable();
        let all = commits.len();
        commits.dedup();
        self.check(commits.len() == all, || {
            format!("a commit has several deployments: {deployments:?}")
        });
        let active = self.active(ENVIRONMENT);
        self.check(active.len() <= 1, || {
            format!("several deployments are active: {active:?}")
        });
    }

    /// After the close: nothing is left.
    pub(crate) fn after_close(&mut self) {
        self.final_statuses();
        self.one_environment();
        self.places();
        self.no_trace_on_aws();
        let environments = self.timeline.pull.repository.environments();
        let kept = environments.iter().any(|environment| environment == ENVIRONMENT);
        self.check(!kept, || format!("GitHub keeps the environments {environments:?}"));
        for deployment in self.timeline.pull.repository.deployments(ENVIRONMENT) {
            let last = last_state(&deployment);
            let over = ["inactive", "failure", "error"].contains(&last.as_str());
            self.check(over, || format!("the deployment of {} is {last}", deployment.sha));
        }
        let Some(record) = self.record() else {
            // Nothing was ever claimed: then there is nothing that a receipt could tell of.
            return;
        };
        self.check(!record.open, || "the record says that it is open".to_owned());
        self.check(!record.environment, || {
            "the record says that it has an environment".to_owned()
        });
        self.check(record.finished == Some(record.generation), || {
            format!(
                "generation {} is not finished: {:?}",
                record.generation, record.finished
            )
        });
        let had_one = record.memory.rows.contains_key("teardown");
        self.check(record.receipt.is_some() || !had_one, || {
            "there is no receipt".to_owned()
        });
        let receipt = record.receipt.unwrap_or_default();
        let skipped = receipt.contains(APPLICATION) && self.skipped();
        self.check(skipped == receipt.contains("did not delete it"), || {
            format!("the receipt is not of what CloudFormation left behind: {receipt}")
        });
    }

    fn no_trace_on_aws(&mut self) {
        let left = self.own_stacks();
        let left: Vec<_> = left
            .iter()
            .filter(|(name, _)| !OF_STAGE.contains(&name.as_str()))
            .collect();
        self.check(left.is_empty(), || format!("stacks are left: {left:?}"));
        let bucket = &self.timeline.account.bucket;
        let source = format!("source/{}/{NUMBER}/", self.timeline.pull.name);
        for prefix in [source.as_str(), "packages/pr-17/", "pr-17-thebestest"] {
            let listed = self.s3(&format!("/{bucket}?prefix={}&versions=", prefix.replace('/', "%2F")));
            self.check(!listed.contains("<Key>"), || {
                format!("objects are left under {prefix}: {listed}")
            });
        }
        let uploads = self.s3(&format!("/{bucket}?uploads="));
        self.check(!uploads.contains("<UploadId>"), || {
            format!("uploads are left: {uploads}")
        });
        let filter = json!({ "TagFilters": [{ "Key": "pipeline:environment", "Values": [ENVIRONMENT] }] });
        let observer = self.timeline.account.cloud.observer();
        let tagged = observer.json("tagging", "ResourceGroupsTaggingAPI_20170126.GetResources", &filter);
        let tagged = tagged.expect("resources are listed");
        let list = tagged["ResourceTagMappingList"].as_array().cloned().unwrap_or_default();
        let left: Vec<&Value> = list.iter().map(|resource| &resource["ResourceARN"]).collect();
        self.check(left.is_empty(), || format!("resources are left: {left:?}"));
        let roles = observer.query("iam", "ListRoles", &[]).expect("roles are listed");
        let own: Vec<&str> = roles
            .split("<RoleName>")
            .skip(1)
            .filter_map(|rest| rest.split('<').next())
            .filter(|name| name.starts_with("thebestest-pr-17-"))
            .collect();
        self.check(own.is_empty(), || format!("roles are left: {own:?}"));
        let pipelines = self.timeline.account.cloud.deployed_pipelines();
        let own = pipelines.iter().any(|pipeline| pipeline.name.starts_with("pr-17-"));
        self.check(!own, || "the deploy pipeline is left".to_owned());
    }

    /// After a merge: `stage` runs the merge commit.
    pub(crate) fn on_stage(&mut self, expect: Expect) {
        let Some(merge) = self.timeline.pull.merged_as.clone() else {
            return;
        };
        let state = self.state(&merge, "thebestest/stage");
        if expect == Expect::Recovery {
            self.check(state == "success", || format!("the status of stage is {state}"));
        }
        if state == "success" {
            self.runs(&merge, "stage");
        }
    }

    /// No secret is in anything that was recorded.
    pub(crate) fn no_secret(&mut self, logs: &str) {
        let token = self.timeline.account.github.token();
        let mut recorded = vec![("a log line", logs.to_owned())];
        let account = self.timeline.account;
        let calls = account.cloud.calls_after(account.calls_before);
        let of_the_system = calls.iter().filter(|call| call.caller != OBSERVER);
        recorded.extend(of_the_system.map(|call| ("a call of AWS", format!("{:?}", call.parameters))));
        let requests = account.github.requests();
        recorded.extend(
            requests
                .iter()
                .skip(account.requests_before)
                .map(|request| ("a request of GitHub", format!("{request:?}"))),
        );
        for running in &self.timeline.executions {
            recorded.push(("a state's data", format!("{:?}", running.execution.events())));
        }
        for secret in [WEBHOOK_SECRET, &token] {
            for (place, text) in &recorded {
                self.check(!text.contains(secret), || format!("a secret is in {place}"));
            }
        }
    }

    /// Nothing was asked of AWS or GitHub that they do not allow.
    pub(crate) fn no_violation(&mut self) {
        self.broken.extend(self.timeline.account.cloud.take_violations());
        self.broken.extend(self.timeline.account.github.violations());
    }

    /// Whether CloudFormation has left something of the application behind.
    fn skipped(&self) -> bool {
        let observer = self.timeline.account.cloud.observer();
        let listed = observer.query("cloudformation", "ListStackResources", &[("StackName", APPLICATION)]);
        listed.is_ok_and(|listed| listed.contains("DELETE_SKIPPED"))
    }

    fn own_stacks(&self) -> Vec<(String, String)> {
        let mut stacks = self.timeline.account.stacks();
        stacks.retain(|(name, _)| !SHARED.contains(&name.as_str()));
        stacks
    }

    fn active(&self, environment: &str) -> Vec<Deployment> {
        let mut deployments = self.timeline.pull.repository.deployments(environment);
        deployments.retain(|deployment| last_state(deployment) == "success");
        deployments
    }

    fn output(&self, stack: &str, name: &str) -> Option<String> {
        let observer = self.timeline.account.cloud.observer();
        let told = observer
            .query("cloudformation", "DescribeStacks", &[("StackName", stack)])
            .ok()?;
        let document = roxmltree::Document::parse(&told).ok()?;
        let text = |node: roxmltree::Node<'_, '_>, name: &str| {
            let found = node.children().find(|child| child.tag_name().name() == name)?;
            found.text().map(str::to_owned)
        };
        let mut members = document.descendants().filter(|node| node.tag_name().name() == "member");
        members.find_map(|member| (text(member, "OutputKey")? == name).then(|| text(member, "OutputValue"))?)
    }

    fn s3(&self, path: &str) -> String {
        let observer = self.timeline.account.cloud.observer();
        let answer = observer.rest("s3", Method::GET, path, bytes::Bytes::new());
        String::from_utf8_lossy(answer.expect("S3 lists it").body()).into_owned()
    }
}

fn last_state(deployment: &Deployment) -> String {
    let last = deployment.statuses.last();
    last.and_then(|status| status["state"].as_str())
        .unwrap_or("none")
        .to_owned()
}

/// A value of DynamoDB as plain JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        ("L", Value::Array(items)) => items.iter().map(plain).collect(),
        ("M", Value::Object(members)) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
        ),
        ("NULL", _) => Value::Null,
        _ => value.clone(),
    }
}
