//! A pipeline as CodePipeline's API shows it.

use serde_json::{Value, json};

use super::{Action, Pipeline};

pub(super) fn declaration(pipeline: &Pipeline, version: u32) -> Value {
    let variables = pipeline.variables.iter().map(|variable| {
        let mut shown = json!({ "name": variable.name });
        if let Some(default) = &variable.default {
            shown["defaultValue"] = json!(default);
        }
        if let Some(description) = &variable.description {
            shown["description"] = json!(description);
        }
        shown
    });
    let stages = pipeline.stages.iter().map(|stage| {
        let actions: Vec<Value> = stage.actions.iter().map(action).collect();
        json!({ "name": stage.name, "actions": actions })
    });
    json!({
        "name": pipeline.name,
        "roleArn": pipeline.role,
        "artifactStore": { "type": "S3", "location": pipeline.bucket },
        "stages": stages.collect::<Vec<Value>>(),
        "version": version,
        "executionMode": pipeline.mode.word(),
        "pipelineType": if pipeline.v2 { "V2" } else { "V1" },
        "variables": variables.collect::<Vec<Value>>(),
    })
}

/// The `ActionTypeId`.
pub(crate) fn kind(action: &Action) -> Value {
    json!({ "category": action.category, "owner": "AWS", "provider": action.provider.word(), "version": "1" })
}

fn action(action: &Action) -> Value {
    let artifacts = |names: &[String]| -> Vec<Value> { names.iter().map(|name| json!({ "name": name })).collect() };
    let configuration = action.configuration.iter();
    let configuration = configuration.map(|(name, value)| (name.clone(), json!(value)));
    let mut shown = json!({
        "name": action.name,
        "actionTypeId": kind(action),
        "runOrder": action.run_order,
        "configuration": Value::Object(configuration.collect()),
        "outputArtifacts": artifacts(&action.outputs),
        "inputArtifacts": artifacts(&action.inputs),
    });
    if let Some(namespace) = &action.namespace {
        shown["namespace"] = json!(namespace);
    }
    if let Some(role) = &action.role {
        shown["roleArn"] = json!(role);
    }
    if let Some(timeout) = action.timeout_minutes {
        shown["timeoutInMinutes"] = json!(timeout);
    }
    shown
}
