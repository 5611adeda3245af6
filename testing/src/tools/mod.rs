//! The external tools that tests run: each is pinned by a lock file in `testing/tools/`, installed once into `<target>/tools/`, and
//! found there by every later run.
//!
//! A folder of an installation is named by the hash of what it was made from, so a changed lock file installs anew and a folder that
//! exists is complete: it is built under another name and renamed. A file lock lets one process install while the others wait.
//! Never installs anything outside the target folder, and never uses a tool that the machine happens to have in another version.

mod debian;
mod node;
mod openapi;
mod python;
mod run;

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Instant,
};

use sha2::{Digest, Sha256};

pub use debian::velocity_jars;
pub use node::{node, node_modules, webhook_examples};
pub use openapi::github_description;
pub use python::{Packages, python};

pub(crate) use run::{answer, script};

use crate::{Error, skip::say};

/// `<target>/tools`, made if it is not there. Beside the tools it holds the record of skipped tests.
///
/// # Errors
/// When the folder cannot be made.
pub fn folder() -> Result<PathBuf, Error> {
    let folder = target().join("tools");
    fs::create_dir_all(&folder).map_err(|source| Error::Io {
        doing: "make",
        path: folder.clone(),
        source,
    })?;
    Ok(folder)
}

/// The workspace's target folder. Cargo marks it with a `CACHEDIR.TAG`, which is above every test binary wherever the folder was put;
/// documentation tests run from elsewhere, for them it is what the environment or the layout of the workspace says.
pub(crate) fn target() -> PathBuf {
    let marked = env::current_exe().ok().and_then(|program| {
        program
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .map(Path::to_owned)
    });
    marked
        .or_else(|| env::var_os("CARGO_TARGET_DIR").map(PathBuf::from))
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

/// The folder of `tool` in `folder`, built by `build` if no earlier run did. `made_from` is all that the result depends on.
pub(crate) fn install(
    folder: &Path,
    tool: &'static str,
    made_from: &[&[u8]],
    build: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let name = format!("{tool}-{}", hash_of_all(made_from));
    let finished = folder.join(&name);
    if finished.is_dir() {
        return Ok(finished);
    }

    let waiting_room = folder.join(format!("{tool}.lock"));
    let lock = File::create(&waiting_room)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| Error::Io {
            doing: "lock",
            path: waiting_room,
            source,
        })?;
    if finished.is_dir() {
        return Ok(finished);
    }

    let begun = Instant::now();
    say(&format!("testing: installing {tool} into {}", finished.display()));
    let draft = folder.join(format!("{name}.draft"));
    // A process that was killed leaves its draft behind; the lock says that nobody is working on it.
    if draft.exists() {
        fs::remove_dir_all(&draft).map_err(|source| Error::Io {
            doing: "remove",
            path: draft.clone(),
            source,
        })?;
    }
    fs::create_dir_all(&draft).map_err(|source| Error::Io {
        doing: "make",
        path: draft.clone(),
        source,
    })?;
    build(&draft)?;
    fs::rename(&draft, &finished).map_err(|source| Error::Io {
        doing: "rename",
        path: draft,
        source,
    })?;
    say(&format!(
        "testing: installed {tool} in {:.1} s",
        begun.elapsed().as_secs_f64()
    ));
    drop(lock);
    Ok(finished)
}

fn hash_of_all(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn the_target_folder_is_the_one_that_holds_this_test() {
        assert!(env::current_exe().unwrap().starts_with(target()));
    }

    #[test]
    fn many_that_wait_share_one_installation() {
        let folder = tempfile::tempdir().unwrap();
        let builds = AtomicUsize::new(0);
        thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    let installed = install(folder.path(), "toy", &[b"1"], |draft| {
                        builds.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(std::time::Duration::from_millis(20));
                        fs::write(draft.join("done"), "").unwrap();
                        Ok(())
                    });
                    assert!(installed.unwrap().join("done").is_file());
                });
            }
        });
        assert_eq!(builds.into_inner(), 1);
    }

    #[test]
    fn a_changed_lock_file_installs_anew() {
        let folder = tempfile::tempdir().unwrap();
        let first = install(folder.path(), "toy", &[b"lock 1"], |_| Ok(())).unwrap();
        let second = install(folder.path(), "toy", &[b"lock 2"], |_| Ok(())).unwrap();
        assert_ne!(first, second);
    }

    #[test]
    fn a_failed_installation_is_tried_again_from_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let failed = install(folder.path(), "toy", &[b"1"], |draft| {
            fs::write(draft.join("half"), "").unwrap();
            Err(Error::Unavailable {
                tool: "toy",
                needs: "luck".into(),
            })
        });
        assert!(failed.is_err());
        let installed = install(folder.path(), "toy", &[b"1"], |draft| {
            assert!(!draft.join("half").exists(), "the failed draft is still there");
            Ok(())
        });
        assert!(installed.unwrap().is_dir());
    }
}
