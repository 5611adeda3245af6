//! Replaces a folder by an emission, whole or not at all, and never takes away what this program did not write.
//!
//! The files are written into a folder beside the target. Only when all are there do the two folders change places, in one step
//! where the operating system can. So an interruption at any time leaves one whole emission; what it may leave besides, a folder
//! `.synth-…`, the next run removes.

use std::collections::BTreeMap;
use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::emit::Emission;
use crate::error::WriteError;
use crate::manifest::{self, Listing};

const NO_ROOM: &str = "free space or correct the permissions, or write elsewhere with `--out FOLDER`";

/// The files of a folder by path: what an earlier run wrote there.
pub(crate) type Contents = BTreeMap<String, Vec<u8>>;

/// Writes the emission into its folder under `out`; returns what was there before.
///
/// # Errors
/// Where the folder holds anything that this program did not write, or the file system refuses. The folder is as it was.
pub(crate) fn replace(out: &Path, emission: &Emission) -> Result<Contents, WriteError> {
    let target = out.join(&emission.name);
    let before = owned(&target)?;
    fs::create_dir_all(out).map_err(refused("create the folder", out))?;
    let _lock = lock(out)?;
    let prefix = format!(".synth-{}.", emission.name);
    remove_leftovers(out, &prefix);
    let staging = staging(out, &prefix).map_err(refused("create a folder in", out))?;
    // The manifest first: it marks the folder as ours even if nothing else gets written.
    let (manifest, others): (Vec<_>, Vec<_>) = emission.files.iter().partition(|file| file.path == manifest::FILE);
    for file in manifest.into_iter().chain(others) {
        let path = staging.path().join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(refused("create the folder", folder))?;
        }
        fs::write(&path, &file.text).map_err(refused("write", &path))?;
    }
    if target.exists() {
        exchange(staging.path(), &target).map_err(refused("replace", &target))?;
        // What was there before is in the staging folder now, which is removed with it.
    } else {
        fs::rename(staging.path(), &target).map_err(refused("create", &target))?;
        let _ = staging.keep();
    }
    Ok(before)
}

/// Every file under a folder, by its path with slashes; empty if there is no such folder.
///
/// # Errors
/// Where something cannot be read.
pub(crate) fn contents(folder: &Path) -> io::Result<Contents> {
    let mut contents = Contents::new();
    if folder.exists() {
        walk(folder, "", &mut |path, file| {
            contents.insert(path, fs::read(file)?);
            Ok(())
        })?;
    }
    Ok(contents)
}

/// What an earlier run wrote into the folder.
fn owned(target: &Path) -> Result<Contents, WriteError> {
    let foreign = |why: &str| WriteError::Foreign {
        path: target.to_owned(),
        why: why.to_owned(),
    };
    match target.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contents::new()),
        Err(error) => return Err(refused("read", target)(error)),
        Ok(metadata) if !metadata.is_dir() => return Err(foreign("it is not a folder")),
        Ok(_) => {}
    }
    let contents = contents(target).map_err(refused("read", target))?;
    if contents.is_empty() {
        return Ok(contents);
    }
    let manifest = contents
        .get(manifest::FILE)
        .ok_or_else(|| foreign("it has no manifest.json"))?;
    let listing = str::from_utf8(manifest)
        .ok()
        .and_then(Listing::read)
        .ok_or_else(|| foreign("its manifest.json is not of this program"))?;
    match contents.keys().find(|path| !listing.files.contains(*path)) {
        Some(stranger) => Err(foreign(&format!("its manifest.json does not list {stranger}"))),
        None => Ok(contents),
    }
}

/// Holds off other runs that write into the same folder. Where a file system has no locks, runs are not held off.
fn lock(out: &Path) -> Result<Option<fs::File>, WriteError> {
    let Ok(folder) = fs::File::open(out) else {
        return Ok(None);
    };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => {
            folder.lock().map_err(refused("lock", out))?;
            Ok(Some(folder))
        }
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Removes what interrupted runs left: folders of our name that are empty or hold nothing but what their manifest lists.
fn remove_leftovers(out: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(out) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(prefix) && owned(&entry.path()).is_ok();
        if ours {
            // One that cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Two folders change places.
fn exchange(staged: &Path, target: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        // A file system that cannot exchange says so, each in its own way; the two steps below then say what is wrong.
        if renameat_with(CWD, staged, CWD, target, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    exchange_in_steps(staged, target)
}

/// As [`exchange`], with a moment in which the target is not there but beside itself.
fn exchange_in_steps(staged: &Path, target: &Path) -> io::Result<()> {
    let mut aside = staged.as_os_str().to_owned();
    aside.push(".before");
    let aside = PathBuf::from(aside);
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(staged, target) {
        fs::rename(&aside, target)?;
        return Err(error);
    }
    fs::rename(&aside, staged)
}

/// A folder for the emission in the making, with the permissions of any new folder instead of a temporary one's.
fn staging(out: &Path, prefix: &str) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(out)
}

fn walk(folder: &Path, prefix: &str, visit: &mut impl FnMut(String, &Path) -> io::Result<()>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), visit)?;
        } else {
            visit(path, &entry.path())?;
        }
    }
    Ok(())
}

fn refused(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError::Refused {
        action,
        path,
        source,
        help: NO_ROOM,
    }
}
