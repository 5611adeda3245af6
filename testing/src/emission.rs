//! Everything that the workspace emits, as the tests read it: templates as JSON data, documents as text.
//!
//! What is here is what AWS receives: it is read back from the rendered text, not from the DSL's own tree. Never judges anything.

use std::{fs, path::PathBuf};

use serde_json::Value;
use stacks::{Environment, Project, PullRequest};
use synth::{Assembly, DocumentKind, Faults, SynthesizedStack};

use crate::Error;

/// The configuration that ships with the project.
pub const CONFIGURATION: &str = include_str!("../../stacks/project.yaml");

/// The environments whose emissions are judged: `stage`, a usual pull request, and the one with the longest number.
pub const ENVIRONMENTS: [&str; 3] = ["stage", "pr-17", "pr-999999"];

/// One emitted stack.
#[derive(Debug, Clone)]
pub struct Emission {
    /// Whom it belongs to: `shared`, or an environment such as `pr-17`.
    pub owner: String,
    /// The stack.
    pub stack: SynthesizedStack,
    /// The template's JSON text, read back.
    pub template: Value,
}

/// One resource of a template.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The logical id.
    pub id: &'a str,
    /// The type, such as `AWS::S3::Bucket`.
    pub kind: &'a str,
    /// The properties; null without any.
    pub properties: &'a Value,
}

/// One emitted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file's name, such as `shared/webhook-request.vtl`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The text.
    pub text: String,
}

/// What an emitted text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A template as YAML.
    YamlTemplate,
    /// A template as JSON.
    JsonTemplate,
    /// A document that is also part of a template.
    Document(DocumentKind),
}

/// The configuration that ships with the project.
///
/// # Panics
/// When it has faults.
#[must_use]
pub fn project() -> Project {
    configured(CONFIGURATION)
}

/// The project's configuration with the longest name, in the region with the longest name.
///
/// # Panics
/// When it has faults.
#[must_use]
pub fn longest_project() -> Project {
    let longest = stacks::project::REGIONS.iter().max_by_key(|region| region.len());
    let text = CONFIGURATION
        .replace(
            "project: thebestest\nrepository",
            "project: abcdefghij-klmnopqrs\nrepository",
        )
        .replace("region: eu-west-1", &format!("region: {}", longest.unwrap_or(&"")));
    let project = configured(&text);
    assert_eq!(project.project.len(), 20, "the longest name that is allowed");
    project
}

fn configured(text: &str) -> Project {
    Project::from_yaml(text).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", faults.join("\n"))
    })
}

/// The shared stacks and those of each of these environments.
///
/// # Panics
/// When synthesis has faults: there is nothing to judge then.
#[must_use]
pub fn emit(project: &Project, environments: &[&str]) -> Vec<Emission> {
    let shared = ("shared".to_owned(), stacks::shared(project));
    let own = environments.iter().map(|name| {
        let environment = name.parse::<Environment>().unwrap_or_else(|fault| panic!("{fault}"));
        ((*name).to_owned(), stacks::environment(project, environment))
    });
    let assemblies = std::iter::once(shared).chain(own);
    assemblies
        .flat_map(|(owner, assembly)| emissions(&owner, assembly))
        .collect()
}

fn emissions(owner: &str, assembly: Result<Assembly, Faults>) -> Vec<Emission> {
    let assembly = assembly.unwrap_or_else(|faults| panic!("{owner}: {faults}"));
    let stacks = assembly.stacks.into_iter();
    stacks
        .map(|stack| Emission {
            owner: owner.to_owned(),
            template: serde_json::from_str(&rendered(&stack, Kind::JsonTemplate))
                .unwrap_or_else(|fault| panic!("{}: {fault}", stack.name)),
            stack,
        })
        .collect()
}

/// The stack that an administrator applies before all others.
///
/// # Panics
/// As [`emit`].
#[must_use]
pub fn bootstrap(project: &Project) -> Vec<Emission> {
    emissions("bootstrap", stacks::bootstrap(project))
}

/// What the shipped configuration emits: the shared stacks and those of [`ENVIRONMENTS`].
///
/// # Panics
/// As [`emit`].
#[must_use]
pub fn everything() -> Vec<Emission> {
    emit(&project(), &ENVIRONMENTS)
}

/// [`everything`], and the stack that an administrator applies before it.
///
/// # Panics
/// As [`emit`].
#[must_use]
pub fn every_stack() -> Vec<Emission> {
    let mut all = bootstrap(&project());
    all.extend(everything());
    all
}

