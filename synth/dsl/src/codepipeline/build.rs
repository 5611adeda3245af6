//! The CodeBuild action, and its buildspec's share in it.

use std::panic::Location;

use synth_aws::codepipeline::pipeline::{ActionCategory, ActionProvider};
use synth_aws::{Name, Value, codebuild as generated};

use super::action::{Action, Emits, Namespace, common_settings};
use super::artifact::Artifact;
use super::text;
use crate::Fault;
use crate::codebuild::{Buildspec, Variable, fault_of_name};

/// Runs a build of a project.
///
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct CodeBuild {
    action: Action,
    environment: Vec<EnvironmentVariable>,
    buildspec: Option<(Buildspec, Vec<String>)>,
}

#[derive(Debug, Clone)]
struct EnvironmentVariable {
    variable: Variable,
    value: Value<String>,
    kind: &'static str,
    at: &'static Location<'static>,
}

/// Whether the builds of a batch hand on one artifact together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchArtifacts {
    /// Each build's artifact stands in a folder of its own.
    Separate,
    /// One archive holds them all.
    Combined,
}

impl CodeBuild {
    /// A build (category `Build`) whose primary source is `source`: its root is `CODEBUILD_SRC_DIR`.
    #[track_caller]
    pub fn build(
        name: impl Into<String>,
        project: impl Into<Value<Name<generated::Project>>>,
        source: &Artifact,
    ) -> Self {
        Self::new(
            name.into(),
            ActionCategory::Build,
            project.into(),
            source,
            Location::caller(),
        )
    }

    /// A build that tests (category `Test`); it differs from [`build`](Self::build) in what the console shows.
    #[track_caller]
    pub fn test(
        name: impl Into<String>,
        project: impl Into<Value<Name<generated::Project>>>,
        source: &Artifact,
    ) -> Self {
        Self::new(
            name.into(),
            ActionCategory::Test,
            project.into(),
            source,
            Location::caller(),
        )
    }

    fn new(
        name: String,
        category: ActionCategory,
        project: Value<Name<generated::Project>>,
        source: &Artifact,
        at: &'static Location<'static>,
    ) -> Self {
        let mut action = Action::new(name, category, ActionProvider::CodeBuild, 5, at);
        action.set("ProjectName", project.into(), at);
        action.take(source, at);
        Self {
            action,
            environment: Vec::new(),
            buildspec: None,
        }
    }

    /// One more input, up to five in all. Its root is `CODEBUILD_SRC_DIR_` and the artifact's name.
    #[track_caller]
    pub fn input(mut self, artifact: &Artifact) -> Self {
        self.action.take(artifact, Location::caller());
        self
    }

    /// An artifact that the build hands on, up to five. A single one is the buildspec's primary artifact; of several each
    /// is the secondary artifact of the same name.
    #[track_caller]
    pub fn output(&mut self, artifact: impl Into<String>) -> Artifact {
        let artifact = Artifact::new(artifact);
        self.action.outputs.push(artifact.clone());
        artifact
    }

    /// Gives the variables that the buildspec exports a namespace, by which later actions refer to them.
    #[track_caller]
    pub fn namespace(&mut self, name: impl Into<String>) -> BuildVariables {
        let name = name.into();
        self.action.namespace = Some(Namespace {
            name: name.clone(),
            emits: Emits::Unknown,
            at: Location::caller(),
        });
        BuildVariables(name)
    }

    /// An environment variable of this build; it wins over the project's. The value may hold references to variables of
    /// earlier actions.
    #[track_caller]
    pub fn environment(self, variable: Variable, value: impl Into<Value<String>>) -> Self {
        self.provide(variable, value.into(), "PLAINTEXT", Location::caller())
    }

    /// An environment variable that CodeBuild fetches from Secrets Manager: a name or ARN and what may follow it, see
    /// [`SecretReference`](crate::codebuild::SecretReference).
    #[track_caller]
    pub fn secret_environment(self, variable: Variable, secret: impl Into<Value<String>>) -> Self {
        self.provide(variable, secret.into(), "SECRETS_MANAGER", Location::caller())
    }

    fn provide(
        mut self,
        variable: Variable,
        value: Value<String>,
        kind: &'static str,
        at: &'static Location<'static>,
    ) -> Self {
        self.environment.push(EnvironmentVariable {
            variable,
            value,
            kind,
            at,
        });
        self
    }

    /// The names of the variables that this action provides: its own, and the roots of its further inputs.
    pub fn provided(&self) -> Vec<String> {
        let own = self
            .environment
            .iter()
            .map(|provided| provided.variable.name().to_owned());
        let roots = self
            .action
            .inputs
            .iter()
            .skip(1)
            .map(|input| format!("CODEBUILD_SRC_DIR_{}", input.artifact.name()));
        own.chain(roots).collect()
    }

