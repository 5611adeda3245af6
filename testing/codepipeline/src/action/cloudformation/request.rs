//! What a stack is to be: the template, its configuration file, and the parameters that the action sets.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html>

use serde_json::{Map, Value};

use super::super::{Failure, Order, Outside};
use crate::pipeline::{self, Parameter, ParameterValue};
use crate::surroundings::StackRequest;

pub(super) fn of(order: &Order, outside: &Outside) -> Result<StackRequest, Failure> {
    let template = order.file(outside, order.needed("TemplatePath")?)?;
    let mut parameters = Vec::new();
    let mut tags = Vec::new();
    if let Some(location) = order.setting("TemplateConfiguration") {
        let text = order.file(outside, location)?;
        let wrong = |fault: String| Failure::configuration(format!("the template configuration {location} {fault}"));
        let configuration: Map<String, Value> =
            serde_json::from_str(&text).map_err(|fault| wrong(format!("is no JSON object: {fault}")))?;
        for (name, value) in &configuration {
            match name.as_str() {
                "Parameters" => {
                    let read = pipeline::parameters(value);
                    parameters = read.map_err(|fault| wrong(format!("{fault} in Parameters")))?;
                }
                "Tags" => tags = texts(value).ok_or_else(|| wrong("has tags that are no text".to_owned()))?,
                other => return Err(wrong(format!("has {other}; supported are Parameters and Tags"))),
            }
        }
    }
    if let Some(text) = order.setting("ParameterOverrides") {
        let overrides =
            pipeline::overrides(text).map_err(|fault| Failure::configuration(format!("ParameterOverrides {fault}")))?;
        parameters.retain(|(name, _)| !overrides.iter().any(|(other, _)| other == name));
        parameters.extend(overrides);
    }
    let parameters = parameters.into_iter().map(|parameter| value(order, outside, parameter));
    let capabilities = order.setting("Capabilities").unwrap_or_default();
    let capabilities = capabilities.split(',').map(str::trim).filter(|name| !name.is_empty());
    Ok(StackRequest {
        stack: order.needed("StackName")?.to_owned(),
        template,
        parameters: parameters.collect::<Result<_, _>>()?,
        tags,
        capabilities: capabilities.map(str::to_owned).collect(),
        role: order.setting("RoleArn").map(str::to_owned),
    })
}

fn texts(value: &Value) -> Option<Vec<(String, String)>> {
    let members = value.as_object()?.iter();
    members
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn value(order: &Order, outside: &Outside, (name, value): Parameter) -> Result<(String, String), Failure> {
    let value = match value {
        ParameterValue::Text(text) => text,
        ParameterValue::Attribute(artifact, attribute) => {
            let stored = order.stored(&artifact)?;
            match attribute.as_str() {
                "BucketName" => stored.bucket.clone(),
                "ObjectKey" => stored.key.clone(),
                _ => format!(
                    "https://s3.{}.amazonaws.com/{}/{}",
                    order.region, stored.bucket, stored.key
                ),
            }
        }
        ParameterValue::File(artifact, file, key) => {
            let text = order.file(outside, &format!("{artifact}::{file}"))?;
            let read: Value = serde_json::from_str(&text)
                .map_err(|fault| Failure::configuration(format!("{artifact}::{file} is no JSON: {fault}")))?;
            let value = read[&key].as_str().map(str::to_owned);
            value
                .ok_or_else(|| Failure::configuration(format!("{artifact}::{file} has no text under the key {key}")))?
        }
    };
    Ok((name, value))
}
