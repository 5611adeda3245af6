//! What a rehearsal happens in: a local AWS with the shared stacks, a local GitHub with the repository, and the pull request.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use http::{Method, Request, Response, request::Builder};
use serde_json::{Value, json};
use stacks::{Environment, Project, PullRequest as Number};
use stepfunctions_runner::{Event, EventDetail, Fault as TaskFault, TaskCall};
use synth::DocumentKind;
use tempfile::TempDir;

use super::{
    CONFIGURATIONS, Fault, Plan, RehearsalError, builds,
    event::Happening,
    executions::{self, Conditions, Runs},
    recorder::Recorder,
    retained,
    source::Source,
    stacks::Stacks,
    summary::{Execution, Promise, Status, Summary},
    watch::Watch,
    webhook::{Delivery, PullRequest},
};
use crate::{
    aws::{Client, Cloud, REGION, states::Executions},
    github::{Archive, GitHub, Repository},
    lambda,
    toolbox::Turn,
};

/// Everything. Dropping it ends it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) recorder: Recorder,
    pub(super) project: Project,
    pub(super) environment: Environment,
    pub(super) source: Source,
    pub(super) stacks: Stacks,
    pub(super) runs: Arc<Runs>,
    started: Arc<Executions>,
    pull_request: PullRequest,
    webhook_url: String,
    webhook_secret: String,
    deliveries: u32,
    definition: String,
    invocations: Arc<Invocations>,
    watch: Option<Watch>,
    pub(super) github: GitHub,
    pub(super) cloud: Cloud,
    /// Where builds run and leave their logs, after what writes there.
    folder: TempDir,
    _turn: Option<Turn>,
}

/// How often each function was invoked.
#[derive(Debug, Default)]
struct Invocations(Mutex<BTreeMap<String, u64>>);

