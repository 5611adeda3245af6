//! The unit-test pipeline: one for all pull requests, in parallel, each execution pinned to an exact object version.
//!
//! CodeBuild builds the commit, starts a local DynamoDB, loads the test data, runs the project's tests with a JUnit report and
//! lets CloudFormation validate the application's template, which it reads from the folder of the pipeline's artifacts: what is sent
//! along may have 51,200 bytes, an object a megabyte. It is given no secret: a fork's code runs here unasked.

use synth::actions::{Cloudformation, Codebuild};
use synth::codebuild::{Buildspec, FileFormat, OnFailure, Phase, Report, Runtime, Variable};
use synth::codepipeline::{CodeBuild, ExecutionMode, PipelineDeclaration, PipelineVariable, S3Source, Stage};
use synth::iam::{Grant, Role};
use synth::{Content, Document, DocumentKind, Stack, Value, pseudo, sub};

use crate::Project;
use crate::artifacts::{self, SOURCES};
use crate::build::{self, ENVIRONMENT};
use crate::names::{self, Names};

/// What other stacks may use.
#[derive(Debug, Clone)]
pub struct Exports {
    /// The pipeline's ARN.
    pub pipeline_arn: Value<synth::AnyArn>,
}

/// Where the tests find the local DynamoDB.
const ENDPOINT: Variable = Variable::new("DYNAMODB_ENDPOINT");
/// The template that the project's commands have written.
const TEMPLATE: Variable = Variable::new("TEMPLATE");
/// The place in S3 that templates are uploaded to, `s3://bucket/folder/templates/`; it expires as the pipeline's artifacts do.
const TEMPLATES: Variable = Variable::new("TEMPLATES");
/// The same place as CloudFormation has it, `https://bucket.s3.region.amazonaws.com/folder/templates/`.
const TEMPLATES_URL: Variable = Variable::new("TEMPLATES_URL");

/// DynamoDB Local's download, see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.DownloadingAndRunning.html>.
const DYNAMODB_LOCAL: &str = "https://d1ni2b6xgvw0s0.cloudfront.net/v2.x/dynamodb_local_latest.tar.gz";

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project, artifacts: &artifacts::Exports) -> Exports {
    let names = Names::of(project);
    let name = names.shared("unit-test");
    let spec = buildspec(project);

    let logs = stack.add("Logs", build::log_group(project, &name));
    let role = Role::assumed_by("codebuild.amazonaws.com")
        .name(format!("{name}-build"))
        .allow(build::write_logs(logs.arn()))
        .allow(report(&name))
        .allow(Grant::on_any_resource(
            [Cloudformation::ValidateTemplate],
            "validating a template names no resource",
        ));
    let role = stack.add("BuildRole", build::hand_on(role, &artifacts.bucket_arn, &name));
    let build = build::project(
        project,
        &name,
        role.arn(),
        logs.name(),
        spec.clone()
            .given(&[ENVIRONMENT.name(), TEMPLATES.name(), TEMPLATES_URL.name()]),
        project.limits.unit_test_minutes,
    )
    .description("Runs the unit tests of every pull request.");
    let build = stack.add("Build", build);
    stack.document(Document {
        name: format!("{name}.buildspec.yaml"),
        kind: DocumentKind::Buildspec,
        content: Content::Yaml(spec.node()),
    });

    let pipeline_role = Role::assumed_by("codepipeline.amazonaws.com")
        .name(format!("{name}-pipeline"))
        .allow(Grant::on(
            [Codebuild::BatchGetBuilds, Codebuild::StartBuild],
            build.arn(),
        ));
    let pipeline_role = build::store(pipeline_role, &artifacts.bucket_arn, &name);
    let pipeline_role = stack.add("PipelineRole", pipeline_role);

    let environment = PipelineVariable::new("ENVIRONMENT")
        .default_value("stage")
        .description("The environment that the template is made for.");
    let source = S3Source::new(
        "Fetch",
        artifacts.bucket_name.clone(),
        format!("{SOURCES}unset.zip"),
        "Source",
    )
    .allow_override();
    let commit = source.artifact();
    let folder = format!("{}/templates/", build::artifact_folder(&name));
    let bucket = artifacts.bucket_name.clone();
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    let url = sub![
        "https://",
        bucket.clone(),
        ".s3.",
        pseudo::region(),
        ".",
        pseudo::url_suffix(),
        "/",
        folder.as_str()
    ];
    let test = CodeBuild::test("UnitTest", build.name(), &commit)
        .environment(ENVIRONMENT, environment.reference())
        .environment(TEMPLATES, sub!["s3://", bucket.clone(), "/", folder.as_str()])
        .environment(TEMPLATES_URL, url)
        .buildspec(&spec, &[]);
    let pipeline = PipelineDeclaration::new(
        ExecutionMode::Parallel,
        pipeline_role.arn(),
        artifacts.bucket_name.clone(),
    )
    .variable(&environment)
    .stage(Stage::new("Source").action(source))
    .stage(Stage::new("Test").action(test));
    let pipeline = pipeline.into_resource().name(name.as_str());
    stack.add("Pipeline", pipeline);

    let arn = names::arn("codepipeline", sub![name.as_str()]);
    stack.output(
        "Pipeline",
        "The pipeline that runs the unit tests.",
        Value::<String>::from(name.as_str()),
    );
    Exports {
        pipeline_arn: stack.export("PipelineArn", arn.trusted()),
    }
}

