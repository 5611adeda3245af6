//! The configuration of a project, `project.yaml`: which repository, what to run, how much of it.
//!
//! Reading reports every fault of the file at once, each with the edit that mends it. Nothing here reads files itself.

mod read;
mod service;
mod validate;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use service::Service;

/// The regions in which the stacks are proven to be valid: every resource type in use exists there.
pub const REGIONS: [&str; 8] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "eu-north-1",
    "ap-northeast-1",
    "ap-southeast-2",
];

/// A project: one GitHub repository whose pull requests get their own tests, environment and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The prefix of every physical name: 3 to 20 lower-case letters, digits and hyphens, a letter first.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(min = 3, max = 20))]
    pub project: String,
    /// The repository on GitHub, `owner/name`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}$"))]
    pub repository: String,
    /// The AWS region that everything is deployed to.
    pub region: Region,
    /// The base address of GitHub's REST API, for GitHub Enterprise Server; the public one if left out. HTTPS, or 127.0.0.1.
    #[serde(default = "defaults::github_api")]
    pub github_api: String,
    /// The branch whose merges are deployed to the environment `stage`.
    #[serde(default = "defaults::stage_branch")]
    pub stage_branch: String,
    /// Which pull requests get what.
    #[serde(default)]
    pub pull_requests: PullRequests,
    /// How the unit tests run.
    pub unit_test: UnitTest,
    /// How a commit becomes an application template.
    pub application: Application,
    /// Where builds run.
    #[serde(default)]
    pub build: Build,
    /// Bounds in time and number.
    #[serde(default)]
    pub limits: Limits,
    /// Whom and what the webhook API lets in.
    #[serde(default)]
    pub webhook: Webhook,
    /// Tags of every stack, and so of every resource that can be tagged. Keys that begin with `pipeline:` are the system's own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Which pull requests get what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PullRequests {
    /// Whether drafts are tested and deployed; if not, they wait until they are ready for review.
    pub drafts: bool,
    /// What a pull request from a fork gets before someone with write access approves its head commit.
    pub forks: Forks,
    /// A label that a pull request must carry to get an environment; every one gets an environment if left out.
    pub required_label: Option<String>,
    /// The base branches that count; every branch if empty.
    pub base_branches: Vec<String>,
    /// Path prefixes of which at least one must be touched; every change counts if empty.
    pub paths: Vec<String>,
}

impl Default for PullRequests {
    fn default() -> Self {
        Self {
            drafts: false,
            forks: Forks::TestsOnly,
            required_label: None,
            base_branches: Vec::new(),
            paths: Vec::new(),
        }
    }
}

/// What a pull request from a fork gets unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forks {
    /// Unit tests without any secret, and no environment until the head commit is approved.
    TestsOnly,
    /// Nothing.
    Ignore,
}

/// How the unit tests run in CodeBuild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitTest {
    /// Shell commands that build the application and its tests.
    #[serde(default)]
    pub build: Vec<String>,
    /// Shell commands that start and fill the local DynamoDB, which listens on port 8000.
    #[serde(default)]
    pub prepare: Vec<String>,
    /// Shell commands that run the tests. The build fails with the first that fails.
    #[schemars(length(min = 1))]
    pub commands: Vec<String>,
    /// The folder that the JUnit reports are in after the tests.
    #[serde(default = "defaults::report_folder")]
    pub report_folder: String,
    /// Whether a local DynamoDB is started before the tests; it is unless this says no.
    #[serde(default = "defaults::yes")]
    pub local_dynamodb: bool,
}

/// How a commit becomes an application template and the code that it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Shell commands that write the template. `$ENVIRONMENT` is `pr-17` or `stage`.
    #[schemars(length(min = 1))]
    pub synthesize: Vec<String>,
    /// Shell commands that write the zip with the code; none if the template has no code.
    #[serde(default)]
    pub package: Vec<String>,
    /// The template's path once it is synthesized. It must take the parameters `CodeBucket` and `CodeKey` if `code` is set.
    #[serde(default = "defaults::template")]
    pub template: String,
    /// The zip with the application's code after packaging, uploaded under its content hash; none if the template has no code.
    #[serde(default = "defaults::code")]
    pub code: Option<String>,
    /// The services whose resources the template may hold, besides roles, which are bounded by what these allow. An environment's
    /// roles can make and use nothing of another service.
    #[serde(default = "defaults::services")]
    #[schemars(length(min = 1))]
    pub services: Vec<Service>,
}

impl Application {
    /// The services that are allowed, each once, in one order.
    pub fn allowed(&self) -> Vec<Service> {
        let mut allowed = self.services.clone();
        allowed.sort_unstable();
        allowed.dedup();
        allowed
    }
}

/// Where builds run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    /// The CodeBuild image, managed or in a registry. It must run on the processor of `compute`.
    pub image: String,
    /// Shell commands that install what the image lacks, such as the Rust toolchain.
    pub install: Vec<String>,
    /// The processor.
    pub processor: Processor,
    /// How large the machine is.
    pub compute: Compute,
}

