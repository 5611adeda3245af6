//! The role that CloudFormation applies the environments' pipeline stacks with.

use synth::actions::{Codebuild, Codepipeline, Iam, Logs};
use synth::iam::{Grant, Operator, Role, RoleResource};
use synth::prelude::*;
use synth::{AnyArn, Handle, Stack};

use super::Imports;
use crate::Project;
use crate::artifacts::TEMPLATES;
use crate::names::{self, Names};

const NAMED: &str = "the resources of environments, which are made while it runs and carry the project's name";

/// Adds the role: it makes and removes pipelines, builds, roles and boundaries of environments, by name.
pub(super) fn add(stack: &mut Stack, project: &Project, imports: &Imports) -> Handle<RoleResource> {
    let names = Names::of(project);
    let environments = ["pr-*", "stage-*"].map(|environment| names.shared(environment));
    let mut role = Role::assumed_by("cloudformation.amazonaws.com")
        .name(names.shared("stacks"))
        .description("Applies the pipeline stacks of environments.")
        .allow((&imports.artifacts.bucket_arn).get_objects(&format!("{TEMPLATES}*")))
        .allow(
            Grant::on_matching(
                [
                    Codepipeline::CreatePipeline,
                    Codepipeline::DeletePipeline,
                    Codepipeline::GetPipeline,
                    Codepipeline::ListTagsForResource,
                    Codepipeline::TagResource,
                    Codepipeline::UntagResource,
                    Codepipeline::UpdatePipeline,
                ],
                names::arn("codepipeline", names.deploy_pipelines("pr-*")),
                NAMED,
            )
            .and_on(names::arn("codepipeline", names.deploy_pipelines("stage")).trusted::<AnyArn>()),
        )
        .allow(Grant::on_any_resource(
            [Logs::DescribeLogGroups],
            "listing log groups names no resource",
        ));
    for environment in &environments {
        role = allow_environment(role, environment);
    }
    stack.add("StackRole", role)
}

fn allow_environment(role: Role, environment: &str) -> Role {
    let roles = names::iam_arn(format!("role/{environment}"));
    let services = [
        "cloudformation.amazonaws.com",
        "codebuild.amazonaws.com",
        "codepipeline.amazonaws.com",
    ];
    role.allow(Grant::on_matching(
        [
            Iam::CreateRole,
            Iam::DeleteRole,
            Iam::DeleteRolePolicy,
            Iam::GetRole,
            Iam::GetRolePolicy,
            Iam::PutRolePolicy,
            Iam::TagRole,
            Iam::UntagRole,
            Iam::UpdateAssumeRolePolicy,
            Iam::UpdateRole,
        ],
        roles.clone(),
        NAMED,
    ))
    .allow(Grant::on_matching([Iam::PassRole], roles, NAMED).when_any(
        Operator::StringEquals,
        "iam:PassedToService",
        services,
    ))
    .allow(Grant::on_matching(
        [
            Iam::CreatePolicy,
            Iam::CreatePolicyVersion,
            Iam::DeletePolicy,
            Iam::DeletePolicyVersion,
            Iam::GetPolicy,
            Iam::GetPolicyVersion,
            Iam::ListPolicyVersions,
            Iam::TagPolicy,
            Iam::UntagPolicy,
        ],
        names::iam_arn(format!("policy/{environment}")),
        NAMED,
    ))
    .allow(Grant::on_matching(
        [
            Codebuild::BatchGetProjects,
            Codebuild::CreateProject,
            Codebuild::DeleteProject,
            Codebuild::UpdateProject,
        ],
        names::arn("codebuild", format!("project/{environment}")),
        NAMED,
    ))
    .allow(Grant::on_matching(
        [
            Logs::CreateLogGroup,
            Logs::DeleteLogGroup,
            Logs::DeleteRetentionPolicy,
            Logs::ListTagsForResource,
            Logs::PutRetentionPolicy,
            Logs::TagResource,
            Logs::UntagResource,
        ],
        names::arn("logs", format!("log-group:/aws/codebuild/{environment}")),
        NAMED,
    ))
}
