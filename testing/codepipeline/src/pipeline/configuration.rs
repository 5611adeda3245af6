//! What each provider takes as its configuration, and the two settings that are JSON within it.

use serde_json::Value;

use super::{Action, Provider};
use crate::reader::Notes;

/// A setting: its name, whether it must be there, and the one value that is supported where there is but one.
type Setting = (&'static str, bool, Option<(&'static str, &'static str)>);

const S3: &[Setting] = &[
    ("S3Bucket", true, None),
    ("S3ObjectKey", true, None),
    (
        "PollForSourceChanges",
        true,
        Some(("false", "sources are not polled here, and leaving it out polls")),
    ),
    ("AllowOverrideForS3ObjectKey", false, None),
];

const CODE_BUILD: &[Setting] = &[
    ("ProjectName", true, None),
    ("PrimarySource", false, None),
    ("EnvironmentVariables", false, None),
    ("BatchEnabled", false, Some(("false", "batch builds are not run here"))),
    (
        "CombineArtifacts",
        false,
        Some(("false", "batch builds are not run here")),
    ),
];

const CLOUD_FORMATION: &[Setting] = &[
    ("ActionMode", true, None),
    ("StackName", true, None),
    ("ChangeSetName", false, None),
    ("RoleArn", false, None),
    ("TemplatePath", false, None),
    ("TemplateConfiguration", false, None),
    ("Capabilities", false, None),
    ("OutputFileName", false, None),
    ("ParameterOverrides", false, None),
];

const MANUAL: &[Setting] = &[("CustomData", false, None), ("ExternalEntityLink", false, None)];

pub(super) fn check(action: &Action, at: &str, notes: &Notes) {
    let at = format!("{at}.Configuration");
    let known = match action.provider {
        Provider::S3 => S3,
        Provider::CodeBuild => CODE_BUILD,
        Provider::CloudFormation => CLOUD_FORMATION,
        Provider::Manual => MANUAL,
    };
    for (name, _) in &action.configuration {
        if !known.iter().any(|(known, ..)| known == name) {
            let known: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
            let help = format!("leave it out; known are {}", known.join(", "));
            notes.add(format!("{at}.{name}"), "is unknown or not supported here", help);
        }
    }
    for (name, required, only) in known {
        match (action.setting(name), only) {
            (None, _) if *required => notes.add(format!("{at}.{name}"), "is missing", format!("set {name}")),
            (Some(value), Some((only, reason))) if value != *only => notes.add(
                format!("{at}.{name}"),
                format!("is `{value}`, supported is {only}: {reason}"),
                format!("write '{only}'"),
            ),
            _ => {}
        }
    }
    match action.provider {
        Provider::CodeBuild => code_build(action, &at, notes),
        Provider::CloudFormation => cloud_formation(action, &at, notes),
        Provider::S3 | Provider::Manual => {}
    }
}

fn code_build(action: &Action, at: &str, notes: &Notes) {
    match (action.setting("PrimarySource"), action.inputs.len()) {
        (None, 2..) => notes.add(
            format!("{at}.PrimarySource"),
            "is missing, and there are several input artifacts",
            "name the artifact whose folder the build begins in",
        ),
        (Some(primary), _) if !action.inputs.iter().any(|input| input == primary) => notes.add(
            format!("{at}.PrimarySource"),
            format!("is `{primary}`, which is no input artifact of the action"),
            format!("name one of {:?}", action.inputs),
        ),
        _ => {}
    }
    if let Some(text) = action.setting("EnvironmentVariables")
        && let Err(message) = environment(text)
    {
        notes.add(
            format!("{at}.EnvironmentVariables"),
            message,
            r#"write [{"name": "NAME", "value": "VALUE", "type": "PLAINTEXT"}]"#,
        );
    }
}

/// Which settings each mode needs; see <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html>.
fn cloud_formation(action: &Action, at: &str, notes: &Notes) {
    let needed: &[&str] = match action.setting("ActionMode") {
        Some("CHANGE_SET_REPLACE") => &["ChangeSetName", "RoleArn", "TemplatePath"],
        Some("CHANGE_SET_EXECUTE") => &["ChangeSetName"],
        Some("CREATE_UPDATE") => &["RoleArn", "TemplatePath"],
        Some("DELETE_ONLY") => &["RoleArn"],
        Some(other) => {
            notes.add(
                format!("{at}.ActionMode"),
                format!(
                    "is `{other}`, supported are CHANGE_SET_REPLACE, CHANGE_SET_EXECUTE, CREATE_UPDATE and DELETE_ONLY"
                ),
                "write one of them",
            );
            &[]
        }
        None => &[],
    };
    for name in needed.iter().filter(|name| action.setting(name).is_none()) {
        notes.add(
            format!("{at}.{name}"),
            "is missing, and the action's mode needs it",
            format!("set {name}"),
        );
    }
    for name in ["TemplatePath", "TemplateConfiguration"] {
        let Some(path) = action.setting(name) else { continue };
        match path.split_once("::") {
            Some((artifact, file)) if !file.is_empty() && action.inputs.iter().any(|input| input == artifact) => {}
            _ => notes.add(
                format!("{at}.{name}"),
                format!("is `{path}`, due is a file of an input artifact"),
                format!("write Artifact::path with an artifact of {:?}", action.inputs),
            ),
        }
    }
    if action.setting("OutputFileName").is_some() != (action.outputs.len() == 1) {
        notes.add(
            format!("{at}.OutputFileName"),
            "and an output artifact go together: one is there, the other is not",
            "set both or none",
        );
    }
    if let Some(text) = action.setting("ParameterOverrides")
        && let Err(message) = overrides(text)
    {
        notes.add(
            format!("{at}.ParameterOverrides"),
            message,
            r#"write a JSON object of at most 1 kB, such as {"Name": "value"}"#,
        );
    }
}

/// The variables that an action gives to its build.
pub(crate) fn environment(text: &str) -> Result<Vec<(String, String)>, String> {
    let read: Value = serde_json::from_str(text).map_err(|fault| format!("is no JSON: {fault}"))?;
    let list = read.as_array().ok_or("is no JSON list")?;
    list.iter()
        .map(|variable| {
            let text = |name: &str| variable[name].as_str().map(str::to_owned);
            let name = text("name").ok_or_else(|| format!("has an item without a name: {variable}"))?;
            let value = text("value").ok_or_else(|| format!("has no text as the value of {name}"))?;
            match variable["type"].as_str() {
                None | Some("PLAINTEXT") => Ok((name, value)),
                Some(other) => Err(format!("has {name} of type {other}, supported is PLAINTEXT")),
            }
        })
        .collect()
}

/// One parameter of a stack that an action sets.
pub(crate) type Parameter = (String, ParameterValue);

/// Where a parameter's value comes from; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParameterValue {
    Text(String),
    /// `Fn::GetArtifactAtt`: artifact and attribute.
    Attribute(String, String),
    /// `Fn::GetParam`: artifact, JSON file and key.
    File(String, String, String),
}

