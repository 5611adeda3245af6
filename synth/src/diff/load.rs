//! Folders and files → templates with long intrinsic functions, whatever form they have on disk.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;
use synth::diff::Templates;

use crate::manifest::{self, Listing};

/// Why templates cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// A file or folder.
    #[error("cannot read {}: {source}\n  help: name two folders of emissions, such as out/pr-17, or two templates", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without templates.
    #[error("{} has no templates\n  help: name a folder that synth wrote, such as out/pr-17", .0.display())]
    Empty(PathBuf),
    /// A file that is no template.
    #[error("{} is no template: {why}\n  help: name a CloudFormation template in YAML or JSON", path.display())]
    NoTemplate {
        /// Which.
        path: PathBuf,
        /// How that is known.
        why: String,
    },
    /// A folder and a file.
    #[error("{} and {} cannot be compared: one is a folder, the other a file\n  help: name two folders or two files", .0.display(), .1.display())]
    Mixed(PathBuf, PathBuf),
}

/// Reads two folders, or two templates as one stack under the name of the second.
///
/// # Errors
/// Everything that is wrong with either.
pub(crate) fn load(old: &Path, new: &Path) -> Result<(Templates, Templates), Vec<LoadError>> {
    if old.exists() && new.exists() && old.is_dir() != new.is_dir() {
        return Err(vec![LoadError::Mixed(old.to_owned(), new.to_owned())]);
    }
    let name = new
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let read = |path: &Path| -> Result<Templates, Vec<LoadError>> {
        if path.is_dir() {
            folder(path)
        } else {
            template(path)
                .map(|template| vec![(name.clone(), template)])
                .map_err(|error| vec![error])
        }
    };
    match (read(old), read(new)) {
        (Ok(old), Ok(new)) => Ok((old, new)),
        (old, new) => Err([old, new].into_iter().filter_map(Result::err).flatten().collect()),
    }
}

fn folder(folder: &Path) -> Result<Templates, Vec<LoadError>> {
    let files = match fs::read_to_string(folder.join(manifest::FILE))
        .ok()
        .as_deref()
        .and_then(Listing::read)
    {
        Some(listing) => listing
            .templates
            .into_iter()
            .map(|(name, path)| (name, folder.join(path)))
            .collect(),
        None => listed(folder).map_err(|error| vec![error])?,
    };
    let (mut templates, mut errors) = (Templates::new(), Vec::new());
    for (name, path) in files {
        match template(&path) {
            Ok(template) => templates.push((name, template)),
            Err(error) => errors.push(error),
        }
    }
    if templates.is_empty() && errors.is_empty() {
        errors.push(LoadError::Empty(folder.to_owned()));
    }
    if errors.is_empty() { Ok(templates) } else { Err(errors) }
}

/// The YAML and JSON files of a folder without a manifest, by name.
fn listed(folder: &Path) -> Result<Vec<(String, PathBuf)>, LoadError> {
    let entries = fs::read_dir(folder).map_err(|source| LoadError::Unreadable {
        path: folder.to_owned(),
        source,
    })?;
    let mut files: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                ["yaml", "yml", "json", "template"]
                    .iter()
                    .any(|known| extension == *known)
            })
        })
        .filter_map(|path| Some((path.file_stem()?.to_string_lossy().into_owned(), path)))
        .collect();
    files.sort();
    Ok(files)
}

fn template(path: &Path) -> Result<Value, LoadError> {
    let text = fs::read_to_string(path).map_err(|source| LoadError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let no_template = |why: String| LoadError::NoTemplate {
        path: path.to_owned(),
        why,
    };
    // JSON is YAML, but its own reader is faster and says better what is wrong.
    let template = if path.extension().is_some_and(|extension| extension == "json") {
        let value: Value = serde_json::from_str(&text).map_err(|error| no_template(error.to_string()))?;
        long_get_att(value)
    } else {
        let yaml: Yaml = serde_yaml::from_str(&text).map_err(|error| no_template(error.to_string()))?;
        long(yaml).map_err(no_template)?
    };
    match template.get("Resources") {
        Some(Value::Object(_)) => Ok(template),
        _ => Err(no_template("it has no `Resources`".to_owned())),
    }
}

/// YAML with short functions → JSON with long ones.
fn long(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::String(text) => text.into(),
        Yaml::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, number) => number.map_or(Value::Null, Value::from),
        },
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long).collect::<Result<_, _>>()?),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = match long(key)? {
                    Value::String(key) => key,
                    // CloudFormation takes a mapping's keys as text: account numbers, for one.
                    key @ (Value::Number(_) | Value::Bool(_)) => key.to_string(),
                    other => return Err(format!("{other} is no key")),
                };
                object.insert(key, long(value)?);
            }
            long_get_att(Value::Object(object))
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = match tag.trim_start_matches('!') {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            let argument = long(tagged.value)?;
            long_get_att(Value::Object(Map::from_iter([(name, argument)])))
        }
    })
}

/// `Fn::GetAtt: Resource.Attribute` → `Fn::GetAtt: [Resource, Attribute]`, here and within.
fn long_get_att(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(long_get_att).collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| match (key.as_str(), &value) {
                ("Fn::GetAtt", Value::String(text)) => {
                    let parts = text
                        .split_once('.')
                        .map(|(resource, attribute)| vec![resource, attribute]);
                    let parts = parts.map(|parts| parts.into_iter().map(Value::from).collect());
                    (key, parts.unwrap_or(value))
                }
                _ => (key, long_get_att(value)),
            })
            .collect(),
        other => other,
    }
}
