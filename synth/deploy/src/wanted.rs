//! What is to be deployed: a stack as it was synthesized, with everything that CloudFormation is told of it, and its fingerprint.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Capability, Parameter, Tag};
use serde_json::Value;
use sha2::{Digest, Sha256};
use stacks::{Environment, Project};
use synth::cloudformation::quotas::REQUEST_BYTES;
use synth::{Assembly, Asset, SynthesizedStack};

use crate::error::Error;

/// A stack that is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its template, as short as JSON can be.
    pub template: String,
    /// The same as a tree.
    pub tree: Value,
    /// Its parameters' values.
    pub parameters: BTreeMap<String, String>,
    tags: Vec<(String, String)>,
    capabilities: Vec<&'static str>,
    /// The files that its parameters name.
    pub assets: Vec<Asset>,
}

/// The stacks that all pull requests share, in the order of deployment.
///
/// # Errors
/// All faults of all stacks.
pub fn shared(project: &Project) -> Result<Vec<Wanted>, Error> {
    all(stacks::shared(project).map_err(unusable)?)
}

/// The stacks of an environment, with the sample application as its own.
///
/// # Errors
/// All faults of all stacks.
pub fn environment(project: &Project, environment: Environment) -> Result<Vec<Wanted>, Error> {
    all(stacks::environment(project, environment).map_err(unusable)?)
}

fn unusable(faults: synth::Faults) -> Error {
    let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
    Error::Unusable(faults.join("\n"))
}

/// The stacks of an assembly, in the order of deployment.
///
/// # Errors
/// Where a template has no text form.
pub fn all(assembly: Assembly) -> Result<Vec<Wanted>, Error> {
    assembly.stacks.into_iter().map(Wanted::of).collect()
}

impl Wanted {
    fn of(stack: SynthesizedStack) -> Result<Self, Error> {
        let unusable = |error: &dyn std::fmt::Display| Error::Unusable(format!("{}: {error}", stack.name));
        let json = stack.template.to_json().map_err(|error| unusable(&error))?;
        let tree: Value = serde_json::from_str(&json).map_err(|error| unusable(&error))?;
        Ok(Self {
            template: tree.to_string(),
            tree,
            parameters: BTreeMap::new(),
            tags: stack.tags,
            capabilities: stack.capabilities,
            assets: stack.assets,
            name: stack.name,
        })
    }

    /// A stack as it is deployed, with another template.
    pub fn as_deployed(name: &str, stack: &aws_sdk_cloudformation::types::Stack, tree: Value) -> Self {
        let parameters = stack.parameters().iter().filter_map(|parameter| {
            let (key, value) = (parameter.parameter_key()?, parameter.parameter_value()?);
            Some((key.to_owned(), value.to_owned()))
        });
        let tags = stack.tags().iter().filter_map(|tag| {
            let (key, value) = (tag.key()?, tag.value()?);
            Some((key.to_owned(), value.to_owned()))
        });
        Self {
            name: name.to_owned(),
            template: tree.to_string(),
            tree,
            parameters: parameters.collect(),
            tags: tags.collect(),
            capabilities: vec!["CAPABILITY_NAMED_IAM"],
            assets: Vec::new(),
        }
    }

    /// Takes an asset's place as its parameters.
    pub fn give(&mut self, asset: &Asset, bucket: &str, key: &str) {
        let values = [(&asset.bucket_parameter, bucket), (&asset.key_parameter, key)];
        let values = values.map(|(name, value)| (name.clone(), value.to_owned()));
        self.parameters.extend(values);
    }

    /// The hash of everything that CloudFormation is told: what has the same is the same.
    pub fn fingerprint(&self) -> String {
        let mut tags = self.tags.clone();
        tags.sort();
        let told = format!(
            "{}\n{:?}\n{tags:?}\n{:?}",
            self.template, self.parameters, self.capabilities
        );
        hash(told.as_bytes())
    }

    /// The hash of the template alone.
    pub fn template_hash(&self) -> String {
        hash(self.template.as_bytes())
    }

    /// The name of the change set that brings it about: a run that follows one that was killed finds it again.
    pub fn change_set(&self) -> String {
        format!("deploy-{}", &self.fingerprint()[..32])
    }

    /// Whether the template is too long to be sent in a request.
    pub const fn is_large(&self) -> bool {
        self.template.len() > REQUEST_BYTES
    }

    /// How many resources it has.
    pub fn resources(&self) -> usize {
        self.tree["Resources"].as_object().map_or(0, serde_json::Map::len)
    }

    /// How many resources of a type it has.
    pub fn count(&self, type_name: &str) -> usize {
        let resources = self.tree["Resources"].as_object().into_iter().flatten();
        resources.filter(|(_, resource)| resource["Type"] == type_name).count()
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let parameters = self.parameters.iter();
        parameters
            .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
            .collect()
    }

    pub(crate) fn tags(&self) -> Vec<Tag> {
        let tags = self.tags.iter();
        tags.map(|(key, value)| Tag::builder().key(key).value(value).build())
            .collect()
    }

    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        self.capabilities.iter().map(|name| Capability::from(*name)).collect()
    }
}

/// The SHA-256 of bytes as hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    clients::words::hexadecimal(&Sha256::digest(bytes))
}