impl World {
    /// Builds it: nothing of the pull request is there yet.
    pub(super) fn build(plan: &Plan, recorder: &Recorder) -> Result<Self, RehearsalError> {
        recorder.chapter("A local AWS and a local GitHub are built");
        // First what people get wrong, then what takes minutes.
        let source = Source::clone_of(&plan.repository, "main")?;
        let mut project = configured(plan, &source)?;
        let number =
            Number::new(plan.pull_request.into()).map_err(|fault| RehearsalError::Synthesis(fault.to_string()))?;
        let environment = Environment::PullRequest(number);
        source.branch(&project.stage_branch)?;

        let bootstrap = lambda::bootstrap()?;
        recorder.ready("the functions' binary, as it is deployed", None);
        let github = GitHub::start()?;
        recorder.ready("GitHub", Some(github.api().to_owned()));
        let cloud = Cloud::start()?;
        recorder.ready("AWS", Some(cloud.endpoint()));

        github.api().clone_into(&mut project.github_api);
        let invocations = Arc::new(Invocations::default());
        let runs = Arc::new(Runs::new(conditions(
            plan,
            recorder,
            cloud.client("stepfunctions"),
            &invocations,
        )));
        let running = Arc::clone(&runs);
        let started = Executions::new(move |machine, execution| running.run(machine, execution));
        cloud.run_machines(Arc::<Executions>::clone(&started));

        let folder = tempfile::tempdir().map_err(|source| crate::Error::Io {
            doing: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        // A build's DynamoDB has a port of its own only in a container.
        let turn = project.unit_test.local_dynamodb.then(Turn::wait).transpose()?;
        builds::run(&cloud, folder.path(), &bootstrap, recorder)?;

        let assembly = stacks::shared(&project).map_err(|faults| RehearsalError::Synthesis(faults.to_string()))?;
        let stacks = Stacks::new(cloud.client("deployer"), cloud.endpoint(), cloud.account())?;
        let program = fs::read(&bootstrap).map_err(|source| crate::Error::Io {
            doing: "read",
            path: bootstrap,
            source,
        })?;
        stacks.deploy(&assembly, &program, |stack, took| {
            recorder.ready(format!("the stack {stack}, in {:.1} s", took.as_secs_f64()), None);
        })?;
        let documents = assembly.stacks.iter().flat_map(|stack| &stack.documents);
        let definition = documents
            .filter(|document| document.kind == DocumentKind::StateMachine)
            .find_map(|document| document.text().ok())
            .unwrap_or_default();

        let pull_request = PullRequest {
            repository: project.repository.clone(),
            number: plan.pull_request,
            branch: String::new(),
            sha: String::new(),
            before: None,
            base: project.stage_branch.clone(),
            open: true,
            merged_as: None,
            updated_at: now(),
        };
        let mut world = Self {
            recorder: recorder.clone(),
            environment,
            source,
            stacks,
            runs,
            started,
            pull_request,
            webhook_url: String::new(),
            webhook_secret: String::new(),
            deliveries: 0,
            definition,
            invocations,
            watch: None,
            github,
            cloud,
            project,
            folder,
            _turn: turn,
        };
        world.connect()?;
        Ok(world)
    }

    /// Enters GitHub's token, and learns where webhooks go and what signs them.
    fn connect(&mut self) -> Result<(), RehearsalError> {
        let manager = stacks::names::Names::of(&self.project).shared("pipeline-manager");
        let outputs = self.stacks.outputs(&manager)?.unwrap_or_default();
        let of = |name: &str| outputs.get(name).cloned().unwrap_or_default();
        let deployer = self.cloud.client("deployer");
        deployer.json(
            "secretsmanager",
            "secretsmanager.PutSecretValue",
            &json!({ "SecretId": of("GitHubCredentialsArn"), "SecretString": self.github.token() }),
        )?;
        let secret = deployer.json(
            "secretsmanager",
            "secretsmanager.GetSecretValue",
            &json!({ "SecretId": of("WebhookSecretArn") }),
        )?;
        self.webhook_secret = secret["SecretString"].as_str().unwrap_or_default().to_owned();
        self.webhook_url = self.here(&of("WebhookUrl"));
        self.recorder.ready("the webhook", Some(self.webhook_url.clone()));
        let environments = vec![self.environment.to_string(), Environment::Stage.to_string()];
        self.watch = Some(Watch::of(self.repository(), environments, self.recorder.clone()));
        Ok(())
    }

    pub(super) fn endpoint(&self) -> String {
        self.cloud.endpoint()
    }

    pub(super) fn definition(&self) -> &str {
        &self.definition
    }

    pub(super) fn repository(&self) -> Repository {
        self.github.repository(&self.project.repository)
    }

    /// An API's address, as it is reached on this machine.
    pub(super) fn here(&self, url: &str) -> String {
        let local = self.cloud.local_url(url).unwrap_or_else(|| url.to_owned());
        local.trim_end_matches('/').to_owned()
    }

    /// GitHub has a commit, and what is in it.
    pub(super) fn publish(&self, sha: &str) -> Result<(), RehearsalError> {
        let archive = self.source.archive(&self.project.repository, sha)?;
        self.repository().archive(sha, Archive::new(archive));
        Ok(())
    }

    pub(super) fn open(&mut self, number: u32, branch: &str, sha: &str) {
        let base = self.project.stage_branch.clone();
        self.repository()
            .pull_request(number, sha)
            .onto(&base)
            .file("REHEARSAL.md", None);
        branch.clone_into(&mut self.pull_request.branch);
        sha.clone_into(&mut self.pull_request.sha);
        self.touch();
    }

    pub(super) fn push(&mut self, sha: &str) {
        self.on_github().push(sha);
        let before = std::mem::replace(&mut self.pull_request.sha, sha.to_owned());
        self.pull_request.before = Some(before);
        self.touch();
    }

    pub(super) fn merge(&mut self, commit: &str) {
        self.on_github().merge(commit);
        self.pull_request.open = false;
        self.pull_request.merged_as = Some(commit.to_owned());
        self.touch();
    }

    pub(super) fn close(&mut self) {
        self.on_github().close();
        self.pull_request.open = false;
        self.touch();
    }

    fn on_github(&self) -> crate::github::PullRequest {
        self.repository().pull_request_of(self.pull_request.number)
    }

    fn touch(&mut self) {
        self.pull_request.updated_at = now();
        self.on_github().updated(&self.pull_request.updated_at);
    }

    /// Asks an API on the local AWS, as anybody does who is not AWS.
    pub(super) fn ask(&self, url: &str, request: Builder, body: Bytes) -> Result<Response<Bytes>, RehearsalError> {
        let lost = |source| RehearsalError::NoAnswer {
            url: url.to_owned(),
            source,
        };
        let path = url.strip_prefix(&self.cloud.endpoint()).unwrap_or(url);
        let request = request.uri(path).body(body);
        let request = request.map_err(|fault| lost(io::Error::other(fault)))?;
        self.cloud.visit(request).map_err(lost)
    }

    /// The next delivery about the pull request as it is now.
    pub(super) fn delivery(&mut self, action: &str) -> Delivery {
        self.deliveries += 1;
        Delivery::new(self.deliveries, action, &self.pull_request, &self.webhook_secret)
    }

    /// Posts a delivery and returns the HTTP status of the answer.
    pub(super) fn post(&self, delivery: &Delivery) -> Result<u16, RehearsalError> {
        let mut request = Request::builder().method(Method::POST);
        for (name, value) in &delivery.headers {
            request = request.header(*name, value);
        }
        let answer = self.ask(&self.webhook_url, request, delivery.body.clone().into())?;
        Ok(answer.status().as_u16())
    }

    pub(super) fn tell(&self, delivery: &Delivery, status: Option<u16>) {
        self.recorder.record(Happening::Webhook {
            action: delivery.action.clone(),
            sha: self.pull_request.sha.clone(),
            status,
        });
    }

    /// How many executions have been started. Each is run a moment later.
    pub(super) fn started(&self) -> usize {
        self.started.all().len()
    }

    /// Runs the reconciler, as its schedule does.
    pub(super) fn reconcile(&self) -> Result<(), RehearsalError> {
        let name = stacks::names::Names::of(&self.project).shared("reconcile");
        let answer = invoke(&self.cloud.client("scheduler"), &name, &json!({ "dry_run": false }))?;
        self.invocations.count(&name);
        self.recorder.ready(format!("the reconciler: {}", answer.payload), None);
        Ok(())
    }

    /// The last status of each commit and context.
    pub(super) fn last_statuses(&self) -> Vec<Status> {
        let mut last: Vec<Status> = Vec::new();
        for status in self.repository().all_statuses() {
            last.retain(|other| other.sha != status.sha || other.context != status.context);
            last.push(Status {
                sha: status.sha,
                context: status.context,
                state: status.state,
                description: status.description,
            });
        }
        last
    }

    /// The keys in the artifacts bucket under a prefix, those of old versions included.
    pub(super) fn objects(&self, prefix: &str) -> Result<Vec<String>, RehearsalError> {
        let artifacts = stacks::names::Names::of(&self.project).shared("artifacts");
        let Some(outputs) = self.stacks.outputs(&artifacts)? else {
            return Ok(Vec::new());
        };
        let bucket = outputs.get("ArtifactsBucket").cloned().unwrap_or_default();
        let found = retained::versions(&self.cloud.client("rehearsal"), &bucket, prefix)?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// The secrets' values, by what they are.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GitHub's token", self.github.token()),
            ("the webhook's secret", self.webhook_secret.clone()),
        ]
    }

    /// What was logged, by whom.
    pub(super) fn logs(&self) -> Vec<(String, String)> {
        let builds = fs::read_dir(builds::logs(self.folder.path()));
        let builds = builds.into_iter().flatten().flatten().map(|entry| entry.path());
        // What cannot be read was not written.
        let read = |path: PathBuf| {
            let log = fs::read(&path).unwrap_or_default();
            (path.display().to_string(), String::from_utf8_lossy(&log).into_owned())
        };
        builds.chain([self.cloud.log().to_owned()]).map(read).collect()
    }

    /// What AWS or GitHub would have refused.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut all = self.cloud.take_violations();
        all.extend(self.github.violations());
        all
    }

