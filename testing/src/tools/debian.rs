//! Apache Velocity 1.7 from Debian's packages: the registries for Python and Node carry no build of the engine that API Gateway runs.
//!
//! The packages are downloaded and unpacked by the user who runs the test, never installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use super::{
    folder, hex, install,
    run::{step, word_of},
};
use crate::Error;

const TOOL: &str = "velocity-jars";

struct Package {
    name: &'static str,
    version: &'static str,
    sha256: &'static str,
    jar: &'static str,
}

// When Debian replaces one of these, `apt-get download NAME` fetches the new file and `sha256sum` gives its hash.
const PACKAGES: [Package; 3] = [
    Package {
        name: "velocity",
        version: "1.7-6",
        sha256: "540f327f3cf022069bdeb8a6050a474a6e9bd2bb868596f9f640809f29535998",
        jar: "usr/share/java/velocity.jar",
    },
    Package {
        name: "libcommons-lang-java",
        version: "2.6-10+deb12u1",
        sha256: "023a17539af0df71970143df78a76c8a08ab79d08d82958a179eb0663fbcff95",
        jar: "usr/share/java/commons-lang-2.6.jar",
    },
    Package {
        name: "libcommons-collections3-java",
        version: "3.2.2-2",
        sha256: "3d016a422de234da2e1704f8f2f19462dd50d8d73742a76af3234a4af72e736c",
        jar: "usr/share/java/commons-collections3-3.2.2.jar",
    },
];

/// The engine's jar and those it needs, in class path order.
///
/// # Errors
/// [`Error::Unavailable`] without `apt-get` and `dpkg-deb`, or where Debian's archive no longer offers the pinned versions;
/// [`Error::Hash`] when a package is not the pinned one.
pub fn velocity_jars() -> Result<Vec<PathBuf>, Error> {
    let pins: Vec<&[u8]> = PACKAGES.iter().map(|package| package.sha256.as_bytes()).collect();
    let installed = install(&folder()?, TOOL, &pins, |draft| {
        for program in ["apt-get", "dpkg-deb"] {
            if word_of(Command::new(program).arg("--version")).is_none() {
                return Err(Error::Unavailable {
                    tool: TOOL,
                    needs: format!("{program}, which Debian has"),
                });
            }
        }
        let lists = draft.join("apt");
        if download(draft, &[]).is_err() {
            // The machine has no package lists, or old ones: fetch them for this download only, which takes no privilege.
            let private = private_lists(&lists)?;
            let refreshed = apt(&private, &["update".into()], draft).and_then(|()| download(draft, &private));
            refreshed.map_err(|fault| Error::Unavailable {
                tool: TOOL,
                needs: format!("Debian's packages: {fault}"),
            })?;
            fs::remove_dir_all(&lists).map_err(|source| Error::Io {
                doing: "remove",
                path: lists,
                source,
            })?;
        }
        for package in &PACKAGES {
            let file = draft.join(format!("{}_{}_all.deb", package.name, package.version));
            verify(&file, package.sha256)?;
            step(TOOL, Command::new("dpkg-deb").arg("-x").arg(&file).arg(draft))?;
        }
        Ok(())
    })?;
    Ok(PACKAGES.iter().map(|package| installed.join(package.jar)).collect())
}

fn download(draft: &Path, options: &[String]) -> Result<(), Error> {
    let mut words = vec!["download".to_owned()];
    words.extend(
        PACKAGES
            .iter()
            .map(|package| format!("{}={}", package.name, package.version)),
    );
    apt(options, &words, draft)
}

fn apt(options: &[String], words: &[String], folder: &Path) -> Result<(), Error> {
    let mut command = Command::new("apt-get");
    // The sandbox user of apt may not write into the target folder.
    command
        .args(["-qq", "-o", "APT::Sandbox::User="])
        .args(options)
        .args(words)
        .current_dir(folder);
    step(TOOL, &mut command)
}

fn private_lists(folder: &Path) -> Result<Vec<String>, Error> {
    let mut options = Vec::new();
    for (setting, name) in [("Dir::State::lists", "lists"), ("Dir::Cache", "cache")] {
        let path = folder.join(name);
        let partial = path.join(if name == "lists" { "partial" } else { "archives/partial" });
        fs::create_dir_all(&partial).map_err(|source| Error::Io {
            doing: "make",
            path: partial,
            source,
        })?;
        options.extend(["-o".to_owned(), format!("{setting}={}", path.display())]);
    }
    Ok(options)
}

fn verify(file: &Path, expected: &'static str) -> Result<(), Error> {
    let bytes = fs::read(file).map_err(|source| Error::Io {
        doing: "read",
        path: file.to_owned(),
        source,
    })?;
    let found = hex(&Sha256::digest(bytes));
    let name = || file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if found == expected {
        Ok(())
    } else {
        Err(Error::Hash {
            file: name(),
            found,
            expected,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_is_not_the_pinned_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("velocity_1.7-6_all.deb");
        fs::write(&file, "something else").unwrap();
        let fault = verify(&file, PACKAGES[0].sha256).unwrap_err();
        assert!(
            fault.to_string().starts_with("velocity_1.7-6_all.deb has SHA-256 "),
            "{fault}"
        );
    }
}
