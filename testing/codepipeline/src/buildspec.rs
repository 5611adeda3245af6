//! Buildspecs of version 0.2, as far as they can be run on this machine; everything else is refused with its reason.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html>

use serde_json::Value;

use crate::build::PhaseKind;
use crate::fault::Faults;
use crate::reader::{Case, Node, Notes};

/// What a build does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buildspec {
    /// What runs the commands.
    pub shell: Shell,
    /// The environment variables with the lowest precedence.
    pub variables: Vec<(String, String)>,
    /// The environment variables whose values at the end are handed on.
    pub exported: Vec<String>,
    /// The phases that have commands, in the order in which they run.
    pub phases: Vec<PhaseSpec>,
    /// The test reports that are collected.
    pub reports: Vec<ReportSpec>,
    /// What is handed on.
    pub artifacts: Option<ArtifactSpec>,
    /// What is handed on besides, by identifier.
    pub secondary: Vec<(String, ArtifactSpec)>,
}

/// What runs the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// `/bin/sh`
    Sh,
    /// `bash`
    Bash,
}

/// One phase's commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseSpec {
    /// Which phase: `INSTALL`, `PRE_BUILD`, `BUILD` or `POST_BUILD`.
    pub kind: PhaseKind,
    /// The commands, up to the first that fails.
    pub commands: Vec<String>,
    /// Commands that run afterwards in any case.
    pub finally: Vec<String>,
    /// What a failure leads to, if it is said.
    pub on_failure: Option<OnFailure>,
}

/// What a failed phase leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// No further phase runs.
    Abort,
    /// The next phase runs.
    Continue,
}

/// A test report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSpec {
    /// The report group's name, or its ARN.
    pub name: String,
    /// Patterns of its files.
    pub files: Vec<String>,
    /// The folder that they are relative to.
    pub base: String,
}

/// What is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactSpec {
    /// Patterns of its files.
    pub files: Vec<String>,
    /// Patterns of files that are left out.
    pub exclude: Vec<String>,
    /// The folder that they are relative to.
    pub base: String,
    /// Whether all files stand at the archive's root.
    pub discard_paths: bool,
    /// Whether symbolic links stay links; else their targets are taken.
    pub symlinks: bool,
}

impl Buildspec {
    /// Reads a buildspec in YAML, or in JSON, which is YAML.
    ///
    /// # Errors
    /// All that is wrong with it, or not supported here.
    pub fn read(text: &str) -> Result<Self, Faults> {
        let notes = Notes::default();
        // First as YAML: serde_json keeps the last of two equal keys, this refuses them.
        let value = serde_yaml::from_str::<serde_yaml::Value>(text)
            .map_err(|fault| fault.to_string())
            .and_then(|yaml| serde_json::to_value(yaml).map_err(|fault| fault.to_string()));
        let buildspec = match value {
            Ok(value) => read(&Node::root(&value, Case::Exact, &notes)),
            Err(fault) => {
                notes.add("(root)", format!("is no YAML: {fault}"), "mend the YAML");
                None
            }
        };
        notes.conclude("the buildspec", buildspec)
    }
}

fn read(root: &Node<'_>) -> Option<Buildspec> {
    root.only(&[
        "version",
        "run-as",
        "env",
        "proxy",
        "batch",
        "phases",
        "reports",
        "artifacts",
        "cache",
    ]);
    for (name, reason) in [
        ("run-as", "all commands run as the user that runs the engine"),
        ("proxy", "there is no proxy"),
        ("batch", "batch builds are not run here"),
    ] {
        if let Some(node) = root.get(name) {
            node.fault(format!("is not supported here: {reason}"), "leave it out");
        }
    }
    if let Some(version) = root.need("version")
        && version.value.as_f64() != Some(0.2)
        && version.value.as_str() != Some("0.2")
    {
        version.fault(format!("is {}, supported is 0.2", version.value), "write version: 0.2");
    }
    let (shell, variables, exported) = root
        .get("env")
        .map_or((Shell::Sh, Vec::new(), Vec::new()), |node| env(&node));
    let phases = root.need("phases").map(|node| phases(&node)).unwrap_or_default();
    let reports = root.get("reports").map(|reports| reports.members()).unwrap_or_default();
    let reports = reports.iter().filter_map(|(name, node)| report(name, node)).collect();
    if let Some(cache) = root.get("cache") {
        cache.only(&["key", "fallback-keys", "action", "paths"]);
    }
    let artifacts = root.get("artifacts");
    let secondary = artifacts.as_ref().and_then(|node| node.get("secondary-artifacts"));
    let secondary = secondary.map(|secondary| secondary.members()).unwrap_or_default();
    let secondary = secondary
        .into_iter()
        .filter_map(|(name, node)| Some((name, artifact(&node)?)));
    Some(Buildspec {
        shell,
        variables,
        exported,
        phases,
        reports,
        secondary: secondary.collect(),
        artifacts: artifacts.and_then(|node| artifact(&node)),
    })
}

fn env(node: &Node<'_>) -> (Shell, Vec<(String, String)>, Vec<String>) {
    node.only(&[
        "shell",
        "variables",
        "parameter-store",
        "secrets-manager",
        "exported-variables",
        "git-credential-helper",
    ]);
    for name in ["parameter-store", "secrets-manager"] {
        if let Some(node) = node.get(name) {
            node.fault(
                "is not supported here: builds are given no secrets",
                "read it in a command, by the AWS CLI",
            );
        }
    }
    if let Some(helper) = node.get("git-credential-helper")
        && helper.truth() == Some(true)
    {
        helper.fault(
            "is yes, which is not supported here: there is no git source",
            "leave it out",
        );
    }
    let shell = node.get("shell").and_then(|shell| shell.one_of(&["bash", "/bin/sh"]));
    let shell = if shell.as_deref() == Some("bash") {
        Shell::Bash
    } else {
        Shell::Sh
    };
    let variables = node.get("variables").map(|variables| variables.members());
    let variables = variables.unwrap_or_default().into_iter().filter_map(|(name, value)| {
        if name.starts_with("CODEBUILD_") {
            value.fault(
                format!("sets {name}: CODEBUILD_ is CodeBuild's own prefix"),
                "rename the variable",
            );
        }
        Some((name, value.text()?))
    });
    let variables = variables.collect();
    let exported = node.get("exported-variables").map(|names| names.texts());
    (shell, variables, exported.unwrap_or_default())
}

