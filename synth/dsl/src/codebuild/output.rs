//! What a build leaves: reports, artifacts, caches.

use std::panic::Location;

use synth_aws::{Node, Object};

use crate::Fault;

/// The files of test or coverage results that CodeBuild shows in a report group.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.reports>
#[derive(Debug, Clone)]
#[must_use]
pub struct Report {
    pub(super) group: String,
    format: FileFormat,
    files: Vec<String>,
    base_directory: Option<String>,
    discard_paths: bool,
    pub(super) at: &'static Location<'static>,
}

impl Report {
    /// A report into the group of that name or ARN. CodeBuild puts the project's name and `-` in front of a name and
    /// creates the group if it does not exist. The files are patterns relative to the base directory.
    #[track_caller]
    pub fn new<F: Into<String>>(
        group: impl Into<String>,
        format: FileFormat,
        files: impl IntoIterator<Item = F>,
    ) -> Self {
        Self {
            group: group.into(),
            format,
            files: files.into_iter().map(Into::into).collect(),
            base_directory: None,
            discard_paths: false,
            at: Location::caller(),
        }
    }

    /// The directory that the files are looked for in; leaving it out looks in the source's root.
    pub fn base_directory(mut self, directory: impl Into<String>) -> Self {
        self.base_directory = Some(directory.into());
        self
    }

    /// Leaves the directories out of the names of the uploaded files.
    pub const fn discard_paths(mut self) -> Self {
        self.discard_paths = true;
        self
    }

    pub(super) fn node(&self) -> Node {
        let mut object = Object::new().with("files", texts(&self.files));
        if let Some(directory) = &self.base_directory {
            object.set("base-directory", directory.clone().into());
        }
        if self.discard_paths {
            object.set("discard-paths", "yes".into());
        }
        object.with("file-format", self.format.tag()).into()
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        let path = format!("reports.{}", self.group);
        if self.group.is_empty() {
            faults.push(Fault::new("the report group has no name").at(self.at).path("reports"));
        }
        if self.files.is_empty() {
            let help = "name the files, such as `reports/*.xml`";
            faults.push(Fault::new("the report has no files").at(self.at).path(path).help(help));
        }
    }
}

/// The formats of reports, see <https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html> for tests and
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/code-coverage-report.html> for coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// Test results as Cucumber writes them in JSON.
    CucumberJson,
    /// Test results as JUnit writes them.
    JunitXml,
    /// Test results as NUnit writes them.
    NunitXml,
    /// Test results as NUnit 3 writes them.
    Nunit3Xml,
    /// Test results as TestNG writes them.
    TestngXml,
    /// Test results as Visual Studio writes them.
    VisualStudioTrx,
    /// Coverage as Clover writes it.
    CloverXml,
    /// Coverage as Cobertura writes it.
    CoberturaXml,
    /// Coverage as JaCoCo writes it.
    JacocoXml,
    /// Coverage as SimpleCov writes it in JSON.
    Simplecov,
}

impl FileFormat {
    const fn tag(self) -> &'static str {
        match self {
            Self::CucumberJson => "CUCUMBERJSON",
            Self::JunitXml => "JUNITXML",
            Self::NunitXml => "NUNITXML",
            Self::Nunit3Xml => "NUNIT3XML",
            Self::TestngXml => "TESTNGXML",
            Self::VisualStudioTrx => "VISUALSTUDIOTRX",
            Self::CloverXml => "CLOVERXML",
            Self::CoberturaXml => "COBERTURAXML",
            Self::JacocoXml => "JACOCOXML",
            Self::Simplecov => "SIMPLECOV",
        }
    }
}

/// The files that the build hands on.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.artifacts>
#[derive(Debug, Clone)]
#[must_use]
pub struct Artifacts {
    pub(super) files: Vec<String>,
    exclude_paths: Vec<String>,
    base_directory: Option<String>,
    name: Option<String>,
    discard_paths: bool,
    pub(super) at: &'static Location<'static>,
}