    /// Says which buildspec the project runs and which variables the project provides. The action then checks that
    /// everything the commands read is there, that what it hands on is what the buildspec makes, and that what later actions
    /// refer to is what the buildspec exports.
    pub fn buildspec(mut self, spec: &Buildspec, project_variables: &[&str]) -> Self {
        self.buildspec = Some((
            spec.clone(),
            project_variables.iter().map(|&name| name.to_owned()).collect(),
        ));
        self
    }

    /// Runs the buildspec's `batch`.
    #[track_caller]
    pub fn batch(mut self, artifacts: BatchArtifacts) -> Self {
        let at = Location::caller();
        self.action.set("BatchEnabled", "true".into(), at);
        if artifacts == BatchArtifacts::Combined {
            self.action.set("CombineArtifacts", "true".into(), at);
        }
        self
    }

    common_settings!();

    fn check_environment(&self, faults: &mut Vec<Fault>) {
        for (index, provided) in self.environment.iter().enumerate() {
            let name = provided.variable.name();
            if let Some(message) = fault_of_name(name) {
                faults.push(Fault::new(message).at(provided.at));
            }
            if let Some(first) = self.environment[..index]
                .iter()
                .find(|earlier| earlier.variable == provided.variable)
            {
                let message = format!(
                    "{name} is provided twice, first at {}:{}",
                    first.at.file(),
                    first.at.line()
                );
                faults.push(Fault::new(message).at(provided.at));
            }
        }
    }

    fn check_buildspec(&self, faults: &mut Vec<Fault>) {
        let Some((spec, project)) = &self.buildspec else { return };
        let own = self.provided();
        let provided: Vec<&str> = own.iter().chain(project).map(String::as_str).collect();
        faults.extend(spec.check(&provided));
        match self.action.outputs.as_slice() {
            [] => {}
            [only] if !spec.has_artifacts() => {
                let message = format!("hands on {}, but its buildspec has no primary artifact", only.name());
                faults.push(
                    Fault::new(message)
                        .at(only.at())
                        .help("give the buildspec `.artifacts(…)`"),
                );
            }
            [_] => {}
            several => {
                let identifiers: Vec<&str> = spec.secondary_identifiers().collect();
                for output in several.iter().filter(|output| !identifiers.contains(&output.name())) {
                    let message = format!(
                        "hands on {}, but its buildspec has no secondary artifact of that name",
                        output.name()
                    );
                    let help = format!("give the buildspec `.secondary_artifacts({:?}, …)`", output.name());
                    faults.push(Fault::new(message).at(output.at()).help(help));
                }
            }
        }
    }
}

impl From<CodeBuild> for Action {
    fn from(build: CodeBuild) -> Self {
        let mut faults = Vec::new();
        build.check_environment(&mut faults);
        build.check_buildspec(&mut faults);
        let CodeBuild {
            mut action,
            environment,
            buildspec,
        } = build;
        action.faults.extend(faults);
        if action.inputs.len() > 1 {
            let primary = Value::from(action.inputs[0].artifact.name());
            action.set("PrimarySource", primary, action.at);
        }
        if let Some(last) = environment.last() {
            let at = last.at;
            action.set("EnvironmentVariables", variables_text(&environment), at);
        }
        if let (Some(namespace), Some((spec, _))) = (&mut action.namespace, &buildspec) {
            namespace.emits = Emits::Only(spec.exported_variables().map(str::to_owned).collect());
        }
        action
    }
}

/// `[{"name":"…","value":"…","type":"…"}]`, the form that the action takes.
fn variables_text(environment: &[EnvironmentVariable]) -> Value<String> {
    let mut parts = vec![Value::from("[")];
    for (index, provided) in environment.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        parts.push(
            format!(
                "{comma}{{\"name\":\"{}\",\"value\":",
                text::escaped(provided.variable.name())
            )
            .into(),
        );
        parts.extend(text::string(&provided.value));
        parts.push(format!(",\"type\":\"{}\"}}", provided.kind).into());
    }
    parts.push("]".into());
    Value::concatenation(parts)
}

/// The variables that a build exports.
#[derive(Debug, Clone)]
pub struct BuildVariables(String);

impl BuildVariables {
    /// The value that the variable had at the end of the build.
    pub fn exported(&self, variable: Variable) -> Value<String> {
        format!("#{{{}.{}}}", self.0, variable.name()).into()
    }
}