/// The parameters that an action sets.
pub(crate) fn overrides(text: &str) -> Result<Vec<Parameter>, String> {
    // https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
    if text.len() > 1_024 {
        return Err(format!("has {} bytes, allowed are 1024", text.len()));
    }
    let read: Value = serde_json::from_str(text).map_err(|fault| format!("is no JSON: {fault}"))?;
    parameters(&read)
}

/// The parameters in a JSON object.
pub(crate) fn parameters(read: &Value) -> Result<Vec<Parameter>, String> {
    let members = read.as_object().ok_or("is no JSON object")?;
    let parameters = members
        .iter()
        .map(|(name, value)| Ok((name.clone(), parameter(name, value)?)));
    parameters.collect()
}

fn parameter(name: &str, value: &Value) -> Result<ParameterValue, String> {
    let texts = |function: &str| -> Option<Vec<String>> {
        let list = value.get(function)?.as_array()?;
        list.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    };
    if let Some(text) = value.as_str() {
        return Ok(ParameterValue::Text(text.to_owned()));
    }
    let attribute = texts("Fn::GetArtifactAtt").and_then(|texts| <[String; 2]>::try_from(texts).ok());
    let file = texts("Fn::GetParam").and_then(|texts| <[String; 3]>::try_from(texts).ok());
    match (attribute, file) {
        (Some([artifact, attribute]), _) if matches!(attribute.as_str(), "BucketName" | "ObjectKey" | "URL") => {
            Ok(ParameterValue::Attribute(artifact, attribute))
        }
        (None, Some([artifact, file, key])) => Ok(ParameterValue::File(artifact, file, key)),
        _ => Err(format!(
            "has {value} as {name}, allowed are text, Fn::GetArtifactAtt [artifact, BucketName|ObjectKey|URL] and Fn::GetParam [artifact, file, key]"
        )),
    }
}