impl Artifacts {
    /// The files that match these patterns, relative to the base directory; `**/*` is everything.
    #[track_caller]
    pub fn new<F: Into<String>>(files: impl IntoIterator<Item = F>) -> Self {
        Self {
            files: files.into_iter().map(Into::into).collect(),
            exclude_paths: Vec::new(),
            base_directory: None,
            name: None,
            discard_paths: false,
            at: Location::caller(),
        }
    }

    /// Leaves out what matches this pattern.
    pub fn exclude_path(mut self, pattern: impl Into<String>) -> Self {
        self.exclude_paths.push(pattern.into());
        self
    }

    /// The directory that the files are looked for in, itself left out of their names; leaving it out looks in the
    /// source's root.
    pub fn base_directory(mut self, directory: impl Into<String>) -> Self {
        self.base_directory = Some(directory.into());
        self
    }

    /// The artifact's name in S3, with the shell's expansions; of no effect in a pipeline.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Leaves the directories out of the names of the files.
    pub const fn discard_paths(mut self) -> Self {
        self.discard_paths = true;
        self
    }

    pub(super) fn object(&self) -> Object {
        let mut object = Object::new().with("files", texts(&self.files));
        if let Some(name) = &self.name {
            object.set("name", name.clone().into());
        }
        if self.discard_paths {
            object.set("discard-paths", "yes".into());
        }
        if let Some(directory) = &self.base_directory {
            object.set("base-directory", directory.clone().into());
        }
        if !self.exclude_paths.is_empty() {
            object.set("exclude-paths", texts(&self.exclude_paths));
        }
        object
    }

    pub(super) fn check(&self, path: &str, faults: &mut Vec<Fault>) {
        if self.files.is_empty() {
            let help = "name the files, such as `**/*`, or leave the artifacts out";
            faults.push(
                Fault::new("the artifacts have no files")
                    .at(self.at)
                    .path(path)
                    .help(help),
            );
        }
    }
}

/// The files that a later build finds again, in the project's S3 or local cache.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec.cache>
#[derive(Debug, Clone)]
#[must_use]
pub struct Cache {
    paths: Vec<String>,
    key: Option<String>,
    fallback_keys: Vec<String>,
    at: &'static Location<'static>,
}

impl Cache {
    /// The files that match these patterns.
    #[track_caller]
    pub fn new<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self {
            paths,
            key: None,
            fallback_keys: Vec::new(),
            at: Location::caller(),
        }
    }

    /// The key that the cache is saved under and looked for; leaving it out keeps one cache a project.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// A key to look for if there is no cache under [`key`](Self::key).
    pub fn fallback_key(mut self, key: impl Into<String>) -> Self {
        self.fallback_keys.push(key.into());
        self
    }

    pub(super) fn node(&self) -> Node {
        let mut object = Object::new();
        if let Some(key) = &self.key {
            object.set("key", key.clone().into());
        }
        if !self.fallback_keys.is_empty() {
            object.set("fallback-keys", texts(&self.fallback_keys));
        }
        object.with("paths", texts(&self.paths)).into()
    }

    pub(super) fn check(&self, faults: &mut Vec<Fault>) {
        if self.paths.is_empty() {
            let help = "name the paths, such as `/root/.cache/pip/**/*`, or leave the cache out";
            faults.push(
                Fault::new("the cache has no paths")
                    .at(self.at)
                    .path("cache")
                    .help(help),
            );
        }
        if self.key.is_none() && !self.fallback_keys.is_empty() {
            let help = "set the cache's key";
            faults.push(
                Fault::new("the cache has fallback keys but no key")
                    .at(self.at)
                    .path("cache")
                    .help(help),
            );
        }
    }
}

fn texts(texts: &[String]) -> Node {
    Node::List(texts.iter().map(|text| text.clone().into()).collect())
}
