//! From JSON to a [`Pipeline`]: names, kinds and ranges of single values. How they fit together is judged in [`check`](super::check).

use super::{Action, ExecutionMode, Pipeline, Provider, Stage, Variable};
use crate::reader::Node;

/// Letters, digits and these.
const NAME: &str = ".@-_";

pub(super) fn pipeline(root: &Node<'_>) -> Option<Pipeline> {
    root.only(&[
        "Name",
        "RoleArn",
        "ArtifactStore",
        "Stages",
        "Version",
        "ExecutionMode",
        "PipelineType",
        "Variables",
        "RestartExecutionOnUpdate",
        "Tags",
    ]);
    if let Some(restart) = root.get("RestartExecutionOnUpdate")
        && restart.truth() == Some(true)
    {
        restart.fault(
            "is true, which is not supported here",
            "leave it out and start an execution",
        );
    }
    let name = named(root, "Name", NAME);
    let role = root.need("RoleArn").and_then(|role| role.text());
    let bucket = root.need("ArtifactStore").and_then(|store| {
        store.only(&["Type", "Location"]);
        store.need("Type").and_then(|kind| kind.one_of(&["S3"]));
        store.need("Location").and_then(|bucket| bucket.text())
    });
    let v2 = root
        .get("PipelineType")
        .and_then(|kind| kind.one_of(&["V1", "V2"]))
        .is_some_and(|kind| kind == "V2");
    let mode = root
        .get("ExecutionMode")
        .and_then(|mode| mode.one_of(&["SUPERSEDED", "QUEUED", "PARALLEL"]));
    let mode = match mode.as_deref() {
        Some("QUEUED") => ExecutionMode::Queued,
        Some("PARALLEL") => ExecutionMode::Parallel,
        _ => ExecutionMode::Superseded,
    };
    let variables = root.get("Variables").map(|variables| variables.list());
    let variables = variables.unwrap_or_default().iter().filter_map(variable).collect();
    let stages = root.need("Stages").map(|stages| stages.list()).unwrap_or_default();
    let stages = stages.iter().filter_map(stage).collect();
    Some(Pipeline {
        name: name?,
        role: role?,
        bucket: bucket?,
        mode,
        v2,
        variables,
        stages,
    })
}

fn variable(node: &Node<'_>) -> Option<Variable> {
    node.only(&["Name", "DefaultValue", "Description"]);
    let text = |name: &str| node.get(name).and_then(|value| value.text());
    Some(Variable {
        default: text("DefaultValue"),
        description: text("Description"),
        name: named(node, "Name", "@-_")?,
    })
}

fn stage(node: &Node<'_>) -> Option<Stage> {
    node.only(&["Name", "Actions", "Blockers"]);
    if let Some(blockers) = node.get("Blockers")
        && !blockers.list().is_empty()
    {
        blockers.fault("is not empty; blockers are reserved", "leave it out");
    }
    let name = named(node, "Name", NAME);
    let actions = node.need("Actions").map(|actions| actions.list()).unwrap_or_default();
    if actions.is_empty() {
        node.fault("has no action, a stage has at least one", "add an action");
    }
    let actions = actions.iter().filter_map(action).collect();
    Some(Stage { name: name?, actions })
}

fn action(node: &Node<'_>) -> Option<Action> {
    node.only(&[
        "Name",
        "ActionTypeId",
        "RunOrder",
        "Configuration",
        "InputArtifacts",
        "OutputArtifacts",
        "Namespace",
        "RoleArn",
        "TimeoutInMinutes",
    ]);
    let name = named(node, "Name", NAME);
    let kind = node.need("ActionTypeId").and_then(|kind| action_type(&kind));
    let run_order = node
        .get("RunOrder")
        .and_then(|order| order.integer(1, 999))
        .unwrap_or(1);
    let configuration = node.get("Configuration").map(|of| of.exact().members());
    let configuration = configuration.unwrap_or_default().into_iter();
    let configuration = configuration.filter_map(|(name, value)| Some((name, value.text()?)));
    let artifacts = |name: &str| -> Vec<String> {
        let list = node.get(name).map(|list| list.list()).unwrap_or_default();
        let names = list.iter().filter_map(|artifact| {
            artifact.only(&["Name"]);
            named(artifact, "Name", "-_")
        });
        names.collect()
    };
    let configuration = configuration.collect();
    let (inputs, outputs) = (artifacts("InputArtifacts"), artifacts("OutputArtifacts"));
    let namespace = node.get("Namespace").and_then(|_| named(node, "Namespace", "@-_"));
    let role = node.get("RoleArn").and_then(|role| role.text());
    let timeout = node.get("TimeoutInMinutes");
    let timeout = timeout.and_then(|timeout| timeout.integer(5, 86_400));
    let (category, provider) = kind?;
    Some(Action {
        name: name?,
        category,
        provider,
        run_order: u32::try_from(run_order).unwrap_or(1),
        configuration,
        inputs,
        outputs,
        namespace,
        role,
        timeout_minutes: timeout.and_then(|timeout| u32::try_from(timeout).ok()),
    })
}

fn action_type(node: &Node<'_>) -> Option<(String, Provider)> {
    node.only(&["Category", "Owner", "Provider", "Version"]);
    let text = |name: &str| node.need(name).and_then(|value| value.text());
    let (category, owner, provider, version) = (text("Category"), text("Owner"), text("Provider"), text("Version"));
    let (category, owner, provider, version) = (category?, owner?, provider?, version?);
    let known = match (owner.as_str(), category.as_str(), provider.as_str(), version.as_str()) {
        ("AWS", "Source", "S3", "1") => Provider::S3,
        ("AWS", "Build" | "Test", "CodeBuild", "1") => Provider::CodeBuild,
        ("AWS", "Deploy", "CloudFormation", "1") => Provider::CloudFormation,
        ("AWS", "Approval", "Manual", "1") => Provider::Manual,
        _ => {
            node.fault(
                format!("{owner} {category} {provider} {version} is no action that is supported here"),
                "use AWS Source S3 1, AWS Build or Test CodeBuild 1, AWS Deploy CloudFormation 1 or AWS Approval Manual 1",
            );
            return None;
        }
    };
    Some((category, known))
}

/// A name of 1 to 100 letters, digits and these marks.
fn named(node: &Node<'_>, member: &str, marks: &str) -> Option<String> {
    let node = node.need(member)?;
    let name = node.text()?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || marks.contains(letter);
    if (1..=100).contains(&name.len()) && name.chars().all(allowed) {
        return Some(name);
    }
    node.fault(
        format!("is `{name}`, allowed are 1 to 100 letters, digits and {marks}"),
        "shorten it or replace the other characters",
    );
    None
}
