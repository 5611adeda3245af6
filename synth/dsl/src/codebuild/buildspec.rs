//! [`Buildspec`]: the document, its checks, and its forms as a tree and as YAML.

use std::panic::Location;

use synth_aws::{Node, Object, Value};

use super::environment::{SecretReference, Shell, Variable, fault_of_name};
use super::output::{Artifacts, Cache, Report};
use super::phase::{Phase, PhaseName, Runtime};
use super::provided::Environment;
use crate::Fault;
use crate::render;

/// A buildspec of version 0.2.
///
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>
#[derive(Debug, Clone)]
#[must_use]
pub struct Buildspec {
    shell: Option<Shell>,
    environment: Vec<Provided>,
    exported: Vec<(Variable, &'static Location<'static>)>,
    sourced: Vec<Variable>,
    runtimes: Vec<(Runtime, String)>,
    phases: Vec<(PhaseName, Phase)>,
    reports: Vec<Report>,
    artifacts: Option<Artifacts>,
    secondary: Vec<(String, Artifacts)>,
    cache: Option<Cache>,
    at: &'static Location<'static>,
}

/// A variable of the buildspec's `env`.
#[derive(Debug, Clone)]
struct Provided {
    variable: Variable,
    from: Source,
    value: String,
    at: &'static Location<'static>,
}

/// The mapping of `env` that a variable stands in, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Variables,
    ParameterStore,
    SecretsManager,
}

