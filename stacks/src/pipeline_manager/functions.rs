//! The functions, each with a role of its own that may do what its handler does and nothing else.

use contract::{
    ApplyStack, CheckPipeline, CheckStack, Claim, FetchSource, Reconcile, Report, StageDeployer, StartPipeline,
    StopPipeline, Teardown, VerifyWebhook,
};
use synth::actions::{
    Apigateway, Cloudformation, Codebuild, Codepipeline, Dynamodb, Iam, S3, Secretsmanager, States, Tag,
};
use synth::iam::{Grant, Operator};
use synth::lambda::{self, Artifacts, FunctionHandle, HandlerFunction};
use synth::prelude::*;
use synth::{AnyArn, Duration, Handler, Stack, Value, days, mebibytes, minutes, pseudo, seconds, stepfunctions, sub};

use super::Resources;
use crate::artifacts::{SOURCES, TEMPLATES};
use crate::{Environment, names};

const NAMED: &str =
    "the stacks and pipelines of environments, which are made while it runs and carry the project's name";

/// The functions that the state machine and the schedule invoke.
#[derive(Debug, Clone, Copy)]
pub(super) struct Functions {
    pub(super) verify_webhook: FunctionHandle<VerifyWebhook>,
    pub(super) claim: FunctionHandle<Claim>,
    pub(super) fetch_source: FunctionHandle<FetchSource>,
    pub(super) start_pipeline: FunctionHandle<StartPipeline>,
    pub(super) check_pipeline: FunctionHandle<CheckPipeline>,
    pub(super) stop_pipeline: FunctionHandle<StopPipeline>,
    pub(super) apply_stack: FunctionHandle<ApplyStack>,
    pub(super) check_stack: FunctionHandle<CheckStack>,
    pub(super) report: FunctionHandle<Report>,
    pub(super) teardown: FunctionHandle<Teardown>,
    pub(super) reconcile: FunctionHandle<Reconcile>,
}

/// Adds all functions of the state machine and the schedule.
pub(super) fn add(stack: &mut Stack, resources: &Resources<'_>, code: &Artifacts) -> Functions {
    let make = Make { resources, code };
    Functions {
        verify_webhook: stack.add("VerifyWebhook", make.verify_webhook()),
        claim: stack.add("Claim", make.claim()),
        fetch_source: stack.add("FetchSource", make.fetch_source()),
        start_pipeline: stack.add("StartPipeline", make.start_pipeline()),
        check_pipeline: stack.add("CheckPipeline", make.check_pipeline()),
        stop_pipeline: stack.add("StopPipeline", make.stop_pipeline()),
        apply_stack: stack.add("ApplyStack", make.apply_stack()),
        check_stack: stack.add("CheckStack", make.check_stack()),
        report: stack.add("Report", make.report()),
        teardown: stack.add("Teardown", make.teardown()),
        reconcile: stack.add("Reconcile", make.reconcile()),
    }
}

/// Adds the function that answers for the custom resource of the webhook API's stage.
pub(super) fn stage_deployer(
    stack: &mut Stack,
    resources: &Resources<'_>,
    code: &Artifacts,
) -> FunctionHandle<StageDeployer> {
    // Not named after its handler: what begins with `stage-` belongs to the environment `stage`.
    let deployer = lambda::handling::<StageDeployer>(code, resources.names.shared("webhook-deployer"))
        .log_retention(days(resources.project.limits.retention_days.into()))
        .description("Deploys the webhook API's stage again when the API changes.")
        .timeout(DEPLOYER_TIMEOUT)
        .allow(Grant::on(
            [Apigateway::GET],
            names::api_gateway_arn("/account").trusted::<AnyArn>(),
        ));
    let project = resources.project.project.as_str();
    let deployer = deploy_stages().into_iter().fold(deployer, |deployer, grant| {
        deployer.allow(grant.when(Operator::StringEquals, "aws:ResourceTag/pipeline:project", project))
    });
    stack.add("StageDeployer", deployer)
}

