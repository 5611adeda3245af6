//! What the builds have in common: machines, logs, toolchain, and the artifacts that their pipelines keep.

use synth::actions::{Logs, S3};
use synth::codebuild::{self, Variable, project};
use synth::iam::{Grant, Role, RoleResource};
use synth::{Arn, Name, Value, days, logs, s3};

use crate::Project;
use crate::artifacts::SOURCES;
use crate::project::{Compute, Processor};

/// The environment that a build is for, such as `pr-17`.
pub(crate) const ENVIRONMENT: Variable = Variable::new("ENVIRONMENT");

/// A CodeBuild project that a pipeline starts. Its source's buildspec is the deployed one, never the commit's own.
///
/// A build may take so many minutes, and wait for its turn as long: longer nobody waits for it. Left out, CodeBuild would keep it in
/// its queue for eight hours, see <https://docs.aws.amazon.com/codebuild/latest/userguide/builds-working.html>.
#[track_caller]
pub(crate) fn project(
    configuration: &Project,
    name: &str,
    role: Value<Arn<RoleResource>>,
    logs: Value<Name<logs::LogGroup>>,
    buildspec: Value<String>,
    minutes: u32,
) -> codebuild::Project {
    let (kind, credentials) = match configuration.build.processor {
        Processor::Arm64 => (
            project::EnvironmentType::ArmContainer,
            image_credentials(&configuration.build.image),
        ),
        Processor::X86_64 => (
            project::EnvironmentType::LinuxContainer,
            image_credentials(&configuration.build.image),
        ),
    };
    let compute = match configuration.build.compute {
        Compute::Small => project::ComputeType::BuildGeneral1Small,
        Compute::Medium => project::ComputeType::BuildGeneral1Medium,
        Compute::Large => project::ComputeType::BuildGeneral1Large,
    };
    let machine = project::Environment::new(compute, configuration.build.image.as_str(), kind)
        .image_pull_credentials_type(credentials);
    let log = project::CloudWatchLogsConfig::new(project::LogsStatus::Enabled).group_name(logs);
    codebuild::Project::new(
        project::Artifacts::new(project::ArtifactsType::Codepipeline),
        machine,
        role,
        source(buildspec),
    )
    .name(name)
    .timeout_in_minutes(synth::minutes(minutes.into()))
    .queued_timeout_in_minutes(synth::minutes(minutes.into()))
    .logs_config(project::LogsConfig::new().cloud_watch_logs(log))
}

/// CodeBuild's own images are pulled as CodeBuild, others as the build's role.
fn image_credentials(image: &str) -> project::ImagePullCredentialsType {
    if image.starts_with("aws/codebuild/") {
        project::ImagePullCredentialsType::Codebuild
    } else {
        project::ImagePullCredentialsType::ServiceRole
    }
}

/// The source that a pipeline provides, with the buildspec of the deployed code.
#[track_caller]
fn source(buildspec: Value<String>) -> project::Source {
    project::Source::new(project::SourceType::Codepipeline).build_spec(buildspec)
}

/// The log group of a build.
#[track_caller]
pub(crate) fn log_group(configuration: &Project, name: &str) -> logs::LogGroup {
    logs::LogGroup::new()
        .log_group_name(format!("/aws/codebuild/{name}"))
        .retention_in_days(days(configuration.limits.retention_days.into()))
}

/// Writing a build's log.
#[track_caller]
pub(crate) fn write_logs(group: Value<Arn<logs::LogGroup>>) -> Grant {
    Grant::on_matching(
        [Logs::CreateLogStream, Logs::PutLogEvents],
        group,
        "the streams of the build's own log group, which CodeBuild names",
    )
}

/// What a build does with the artifacts of its pipeline: the documented minimum of CodeBuild's role for a bucket of artifacts, see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html>.
#[track_caller]
pub(crate) fn hand_on(role: Role, bucket: &Value<Arn<s3::Bucket>>, pipeline: &str) -> Role {
    let objects = [S3::GetObject, S3::GetObjectVersion, S3::PutObject];
    role.allow(Grant::on([S3::GetBucketAcl, S3::GetBucketLocation], bucket.clone()))
        .allow(artifacts(objects, bucket, pipeline))
}

/// What a pipeline does with its artifact store and with the commits that it takes from the same bucket: the documented minimum of
/// CodePipeline's role, see <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>.
#[track_caller]
pub(crate) fn store(role: Role, bucket: &Value<Arn<s3::Bucket>>, pipeline: &str) -> Role {
    let facts = [S3::GetBucketAcl, S3::GetBucketLocation, S3::GetBucketVersioning];
    let objects = [
        S3::GetObject,
        S3::GetObjectTagging,
        S3::GetObjectVersion,
        S3::GetObjectVersionTagging,
        S3::PutObject,
        S3::PutObjectAcl,
        S3::PutObjectTagging,
    ];
    let commits = [
        S3::GetObject,
        S3::GetObjectTagging,
        S3::GetObjectVersion,
        S3::GetObjectVersionTagging,
    ];
    let commits = Grant::on_matching(
        commits,
        synth::sub![bucket.clone(), "/", SOURCES, "*"],
        "the commits, each of which an execution is given by its key",
    );
    role.allow(Grant::on(facts, bucket.clone()))
        .allow(commits)
        .allow(artifacts(objects, bucket, pipeline))
}

/// What may be done with what the stages of one pipeline hand on.
#[track_caller]
fn artifacts<const N: usize>(actions: [S3; N], bucket: &Value<Arn<s3::Bucket>>, pipeline: &str) -> Grant {
    Grant::on_matching(
        actions,
        synth::sub![bucket.clone(), "/", artifact_folder(pipeline), "/*"],
        "the artifacts of the pipeline's own executions, whose keys CodePipeline makes up",
    )
}

/// The folder of a pipeline's artifacts: CodePipeline cuts the pipeline's name to 20 characters.
pub(crate) fn artifact_folder(pipeline: &str) -> String {
    pipeline.chars().take(20).collect()
}
