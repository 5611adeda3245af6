//! The role that CloudFormation applies the environments' pipeline stacks with.
//!
//! What it may do is computed from the types of resources that such a stack has.

use synth::actions::Iam;
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{self, Grant, Operator, RoleResource};
use synth::prelude::*;
use synth::{Handle, Stack, codebuild, codepipeline, logs};

use super::Imports;
use crate::Project;
use crate::artifacts::TEMPLATES;
use crate::names::Names;

const NAMED: &str = "the resources of environments, which are made while it runs and carry the project's name";
const PASSED_TO: &str = "iam:PassedToService";

/// Adds the role: it makes and removes pipelines, builds, roles and boundaries of environments, by name.
pub(super) fn add(stack: &mut Stack, project: &Project, imports: &Imports) -> Handle<RoleResource> {
    let names = Names::of(project);
    let environments = ["pr-*", "stage-*"].map(|environments| names.shared(environments));
    let roles = || Grant::named::<RoleResource>(&environments, NAMED);
    let policies = Grant::named::<iam::ManagedPolicy>(&environments, NAMED);
    let builds = Grant::named::<codebuild::Project>(&environments, NAMED);
    let build_logs = environments.iter().map(|name| format!("/aws/codebuild/{name}"));
    let build_logs = Grant::named::<logs::LogGroup>(build_logs, NAMED);
    let pipelines = ["pr-*", "stage"].map(|environments| names.deploy_pipelines(environments));
    let pipelines = Grant::named::<codepipeline::Pipeline>(pipelines, NAMED);
    let role = ServiceRole::new()
        .name(names.shared("stacks"))
        .description("Applies the pipeline stacks of environments.")
        .allow((&imports.artifacts.bucket_arn).get_objects(&format!("{TEMPLATES}*")))
        .applies(Applied::of::<RoleResource>(roles()))
        .applies(Applied::of::<iam::ManagedPolicy>(policies))
        .applies(
            Applied::of::<codebuild::Project>(builds)
                .using("ServiceRole", roles())
                .only(
                    [Iam::PassRole],
                    Operator::StringEquals,
                    PASSED_TO,
                    "codebuild.amazonaws.com",
                ),
        )
        .applies(Applied::of::<logs::LogGroup>(build_logs))
        .applies(
            // An action's own role is passed on by whoever writes the pipeline as well.
            Applied::of::<codepipeline::Pipeline>(pipelines)
                .using("RoleArn", roles())
                .only_any(
                    [Iam::PassRole],
                    Operator::StringEquals,
                    PASSED_TO,
                    ["cloudformation.amazonaws.com", "codepipeline.amazonaws.com"],
                ),
        );
    stack.add("StackRole", role)
}