/// The greatest number of a pull request, as an environment.
#[must_use]
pub fn greatest_pull_request() -> String {
    format!("pr-{}", PullRequest::GREATEST)
}

fn rendered(stack: &SynthesizedStack, kind: Kind) -> String {
    let text = match kind {
        Kind::YamlTemplate => stack.template.to_yaml(),
        _ => stack.template.to_json(),
    };
    text.unwrap_or_else(|fault| panic!("{}: {fault}", stack.name))
}

impl Emission {
    /// The resources, in the order in which they are declared.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_>> {
        let resources = self.template["Resources"].as_object();
        resources.into_iter().flatten().map(|(id, resource)| Resource {
            id,
            kind: resource["Type"].as_str().unwrap_or_default(),
            properties: &resource["Properties"],
        })
    }

    /// The texts: the template in both forms, and the documents.
    ///
    /// # Panics
    /// When one does not render.
    #[must_use]
    pub fn texts(&self) -> Vec<Text> {
        let template = |kind, ending| Text {
            name: format!("{}/{}.{ending}", self.owner, self.stack.name),
            kind,
            text: rendered(&self.stack, kind),
        };
        let documents = self.stack.documents.iter().map(|document| Text {
            name: format!("{}/{}", self.owner, document.name),
            kind: Kind::Document(document.kind),
            text: document
                .text()
                .unwrap_or_else(|fault| panic!("{}: {fault}", document.name)),
        });
        [
            template(Kind::YamlTemplate, "yaml"),
            template(Kind::JsonTemplate, "json"),
        ]
        .into_iter()
        .chain(documents)
        .collect()
    }
}

/// Writes texts into a folder under their names and returns the paths, in order.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &std::path::Path, texts: &[Text]) -> Result<Vec<PathBuf>, Error> {
    texts
        .iter()
        .map(|text| {
            let path = folder.join(&text.name);
            let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
            parent
                .and_then(|()| fs::write(&path, &text.text))
                .map_err(|source| Error::Io {
                    doing: "write",
                    path: path.clone(),
                    source,
                })?;
            Ok(path)
        })
        .collect()
}

/// A value with its intrinsic functions as the text that `Fn::Sub` would have for them: `${Sources.Arn}/*`.
///
/// An import shows as its export's name: `${thebestest-artifacts:BucketArn}`.
#[must_use]
pub fn shown(value: &Value) -> String {
    let function = value.as_object().filter(|object| object.len() == 1);
    let Some((name, argument)) = function.and_then(|object| object.iter().next()) else {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    };
    match (name.as_str(), argument) {
        ("Ref" | "Fn::ImportValue", argument) => format!("${{{}}}", shown(argument)),
        ("Fn::GetAtt", Value::Array(parts)) => {
            let parts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            format!("${{{}}}", parts.join("."))
        }
        ("Fn::Sub", Value::String(text)) => text.clone(),
        ("Fn::Sub", Value::Array(parts)) => {
            let values = parts.get(1).and_then(Value::as_object);
            let text = parts.first().and_then(Value::as_str).unwrap_or_default().to_owned();
            values.into_iter().flatten().fold(text, |text, (name, value)| {
                text.replace(&format!("${{{name}}}"), &shown(value))
            })
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn intrinsic_functions_show_as_in_a_substitution() {
        let table = [
            (json!("plain"), "plain"),
            (json!({ "Ref": "Topic" }), "${Topic}"),
            (json!({ "Fn::GetAtt": ["Role", "Arn"] }), "${Role.Arn}"),
            (json!({ "Fn::ImportValue": "other:Arn" }), "${other:Arn}"),
            (json!({ "Fn::Sub": "${AWS::Region}-x" }), "${AWS::Region}-x"),
            (
                json!({ "Fn::Sub": ["${V}/*", { "V": { "Fn::ImportValue": "other:Arn" } }] }),
                "${other:Arn}/*",
            ),
        ];
        for (value, expected) in table {
            assert_eq!(shown(&value), expected);
        }
    }

    #[test]
    fn every_environment_and_the_shared_stacks_are_emitted() {
        let emitted = everything();
        let owners: Vec<&str> = emitted.iter().map(|emission| emission.owner.as_str()).collect();
        for owner in ["shared", "stage", "pr-17", "pr-999999"] {
            assert!(owners.contains(&owner), "{owners:?}");
        }
        assert_eq!(greatest_pull_request(), ENVIRONMENTS[2]);
        assert!(emitted.iter().all(|emission| emission.resources().next().is_some()));
    }
}
