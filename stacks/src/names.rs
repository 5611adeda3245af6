//! Physical names. Every one begins with the project's name; those of an environment carry the environment.
//!
//! What a pull request's build may touch is bounded by these names, and teardown finds by them what it must remove, so they
//! are made in one place. The longest project, environment and region still fit AWS's limits: a test proves it.

use synth::{Value, pseudo, sub};

use crate::{Environment, Project};

/// The names of what all pull requests share.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    project: &'a Project,
}

/// The names of one environment.
#[derive(Debug, Clone, Copy)]
pub struct EnvironmentNames<'a> {
    shared: Names<'a>,
    environment: Environment,
}

impl<'a> Names<'a> {
    /// The names of a project.
    pub const fn of(project: &'a Project) -> Self {
        Self { project }
    }

    /// A shared stack, function, role, table or pipeline: `thebestest-fetch-source`.
    pub fn shared(self, what: &str) -> String {
        format!("{}-{}", self.project.project, what.replace('_', "-"))
    }

    /// The artifacts bucket: bucket names are shared by all accounts, so the account and the region are in it.
    pub fn artifacts_bucket(self) -> Value<String> {
        sub![
            self.shared("artifacts"),
            "-",
            pseudo::account_id(),
            "-",
            pseudo::region()
        ]
    }

    /// The prefix under which CodePipeline stores the artifacts of this project's pipelines: it cuts names at 20 characters.
    pub fn pipeline_artifacts(self) -> String {
        let mut prefix = format!("{}-", self.project.project);
        prefix.truncate(20);
        prefix
    }

    /// The names of an environment.
    pub const fn environment(self, environment: Environment) -> EnvironmentNames<'a> {
        EnvironmentNames {
            shared: self,
            environment,
        }
    }
}

impl EnvironmentNames<'_> {
    /// Anything of the environment: `thebestest-pr-17-list-items`.
    pub fn own(self, what: &str) -> String {
        self.shared.shared(&format!("{}-{what}", self.environment))
    }

    /// The prefix of everything of the environment, with the hyphen that keeps `pr-1` from meaning `pr-17` too.
    pub fn prefix(self) -> String {
        self.own("")
    }

    /// The stack with the deploy pipeline.
    pub fn deploy_stack(self) -> String {
        self.shared.shared(&format!("deploy-{}", self.environment))
    }

    /// The stack with the application.
    pub fn app_stack(self) -> String {
        self.shared.shared(&format!("app-{}", self.environment))
    }

    /// The prefix in the artifacts bucket under which the environment's packaged code lies.
    pub fn packages(self) -> String {
        format!("packages/{}/", self.environment)
    }
}
