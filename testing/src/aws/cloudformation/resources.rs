//! The steps that CloudFormation takes with resources, and what the front has to say to each.

use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Variables, acting::Acted, facts::Facts, functions, weather::Weather};
use crate::aws::{PipelineResource, Pipelines, backstage::Backstage, codepipeline::Deployed};

/// A step that CloudFormation is about to take, with the properties as they are resolved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::aws) struct Step {
    pub(super) step: Kind,
    pub(super) r#type: String,
    pub(super) logical_id: String,
    pub(super) stack: String,
    pub(super) properties: Value,
    /// What there is, when it is updated or deleted.
    pub(super) old: Option<Old>,
    /// The role in whose name it is taken; none if that is who may do everything.
    pub(super) role: Option<String>,
}

/// What is done with a resource.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is created.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Old {
    pub(super) physical_id: String,
    pub(super) properties: Value,
}

/// What becomes of a step.
#[derive(Debug, Serialize)]
pub(in crate::aws) enum Verdict {
    /// MiniStack takes it.
    #[serde(rename_all = "PascalCase")]
    Proceed {
        /// With other properties than the template's.
        properties: Option<Value>,
    },
    /// The front has taken it.
    #[serde(rename_all = "PascalCase")]
    Made {
        /// What `Ref` returns.
        physical_id: String,
        /// What `Fn::GetAtt` returns.
        attributes: Value,
    },
    /// It fails, for this reason.
    Refused(String),
}

/// What resources are made with.
#[derive(Debug)]
pub(in crate::aws) struct Making<'a> {
    pub(in crate::aws) backstage: &'a Backstage,
    pub(in crate::aws) pipelines: &'a Deployed,
    pub(in crate::aws) scripted: &'a Pipelines,
    pub(in crate::aws) variables: Variables,
    pub(in crate::aws) weather: &'a Weather,
    pub(in crate::aws) acted: &'a Acted,
}

