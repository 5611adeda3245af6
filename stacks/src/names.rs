//! Physical names. Every one carries the project's name; those of an environment carry the environment.
//!
//! What a pull request's build may touch is bounded by these names, and teardown finds by them what it must remove, so they
//! are made in one place. The longest project, environment and region still fit AWS's limits: a test proves it.

use synth::iam::{Grant, Operator};
use synth::{Value, pseudo, sub};

use crate::artifacts::PACKAGES;
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

    /// A pattern of the deploy pipelines of all environments of a kind, `pr-*` or `stage`.
    pub fn deploy_pipelines(self, environments: &str) -> String {
        format!("{environments}-{}-deploy", self.project.project)
    }

    /// The environment that a stack is of, by its name; none if it is of no environment of the project.
    pub fn environment_of(self, stack: &str) -> Option<Environment> {
        let own = stack.strip_prefix(&self.shared(""))?;
        let environment = own.strip_prefix("deploy-").or_else(|| own.strip_suffix("-app"))?;
        let read: Environment = environment.parse().ok()?;
        (read.to_string() == environment).then_some(read)
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
    /// The environment that these are the names of.
    pub const fn environment(self) -> Environment {
        self.environment
    }

    /// Anything of the environment: `thebestest-pr-17-list-items`.
    pub fn own(self, what: &str) -> String {
        self.shared.shared(&format!("{}-{what}", self.environment))
    }

    /// The prefix of everything of the environment, with the hyphen that keeps `pr-1` from meaning `pr-17` too.
    pub fn prefix(self) -> String {
        self.own("")
    }

    /// Only for what carries the environment's tag, which a template writes on each resource of its own that takes tags.
    ///
    /// For what bears no name of ours: the parts of a REST API inherit its tags, see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html>.
    pub fn only_tagged(self, grant: Grant) -> Grant {
        grant.when(
            Operator::StringEquals,
            "aws:ResourceTag/pipeline:environment",
            self.environment.to_string(),
        )
    }

    /// Only for what is given the environment's tag in the moment it is made.
    pub fn only_tagging(self, grant: Grant) -> Grant {
        grant.when(
            Operator::StringEquals,
            "aws:RequestTag/pipeline:environment",
            self.environment.to_string(),
        )
    }

    /// The stack with the deploy pipeline.
    pub fn deploy_stack(self) -> String {
        self.shared.shared(&format!("deploy-{}", self.environment))
    }

    /// The deploy pipeline: `pr-17-thebestest-deploy`.
    ///
    /// The environment comes first because CodePipeline names the folder of a pipeline's artifacts after the first 20 characters
    /// of its name: so each environment has a folder of its own, and its roles reach no other's.
    pub fn deploy_pipeline(self) -> String {
        self.shared.deploy_pipelines(&self.environment.to_string())
    }

    /// The stack with the application: `thebestest-pr-17-app`.
    ///
    /// Its name begins with the environment's prefix, and so does what CloudFormation calls a resource that the template gives no name,
    /// `<stack>-<logical id>-<12 characters>`, which the roles of the environment are bound to. Where such a name is too long for
    /// its service, CloudFormation keeps no more than 25 characters of the stack's, see <https://github.com/KensioSoftware/yulin/issues/1113>:
    /// the prefix of a project with up to 14 is kept whole for every pull request.
    pub fn app_stack(self) -> String {
        self.own("app")
    }

    /// The prefix in the artifacts bucket under which the deploy pipeline's stages hand on what they make.
    pub fn artifacts(self) -> String {
        format!("{}/", crate::build::artifact_folder(&self.deploy_pipeline()))
    }

    /// The prefix in the artifacts bucket under which the environment's packaged code lies.
    pub fn packages(self) -> String {
        format!("{PACKAGES}{}/", self.environment)
    }
}

/// The ARN of a resource in this account and region: `arn:aws:codepipeline:eu-west-1:123456789012:pr-17-thebestest-deploy`.
pub fn arn(service: &str, resource: impl Into<Value<String>>) -> Value<String> {
    sub![
        "arn:",
        pseudo::partition(),
        ":",
        service,
        ":",
        pseudo::region(),
        ":",
        pseudo::account_id(),
        ":",
        resource.into()
    ]
}

/// The ARN of something of IAM, which has no region: `arn:aws:iam::123456789012:role/thebestest-pr-17-*`.
pub fn iam_arn(resource: impl Into<Value<String>>) -> Value<String> {
    sub![
        "arn:",
        pseudo::partition(),
        ":iam::",
        pseudo::account_id(),
        ":",
        resource.into()
    ]
}

/// The ARN of something of API Gateway, which has no account: `arn:aws:apigateway:eu-west-1::/restapis/*`.
pub fn api_gateway_arn(path: &str) -> Value<String> {
    sub![
        "arn:",
        pseudo::partition(),
        ":apigateway:",
        pseudo::region(),
        "::",
        path
    ]
}
