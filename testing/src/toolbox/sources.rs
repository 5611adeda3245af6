//! A copy of this repository as a build gets it.

use std::{
    ffi::OsString, fs, io, os::unix::ffi::OsStringExt, os::unix::fs::PermissionsExt, path::Path, process::Command,
};

use codepipeline_local::archive::{self, Packed};

use super::failed;
use crate::Error;

/// An archive of this repository's working tree: the files that git knows or would take, as a commit of all of them would hold them.
///
/// # Errors
/// [`Error::Unavailable`] without git or where this is no repository; others where a file cannot be read.
pub fn repository() -> Result<Vec<u8>, Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(&root)
        .output();
    let listed = listed.ok().filter(|output| output.status.success());
    let listed = listed.ok_or_else(|| Error::Unavailable {
        tool: "a copy of the sources",
        needs: "git, and that the project is a git repository".to_owned(),
    })?;
    let mut files = Vec::new();
    for name in listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let path = root.join(OsString::from_vec(name.to_vec()));
        let about = match fs::symlink_metadata(&path) {
            // Removed, but not from the index yet.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => continue,
            about => about.map_err(|source| failed("look at", &path, source))?,
        };
        let content = if about.is_symlink() {
            fs::read_link(&path).map(|to| to.into_os_string().into_vec())
        } else {
            fs::read(&path)
        };
        files.push(Packed {
            path: String::from_utf8_lossy(name).into_owned(),
            mode: about.permissions().mode(),
            content: content.map_err(|source| failed("read", &path, source))?,
            link: about.is_symlink(),
        });
    }
    archive::pack(files).map_err(|fault| failed("pack", &root, io::Error::other(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_copied_without_what_it_builds() {
        let Some(archive) = crate::or_skip("the repository's files", repository()) else {
            return;
        };
        let names = archive::names(&archive).unwrap();
        for there in [
            "Cargo.lock",
            "testing/src/toolbox/sources.rs",
            "testing/dynamodb/load.sh",
        ] {
            assert!(names.iter().any(|name| name == there), "{there}");
        }
        assert!(
            !names
                .iter()
                .any(|name| name.starts_with("target/") || name.starts_with(".git/"))
        );
    }
}
