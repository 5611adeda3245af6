//! Artifacts: what one action hands on and later ones take.

use std::panic::Location;

/// What an action hands on: a zip archive in the pipeline's artifact store. Actions make it, actions take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    name: String,
    at: &'static Location<'static>,
}

impl Artifact {
    #[track_caller]
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            at: Location::caller(),
        }
    }

    /// The name that CodePipeline knows it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The line that made it.
    pub(super) const fn at(&self) -> &'static Location<'static> {
        self.at
    }

    /// A file within it, by its path from the archive's root.
    #[track_caller]
    pub fn file(&self, path: impl Into<String>) -> ArtifactFile {
        ArtifactFile {
            artifact: self.clone(),
            path: path.into(),
            at: Location::caller(),
        }
    }

    /// The bucket that it is stored in, for a parameter of a stack.
    pub fn bucket_name(&self) -> ArtifactAttribute {
        ArtifactAttribute {
            artifact: self.clone(),
            of: Of::Attribute("BucketName"),
        }
    }

    /// The key that it is stored under, for a parameter of a stack.
    pub fn object_key(&self) -> ArtifactAttribute {
        ArtifactAttribute {
            artifact: self.clone(),
            of: Of::Attribute("ObjectKey"),
        }
    }

    /// The value of a key in a JSON file within it, for a parameter of a stack.
    pub fn json_value(&self, file: impl Into<String>, key: impl Into<String>) -> ArtifactAttribute {
        ArtifactAttribute {
            artifact: self.clone(),
            of: Of::Parameter(file.into(), key.into()),
        }
    }
}

/// A file of an artifact, `Artifact::path`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ArtifactFile {
    pub(super) artifact: Artifact,
    pub(super) path: String,
    pub(super) at: &'static Location<'static>,
}

impl ArtifactFile {
    pub(super) fn location(&self) -> String {
        format!("{}::{}", self.artifact.name, self.path)
    }
}

/// Something of an artifact that a stack's parameter takes; known when the pipeline runs.
///
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-parameter-override-functions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ArtifactAttribute {
    pub(super) artifact: Artifact,
    of: Of,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Of {
    Attribute(&'static str),
    Parameter(String, String),
}

impl ArtifactAttribute {
    pub(super) fn json(&self) -> String {
        let name = self.artifact.name();
        match &self.of {
            Of::Attribute(attribute) => serde_json::json!({ "Fn::GetArtifactAtt": [name, attribute] }),
            Of::Parameter(file, key) => serde_json::json!({ "Fn::GetParam": [name, file, key] }),
        }
        .to_string()
    }
}
