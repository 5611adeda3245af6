//! What lets a build's commands run unchanged on a machine without AWS and internet: a folder of commands that stands first on `PATH`.
//!
//! | command | is |
//! |---|---|
//! | `aws` | the AWS CLI, which is sent to the local AWS by the variables of [`crate::aws::Cloud::variables`] |
//! | `jq` | jq's library behind jq's options |
//! | `curl` | loopback over HTTP; Rust's installer and DynamoDB Local's download as stand-ins; everything else refused |
//! | `java` | `java -jar DynamoDBLocal.jar` alone: MiniStack's DynamoDB, which ends with the build |
//! | `zip`, `sha256sum` | themselves, in Python |
//!
//! They win over the machine's own, so that a build does the same on every machine; what they do not support they refuse. There is
//! no `cargo` among them: Rust builds for real. The commands of a build are its author's and run as the user who starts it, without a
//! fence: rehearse only what you would build.
//!
//! ```no_run
//! use codepipeline_local::ShellBuilder;
//!
//! let toolbox = testing::toolbox::Toolbox::install()?;
//! let cloud = testing::aws::Cloud::start()?;
//! let builder = ShellBuilder::new("target/builds").toolbox(toolbox.tools(cloud.variables("unit-test")));
//! # Ok::<(), testing::Error>(())
//! ```

mod sources;
mod turn;

pub use sources::repository;
pub use turn::Turn;

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use codepipeline_local::Tools;

use crate::{
    Error,
    tools::{self, Packages},
};

const TOOL: &str = "toolbox";
const SCRIPT: &str = include_str!("../../tools/build_tools.py");
/// The commands, and whose Python runs each.
const COMMANDS: [(&str, Packages); 6] = [
    ("aws", Packages::BuildTools),
    ("curl", Packages::BuildTools),
    ("java", Packages::MiniStack),
    ("jq", Packages::BuildTools),
    ("sha256sum", Packages::BuildTools),
    ("zip", Packages::BuildTools),
];
/// What a build is handed on of the environment: where a toolchain other than the usual one is, and the way to the crates.
const HANDED_ON: [&str; 11] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The installed commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolbox {
    folder: PathBuf,
}

impl Toolbox {
    /// Installs the commands into the target folder, where no earlier run did.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without Python; others where the installation fails.
    pub fn install() -> Result<Self, Error> {
        let mut shims = BTreeMap::new();
        for (name, packages) in COMMANDS {
            shims.insert(name, shim(name, &tools::python(packages)?));
        }
        let mut made_from = vec![SCRIPT.as_bytes()];
        made_from.extend(shims.values().map(String::as_bytes));
        let folder = tools::install(&tools::folder()?, TOOL, &made_from, |draft| {
            write(&draft.join("build_tools.py"), SCRIPT)?;
            let commands = draft.join("bin");
            fs::create_dir(&commands).map_err(|source| failed("make", &commands, source))?;
            for (name, text) in &shims {
                let file = commands.join(name);
                write(&file, text)?;
                fs::set_permissions(&file, fs::Permissions::from_mode(0o755))
                    .map_err(|source| failed("make executable", &file, source))?;
            }
            Ok(())
        })?;
        Ok(Self { folder })
    }

    /// The folder of the commands.
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// What a [`codepipeline_local::ShellBuilder`] gives builds: the commands, their variables with these besides, such as those of
    /// [`crate::aws::Cloud::variables`], and a folder for the sources.
    ///
    /// There is one folder for all builds of a checkout, and what cargo makes of it is kept beside it: builds wait for each other, and
    /// what has not changed since the last one is not built again.
    #[must_use]
    pub fn tools(&self, more: BTreeMap<String, String>) -> Tools {
        let mut variables = self.variables();
        variables.extend(more);
        Tools {
            path: vec![self.commands()],
            variables: variables.into_iter().collect(),
            source: Some(kept().join("source")),
        }
    }

    /// The variables of a build, to which come `HOME`, a folder of its own, and those of its project, its action and its AWS. Nothing
    /// else of the environment of whoever starts it belongs there. Rust and its crates are the user's.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let of_rust = |variable: &str, usual: &str| {
            let folder = env::var_os(variable).map_or_else(|| home.join(usual), PathBuf::from);
            (variable.to_owned(), shown(&folder))
        };
        let paths = env::var("PATH").unwrap_or_default();
        let own = [
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_PAGER", String::new()),
            ("CARGO_TARGET_DIR", shown(&kept().join("target"))),
            ("CARGO_TERM_COLOR", "never".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("PATH", format!("{}:{paths}", shown(&self.commands()))),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        HANDED_ON
            .into_iter()
            .filter_map(|name| env::var(name).ok().map(|value| (name.to_owned(), value)))
            .chain([of_rust("CARGO_HOME", ".cargo"), of_rust("RUSTUP_HOME", ".rustup")])
            .chain(own)
            .collect()
    }
}

/// What builds leave to the next one.
fn kept() -> PathBuf {
    tools::target().join("builds")
}

/// One command as a shell script: its Python sees no variables and no packages of the user's.
fn shim(name: &str, python: &Path) -> String {
    let python = python.display();
    if name == "aws" {
        format!("#!/bin/sh\nexec '{python}' -I -B -m awscli \"$@\"\n")
    } else {
        format!("#!/bin/sh\nexec '{python}' -I -B \"${{0%/*}}/../build_tools.py\" {name} \"$@\"\n")
    }
}

fn shown(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|source| failed("write", path, source))
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