    /// Deletes the environment `stage`, the shared stacks, and what these leave since data is in it; what is left then is a fault.
    pub(super) fn demolish(&mut self) -> Result<Vec<String>, RehearsalError> {
        let mut faults = self.stacks.demolish()?;
        let left = retained::remove(&self.cloud.client("rehearsal"), &self.project.project)?;
        faults.extend(left.into_iter().map(|arn| format!("{arn} is left")));
        Ok(faults)
    }

    /// Counts what happened.
    pub(super) fn summary(&mut self, plan: &Plan, promises: Vec<Promise>) -> Summary {
        // It looks once more.
        drop(self.watch.take());
        let runs = self.runs.all().into_iter().map(|run| Execution {
            name: run.name,
            status: run.status.to_owned(),
            error: run.error,
            states: run.states,
            failed: run.failed,
            transitions: run.transitions,
            seconds: (run.took.as_secs_f64() * 10.0).round() / 10.0,
        });
        let mut calls = BTreeMap::new();
        // What the rehearsal itself asks is no call of the system's.
        let own = ["rehearsal", "deployer", "user"];
        for call in self
            .cloud
            .all_calls()
            .iter()
            .filter(|call| !own.contains(&call.caller.as_str()))
        {
            *calls.entry(call.service.clone()).or_insert(0) += 1;
        }
        let comments = self.repository().comments(plan.pull_request);
        Summary {
            repository: self.project.repository.clone(),
            pull_request: plan.pull_request,
            seconds: (self.recorder.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            executions: runs.collect(),
            invocations: self.invocations.all(),
            calls,
            github_calls: self.github.requests().len() as u64,
            statuses: self.last_statuses(),
            comment: comments.into_iter().next().map(|comment| comment.body),
            promises,
        }
    }
}

impl Invocations {
    fn count(&self, function: &str) -> u64 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.entry(function.to_owned()).or_insert(0);
        *number += 1;
        *number
    }

    fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The project's configuration, in the region of the local AWS.
fn configured(plan: &Plan, source: &Source) -> Result<Project, RehearsalError> {
    let candidates: Vec<&str> = match &plan.configuration {
        Some(path) => vec![path],
        None => CONFIGURATIONS.to_vec(),
    };
    for path in &candidates {
        let Some(text) = source.read(path)? else { continue };
        let mut project = Project::from_yaml(&text).map_err(|faults| RehearsalError::Configuration {
            path: (*path).to_owned(),
            faults: faults.iter().map(|fault| format!("  {fault}\n")).collect(),
        })?;
        project.region =
            serde_json::from_value(json!(REGION)).map_err(|fault| RehearsalError::Synthesis(fault.to_string()))?;
        return Ok(project);
    }
    Err(RehearsalError::NoConfiguration {
        repository: plan.repository.clone(),
        looked_for: candidates.join(", "),
    })
}

/// Tasks are functions that are really invoked, except where a fault stands before them.
fn conditions(plan: &Plan, recorder: &Recorder, client: Client, invocations: &Arc<Invocations>) -> Conditions {
    let (told, counted, faults) = (recorder.clone(), Arc::clone(invocations), plan.faults.clone());
    let refused = Mutex::new(BTreeSet::new());
    let first = move |what: &'static str, function: &str| {
        let mut seen = refused.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert((what, function.to_owned()))
    };
    let perform = move |call: &TaskCall| {
        let Some(invocation) = call.invocation() else {
            return Err(TaskFault::new("States.Runtime", "only functions are invoked here"));
        };
        let tell = |what: &str| {
            told.record(Happening::Fault {
                what: format!("{what} of {}", invocation.function),
            });
        };
        if faults.contains(&Fault::LambdaBusy) && first("busy", invocation.function) {
            tell("the invocation is refused");
            return Err(TaskFault::new("Lambda.TooManyRequestsException", "Rate exceeded"));
        }
        counted.count(invocation.function);
        let answer = invoke(&client, invocation.function, invocation.payload)
            .map_err(|fault| TaskFault::new("Lambda.SdkClientException", fault.to_string()))?;
        if faults.contains(&Fault::AnswersLost) && first("lost", invocation.function) {
            tell("the answer is lost");
            return Err(TaskFault::new("Lambda.SdkClientException", "the connection was reset"));
        }
        executions::invoked(call, answer.status, answer.failed, &answer.payload)
    };
    let shown = recorder.clone();
    Conditions {
        speed: plan.speed,
        perform: Arc::new(perform),
        listen: Arc::new(move |execution: &str, event: &Event| {
            shown.extend(happening(execution, event));
        }),
    }
}