/// How long the deployer of a stage may take: an account may deploy once in five seconds, and CloudFormation waits for five
/// minutes.
pub(crate) const DEPLOYER_TIMEOUT: Duration = minutes(4);

/// Deploying the stages of REST APIs without the routes that are to go, and pruning old deployments.
#[track_caller]
pub(crate) fn deploy_stages() -> [Grant; 4] {
    let on = |actions: &[Apigateway], path: &str| {
        Grant::on_matching(
            actions.iter().copied(),
            names::api_gateway_arn(path),
            "deployments, stages and methods of the API, whose handle would close a circle of resources",
        )
    };
    [
        on(&[Apigateway::GET, Apigateway::POST], "/restapis/*/deployments"),
        on(&[Apigateway::DELETE], "/restapis/*/deployments/*"),
        on(&[Apigateway::GET], "/restapis/*/stages")
            .and_on(names::api_gateway_arn("/restapis/*/resources").trusted::<AnyArn>()),
        on(&[Apigateway::PATCH], "/restapis/*/stages/*")
            .and_on(names::api_gateway_arn("/restapis/*/resources/*/methods/*").trusted::<AnyArn>()),
    ]
}

struct Make<'a> {
    resources: &'a Resources<'a>,
    code: &'a Artifacts,
}

impl Make<'_> {
    fn function<H: Handler>(&self, description: &str) -> HandlerFunction<H> {
        lambda::handling::<H>(self.code, self.resources.names.shared(H::NAME))
            .description(description)
            .log_retention(days(self.resources.project.limits.retention_days.into()))
    }

    fn verify_webhook(&self) -> HandlerFunction<VerifyWebhook> {
        let function = self
            .function::<VerifyWebhook>("Verifies a webhook's signature and decides what is to be done.")
            .timeout(seconds(30))
            .environment(VerifyWebhook::WEBHOOK_SECRET, self.resources.webhook_secret.arn())
            .environment(VerifyWebhook::PROJECT, self.project())
            .environment(
                VerifyWebhook::GITHUB_CREDENTIALS,
                self.resources.github_credentials.arn(),
            )
            .allow(read_secret(self.resources.webhook_secret.arn()));
        if self.resources.project.pull_requests.paths.is_empty() {
            return function;
        }
        // Which files a pull request changes stands in no webhook.
        function.allow(read_secret(self.resources.github_credentials.arn()))
    }

    fn claim(&self) -> HandlerFunction<Claim> {
        self.function::<Claim>("Raises a pull request's desired state, so that one execution works on it.")
            .timeout(seconds(15))
            .environment(Claim::TABLE, self.resources.records.name())
            .environment(Claim::PROJECT, self.project())
            .allow(self.records([Dynamodb::GetItem, Dynamodb::PutItem, Dynamodb::UpdateItem]))
    }

    fn fetch_source(&self) -> HandlerFunction<FetchSource> {
        let bucket = &self.resources.imports.artifacts;
        self.function::<FetchSource>("Streams a commit's zipball from GitHub into the artifacts bucket.")
            .memory_size(mebibytes(512))
            .timeout(minutes(10))
            .environment(FetchSource::BUCKET, bucket.bucket_name.clone())
            .environment(FetchSource::TABLE, self.resources.records.name())
            .environment(FetchSource::GITHUB_CREDENTIALS, self.resources.github_credentials.arn())
            .environment(
                FetchSource::GITHUB_API,
                Value::<String>::from(self.resources.project.github_api.as_str()),
            )
            .allow((&bucket.bucket_arn).put_objects(&format!("{SOURCES}*")))
            .allow(self.records([Dynamodb::GetItem]))
            .allow(read_secret(self.resources.github_credentials.arn()))
    }

    fn start_pipeline(&self) -> HandlerFunction<StartPipeline> {
        self.function::<StartPipeline>("Starts a pipeline on an exact object version.")
            .timeout(seconds(30))
            .environment(StartPipeline::TABLE, self.resources.records.name())
            .environment(StartPipeline::PROJECT, self.project())
            .allow(self.pipelines([
                Codepipeline::StartPipelineExecution,
                Codepipeline::StopPipelineExecution,
            ]))
            .allow(self.records([Dynamodb::GetItem, Dynamodb::UpdateItem]))
    }

    fn check_pipeline(&self) -> HandlerFunction<CheckPipeline> {
        self.function::<CheckPipeline>("Says how a pipeline's execution goes, and names what failed.")
            .timeout(seconds(30))
            .environment(CheckPipeline::TABLE, self.resources.records.name())
            .allow(self.pipelines([Codepipeline::GetPipelineExecution, Codepipeline::ListActionExecutions]))
            .allow(self.builds([Codebuild::BatchGetBuilds]))
            .allow(self.records([Dynamodb::GetItem]))
    }

    fn stop_pipeline(&self) -> HandlerFunction<StopPipeline> {
        self.function::<StopPipeline>("Stops executions that nobody waits for any more, and their builds.")
            .timeout(seconds(30))
            .allow(self.pipelines([Codepipeline::ListActionExecutions, Codepipeline::StopPipelineExecution]))
            .allow(self.builds([Codebuild::StopBuild]))
    }

    fn apply_stack(&self) -> HandlerFunction<ApplyStack> {
        let bucket = &self.resources.imports.artifacts;
        let actions = [
            Cloudformation::ContinueUpdateRollback,
            Cloudformation::CreateChangeSet,
            Cloudformation::DeleteChangeSet,
            Cloudformation::DeleteStack,
            Cloudformation::DescribeChangeSet,
            Cloudformation::DescribeStacks,
            Cloudformation::ExecuteChangeSet,
            Cloudformation::ListStackResources,
        ];
        // The application's stack is got out of a status in which CodePipeline could not change it, with the role that it has.
        let ways_out = [
            Cloudformation::ContinueUpdateRollback,
            Cloudformation::DeleteStack,
            Cloudformation::DescribeStacks,
            Cloudformation::ListStackResources,
        ];
        self.function::<ApplyStack>("Creates an environment's pipeline stack or brings it up to date.")
            .memory_size(mebibytes(512))
            .timeout(minutes(2))
            .environment(ApplyStack::BUCKET, bucket.bucket_name.clone())
            .environment(ApplyStack::TABLE, self.resources.records.name())
            .environment(ApplyStack::PROJECT, self.project())
            .environment(ApplyStack::STACK_ROLE, self.resources.stack_role.arn())
            .allow(self.stacks(actions, "deploy-*"))
            .allow(self.stacks(ways_out, "pr-*-app"))
            .allow(self.stacks(ways_out, "stage-app"))
            .allow(self.templates())
            .allow(pass_to_cloudformation(self.resources.stack_role.arn()))
            .allow(self.records([Dynamodb::GetItem]))
    }

    fn check_stack(&self) -> HandlerFunction<CheckStack> {
        self.function::<CheckStack>("Says how a stack's change goes, and the first cause of a failure.")
            .timeout(seconds(30))
            .environment(CheckStack::TABLE, self.resources.records.name())
            .allow(self.stacks(
                [Cloudformation::DescribeStackEvents, Cloudformation::DescribeStacks],
                "deploy-*",
            ))
            .allow(self.records([Dynamodb::GetItem]))
    }

    fn report(&self) -> HandlerFunction<Report> {
        self.function::<Report>("Sets commit statuses, the deployment and the comment on GitHub.")
            .timeout(minutes(2))
            .environment(Report::TABLE, self.resources.records.name())
            .environment(Report::GITHUB_CREDENTIALS, self.resources.github_credentials.arn())
            .environment(Report::PROJECT, self.project())
            .allow(self.stacks([Cloudformation::DescribeStacks], "pr-*-app"))
            .allow(self.stacks([Cloudformation::DescribeStacks], "stage-app"))
            .allow(self.records([Dynamodb::GetItem, Dynamodb::UpdateItem]))
            .allow(read_secret(self.resources.github_credentials.arn()))
    }

    fn teardown(&self) -> HandlerFunction<Teardown> {
        let bucket = &self.resources.imports.artifacts;
        let delete = [
            Cloudformation::DeleteStack,
            Cloudformation::DescribeStackEvents,
            Cloudformation::DescribeStacks,
            Cloudformation::ListStackResources,
        ];
        let environments = sub![
            "arn:",
            pseudo::partition(),
            ":s3:::",
            self.resources.names.shared("pr-*")
        ];
        self.function::<Teardown>("Takes an environment down step by step until nothing is left of it.")
            .timeout(minutes(5))
            .environment(Teardown::BUCKET, bucket.bucket_name.clone())
            .environment(Teardown::TABLE, self.resources.records.name())
            .environment(Teardown::PROJECT, self.project())
            .allow(Grant::on_matching(
                [
                    Codepipeline::ListPipelineExecutions,
                    Codepipeline::StopPipelineExecution,
                ],
                names::arn("codepipeline", self.resources.names.deploy_pipelines("pr-*")),
                NAMED,
            ))
            .allow(self.stacks(delete, "deploy-pr-*"))
            .allow(self.stacks(delete, "pr-*-app"))
            .allow(list_versions(&bucket.bucket_arn, [SOURCES, "packages/pr-", "pr-"]))
            .allow((&bucket.bucket_arn).delete_objects(&format!("{SOURCES}*")))
            .allow((&bucket.bucket_arn).delete_objects("packages/pr-*"))
            .allow((&bucket.bucket_arn).delete_objects("pr-*"))
            .allow(Grant::on_matching(
                [S3::DeleteObject, S3::DeleteObjectVersion, S3::ListBucketVersions],
                environments,
                "the buckets of pull requests' environments, which carry the project's name, and their objects",
            ))
            .allow(Grant::on_any_resource(
                [Tag::GetResources],
                "looking for resources by tag names none",
            ))
            .allow(Grant::on_any_resource(
                [Iam::ListPolicies, Iam::ListRoles],
                "IAM lists roles and policies by path alone, and tags do not show them",
            ))
            .allow(self.records([Dynamodb::GetItem, Dynamodb::UpdateItem]))
    }

    fn reconcile(&self) -> HandlerFunction<Reconcile> {
        let machine = stepfunctions::arn_of(&self.resources.names.shared("pipeline-manager"));
        let bucket = &self.resources.imports.artifacts;
        let packages = self.resources.names.environment(Environment::Stage).packages();
        let superseded = sub![bucket.bucket_arn.clone(), "/", packages.as_str(), "*"];
        self.function::<Reconcile>("Mends what lost webhooks, crashes and people left behind.")
            .timeout(minutes(5))
            .environment(Reconcile::TABLE, self.resources.records.name())
            .environment(Reconcile::GITHUB_CREDENTIALS, self.resources.github_credentials.arn())
            .environment(Reconcile::PROJECT, self.project())
            .environment(Reconcile::BUCKET, bucket.bucket_name.clone())
            .environment(Reconcile::STATE_MACHINE, machine.clone())
            .allow(self.records([Dynamodb::GetItem, Dynamodb::Query, Dynamodb::UpdateItem]))
            .allow(read_secret(self.resources.github_credentials.arn()))
            .allow(Grant::on([States::StartExecution], machine))
            .allow(Grant::on_any_resource(
                [Cloudformation::ListStacks],
                "listing stacks names none",
            ))
            .allow(self.stacks(
                [Cloudformation::DescribeStacks, Cloudformation::GetTemplate],
                "stage-app",
            ))
            .allow(Grant::on([S3::ListBucket], bucket.bucket_arn.clone()).when(
                Operator::StringLike,
                "s3:prefix",
                format!("{packages}*"),
            ))
            .allow(Grant::on_matching(
                [S3::DeleteObject],
                superseded,
                "packages of `stage`, which carry their content's hash",
            ))
    }

    /// The configuration as the handlers read it. Lambda takes 4 KB of environment variables in all.
    fn project(&self) -> Value<String> {
        const MOST: usize = 3_500;
        match serde_json::to_string(self.resources.project) {
            Ok(json) if json.len() <= MOST => Value::from(json),
            Ok(json) => Value::invalid(format!(
                "the project's configuration is {} bytes as JSON, allowed are {MOST}, since Lambda takes 4 KB of environment variables: move commands to scripts",
                json.len()
            )),
            Err(error) => Value::invalid(error.to_string()),
        }
    }

    #[track_caller]
    fn records<const N: usize>(&self, actions: [Dynamodb; N]) -> Grant {
        Grant::on(actions, self.resources.records.arn())
    }

    /// Writing large templates, and having CloudFormation read them: it does so with the rights of whoever asks it to.
    #[track_caller]
    fn templates(&self) -> Grant {
        Grant::on_matching(
            [S3::GetObject, S3::PutObject],
            sub![self.resources.imports.artifacts.bucket_arn.clone(), "/", TEMPLATES, "*"],
            "large templates, which are named after their content",
        )
    }

    /// The shared unit-test pipeline and the deploy pipelines of all environments.
    #[track_caller]
    fn pipelines<const N: usize>(&self, actions: [Codepipeline; N]) -> Grant {
        let of = |environments| names::arn("codepipeline", self.resources.names.deploy_pipelines(environments));
        Grant::on_matching(actions, of("pr-*"), NAMED)
            .and_on(of("stage").trusted::<AnyArn>())
            .and_on(self.resources.imports.unit_test.pipeline_arn.clone())
    }

    /// The builds of the unit-test pipeline and of all deploy pipelines, whose projects are named after the environment.
    #[track_caller]
    fn builds<const N: usize>(&self, actions: [Codebuild; N]) -> Grant {
        let project = |name: &str| names::arn("codebuild", sub!["project/", self.resources.names.shared(name)]);
        Grant::on_matching(actions, project("pr-*-package"), NAMED)
            .and_on(project("stage-package").trusted::<AnyArn>())
            .and_on(project("unit-test").trusted::<AnyArn>())
    }

    /// Actions on the stacks whose names are the project's and this pattern.
    #[track_caller]
    fn stacks<const N: usize>(&self, actions: [Cloudformation; N], pattern: &str) -> Grant {
        let stacks = self.resources.names.shared(pattern);
        Grant::on_matching(
            actions,
            names::arn("cloudformation", sub!["stack/", stacks, "/*"]),
            NAMED,
        )
    }
}

/// Listing the versions of objects under these prefixes.
#[track_caller]
fn list_versions<const N: usize>(bucket: &Value<synth::Arn<synth::s3::Bucket>>, prefixes: [&str; N]) -> Grant {
    Grant::on([S3::ListBucketVersions], bucket.clone()).when_any(
        Operator::StringLike,
        "s3:prefix",
        prefixes.map(|prefix| format!("{prefix}*")),
    )
}

#[track_caller]
fn read_secret(secret: Value<synth::Arn<synth::secretsmanager::Secret>>) -> Grant {
    Grant::on([Secretsmanager::GetSecretValue], secret)
}

#[track_caller]
fn pass_to_cloudformation(role: Value<synth::Arn<synth::iam::RoleResource>>) -> Grant {
    Grant::on([Iam::PassRole], role).when(
        Operator::StringEquals,
        "iam:PassedToService",
        "cloudformation.amazonaws.com",
    )
}
