//! What a rehearsal happens in: a local AWS with the shared stacks, a local GitHub with the repository, and the pull request.

use std::{fs, io, path::PathBuf, sync::Arc};

use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use http::{Method, Request, Response, request::Builder};
use serde_json::json;
use stacks::{Environment, Project, PullRequest as Number};
use synth::DocumentKind;
use tempfile::TempDir;

use super::{
    CONFIGURATIONS, Plan, RehearsalError, builds,
    clock::Clock,
    event::Happening,
    executions::Runs,
    invocations::{Invocations, conditions, invoke},
    recorder::Recorder,
    retained,
    source::Source,
    stacks::Stacks,
    watch::Watch,
    webhook::{Delivery, PullRequest},
};
use crate::{
    aws::{Cloud, REGION, states::Executions},
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
    pub(super) webhook_secret: String,
    deliveries: u32,
    definition: String,
    pub(super) invocations: Arc<Invocations>,
    pub(super) watch: Option<Watch>,
    pub(super) github: GitHub,
    pub(super) cloud: Cloud,
    /// Where builds run and leave their logs, after what writes there.
    pub(super) folder: TempDir,
    _turn: Option<Turn>,
}

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
        let clock = Clock::new(plan.speed);
        let runs = Arc::new(Runs::new(conditions(
            plan,
            recorder,
            Arc::clone(&clock),
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
        builds::run(&cloud, folder.path(), &bootstrap, clock, recorder)?;

        let (stacks, definition) = deployed(&cloud, &project, bootstrap, recorder)?;
        let mut world = Self {
            recorder: recorder.clone(),
            environment,
            source,
            stacks,
            runs,
            started,
            pull_request: unopened(plan, &project),
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

    /// Deletes the environment `stage`, the shared stacks, and what these leave since data is in it; what is left then is a fault.
    pub(super) fn demolish(&mut self) -> Result<Vec<String>, RehearsalError> {
        let mut faults = self.stacks.demolish()?;
        let left = retained::remove(&self.cloud.client("rehearsal"), &self.project.project)?;
        faults.extend(left.into_iter().map(|arn| format!("{arn} is left")));
        Ok(faults)
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

/// The shared stacks on the local AWS, and the state machine that is among what they were made of.
fn deployed(
    cloud: &Cloud,
    project: &Project,
    bootstrap: PathBuf,
    recorder: &Recorder,
) -> Result<(Stacks, String), RehearsalError> {
    let assembly = stacks::shared(project).map_err(|faults| RehearsalError::Synthesis(faults.to_string()))?;
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
    Ok((stacks, definition))
}

/// The pull request before it is opened.
fn unopened(plan: &Plan, project: &Project) -> PullRequest {
    PullRequest {
        repository: project.repository.clone(),
        number: plan.pull_request,
        branch: String::new(),
        sha: String::new(),
        before: None,
        base: project.stage_branch.clone(),
        open: true,
        merged_as: None,
        updated_at: now(),
    }
}

/// The time as GitHub writes it.
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}
