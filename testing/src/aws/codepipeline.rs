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

use super::{Pipelines, lock};

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

    /// The answer to a call whose parameters keep the rules of CodePipeline's model.
    ///
    /// # Errors
    /// The error's name, such as `PipelineNotFoundException`, and its words.
    fn answer(&self, operation: &str, parameters: &Value) -> Result<Value, (String, String)>;
}

/// An account's pipelines that stacks have.
#[derive(Debug)]
pub(super) struct Deployed {
    account: String,
    service: Mutex<Option<Arc<dyn PipelineService>>>,
    pipelines: Mutex<BTreeMap<String, PipelineResource>>,
}

impl Deployed {
    pub(super) fn of(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            service: Mutex::default(),
            pipelines: Mutex::default(),
        }
    }

    /// Hands what there is, and all that comes, to a service.
    pub(super) fn serve(&self, service: Arc<dyn PipelineService>) -> Result<(), String> {
        for pipeline in self.all() {
            service.make(&pipeline)?;
        }
        *lock(&self.service) = Some(service);
        Ok(())
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
