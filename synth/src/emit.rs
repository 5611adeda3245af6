//! [`Assembly`] → the files of an emission, as text in memory. Reads and writes nothing.

use std::collections::BTreeMap;

use synth::{Assembly, Document, DocumentKind, SynthesizedStack, Template};

use crate::cli::Format;
use crate::config::Target;
use crate::error::Problem;
use crate::manifest::{self, Manifest};

/// The files of one environment.
#[derive(Debug)]
pub(crate) struct Emission {
    /// The folder's name: `pr-17`, `stage` or `shared`.
    pub(crate) name: String,
    /// The files in the order in which they are listed; no two have the same path.
    pub(crate) files: Vec<File>,
    /// What the stacks did past the types.
    pub(crate) escapes: Vec<Escape>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// The path within the folder, with slashes.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
    /// How many resources a template has; none for other files.
    pub(crate) resources: Option<usize>,
}

/// A use of the escape hatch.
#[derive(Debug)]
pub(crate) struct Escape {
    /// The stack and the resource.
    pub(crate) resource: String,
    /// The property.
    pub(crate) path: String,
    /// Why no typed setter does.
    pub(crate) reason: String,
    /// The source line.
    pub(crate) at: String,
}

/// Renders every file of an assembly.
///
/// # Errors
/// Every document whose name is unusable, every path that two stacks want, everything that cannot be rendered.
pub(crate) fn emission(target: &Target, assembly: &Assembly, format: Format) -> Result<Emission, Vec<Problem>> {
    let mut files = Files::default();
    let mut stacks = Vec::new();
    for stack in &assembly.stacks {
        stacks.push(emit_stack(stack, format, &mut files));
    }
    if !files.problems.is_empty() {
        return Err(files.problems);
    }
    let manifest = Manifest::new(target, stacks).to_json().map_err(|source| {
        vec![Problem::Render {
            what: manifest::FILE.to_owned(),
            source: source.into(),
        }]
    })?;
    let mut files = files.files;
    files.push(File {
        path: manifest::FILE.to_owned(),
        text: manifest,
        resources: None,
    });
    Ok(Emission {
        name: target.name(),
        files,
        escapes: assembly.stacks.iter().flat_map(escapes).collect(),
    })
}

/// A template in the form that was asked for.
///
/// # Errors
/// Where it cannot be rendered.
pub(crate) fn template(stack: &str, template: &Template, format: Format) -> Result<String, Problem> {
    let text = match format {
        Format::Yaml => template.to_yaml(),
        Format::Json => template.to_json(),
    };
    text.map_err(|source| Problem::Render {
        what: stack.to_owned(),
        source,
    })
}

/// How many resources a template has.
pub(crate) fn resources(template: &Template) -> usize {
    let resources = template.node().as_object().and_then(|object| object.get("Resources"));
    resources
        .and_then(|resources| resources.as_object())
        .map_or(0, |resources| resources.entries().len())
}

/// The files so far, and what is wrong with those that are not among them.
#[derive(Default)]
struct Files {
    files: Vec<File>,
    owners: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Files {
    fn add(&mut self, stack: &str, path: String, text: Result<String, Problem>, resources: Option<usize>) {
        // Some file systems take `A.json` and `a.json` for one file.
        let key = path.to_lowercase();
        if let Some(first) = self.owners.insert(key, stack.to_owned()) {
            self.problems.push(Problem::Twice {
                path: path.clone(),
                first,
                second: stack.to_owned(),
            });
        }
        match text {
            Ok(text) => self.files.push(File { path, text, resources }),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn text(&self, path: &str) -> &str {
        self.files
            .iter()
            .rev()
            .find(|file| file.path == path)
            .map_or("", |file| &file.text)
    }
}

fn emit_stack(stack: &SynthesizedStack, format: Format, files: &mut Files) -> manifest::Stack {
    let path = format!("templates/{}.{}", stack.name, format.extension());
    let count = resources(&stack.template);
    files.add(
        &stack.name,
        path.clone(),
        template(&stack.name, &stack.template, format),
        Some(count),
    );
    let template = manifest::File::of(&path, files.text(&path));
    let documents = stack
        .documents
        .iter()
        .map(|document| emit_document(stack, document, files))
        .collect();
    manifest::Stack::new(stack, template, count, documents)
}

fn emit_document(stack: &SynthesizedStack, document: &Document, files: &mut Files) -> manifest::Document {
    let name = &document.name;
    let path = format!("{}/{name}", folder(document.kind));
    if is_file_name(name) {
        let text = document.text().map_err(|source| Problem::Render {
            what: format!("{}: {name}", stack.name),
            source,
        });
        files.add(&stack.name, path.clone(), text, None);
    } else {
        files.problems.push(Problem::DocumentName {
            stack: stack.name.clone(),
            name: name.clone(),
        });
    }
    manifest::Document {
        kind: document.kind,
        file: manifest::File::of(&path, files.text(&path)),
    }
}

/// The folder of documents of a kind.
const fn folder(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::StateMachine => "state-machines",
        DocumentKind::Buildspec => "buildspecs",
        DocumentKind::MappingTemplate => "mapping-templates",
        DocumentKind::Model => "models",
        DocumentKind::Policy => "policies",
    }
}

/// Whether a name is one file on every file system, and no way out of its folder.
fn is_file_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.len() <= 200
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || ".-_".contains(character))
}

fn escapes(stack: &SynthesizedStack) -> impl Iterator<Item = Escape> {
    stack.escapes.iter().map(|escape| Escape {
        resource: format!("{}: {}", stack.name, escape.logical_id),
        path: escape.path.clone(),
        reason: escape.reason.clone(),
        at: format!("{}:{}", escape.at.file(), escape.at.line()),
    })
}
