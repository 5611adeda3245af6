//! The deploy pipeline of one environment: package the commit, make a change set, execute it.
//!
//! The pipeline, its roles and the permissions boundary come from the deployed code. The commit only provides the template
//! and the code that it names, and whatever roles it asks for are bounded: they can do nothing outside their environment.

pub mod boundary;
mod cloudformation_role;
mod services;

use std::collections::BTreeMap;

use synth::actions::Codebuild;
use synth::codebuild::{Buildspec, OnFailure, Phase, Variable};
use synth::codepipeline::{Capability, CloudFormation, CodeBuild, ExecutionMode, PipelineDeclaration, S3Source, Stage};
use synth::iam::{Grant, Role};
use synth::prelude::*;
use synth::{Content, Document, DocumentKind, Stack, sub};

use crate::artifacts::{self, SOURCES};
use crate::build::{self, ENVIRONMENT};
use crate::names::{self, Names};
use crate::{Environment, Project};

/// The bucket that the code is uploaded to.
const CODE_BUCKET: Variable = Variable::new("CODE_BUCKET");
/// The prefix of the environment's code in it.
const CODE_PREFIX: Variable = Variable::new("CODE_PREFIX");
/// The zip that the project's commands have written.
const CODE: Variable = Variable::new("CODE");
/// The key that the zip was uploaded under: made of its content, so that equal code changes nothing.
const CODE_KEY: Variable = Variable::new("CODE_KEY");
/// Prints the hash of what is in the zip that is its argument: each file's name, mode and content, in the names' order. The zip's own
/// bytes say less, since they hold times: `zip` makes others of the same files every time.
const HASH: &str = "import hashlib, sys, zipfile; \
    archive = zipfile.ZipFile(sys.argv[1]); \
    digest = lambda data: hashlib.sha256(data).hexdigest(); \
    files = sorted(f\"{file.filename!r} {file.external_attr >> 16:o} {digest(archive.read(file))}\" for file in archive.infolist()); \
    print(digest(\"\\n\".join(files).encode()))";

/// The file with the stack's tags, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html>.
const CONFIGURATION: &str = "stack-configuration.json";

/// The change set's name; one execution at a time has one.
const CHANGE_SET: &str = "pipeline";

