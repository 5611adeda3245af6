//! The pipelines that CloudFormation makes, and whoever runs them.
//!
//! MiniStack knows no pipelines: the front keeps what a stack says of one, and hands CodePipeline's calls for it to the service that
//! a test has installed. Pipelines that a test scripts are [`Pipelines`]' own.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use serde_json::Value;

use super::{Pipelines, lock, states::Outcome};

/// A pipeline of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineResource {
    /// Its name, which `Ref` returns.
    pub name: String,
    /// The stack's name.
    pub stack: String,
    /// The properties of `AWS::CodePipeline::Pipeline`, resolved, with the stack's tags.
    pub properties: Value,
    /// How often it was made: 1 when it is new.
    pub version: u64,
}

/// CodePipeline for the pipelines of stacks. Its methods may block, and may call the local AWS.
pub trait PipelineService: fmt::Debug + Send + Sync {
    /// Takes a new pipeline, or the new properties of one that it has.
    ///
    /// # Errors
    /// Why CodePipeline refuses it; the resource fails for that reason.
    fn make(&self, pipeline: &PipelineResource) -> Result<(), String>;

    /// Its stack lets go of it; executions end with it.
    fn unmake(&self, name: &str);

    /// Takes a new build project of a stack, or the new properties of one that it has: those of `AWS::CodeBuild::Project`, resolved.
    /// MiniStack has it as well.
    ///
    /// # Errors
    /// Why CodeBuild refuses it; the resource fails for that reason.
    fn make_project(&self, properties: &Value) -> Result<(), String>;

    /// Its stack lets go of a build project.
    fn unmake_project(&self, name: &str);

    /// The answer to a call whose parameters keep the rules of CodePipeline's model.
    ///
    /// # Errors
    /// The error's name, such as `PipelineNotFoundException`, and its words.
    fn answer(&self, operation: &str, parameters: &Value) -> Outcome;

    /// The answer to a call of CodeBuild; none leaves it to MiniStack.
    fn answer_codebuild(&self, operation: &str, parameters: &Value) -> Option<Outcome>;
}

/// An account's pipelines that stacks have.
#[derive(Debug)]
pub(super) struct Deployed {
    account: String,
    service: Mutex<Option<Arc<dyn PipelineService>>>,
    pipelines: Mutex<BTreeMap<String, PipelineResource>>,
    /// The properties of build projects, by name.
    projects: Mutex<BTreeMap<String, Value>>,
}

impl Deployed {
    pub(super) fn of(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            service: Mutex::default(),
            pipelines: Mutex::default(),
            projects: Mutex::default(),
        }
    }

    /// Hands what there is, and all that comes, to a service.
    pub(super) fn serve(&self, service: Arc<dyn PipelineService>) -> Result<(), String> {
        for project in lock(&self.projects).values() {
            service.make_project(project)?;
        }
        for pipeline in self.all() {
            service.make(&pipeline)?;
        }
        *lock(&self.service) = Some(service);
        Ok(())
    }

    /// Lets go of the service.
    pub(super) fn end(&self) {
        let service = lock(&self.service).take();
        drop(service);
    }

    pub(super) fn all(&self) -> Vec<PipelineResource> {
        lock(&self.pipelines).values().cloned().collect()
    }

    /// Whether a stack has it.
    pub(super) fn has(&self, name: &str) -> bool {
        lock(&self.pipelines).contains_key(name)
    }

    pub(super) fn service(&self) -> Option<Arc<dyn PipelineService>> {
        lock(&self.service).clone()
    }

    /// Makes a pipeline, or changes it if it is not `new`, and returns its version.
    pub(super) async fn make(&self, mut pipeline: PipelineResource, new: bool) -> Result<u64, String> {
        let before = lock(&self.pipelines).get(&pipeline.name).cloned();
        if new && before.is_some() {
            return Err(format!(
                "Resource handler returned message: \"A pipeline with the name '{}' already exists in account '{}'\" \
                 (HandlerErrorCode: AlreadyExists)",
                pipeline.name, self.account
            ));
        }
        pipeline.version = before.map_or(1, |before| before.version + 1);
        if let Some(service) = self.service() {
            let given = pipeline.clone();
            blocking(move || service.make(&given)).await??;
        }
        let version = pipeline.version;
        lock(&self.pipelines).insert(pipeline.name.clone(), pipeline);
        Ok(version)
    }

    /// Lets go of a pipeline; one that is not there is no fault.
    pub(super) async fn unmake(&self, name: &str) -> Result<(), String> {
        if lock(&self.pipelines).remove(name).is_none() {
            return Ok(());
        }
        let Some(service) = self.service() else {
            return Ok(());
        };
        let name = name.to_owned();
        blocking(move || service.unmake(&name)).await
    }
}

impl Deployed {
    /// Tells of a build project that is about to be made or changed.
    pub(super) async fn make_project(&self, name: &str, properties: &Value) -> Result<(), String> {
        if let Some(service) = self.service() {
            let given = properties.clone();
            blocking(move || service.make_project(&given)).await??;
        }
        lock(&self.projects).insert(name.to_owned(), properties.clone());
        Ok(())
    }

    /// Tells of a build project that is about to go.
    pub(super) async fn unmake_project(&self, name: &str) -> Result<(), String> {
        lock(&self.projects).remove(name);
        let Some(service) = self.service() else {
            return Ok(());
        };
        let name = name.to_owned();
        blocking(move || service.unmake_project(&name)).await
    }
}

/// Who answers a call: the installed service, unless the pipeline is one that the test scripts. Without a service, a stack's pipeline
/// can be started, and its executions stay in progress.
pub(super) fn service(
    scripted: &Pipelines,
    deployed: &Deployed,
    parameters: &Value,
) -> Option<Arc<dyn PipelineService>> {
    let name = parameters["name"].as_str().or(parameters["pipelineName"].as_str());
    let name = name.or(parameters["pipeline"]["name"].as_str()).unwrap_or_default();
    if scripted.has(name) {
        return None;
    }
    let service = deployed.service();
    if service.is_none() && deployed.has(name) {
        scripted.script(name, []);
    }
    service
}

/// Runs what blocks aside from the front's own thread, which has others to serve meanwhile.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|fault| format!("the local AWS has panicked: {fault}"))
}