fn happening(execution: &str, event: &Event) -> Option<Happening> {
    let execution = execution.to_owned();
    let state = || event.state.as_deref().unwrap_or_default().to_owned();
    let ended = |status: &str, error: Option<String>| Happening::ExecutionEnded {
        execution: execution.clone(),
        status: status.to_owned(),
        error,
    };
    Some(match &event.detail {
        EventDetail::ExecutionStarted { .. } => Happening::ExecutionStarted { execution },
        EventDetail::StateEntered { kind, .. } => Happening::StateEntered {
            execution,
            state: state(),
            state_type: kind.to_string(),
        },
        EventDetail::TaskFailed { fault, .. } => Happening::TaskFailed {
            execution,
            state: state(),
            error: fault.error.clone().unwrap_or_default(),
        },
        EventDetail::TaskSucceeded { output, .. } => Happening::Progress {
            summary: told(&output["Payload"])?,
            execution,
            state: state(),
        },
        EventDetail::ExecutionSucceeded { .. } => ended("SUCCEEDED", None),
        EventDetail::ExecutionFailed(fault) => ended("FAILED", fault.error.clone()),
        EventDetail::ExecutionAborted(fault) => ended("ABORTED", fault.error.clone()),
        EventDetail::ExecutionTimedOut => ended("TIMED_OUT", None),
        _ => return None,
    })
}

/// What a check says of what it asked about, with what a person must see to.
fn told(progress: &Value) -> Option<String> {
    let summary = progress["summary"].as_str()?;
    let stuck: Vec<&str> = progress["stuck"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    Some(if stuck.is_empty() {
        summary.to_owned()
    } else {
        format!("{summary} {}", stuck.join(", "))
    })
}

/// What a function answered.
struct Answered {
    status: u16,
    failed: bool,
    payload: Value,
}

/// Invokes a function of the local AWS and waits for its answer.
fn invoke(client: &Client, function: &str, payload: &Value) -> Result<Answered, RehearsalError> {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let lost = |source| RehearsalError::NoAnswer {
        url: path.clone(),
        source,
    };
    let request = Request::post(&path).body(Bytes::from(payload.to_string()));
    let request = request.map_err(|fault| lost(io::Error::other(fault)))?;
    let answer = client.send("lambda", request).map_err(lost)?;
    Ok(Answered {
        status: answer.status().as_u16(),
        failed: answer.headers().contains_key("x-amz-function-error"),
        payload: serde_json::from_slice(answer.body()).unwrap_or(Value::Null),
    })
}

/// The time as GitHub writes it.
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
