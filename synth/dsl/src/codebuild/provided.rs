//! Which environment variables a command may read: who provides what.

use std::collections::BTreeSet;

use super::phase::{Command, PhaseName};
use super::shell::{Use, uses};
use super::spelling::closest;
use crate::Fault;

/// The variables that CodeBuild sets, see
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html>, and the one that containers within a
/// build need for its credentials.
const CODEBUILD: [&str; 25] = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CODEBUILD_BATCH_BUILD_IDENTIFIER",
    "CODEBUILD_BUILD_ARN",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_BUILD_IMAGE",
    "CODEBUILD_BUILD_NUMBER",
    "CODEBUILD_BUILD_SUCCEEDING",
    "CODEBUILD_INITIATOR",
    "CODEBUILD_KMS_KEY_ID",
    "CODEBUILD_LOG_PATH",
    "CODEBUILD_PUBLIC_BUILD_URL",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "CODEBUILD_SOURCE_REPO_URL",
    "CODEBUILD_SOURCE_VERSION",
    "CODEBUILD_SRC_DIR",
    "CODEBUILD_START_TIME",
    "CODEBUILD_WEBHOOK_ACTOR_ACCOUNT_ID",
    "CODEBUILD_WEBHOOK_BASE_REF",
    "CODEBUILD_WEBHOOK_EVENT",
    "CODEBUILD_WEBHOOK_HEAD_REF",
    "CODEBUILD_WEBHOOK_MERGE_COMMIT",
    "CODEBUILD_WEBHOOK_PREV_COMMIT",
    "CODEBUILD_WEBHOOK_TRIGGER",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/// The variables that a shell in CodeBuild's images has.
const SHELL: [&str; 24] = [
    "BASHPID",
    "BASH_SOURCE",
    "BASH_VERSION",
    "EUID",
    "FUNCNAME",
    "HOME",
    "HOSTNAME",
    "IFS",
    "LANG",
    "LINENO",
    "OLDPWD",
    "OPTARG",
    "OPTIND",
    "PATH",
    "PIPESTATUS",
    "PPID",
    "PWD",
    "RANDOM",
    "REPLY",
    "SECONDS",
    "SHELL",
    "SHLVL",
    "TERM",
    "UID",
];

/// Follows a buildspec's commands in their order and collects the variables that nothing provides.
pub(super) struct Environment {
    provided: BTreeSet<String>,
}

impl Environment {
    pub(super) fn new<'a>(provided: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            provided: provided.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Whether a command that runs now could read the variable.
    pub(super) fn provides(&self, name: &str) -> bool {
        self.provided.contains(name) || CODEBUILD.contains(&name) || SHELL.contains(&name)
    }

    /// Runs one command in thought: what it reads must be there, what it sets is there from now on.
    pub(super) fn run(&mut self, phase: PhaseName, command: &Command, faults: &mut Vec<Fault>) {
        let mut named = BTreeSet::new();
        for found in uses(&command.text) {
            match found {
                Use::Set(name) => {
                    self.provided.insert(name);
                }
                Use::Read(name) if !self.provides(&name) && named.insert(name.clone()) => {
                    faults.push(self.missing(phase, command, &name));
                }
                Use::Read(_) => {}
            }
        }
    }

    fn missing(&self, phase: PhaseName, command: &Command, name: &str) -> Fault {
        let shown = shown(&command.text);
        let path = format!("phases.{phase}");
        let fault = |message| Fault::new(message).at(command.at).path(path);
        if name.starts_with("CODEBUILD_") {
            let help = closest(name, CODEBUILD).map(|near| format!("did you mean {near}?"));
            let mut fault = fault(format!(
                "`{shown}` reads {name}, which is none of the variables that CodeBuild documents"
            ));
            fault.help = help;
            return fault;
        }
        let provided: Vec<&str> = self.provided.iter().map(String::as_str).collect();
        let list = if provided.is_empty() {
            "none".to_owned()
        } else {
            provided.join(", ")
        };
        let fault = fault(format!(
            "`{shown}` reads {name}, which nothing provides; provided are: {list}"
        ));
        match closest(name, provided.iter().copied().chain(CODEBUILD).chain(SHELL)) {
            Some(near) => fault.help(format!("did you mean {near}?")),
            None => fault.help(format!(
                "provide {name} in the buildspec's env, on the project or on the pipeline's action, or set it in an earlier command"
            )),
        }
    }
}

/// The first line of a command, cut where it gets too long for a message.
fn shown(command: &str) -> String {
    const LIMIT: usize = 72;
    let line = command.trim().lines().next().unwrap_or_default();
    if line.chars().count() == command.trim().chars().count() && line.chars().count() <= LIMIT {
        return line.to_owned();
    }
    format!("{}…", line.chars().take(LIMIT).collect::<String>().trim_end())
}