/// The stack.
pub fn stack(stack: &mut Stack, project: &Project, environment: Environment, artifacts: &artifacts::Exports) {
    let names = Names::of(project).environment(environment);
    let name = names.deploy_pipeline();
    let package_name = names.own("package");
    let spec = buildspec(project, environment);

    let allowed = project.application.allowed();
    let boundary = boundary::add(stack, &names, &allowed);
    let cloudformation = cloudformation_role::add(stack, &names, &allowed, boundary, artifacts);

    let logs = stack.add("PackageLogs", build::log_group(project, &package_name));
    let packages = format!("{}*", names.packages());
    let role = Role::assumed_by("codebuild.amazonaws.com")
        .name(package_name.clone())
        .allow(build::write_logs(logs.arn()))
        .allow((&artifacts.bucket_arn).put_objects(&packages));
    let role = stack.add("PackageRole", build::hand_on(role, &artifacts.bucket_arn, &name));
    let given = spec
        .clone()
        .given(&[ENVIRONMENT.name(), CODE_BUCKET.name(), CODE_PREFIX.name()]);
    let package = build::project(
        project,
        &package_name,
        role.arn(),
        logs.name(),
        given,
        project.limits.deploy_minutes,
    )
    .description(format!("Packages a commit for the environment {environment}."));
    let package = stack.add("Package", package);
    stack.document(Document {
        name: format!("{package_name}.buildspec.yaml"),
        kind: DocumentKind::Buildspec,
        content: Content::Yaml(spec.node()),
    });

    let app_stack = names::arn("cloudformation", sub!["stack/", names.app_stack(), "/*"]);
    let pipeline_role = Role::assumed_by("codepipeline.amazonaws.com")
        .name(names.own("pipeline"))
        .allow(Grant::on(
            [Codebuild::BatchGetBuilds, Codebuild::StartBuild],
            package.arn(),
        ))
        .allow(cloudformation_role::change_stack(app_stack))
        .allow(cloudformation_role::pass(cloudformation));
    let pipeline_role = build::store(pipeline_role, &artifacts.bucket_arn, &name);
    let pipeline_role = stack.add("PipelineRole", pipeline_role);

    let source = S3Source::new(
        "Fetch",
        artifacts.bucket_name.clone(),
        format!("{SOURCES}unset.zip"),
        "Source",
    )
    .allow_override();
    let commit = source.artifact();
    let mut packaging = CodeBuild::build("Package", package.name(), &commit)
        .environment(ENVIRONMENT, environment.to_string())
        .environment(CODE_BUCKET, artifacts.bucket_name.clone())
        .environment(CODE_PREFIX, names.packages());
    let packaged = packaging.output("Packaged");
    let built = packaging.namespace("Package");
    let packaging = packaging.buildspec(&spec, &[]);
    let mut prepare = CloudFormation::change_set_replace(
        "Prepare",
        names.app_stack(),
        CHANGE_SET,
        packaged.file(project.application.template.as_str()),
        cloudformation.arn(),
    )
    .capability(Capability::NamedIam)
    .template_configuration(&packaged.file(CONFIGURATION));
    if project.application.code.is_some() {
        prepare = prepare
            .parameter("CodeBucket", artifacts.bucket_name.clone())
            .parameter("CodeKey", built.exported(CODE_KEY));
    }
    let execute = CloudFormation::change_set_execute("Execute", names.app_stack(), CHANGE_SET).run_order(2);
    let pipeline = PipelineDeclaration::new(
        ExecutionMode::Queued,
        pipeline_role.arn(),
        artifacts.bucket_name.clone(),
    )
    .stage(Stage::new("Source").action(source))
    .stage(Stage::new("Package").action(packaging))
    .stage(Stage::new("Deploy").action(prepare.run_order(1)).action(execute));
    stack.add("Pipeline", pipeline.into_resource().name(name.as_str()));
    stack.output(
        "PipelineName",
        "The pipeline that deploys the environment.",
        synth::Value::<String>::from(name.as_str()),
    );
}

/// Synthesizes the template, packages the code and uploads it under the hash of what is in it.
///
/// The stack's tags are written last and by us: CodePipeline gives a stack no others, and teardown finds the environment by them.
fn buildspec(project: &Project, environment: Environment) -> Buildspec {
    let application = &project.application;
    let mut spec = Buildspec::new();
    if !project.build.install.is_empty() {
        spec = spec.install(Phase::new(project.build.install.iter().cloned()).on_failure(OnFailure::Abort));
    }
    let mut commands: Vec<String> = application.synthesize.clone();
    commands.extend(application.package.iter().cloned());
    spec = spec.build(Phase::new(commands).on_failure(OnFailure::Abort));
    let tags: BTreeMap<String, String> = crate::tags(project, Some(environment)).into_iter().collect();
    let configuration = serde_json::json!({ "Tags": tags }).to_string().replace('\'', "'\\''");
    let mut finish = Phase::new([format!("printf '%s\\n' '{configuration}' > {CONFIGURATION}")]);
    if let Some(code) = &application.code {
        spec = spec.variable(CODE, code.as_str()).export(CODE_KEY);
        let key = CODE_KEY.name();
        finish = finish
            // The assignment fails with what it runs, as `export` would not.
            .command(format!(
                "{key}=\"{CODE_PREFIX}$(python3 -I -c '{HASH}' \"{CODE}\").zip\""
            ))
            .command(format!("export {key}"))
            .command(format!(
                "aws s3 cp --only-show-errors \"{CODE}\" \"s3://{CODE_BUCKET}/{CODE_KEY}\""
            ));
    }
    spec.post_build(finish).artifacts(synth::codebuild::Artifacts::new([
        application.template.as_str(),
        CONFIGURATION,
    ]))
}
