//! The stacks of the pipeline and of its sample application, on one screen.
//!
//! | stack | file | what |
//! |---|---|---|
//! | `…-bootstrap` | [`bootstrap`] | the role that CloudFormation makes the shared stacks with; an administrator applies it once |
//! | `…-artifacts` | [`artifacts`] | the bucket that everything goes through |
//! | `…-unit-test` | [`unit_test`] | one pipeline that runs the unit tests of every pull request |
//! | `…-pipeline-manager` | [`pipeline_manager`] | webhook API, state machine, functions, records, reconciler, alarms |
//! | `…-deploy-<environment>` | [`deploy`] | the pipeline that deploys one environment, made by the state machine |
//! | `…-<environment>-app` | [`app`] | the sample application, made by that pipeline |

pub mod app;
pub mod artifacts;
pub mod bootstrap;
mod build;
pub mod deploy;
pub mod deployer;
pub mod environment;
pub mod first_deployment;
pub mod images;
pub mod names;
pub mod pipeline_manager;
pub mod project;
pub mod unit_test;

pub use environment::{Environment, EnvironmentError, PullRequest};
pub use project::{ConfigFault, Project};
use synth::lambda::function::Architecture;
use synth::{App, Assembly, Faults, Stack};

use names::Names;
use project::Processor;

/// The stacks that all pull requests share.
///
/// # Errors
/// All faults of all stacks.
pub fn shared(project: &Project) -> Result<Assembly, Faults> {
    let names = Names::of(project);
    let mut app = App::new();
    let artifacts = app.stack(
        names.shared("artifacts"),
        "What the pipelines read and write.",
        |stack| {
            tag(stack, project, None);
            artifacts::stack(stack, project)
        },
    );
    let unit_test = app.stack(
        names.shared("unit-test"),
        "Runs the unit tests of every pull request.",
        |stack| {
            tag(stack, project, None);
            unit_test::stack(stack, project, &artifacts)
        },
    );
    app.stack(
        names.shared("pipeline-manager"),
        "Turns webhooks into tests, environments and statuses.",
        |stack| {
            tag(stack, project, None);
            pipeline_manager::stack(stack, project, &pipeline_manager::Imports { artifacts, unit_test });
        },
    );
    app.synthesize()
}

/// The stack that an administrator applies before all others.
///
/// # Errors
/// All its faults.
pub fn bootstrap(project: &Project) -> Result<Assembly, Faults> {
    let mut app = App::new();
    app.stack(
        Names::of(project).shared("bootstrap"),
        "Lets CloudFormation make the shared stacks.",
        |stack| {
            tag(stack, project, None);
            bootstrap::stack(stack, project);
        },
    );
    app.synthesize()
}

/// The stacks of one environment: its deploy pipeline, and the application that the pipeline deploys.
///
/// # Errors
/// All faults of all stacks.
pub fn environment(project: &Project, environment: Environment) -> Result<Assembly, Faults> {
    let names = Names::of(project);
    let own = names.environment(environment);
    let mut app = App::new();
    let artifacts = app.existing_stack(names.shared("artifacts"), |stack| artifacts::stack(stack, project));
    app.stack(
        own.deploy_stack(),
        format!("The pipeline that deploys {environment}."),
        |stack| {
            tag(stack, project, Some(environment));
            deploy::stack(stack, project, environment, &artifacts);
        },
    );
    app.stack(own.app_stack(), format!("TheBestest on {environment}."), |stack| {
        tag(stack, project, Some(environment));
        app::stack(stack, project, environment);
    });
    app.synthesize()
}

/// The tag of all that is the project's, whose value is the project's name.
pub const PROJECT_TAG: &str = "pipeline:project";

/// The project's tags, and those that teardown finds an environment's resources by.
fn tags(project: &Project, environment: Option<Environment>) -> Vec<(String, String)> {
    let mut tags: Vec<(String, String)> = project.tags.clone().into_iter().collect();
    tags.push((PROJECT_TAG.to_owned(), project.project.clone()));
    tags.extend(environment.map(|environment| ("pipeline:environment".to_owned(), environment.to_string())));
    tags
}

fn tag(stack: &mut Stack, project: &Project, environment: Option<Environment>) {
    for (key, value) in tags(project, environment) {
        stack.tag(key, value);
    }
}

const fn architecture(project: &Project) -> Architecture {
    match project.build.processor {
        Processor::Arm64 => Architecture::Arm64,
        Processor::X86_64 => Architecture::X86_64,
    }
}
