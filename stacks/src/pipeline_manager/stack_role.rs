//! The role that CloudFormation applies the environments' pipeline stacks with.
//!
//! What it may do is computed from the types of resources that such a stack has.

use synth::actions::Iam;
use synth::cloudformation::{Applied, ServiceRole};
use synth::iam::{self, Grant, Operator, RoleResource};
use synth::prelude::*;
use synth::{AnyArn, Handle, Stack, Value, codebuild, codepipeline, logs};

use super::Imports;
use crate::Project;
use crate::artifacts::TEMPLATES;
use crate::names::{self, Names};

const NAMED: &str = "the resources of environments, which are made while it runs and carry the project's name";
const PASSED_TO: &str = "iam:PassedToService";

/// Adds the role: it makes and removes pipelines, builds, roles and boundaries of environments, by name.
pub(super) fn add(stack: &mut Stack, project: &Project, imports: &Imports) -> Handle<RoleResource> {
    let names = Names::of(project);
    let of_environments =
        |arn: &dyn Fn(String) -> Value<String>| reaching(["pr-*", "stage-*"].map(|kind| arn(names.shared(kind))));
    let roles = || of_environments(&|environment| names::iam_arn(format!("role/{environment}")));
    let policies = of_environments(&|environment| names::iam_arn(format!("policy/{environment}")));
    let builds = of_environments(&|environment| names::arn("codebuild", format!("project/{environment}")));
    let build_logs =
        of_environments(&|environment| names::arn("logs", format!("log-group:/aws/codebuild/{environment}")));
    let pipelines = reaching(
        ["pr-*", "stage"].map(|environments| names::arn("codepipeline", names.deploy_pipelines(environments))),
    );
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

/// What matches one of two patterns.
fn reaching([first, second]: [Value<String>; 2]) -> Grant {
    Grant::reaching(first, NAMED).and_on(second.trusted::<AnyArn>())
}
