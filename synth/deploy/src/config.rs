//! The configuration's file → the project, and the folder that it belongs to.

use std::path::{Path, PathBuf};
use std::{env, fs};

use deploy::Error;
use stacks::Project;

const CONFIGURATION: &str = "stacks/project.yaml";

/// Reads the configuration; the folder is the repository's, as far as it is known.
///
/// # Errors
/// *All* that is wrong with it.
pub(crate) fn load(named: Option<&Path>) -> Result<(Project, PathBuf), Error> {
    let (path, root) = match named {
        Some(path) => (path.to_owned(), found().map_or_else(PathBuf::new, |(_, root)| root)),
        None => found().ok_or_else(|| {
            Error::Unusable(format!("no {CONFIGURATION} here or in a folder above it up to the root of the repository\n  help: start in the repository, or name the file: `--config path/to/project.yaml`"))
        })?,
    };
    let text = fs::read_to_string(&path).map_err(|error| Error::Unreadable {
        path: path.clone(),
        why: error.to_string(),
        help: "name the project's configuration with `--config`; stacks/project.yaml is an example",
    })?;
    let project = Project::from_yaml(&text).map_err(|faults| {
        let faults: Vec<String> = faults
            .iter()
            .map(|fault| format!("{}: {fault}", path.display()))
            .collect();
        Error::Unusable(faults.join("\n"))
    })?;
    Ok((project, root))
}

/// The configuration here or in a folder above, and that folder.
fn found() -> Option<(PathBuf, PathBuf)> {
    let folder = env::current_dir().ok()?;
    for ancestor in folder.ancestors() {
        let path = ancestor.join(CONFIGURATION);
        if path.is_file() {
            return Some((path, ancestor.to_owned()));
        }
        if ancestor.join(".git").exists() {
            break;
        }
    }
    None
}
