//! The local CodePipeline and CodeBuild behind the front: the pipelines and projects of stacks, run by `codepipeline-local`, which
//! reaches the account's S3 and CloudFormation as any other client does.

mod objects;
mod stacks;

use std::{io, sync::Arc, time::Duration};

use codepipeline_local::{Background, Builder, Clock, Engine, Listener, Settings, Surroundings, SystemClock};
use serde_json::Value;

use super::{Client, Cloud, PipelineResource, PipelineService, REGION, states::Outcome};

use objects::AccountObjects;
use stacks::AccountStacks;

/// How often an engine looks at what is under way. On this machine a stack is changed in less than a second.
const INTERVAL: Duration = Duration::from_millis(50);
/// The name that its calls have.
const CALLER: &str = "codepipeline";
/// What CodeBuild's API shows of builds; its projects are MiniStack's.
const BUILDS: [&str; 4] = ["BatchGetBuilds", "BatchGetReports", "ListBuildsForProject", "StopBuild"];

/// An engine that runs an account's pipelines.
#[derive(Debug)]
struct Running {
    engine: Engine,
    /// What drives it, unless its user does.
    _background: Option<Background>,
}

/// Installs an engine that runs from now on, until the account is dropped.
pub(super) fn install(
    cloud: &Cloud,
    builder: Arc<dyn Builder>,
    listener: Listener,
    start_on_create: bool,
) -> io::Result<Engine> {
    let settings = Settings {
        start_on_create,
        stack_interval: INTERVAL,
        ..Settings::default()
    };
    let engine = engine(cloud, settings, builder, listener, Arc::new(SystemClock));
    let background = engine.run_in_background(INTERVAL)?;
    serve(cloud, &engine, Some(background))?;
    Ok(engine)
}

/// Installs an engine that moves on when it is told to, on a clock of its user's, until the account is dropped.
pub(super) fn install_stepped(cloud: &Cloud, builder: Arc<dyn Builder>, clock: Arc<dyn Clock>) -> io::Result<Engine> {
    let settings = Settings {
        start_on_create: false,
        stack_interval: Duration::ZERO,
        ..Settings::default()
    };
    let engine = engine(cloud, settings, builder, Arc::new(|_| {}), clock);
    serve(cloud, &engine, None)?;
    Ok(engine)
}

fn engine(
    cloud: &Cloud,
    settings: Settings,
    builder: Arc<dyn Builder>,
    listener: Listener,
    clock: Arc<dyn Clock>,
) -> Engine {
    let client = cloud.client(CALLER);
    let settings = Settings {
        account: cloud.account().to_owned(),
        region: REGION.to_owned(),
        ..settings
    };
    let surroundings = Surroundings {
        objects: Arc::new(AccountObjects(client.clone())),
        stacks: Arc::new(AccountStacks(client)),
        builder,
        clock,
        listener,
    };
    Engine::new(settings, surroundings)
}

fn serve(cloud: &Cloud, engine: &Engine, background: Option<Background>) -> io::Result<()> {
    let running = Running {
        engine: engine.clone(),
        _background: background,
    };
    cloud.run_pipelines(Arc::new(running)).map_err(io::Error::other)
}

impl PipelineService for Running {
    fn make(&self, pipeline: &PipelineResource) -> Result<(), String> {
        let mut properties = pipeline.properties.clone();
        // CloudFormation makes up the name of one that has none.
        properties["Name"] = Value::from(pipeline.name.as_str());
        let made = self.engine.put_pipeline(&properties);
        made.map(drop).map_err(|faults| faults.to_string())
    }

    fn unmake(&self, name: &str) {
        self.engine.delete_pipeline(name);
    }

    fn make_project(&self, properties: &Value) -> Result<(), String> {
        let made = self.engine.put_project(properties);
        made.map(drop).map_err(|faults| faults.to_string())
    }

    fn unmake_project(&self, name: &str) {
        self.engine.delete_project(name);
    }

    fn answer(&self, operation: &str, parameters: &Value) -> Outcome {
        let answered = self.engine.answer(operation, parameters);
        answered.map_err(|error| (error.code.to_owned(), error.message))
    }

    fn answer_codebuild(&self, operation: &str, parameters: &Value) -> Option<Outcome> {
        let ours = BUILDS.contains(&operation);
        ours.then(|| {
            let answered = self.engine.answer_codebuild(operation, parameters);
            answered.map_err(|error| (error.code.to_owned(), error.message))
        })
    }
}

/// A service's refusal as the engine takes it.
fn call_error(failure: super::Failure) -> codepipeline_local::CallError {
    match failure {
        super::Failure::Refused { code, message, .. } => codepipeline_local::CallError::new(code, message),
        other => codepipeline_local::CallError::new("InternalFailure", other.to_string()),
    }
}

/// Makes a bucket in the account's region.
fn make_bucket(client: &Client, bucket: &str) -> Result<(), super::Failure> {
    let location = format!(
        "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{REGION}\
         </LocationConstraint></CreateBucketConfiguration>"
    );
    let made = client.rest("s3", http::Method::PUT, &format!("/{bucket}"), location.into());
    made.map(drop)
}