/// The runtime that DynamoDB Local runs on.
const JAVA: &str = "corretto21";

/// The runtimes that the buildspec asks the image for, with their versions.
pub(crate) fn runtimes(project: &Project) -> Vec<(&'static str, &'static str)> {
    if project.unit_test.local_dynamodb {
        vec![("java", JAVA)]
    } else {
        Vec::new()
    }
}

/// The buildspec. The database's download is checked against AWS's own hash before anything of it runs.
fn buildspec(project: &Project) -> Buildspec {
    let tests = &project.unit_test;
    let mut spec = Buildspec::new().variable(TEMPLATE, project.application.template.as_str());
    let mut install = Phase::new(project.build.install.iter().cloned()).on_failure(OnFailure::Abort);
    if tests.local_dynamodb {
        spec = spec
            .runtime_version(Runtime::Java, JAVA)
            .variable(ENDPOINT, "http://127.0.0.1:8000");
        install = install
            .command("mkdir -p /tmp/dynamodb-local")
            .command(format!(
                "curl --fail --silent --show-error --location --remote-name --output-dir /tmp {DYNAMODB_LOCAL}"
            ))
            .command(format!(
                "curl --fail --silent --show-error --location --remote-name --output-dir /tmp {DYNAMODB_LOCAL}.sha256"
            ))
            .command("(cd /tmp && sha256sum --check dynamodb_local_latest.tar.gz.sha256)")
            .command("tar --extract --gzip --file /tmp/dynamodb_local_latest.tar.gz --directory /tmp/dynamodb-local");
    }
    let mut prepare = Phase::new(tests.build.iter().cloned()).on_failure(OnFailure::Abort);
    if tests.local_dynamodb {
        prepare = prepare
            .command(
                "(cd /tmp/dynamodb-local && nohup java -Djava.library.path=DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -sharedDb -port 8000 > /tmp/dynamodb-local.log 2>&1 &)",
            )
            .command("timeout 60 sh -c 'until curl --silent --output /dev/null http://127.0.0.1:8000; do sleep 1; done'");
    }
    for command in &tests.prepare {
        prepare = prepare.command(command.as_str());
    }
    // Named after its content, so that no other build's template takes its place before CloudFormation reads it.
    let validate = Phase::new(project.application.synthesize.iter().cloned())
        .command(format!(
            "key=\"$(sha256sum \"{TEMPLATE}\" | cut -d ' ' -f 1).template\""
        ))
        .command(format!(
            "aws s3 cp --only-show-errors \"{TEMPLATE}\" \"{TEMPLATES}$key\""
        ))
        .command(format!(
            "aws cloudformation validate-template --template-url \"{TEMPLATES_URL}$key\" > /dev/null"
        ));
    let report =
        Report::new("unit-tests", FileFormat::JunitXml, ["**/*.xml"]).base_directory(tests.report_folder.as_str());
    if tests.local_dynamodb || !project.build.install.is_empty() {
        spec = spec.install(install);
    }
    if tests.local_dynamodb || !(tests.build.is_empty() && tests.prepare.is_empty()) {
        spec = spec.pre_build(prepare);
    }
    let spec = spec
        .build(Phase::new(tests.commands.iter().cloned()))
        .post_build(validate);
    spec.report(report)
}

/// Writing the test report into the group that CodeBuild names after the project.
fn report(project: &str) -> Grant {
    let actions = [
        Codebuild::BatchPutTestCases,
        Codebuild::CreateReport,
        Codebuild::CreateReportGroup,
        Codebuild::UpdateReport,
    ];
    let group = names::arn("codebuild", sub!["report-group/", project, "-unit-tests"]);
    Grant::on(actions, group.trusted::<synth::AnyArn>())
}