fn phases(node: &Node<'_>) -> Vec<PhaseSpec> {
    const ORDER: [(&str, PhaseKind); 4] = [
        ("install", PhaseKind::Install),
        ("pre_build", PhaseKind::PreBuild),
        ("build", PhaseKind::Build),
        ("post_build", PhaseKind::PostBuild),
    ];
    node.only(&ORDER.map(|(name, _)| name));
    let phases = ORDER
        .iter()
        .filter_map(|(name, kind)| Some(phase(&node.get(name)?, *kind)));
    phases.collect()
}

fn phase(node: &Node<'_>, kind: PhaseKind) -> PhaseSpec {
    let install = kind == PhaseKind::Install;
    let mut known = vec!["on-failure", "commands", "finally"];
    if install {
        known.push("runtime-versions");
    }
    node.only(&known);
    let commands = |name: &str| node.get(name).map(|commands| commands.texts()).unwrap_or_default();
    if !install && node.get("commands").is_none() {
        node.fault("has no commands", "add commands or leave the phase out");
    }
    if install && let Some(versions) = node.get("runtime-versions") {
        // What the image would provide, this machine provides as it is.
        versions.members();
    }
    let on_failure = node.get("on-failure").and_then(|on| on.one_of(&["ABORT", "CONTINUE"]));
    PhaseSpec {
        kind,
        commands: commands("commands"),
        finally: commands("finally"),
        on_failure: on_failure.map(|on| match on.as_str() {
            "ABORT" => OnFailure::Abort,
            _ => OnFailure::Continue,
        }),
    }
}

fn report(name: &str, node: &Node<'_>) -> Option<ReportSpec> {
    node.only(&["files", "base-directory", "discard-paths", "file-format"]);
    if let Some(format) = node.get("file-format") {
        format.one_of(&["JUNITXML"]);
    }
    Some(ReportSpec {
        name: name.to_owned(),
        files: node.need("files")?.texts(),
        base: base(node),
    })
}

fn artifact(node: &Node<'_>) -> Option<ArtifactSpec> {
    node.only(&[
        "files",
        "name",
        "discard-paths",
        "base-directory",
        "exclude-paths",
        "enable-symlinks",
        "secondary-artifacts",
    ]);
    let yes = |name: &str| node.get(name).and_then(|value| value.truth()).unwrap_or(false);
    let exclude = node.get("exclude-paths").map(|paths| match paths.value {
        Value::String(path) => vec![path.clone()],
        _ => paths.texts(),
    });
    let symlinks = yes("enable-symlinks");
    let discard_paths = yes("discard-paths");
    let files = node.need("files")?;
    for file in files.list() {
        if file.value.as_str().is_some_and(|path| path.starts_with('/')) {
            file.fault(
                format!("is {}, which is outside of the source", file.value),
                "copy it into the source's folder",
            );
        }
    }
    Some(ArtifactSpec {
        files: files.texts(),
        exclude: exclude.unwrap_or_default(),
        base: base(node),
        discard_paths,
        symlinks,
    })
}

fn base(node: &Node<'_>) -> String {
    let Some(base) = node.get("base-directory") else {
        return ".".to_owned();
    };
    let text = base.text().unwrap_or_default();
    if text.contains(['*', '?', '[', '$']) {
        base.fault(
            format!("is `{text}`, supported is the path of one folder"),
            "name the folder",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_at_once_and_each_has_a_reason() {
        let faults = Buildspec::read(
            r#"
version: 0.1
run-as: builder
batch: {}
env: { shell: powershell.exe, parameter-store: { A: /a }, variables: { CODEBUILD_X: 1 } }
phases:
  test: { commands: [make] }
  build: { on-failure: RETRY, command: [make] }
reports: { unit: { files: ["*.json"], file-format: CUCUMBERJSON } }
"#,
        )
        .unwrap_err();
        let paths: Vec<&str> = faults.faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "run-as",
                "batch",
                "version",
                "env.parameter-store",
                "env.shell",
                "env.variables.CODEBUILD_X",
                "phases.test",
                "phases.build.command",
                "phases.build",
                "phases.build.on-failure",
                "reports.unit.file-format"
            ]
        );
        assert!(faults.to_string().contains("supported is ABORT, CONTINUE"), "{faults}");
    }

    #[test]
    fn phases_run_in_codebuilds_order_whatever_the_order_of_the_document() {
        let spec = Buildspec::read(
            "version: 0.2\nphases:\n  post_build: { commands: [c] }\n  install: { runtime-versions: { java: corretto21 } }\n  build: { commands: [b], finally: [f] }\n",
        )
        .unwrap();
        let kinds: Vec<PhaseKind> = spec.phases.iter().map(|phase| phase.kind).collect();
        assert_eq!(kinds, [PhaseKind::Install, PhaseKind::Build, PhaseKind::PostBuild]);
        assert_eq!(spec.phases[1].finally, ["f"]);
    }

    #[test]
    fn the_same_key_twice_is_refused() {
        assert!(
            Buildspec::read("version: 0.2\nphases: { build: { commands: [a] }, build: { commands: [b] } }").is_err()
        );
    }
}
