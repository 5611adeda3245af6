//! Folders of sources that stay where they are from build to build, so that cargo builds only what has changed.
//!
//! Cargo goes by time stamps, and every extracted archive has new ones. So a folder is not extracted anew but made equal to what it
//! should hold: what differs is written, what is too much is removed, and all else keeps its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use super::failed;
use crate::Error;

/// A file's content and whether it is executable.
pub type Files = BTreeMap<PathBuf, (Vec<u8>, bool)>;

/// The files of this repository's working tree that git knows or would take, as a commit of all of them would hold them.
///
/// # Errors
/// [`Error::Unavailable`] without git or where this is no repository; others where a file cannot be read.
pub fn repository() -> Result<Files, Error> {
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
    let mut files = Files::new();
    for name in listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = PathBuf::from(std::ffi::OsString::from_vec(name.to_vec()));
        let path = root.join(&name);
        match fs::read(&path) {
            Ok(content) => files.insert(name, (content, executable(&path))),
            // Removed, but not from the index yet.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => None,
            Err(fault) => return Err(failed("read", &path, fault)),
        };
    }
    Ok(files)
}

fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o100 != 0)
}

/// Makes `folder` hold these files and nothing else.
///
/// # Errors
/// Where the folder cannot be read or written.
pub fn refresh(folder: &Path, files: &Files) -> Result<(), Error> {
    let folders: BTreeSet<&Path> = files.keys().flat_map(|name| name.ancestors().skip(1)).collect();
    fs::create_dir_all(folder).map_err(|source| failed("make", folder, source))?;
    remove_others(folder, Path::new(""), files, &folders)?;
    for (name, (content, executable)) in files {
        let path = folder.join(name);
        let mode = if *executable { 0o755 } else { 0o644 };
        let same_mode = fs::metadata(&path).is_ok_and(|about| about.permissions().mode() & 0o777 == mode);
        if same_mode && fs::read(&path).is_ok_and(|there| there == *content) {
            continue;
        }
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, content))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|source| failed("write", &path, source))?;
    }
    Ok(())
}

fn remove_others(root: &Path, below: &Path, files: &Files, folders: &BTreeSet<&Path>) -> Result<(), Error> {
    let here = root.join(below);
    let listed = fs::read_dir(&here).map_err(|source| failed("list", &here, source))?;
    for entry in listed.flatten() {
        let (name, path) = (below.join(entry.file_name()), entry.path());
        // A link is no folder, whatever it leads to.
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if folder && folders.contains(name.as_path()) {
            remove_others(root, &name, files, folders)?;
            Ok(())
        } else if folder {
            fs::remove_dir_all(&path)
        } else if files.contains_key(&name) && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            Ok(())
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|source| failed("remove", &path, source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(given: &[(&str, &str, bool)]) -> Files {
        given
            .iter()
            .map(|(name, text, executable)| (PathBuf::from(name), (text.as_bytes().to_vec(), *executable)))
            .collect()
    }

    #[test]
    fn what_is_the_same_keeps_its_time_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let time = |name: &str| fs::metadata(at(name)).unwrap().modified().unwrap();
        refresh(
            folder.path(),
            &files(&[
                ("a/same", "1", false),
                ("a/other", "1", false),
                ("run", "", false),
                ("b", "x", false),
            ]),
        )
        .unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        for name in ["a/same", "a/other"] {
            fs::File::options()
                .write(true)
                .open(at(name))
                .unwrap()
                .set_modified(long_ago)
                .unwrap();
        }
        fs::create_dir_all(at("out/deep")).unwrap();
        fs::write(at("out/deep/built"), "").unwrap();
        std::os::unix::fs::symlink("a", at("link")).unwrap();
        refresh(
            folder.path(),
            &files(&[
                ("a/same", "1", false),
                ("a/other", "2", false),
                ("run", "", true),
                ("b/c", "x", false),
            ]),
        )
        .unwrap();
        assert_eq!(time("a/same"), long_ago);
        assert!(time("a/other") > long_ago);
        assert!(executable(&at("run")));
        assert!(at("b/c").is_file() && !at("out").exists() && !at("link").is_symlink());
        assert!(at("a/same").is_file());
    }

    #[test]
    fn the_repository_is_copied_without_what_it_builds() {
        let Some(files) = crate::or_skip("the repository's files", repository()) else {
            return;
        };
        assert!(files.contains_key(Path::new("testing/src/toolbox/sources.rs")));
        assert!(files[Path::new("testing/dynamodb/load.sh")].1, "it is executable");
        assert!(
            !files
                .keys()
                .any(|name| name.starts_with("target") || name.starts_with(".git/"))
        );
    }
}