/// Takes the step or says what becomes of it.
pub(in crate::aws) async fn judge(step: Step, making: Making<'_>) -> Verdict {
    if step.step != Kind::Delete
        && let Some(facts) = Facts::of(&step.r#type)
    {
        let faults = facts.faults(&without_own_tags(&step.properties));
        if !faults.is_empty() {
            let (id, faults) = (&step.logical_id, faults.join("\n"));
            return Verdict::Refused(format!(
                "Properties validation failed for resource {id} with message:\n{faults}"
            ));
        }
    }
    if let Some(reason) = making.acted.refusal(&step, making.backstage).await {
        return Verdict::Refused(reason);
    }
    if let Some(reason) = making.weather.throttled(&step.r#type, step.step) {
        return Verdict::Refused(reason);
    }
    if let Some(played) = puppet(&step, making.weather).await {
        return played;
    }
    let untouched = Verdict::Proceed { properties: None };
    match (step.r#type.as_str(), step.step) {
        ("AWS::CodePipeline::Pipeline", _) => pipeline(&step, &making).await,
        ("AWS::CodeBuild::Project", _) => match project(&step, making.pipelines).await {
            Ok(()) => untouched,
            Err(reason) => Verdict::Refused(reason),
        },
        ("AWS::Lambda::Function", Kind::Create | Kind::Update) => Verdict::Proceed {
            properties: Some(functions::with_variables(&step.properties, &making.variables)),
        },
        ("AWS::S3::Bucket", Kind::Delete) => match not_empty(&step, making.backstage).await {
            Some(reason) => Verdict::Refused(reason),
            None => untouched,
        },
        _ => untouched,
    }
}

/// Answers for a custom resource with the property `Puppet`, whose function is not run: `Never` lists the requests that it never
/// answers, as a function that crashes at its start does not; it does what the others ask for.
async fn puppet(step: &Step, weather: &Weather) -> Option<Verdict> {
    let never = step.properties["Puppet"]["Never"].as_array()?;
    let request = format!("{:?}", step.step);
    if never.iter().any(|never| *never == request) {
        return Some(Verdict::Refused(weather.silence(&step.stack, &step.properties).await));
    }
    let made_up = || format!("puppet-{}", step.logical_id);
    Some(Verdict::Made {
        physical_id: step.old.as_ref().map_or_else(made_up, |old| old.physical_id.clone()),
        attributes: json!({}),
    })
}

async fn pipeline(step: &Step, making: &Making<'_>) -> Verdict {
    let old = step.old.as_ref();
    if step.step == Kind::Delete {
        let name = old.map_or("", |old| &old.physical_id);
        // Who was started without a service was scripted for it.
        making.scripted.delete(name);
        return match making.pipelines.unmake(name).await {
            Ok(()) => Verdict::Made {
                physical_id: name.to_owned(),
                attributes: json!({}),
            },
            Err(reason) => Verdict::Refused(reason),
        };
    }
    // A pipeline without a name of its own keeps the one that was made up for it.
    let generated = || match old {
        Some(old) if old.properties["Name"].is_null() => old.physical_id.clone(),
        _ => format!("{}-{}-{}", step.stack, step.logical_id, made_up(&step.stack)),
    };
    let name = step.properties["Name"].as_str().map_or_else(generated, str::to_owned);
    let replaces = old.is_none_or(|old| old.physical_id != name);
    let made = PipelineResource {
        name: name.clone(),
        stack: step.stack.clone(),
        properties: step.properties.clone(),
        version: 1,
    };
    match making.pipelines.make(made, replaces).await {
        Ok(version) => Verdict::Made {
            physical_id: name,
            attributes: json!({ "Version": version.to_string() }),
        },
        Err(reason) => Verdict::Refused(reason),
    }
}

/// Tells whoever runs builds of a project. One without a name of its own can only be built by MiniStack.
async fn project(step: &Step, pipelines: &Deployed) -> Result<(), String> {
    let name = step.properties["Name"].as_str();
    match (step.step, name, &step.old) {
        (Kind::Delete, _, Some(old)) => pipelines.unmake_project(&old.physical_id).await,
        (_, Some(name), _) => pipelines.make_project(name, &step.properties).await,
        _ => Ok(()),
    }
}

/// The properties without the tags that CloudFormation itself adds, which nobody else may.
fn without_own_tags(properties: &Value) -> Value {
    let mut properties = properties.clone();
    if let Some(tags) = properties.get_mut("Tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| {
            !tag["Key"]
                .as_str()
                .is_some_and(|key| key.starts_with("aws:cloudformation:"))
        });
    }
    properties
}

/// Twelve characters as CloudFormation adds them, the same for the same stack.
fn made_up(text: &str) -> String {
    let letters: Vec<char> = ('A'..='Z').chain('0'..='9').collect();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
    let chosen = digest
        .iter()
        .take(12)
        .map(|byte| letters[usize::from(*byte) % letters.len()]);
    chosen.collect()
}

/// Why S3 does not delete the bucket: its versions and its delete markers count.
async fn not_empty(step: &Step, backstage: &Backstage) -> Option<String> {
    let bucket = &step.old.as_ref()?.physical_id;
    let request = Request::get(format!("/{bucket}?versions&max-keys=1"))
        .body(bytes::Bytes::new())
        .ok()?;
    // A bucket that cannot be listed is gone already.
    let answer = backstage.ask("s3", request).await.ok()?;
    let text = std::str::from_utf8(answer.body()).ok()?;
    let listed = roxmltree::Document::parse(text).ok()?;
    let mut entries = listed
        .descendants()
        .filter(|node| matches!(node.tag_name().name(), "Version" | "DeleteMarker"));
    entries.next()?;
    let versioned = step.properties["VersioningConfiguration"]["Status"].is_string();
    let more = if versioned {
        ". You must delete all versions in the bucket."
    } else {
        ""
    };
    Some(format!(
        "The bucket you tried to delete is not empty{more} (Service: S3, Status Code: 409, Request ID: front)"
    ))
}