impl Buildspec {
    /// A buildspec in which nothing happens yet.
    #[track_caller]
    #[expect(
        clippy::new_without_default,
        reason = "a buildspec without phases is a fault, not a default"
    )]
    pub fn new() -> Self {
        Self {
            shell: None,
            environment: Vec::new(),
            exported: Vec::new(),
            sourced: Vec::new(),
            runtimes: Vec::new(),
            phases: Vec::new(),
            reports: Vec::new(),
            artifacts: None,
            secondary: Vec::new(),
            cache: None,
            at: Location::caller(),
        }
    }

    /// The shell that runs the commands.
    pub const fn shell(mut self, shell: Shell) -> Self {
        self.shell = Some(shell);
        self
    }

    /// A variable in plain text. One of the same name on the project or the action wins over it.
    #[track_caller]
    pub fn variable(self, variable: Variable, value: impl Into<String>) -> Self {
        self.provide(variable, Source::Variables, value.into(), Location::caller())
    }

    /// A variable whose value CodeBuild fetches from that parameter of Systems Manager.
    #[track_caller]
    pub fn parameter_store(self, variable: Variable, parameter: impl Into<String>) -> Self {
        self.provide(variable, Source::ParameterStore, parameter.into(), Location::caller())
    }

    /// A variable whose value CodeBuild fetches from Secrets Manager.
    #[track_caller]
    pub fn secrets_manager(self, variable: Variable, reference: &SecretReference) -> Self {
        self.provide(
            variable,
            Source::SecretsManager,
            reference.to_string(),
            Location::caller(),
        )
    }

    /// Hands a variable's last value on to the pipeline, where later actions refer to it by the action's namespace.
    #[track_caller]
    pub fn export(mut self, variable: Variable) -> Self {
        self.exported.push((variable, Location::caller()));
        self
    }

    /// Says that a script which the commands source or evaluate sets this variable: the check cannot see into it.
    pub fn sourced(mut self, variable: Variable) -> Self {
        self.sourced.push(variable);
        self
    }

    /// A runtime that CodeBuild's own images install in the `install` phase, such as `3.12` of Python.
    pub fn runtime_version(mut self, runtime: Runtime, version: impl Into<String>) -> Self {
        self.runtimes.push((runtime, version.into()));
        self
    }

    /// The phase `install`.
    pub fn install(self, phase: Phase) -> Self {
        self.phase(PhaseName::Install, phase)
    }

    /// The phase `pre_build`.
    pub fn pre_build(self, phase: Phase) -> Self {
        self.phase(PhaseName::PreBuild, phase)
    }

    /// The phase `build`.
    pub fn build(self, phase: Phase) -> Self {
        self.phase(PhaseName::Build, phase)
    }

    /// The phase `post_build`.
    pub fn post_build(self, phase: Phase) -> Self {
        self.phase(PhaseName::PostBuild, phase)
    }

    /// A report.
    pub fn report(mut self, report: Report) -> Self {
        self.reports.push(report);
        self
    }

    /// The primary artifact; the one that a pipeline's action with a single output artifact hands on.
    pub fn artifacts(mut self, artifacts: Artifacts) -> Self {
        self.artifacts = Some(artifacts);
        self
    }

    /// An artifact by identifier. A pipeline's action with several output artifacts takes each from the secondary
    /// artifact of the same name.
    pub fn secondary_artifacts(mut self, identifier: impl Into<String>, artifacts: Artifacts) -> Self {
        self.secondary.push((identifier.into(), artifacts));
        self
    }

    /// What later builds find again.
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    fn provide(mut self, variable: Variable, from: Source, value: String, at: &'static Location<'static>) -> Self {
        self.environment.push(Provided {
            variable,
            from,
            value,
            at,
        });
        self
    }

    fn phase(mut self, name: PhaseName, phase: Phase) -> Self {
        self.phases.push((name, phase));
        self.phases.sort_by_key(|(name, _)| *name);
        self
    }

    /// All faults, given the names of the variables that the project and the pipeline's action provide.
    ///
    /// Every variable that a command reads must be provided by them, by the buildspec's `env`, by CodeBuild or the shell,
    /// or by an earlier command.
    pub fn check(&self, provided: &[&str]) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_environment(&mut faults);
        self.check_phases(&mut faults);
        self.check_output(&mut faults);
        let own = self
            .environment
            .iter()
            .map(|provided| provided.variable)
            .chain(self.sourced.iter().copied());
        let mut environment = Environment::new(
            own.map(|variable| -> &str { variable.name() })
                .chain(provided.iter().copied()),
        );
        for (name, phase) in &self.phases {
            for command in phase.all() {
                environment.run(*name, command, &mut faults);
            }
        }
        for (variable, at) in &self.exported {
            if !environment.provides(variable.name()) {
                let message = format!(
                    "{} is exported, but nothing provides it and no command sets it",
                    variable.name()
                );
                faults.push(Fault::new(message).at(at).path("env.exported-variables"));
            }
        }
        faults
    }

    fn check_environment(&self, faults: &mut Vec<Fault>) {
        for (index, provided) in self.environment.iter().enumerate() {
            let name = provided.variable.name();
            let path = format!("env.{}.{name}", provided.from.key());
            if let Some(message) = fault_of_name(name) {
                faults.push(Fault::new(message).at(provided.at).path(&*path));
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
                faults.push(Fault::new(message).at(provided.at).path(path));
            }
        }
    }

    fn check_phases(&self, faults: &mut Vec<Fault>) {
        if self.phases.is_empty() {
            let help = "give it a phase, such as `.build(Phase::new([\"make test\"]))`";
            faults.push(
                Fault::new("the buildspec has no phase with commands")
                    .at(self.at)
                    .path("phases")
                    .help(help),
            );
        }
        for (index, (name, phase)) in self.phases.iter().enumerate() {
            let path = format!("phases.{name}");
            if let Some((_, first)) = self.phases[..index].iter().find(|(earlier, _)| earlier == name) {
                let message = format!(
                    "the phase is given twice, first at {}:{}",
                    first.at.file(),
                    first.at.line()
                );
                faults.push(Fault::new(message).at(phase.at).path(&*path));
            }
            if phase.commands.is_empty() {
                let help = "give it a command or leave it out";
                faults.push(
                    Fault::new("the phase has no commands")
                        .at(phase.at)
                        .path(&*path)
                        .help(help),
                );
            }
            for command in phase.all().filter(|command| command.text.trim().is_empty()) {
                faults.push(Fault::new("a command is empty").at(command.at).path(&*path));
            }
        }
    }

    fn check_output(&self, faults: &mut Vec<Fault>) {
        for (index, report) in self.reports.iter().enumerate() {
            report.check(faults);
            if self.reports[..index]
                .iter()
                .any(|earlier| earlier.group == report.group)
            {
                let path = format!("reports.{}", report.group);
                faults.push(Fault::new("the report group is given twice").at(report.at).path(path));
            }
        }
        if let Some(artifacts) = &self.artifacts {
            artifacts.check("artifacts", faults);
        }
        for (index, (identifier, artifacts)) in self.secondary.iter().enumerate() {
            let path = format!("artifacts.secondary-artifacts.{identifier}");
            artifacts.check(&path, faults);
            if identifier.is_empty()
                || !identifier
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
            {
                let message =
                    format!("{identifier:?} is no artifact identifier, allowed are letters, digits, `_` and `-`");
                faults.push(Fault::new(message).at(artifacts.at).path(&*path));
            }
            if self.secondary[..index].iter().any(|(earlier, _)| earlier == identifier) {
                faults.push(
                    Fault::new("the artifact identifier is given twice")
                        .at(artifacts.at)
                        .path(path),
                );
            }
        }
        if let Some(cache) = &self.cache {
            cache.check(faults);
        }
    }

    /// The names of the variables that are handed on to the pipeline.
    pub fn exported_variables(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.exported.iter().map(|(variable, _)| variable.name())
    }

    /// Whether there is a primary artifact.
    pub const fn has_artifacts(&self) -> bool {
        self.artifacts.is_some()
    }

    /// The identifiers of the secondary artifacts.
    pub fn secondary_identifiers(&self) -> impl Iterator<Item = &str> {
        self.secondary.iter().map(|(identifier, _)| identifier.as_str())
    }

    /// The document as a tree, for a renderer.
    pub fn node(&self) -> Node {
        let mut spec = Object::new().with("version", Node::Number(0.2));
        let env = self.env();
        if !env.is_empty() {
            spec.set("env", env.into());
        }
        spec.set("phases", self.phases_node());
        if !self.reports.is_empty() {
            let mut reports = Object::new();
            for report in &self.reports {
                reports.set(report.group.clone(), report.node());
            }
            spec.set("reports", reports.into());
        }
        let mut artifacts = self.artifacts.as_ref().map(Artifacts::object).unwrap_or_default();
        if !self.secondary.is_empty() {
            let mut secondary = Object::new();
            for (identifier, artifacts) in &self.secondary {
                secondary.set(identifier.clone(), artifacts.object().into());
            }
            artifacts.set("secondary-artifacts", secondary.into());
        }
        if !artifacts.is_empty() {
            spec.set("artifacts", artifacts.into());
        }
        if let Some(cache) = &self.cache {
            spec.set("cache", cache.node());
        }
        spec.into()
    }

    fn env(&self) -> Object {
        let mut env = Object::new();
        if let Some(shell) = self.shell {
            env.set("shell", shell.tag().into());
        }
        for from in [Source::Variables, Source::ParameterStore, Source::SecretsManager] {
            let mut variables = Object::new();
            for provided in self.environment.iter().filter(|provided| provided.from == from) {
                variables.set(provided.variable.name(), provided.value.clone().into());
            }
            if !variables.is_empty() {
                env.set(from.key(), variables.into());
            }
        }
        if !self.exported.is_empty() {
            env.set(
                "exported-variables",
                Node::List(self.exported_variables().map(Node::from).collect()),
            );
        }
        env
    }

    fn phases_node(&self) -> Node {
        let mut phases = Object::new();
        if !self.runtimes.is_empty() {
            let mut runtimes = Object::new();
            for (runtime, version) in &self.runtimes {
                runtimes.set(runtime.key(), version.clone().into());
            }
            phases.set("install", Object::new().with("runtime-versions", runtimes).into());
        }
        for (name, phase) in &self.phases {
            let mut object = phases
                .remove(name.key())
                .and_then(|node| node.as_object().cloned())
                .unwrap_or_default();
            phase.fill(&mut object);
            phases.set(name.key(), object.into());
        }
        phases.into()
    }

    /// The document as YAML, without any check.
    pub fn yaml(&self) -> String {
        // A tree of text, lists and maps with text keys always serializes.
        render::yaml(&self.node()).unwrap_or_default()
    }

    /// The `BuildSpec` of a project whose builds have these variables, from the project itself and from the pipeline's
    /// action. Every fault of [`check`](Self::check) becomes one of the property.
    pub fn given(self, provided: &[&str]) -> Value<String> {
        let faults = self.check(provided);
        if faults.is_empty() {
            return Value::from(self.yaml());
        }
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Value::invalid(faults.join("\n"))
    }
}

impl From<Buildspec> for Value<String> {
    /// The `BuildSpec` of a project that provides no variable.
    fn from(spec: Buildspec) -> Self {
        spec.given(&[])
    }
}

impl Source {
    const fn key(self) -> &'static str {
        match self {
            Self::Variables => "variables",
            Self::ParameterStore => "parameter-store",
            Self::SecretsManager => "secrets-manager",
        }
    }
}
