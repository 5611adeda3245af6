//! The stacks of the pipeline and of its sample application.

pub mod environment;
pub mod project;

pub use environment::{Environment, EnvironmentError, PullRequest};
pub use project::{ConfigFault, Project};
use synth::{App, Assembly, Faults, s3};

/// The stacks that all pull requests share.
///
/// # Errors
/// All faults of all stacks.
pub fn shared(project: &Project) -> Result<Assembly, Faults> {
    let mut app = App::new();
    app.stack(
        format!("{}-artifacts", project.project),
        "What the pipelines read and write.",
        |stack| {
            stack.add("Artifacts", s3::Bucket::new());
        },
    );
    app.synthesize()
}

/// The stacks of one environment: its deploy pipeline, and the application that the pipeline deploys.
///
/// # Errors
/// All faults of all stacks.
pub fn environment(project: &Project, environment: Environment) -> Result<Assembly, Faults> {
    let mut app = App::new();
    app.stack(
        format!("{}-deploy-{environment}", project.project),
        "The pipeline of one environment.",
        |stack| {
            stack.add("Placeholder", s3::Bucket::new());
        },
    );
    app.synthesize()
}