impl Default for Build {
    fn default() -> Self {
        Self {
            image: "aws/codebuild/amazonlinux-aarch64-standard:3.0".to_owned(),
            install: Vec::new(),
            processor: Processor::Arm64,
            compute: Compute::Small,
        }
    }
}

/// The processor that builds and functions run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Processor {
    /// AWS Graviton, 64-bit ARM.
    Arm64,
    /// 64-bit x86.
    X86_64,
}

/// CodeBuild's machine sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compute {
    /// `BUILD_GENERAL1_SMALL`: 2 vCPUs, 3 to 4 GiB.
    Small,
    /// `BUILD_GENERAL1_MEDIUM`: 4 vCPUs, 7 to 8 GiB.
    Medium,
    /// `BUILD_GENERAL1_LARGE`: 8 vCPUs, 15 to 16 GiB.
    Large,
}

/// Bounds in time and number. Every path of the pipeline ends in a final status within them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest that a unit-test build may take, in minutes, 5 to 480.
    #[schemars(range(min = 5, max = 480))]
    pub unit_test_minutes: u32,
    /// The longest that an environment's deployment may take, packaging included, in minutes, 5 to 480.
    #[schemars(range(min = 5, max = 480))]
    pub deploy_minutes: u32,
    /// The longest that a teardown may take, in minutes, 5 to 480.
    #[schemars(range(min = 5, max = 480))]
    pub teardown_minutes: u32,
    /// How many pull requests have an environment at the same time, 1 to 400 (an account has 600 regional REST APIs).
    #[schemars(range(min = 1, max = 400))]
    pub environments: u32,
    /// How long sources, logs and old object versions are kept, in days, 1 to 365.
    #[schemars(range(min = 1, max = 365))]
    pub retention_days: u32,
    /// How often the reconciler looks for what webhooks missed, in minutes, 5 to 60.
    #[schemars(range(min = 5, max = 60))]
    pub reconcile_minutes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unit_test_minutes: 60,
            deploy_minutes: 60,
            teardown_minutes: 60,
            environments: 100,
            retention_days: 30,
            reconcile_minutes: 15,
        }
    }
}

/// Whom and what the webhook API lets in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Address ranges (CIDR) that may post, such as the `hooks` of GitHub's `GET /meta`; everybody if empty.
    ///
    /// The signature is verified in any case, and the ranges change: the list is a second fence, not the first.
    pub allowed_ranges: Vec<String>,
    /// Whether the pipeline manager sets the account's role for access logs of API Gateway, of which there is one an account
    /// and region. Say no where somebody else manages it.
    pub manage_account_logs: bool,
    /// Posts a second that are let through on average, 1 to 1,000.
    #[schemars(range(min = 1, max = 1000))]
    pub rate: u32,
    /// Posts that are let through at once, 1 to 2,000.
    #[schemars(range(min = 1, max = 2000))]
    pub burst: u32,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            allowed_ranges: Vec::new(),
            manage_account_logs: true,
            rate: 20,
            burst: 50,
        }
    }
}

/// An AWS region, one of [`REGIONS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("enum" = REGIONS))]
pub struct Region(String);

impl Region {
    /// The region's name, such as `eu-west-1`.
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// Where: `unit_test.commands[0]`; empty for the whole file.
    pub path: String,
    /// What is wrong with which value and what is allowed, as a lowercase clause.
    pub message: String,
    /// The edit that mends it.
    pub help: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(formatter, "{}: ", self.path)?;
        }
        write!(formatter, "{}\n  help: {}", self.message, self.help)
    }
}

impl Project {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Every fault of the text: what is no YAML, unknown and missing keys, values of the wrong type or out of range.
    pub fn from_yaml(text: &str) -> Result<Self, Vec<ConfigFault>> {
        read::project(text)
    }

    /// The owner and the name of the repository.
    pub fn repository_parts(&self) -> (&str, &str) {
        self.repository.split_once('/').unwrap_or((&self.repository, ""))
    }

    /// The configuration's JSON Schema (draft 2020-12), for editors.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

mod defaults {
    use super::Service;

    pub(super) fn services() -> Vec<Service> {
        Service::USUAL.to_vec()
    }

    pub(super) fn github_api() -> String {
        "https://api.github.com".to_owned()
    }

    pub(super) fn stage_branch() -> String {
        "main".to_owned()
    }

    pub(super) fn report_folder() -> String {
        "target/nextest/ci".to_owned()
    }

    pub(super) const fn yes() -> bool {
        true
    }

    pub(super) fn template() -> String {
        "out/app.json".to_owned()
    }

    #[expect(clippy::unnecessary_wraps, reason = "serde's default has the field's type")]
    pub(super) fn code() -> Option<String> {
        Some("out/app.zip".to_owned())
    }
}
