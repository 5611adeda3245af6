//! CodeBuild projects as CloudFormation declares them, for builds that a pipeline starts.

use serde_json::Value;

use crate::buildspec::Buildspec;
use crate::fault::{Fault, Faults};
use crate::reader::{Case, Node, Notes};

/// A CodeBuild project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The role that its builds work as.
    pub role: String,
    /// The image that AWS would run it in. Here it is this machine.
    pub image: String,
    /// The kind of machine, such as `ARM_CONTAINER`.
    pub environment_type: String,
    /// The size of machine.
    pub compute_type: String,
    /// The environment variables of its builds.
    pub variables: Vec<(String, String)>,
    /// How long a build may take.
    pub timeout_minutes: u32,
    /// How long a build may wait for its turn.
    pub queued_timeout_minutes: u32,
    /// The group that its log goes to.
    pub log_group: Option<String>,
    /// What its builds do.
    pub buildspec: Buildspec,
    /// The buildspec's text.
    pub buildspec_text: String,
}

impl Project {
    /// Reads the properties of an `AWS::CodeBuild::Project` resource whose intrinsic functions are resolved.
    ///
    /// # Errors
    /// All that CodeBuild would refuse, and all that is not supported here; the buildspec's faults among them.
    pub fn from_resource(properties: &Value) -> Result<Self, Faults> {
        let notes = Notes::default();
        let root = Node::root(properties, Case::Pascal, &notes);
        let project = read(&root, &notes);
        let name = properties["Name"].as_str().unwrap_or("without a name");
        notes.conclude(format!("the build project {name}"), project)
    }
}

fn read(root: &Node<'_>, notes: &Notes) -> Option<Project> {
    root.only(&[
        "Name",
        "Description",
        "Artifacts",
        "Environment",
        "ServiceRole",
        "Source",
        "LogsConfig",
        "TimeoutInMinutes",
        "QueuedTimeoutInMinutes",
        "Cache",
        "Tags",
    ]);
    let name = root.need("Name").and_then(|name| name.text());
    let role = root.need("ServiceRole").and_then(|role| role.text());
    if let Some(artifacts) = root.need("Artifacts") {
        artifacts.only(&["Type"]);
        artifacts.need("Type").and_then(|kind| kind.one_of(&["CODEPIPELINE"]));
    }
    let timeout = root.get("TimeoutInMinutes");
    let timeout = timeout.map_or(Some(60), |minutes| minutes.integer(5, 2_160));
    let queued_timeout = root.get("QueuedTimeoutInMinutes");
    let queued_timeout = queued_timeout.map_or(Some(480), |minutes| minutes.integer(5, 480));
    let log_group = root.get("LogsConfig").and_then(|logs| {
        logs.only(&["CloudWatchLogs"]);
        let logs = logs.get("CloudWatchLogs")?;
        logs.only(&["Status", "GroupName", "StreamName"]);
        logs.get("GroupName").and_then(|group| group.text())
    });
    let environment = root.need("Environment").and_then(|node| environment(&node));
    let buildspec = root.need("Source").and_then(|source| buildspec(&source, notes));
    let (image, environment_type, compute_type, variables) = environment?;
    let (buildspec, buildspec_text) = buildspec?;
    Some(Project {
        name: name?,
        role: role?,
        image,
        environment_type,
        compute_type,
        variables,
        timeout_minutes: u32::try_from(timeout?).ok()?,
        queued_timeout_minutes: u32::try_from(queued_timeout?).ok()?,
        log_group,
        buildspec,
        buildspec_text,
    })
}

type Machine = (String, String, String, Vec<(String, String)>);

fn environment(node: &Node<'_>) -> Option<Machine> {
    node.only(&[
        "ComputeType",
        "Image",
        "Type",
        "EnvironmentVariables",
        "ImagePullCredentialsType",
    ]);
    let text = |name: &str| node.need(name).and_then(|value| value.text());
    let (image, kind, compute) = (text("Image"), text("Type"), text("ComputeType"));
    let list = node.get("EnvironmentVariables").map(|variables| variables.list());
    let variables = list.unwrap_or_default();
    let variables = variables.iter().filter_map(|variable| {
        variable.only(&["Name", "Value", "Type"]);
        variable.get("Type").and_then(|kind| kind.one_of(&["PLAINTEXT"]));
        let text = |name: &str| variable.need(name).and_then(|value| value.text());
        text("Name").zip(text("Value"))
    });
    let variables = variables.collect();
    Some((image?, kind?, compute?, variables))
}

fn buildspec(source: &Node<'_>, notes: &Notes) -> Option<(Buildspec, String)> {
    source.only(&["Type", "BuildSpec"]);
    source.need("Type").and_then(|kind| kind.one_of(&["CODEPIPELINE"]));
    let node = source.need("BuildSpec")?;
    let text = node.text()?;
    if !text.contains('\n') && !text.trim_start().starts_with('{') {
        node.fault(
            format!("is `{text}`, a file of the source, which is not supported here"),
            "write the buildspec itself",
        );
        return None;
    }
    match Buildspec::read(&text) {
        Ok(buildspec) => Some((buildspec, text)),
        Err(Faults { faults, .. }) => {
            for Fault { path, message, help } in faults {
                notes.add(format!("{}: {path}", node.path), message, help);
            }
            None
        }
    }
}
