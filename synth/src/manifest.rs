//! `manifest.json`: what an emission consists of, in the order in which it is deployed; and the mark that a folder is ours.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use synth::cloudformation::quotas::REQUEST_BYTES;
use synth::{Asset, DocumentKind, SynthesizedStack, Wildcard};

use crate::config::Target;

/// The manifest's path within its folder.
pub(crate) const FILE: &str = "manifest.json";
/// The name by which this program recognizes what it wrote.
const TOOL: &str = "synth";

/// Everything that whoever deploys or reviews the files wants to know of them.
#[derive(Debug, Serialize)]
pub(crate) struct Manifest {
    tool: Tool,
    project: String,
    environment: String,
    region: String,
    stacks: Vec<Stack>,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// A stack, after those that it depends on.
#[derive(Debug, Serialize)]
pub(crate) struct Stack {
    name: String,
    template: File,
    resources: usize,
    /// Whether the template is too large for a request and must be read from S3.
    exceeds_inline_limit: bool,
    depends_on: Vec<String>,
    parameters: Vec<String>,
    tags: Vec<Tag>,
    capabilities: Vec<&'static str>,
    assets: Vec<Asset>,
    documents: Vec<Document>,
    wildcards: Vec<Wildcard>,
    escapes: Vec<Escape>,
}

/// A file with what tells it from another of that name.
#[derive(Debug, Serialize)]
pub(crate) struct File {
    path: String,
    sha256: String,
    bytes: usize,
}

/// A document that is part of a template.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    /// What it is.
    pub(crate) kind: DocumentKind,
    /// Where it is.
    #[serde(flatten)]
    pub(crate) file: File,
}

#[derive(Debug, Serialize)]
struct Tag {
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Escape {
    logical_id: String,
    path: String,
    reason: String,
    at: String,
}

impl Manifest {
    /// The manifest of a target's stacks.
    pub(crate) fn new(target: &Target, stacks: Vec<Stack>) -> Self {
        Self {
            tool: Tool {
                name: TOOL,
                version: env!("CARGO_PKG_VERSION"),
            },
            project: target.project.project.clone(),
            environment: target.name(),
            region: target.project.region.name().to_owned(),
            stacks,
        }
    }

    /// The manifest as text.
    ///
    /// # Errors
    /// Where the JSON library refuses to serialize.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}

impl Stack {
    /// The entry of a stack.
    pub(crate) fn new(stack: &SynthesizedStack, template: File, resources: usize, documents: Vec<Document>) -> Self {
        Self {
            name: stack.name.clone(),
            exceeds_inline_limit: template.bytes > REQUEST_BYTES,
            template,
            resources,
            depends_on: stack.depends_on.clone(),
            parameters: stack.parameters.clone(),
            tags: stack
                .tags
                .iter()
                .map(|(key, value)| Tag {
                    key: key.clone(),
                    value: value.clone(),
                })
                .collect(),
            capabilities: stack.capabilities.clone(),
            assets: stack.assets.clone(),
            documents,
            wildcards: stack.wildcards.clone(),
            escapes: stack
                .escapes
                .iter()
                .map(|escape| Escape {
                    logical_id: escape.logical_id.clone(),
                    path: escape.path.clone(),
                    reason: escape.reason.clone(),
                    at: format!("{}:{}", escape.at.file(), escape.at.line()),
                })
                .collect(),
        }
    }
}

impl File {
    /// The entry of a file.
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            sha256: Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect(),
            bytes: text.len(),
        }
    }
}

/// What a manifest on disk says, of any version of this program.
#[derive(Debug)]
pub(crate) struct Listing {
    /// Each stack's name and its template's path.
    pub(crate) templates: Vec<(String, String)>,
    /// Every file of the emission, the manifest included.
    pub(crate) files: BTreeSet<String>,
}

impl Listing {
    /// Reads a manifest; none if this program did not write it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let manifest: Value = serde_json::from_str(text).ok()?;
        if manifest.pointer("/tool/name")?.as_str()? != TOOL {
            return None;
        }
        let mut listing = Self {
            templates: Vec::new(),
            files: BTreeSet::from([FILE.to_owned()]),
        };
        for stack in manifest.get("stacks")?.as_array()? {
            let template = stack.pointer("/template/path")?.as_str()?.to_owned();
            let name = stack.get("name")?.as_str()?.to_owned();
            listing.files.insert(template.clone());
            listing.templates.push((name, template));
            for document in stack.get("documents")?.as_array()? {
                listing.files.insert(document.get("path")?.as_str()?.to_owned());
            }
        }
        Some(listing)
    }
}
