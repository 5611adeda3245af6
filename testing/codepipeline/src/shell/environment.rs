//! The environment of a build.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::Tools;
use crate::build::BuildRequest;

/// Where a machine has its programs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(super) type Environment = BTreeMap<OsString, OsString>;

/// What is set later replaces what was set before.
pub(super) fn of(request: &BuildRequest, tools: &Tools, at: &Path, now: SystemTime) -> Environment {
    let mut environment = Environment::new();
    let mut set = |name: &str, value: OsString| drop(environment.insert(name.into(), value));
    set("HOME", at.join("home").into());
    set("TMPDIR", at.join("tmp").into());
    for (name, value) in &tools.variables {
        set(name, value.into());
    }
    let machine = tools.variables.iter().find(|(name, _)| name == "PATH");
    let machine = machine.map_or(PATH, |(_, path)| path);
    let folders: Vec<PathBuf> = tools.path.iter().cloned().chain(env::split_paths(machine)).collect();
    // Only a folder with a colon in its name cannot be on a path.
    set("PATH", env::join_paths(folders).unwrap_or_else(|_| machine.into()));
    for (name, value) in codebuild(request, now) {
        set(name, value.into());
    }
    for (place, input) in request.inputs.iter().enumerate() {
        let name = if place == 0 {
            "CODEBUILD_SRC_DIR".to_owned()
        } else {
            format!("CODEBUILD_SRC_DIR_{}", input.name)
        };
        set(&name, source(at, place).into());
    }
    let project = &request.project;
    let declared = [&project.buildspec.variables, &project.variables, &request.variables];
    for (name, value) in declared.into_iter().flatten() {
        set(name, value.into());
    }
    environment
}

/// The folder that an input is unpacked to.
pub(super) fn source(at: &Path, place: usize) -> PathBuf {
    match place {
        0 => at.join("src"),
        place => at.join(format!("src{place}")),
    }
}

fn codebuild(request: &BuildRequest, now: SystemTime) -> Vec<(&'static str, String)> {
    let (place, _) = request.arn.split_once(":build/").unwrap_or_default();
    let started = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut variables = vec![
        ("AWS_DEFAULT_REGION", request.region.clone()),
        ("AWS_REGION", request.region.clone()),
        ("CODEBUILD_BUILD_ARN", request.arn.clone()),
        ("CODEBUILD_BUILD_ID", request.id.clone()),
        ("CODEBUILD_BUILD_IMAGE", request.project.image.clone()),
        ("CODEBUILD_BUILD_NUMBER", request.number.to_string()),
        ("CODEBUILD_BUILD_SUCCEEDING", "1".to_owned()),
        ("CODEBUILD_INITIATOR", request.initiator.clone()),
        (
            "CODEBUILD_KMS_KEY_ID",
            format!("{}:alias/aws/s3", place.replace(":codebuild:", ":kms:")),
        ),
        (
            "CODEBUILD_PROJECT_ARN",
            format!("{place}:project/{}", request.project.name),
        ),
        ("CODEBUILD_START_TIME", started.as_millis().to_string()),
    ];
    if let Some(source) = request.inputs.first() {
        variables.push(("CODEBUILD_SOURCE_REPO_URL", source.location.clone()));
        variables.push(("CODEBUILD_SOURCE_VERSION", format!("arn:aws:s3:::{}", source.location)));
        variables.extend(
            source
                .revision
                .clone()
                .map(|revision| ("CODEBUILD_RESOLVED_SOURCE_VERSION", revision)),
        );
    }
    variables
}
