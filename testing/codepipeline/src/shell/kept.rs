//! Sources that stay where they are from build to build.
//!
//! Tools that build only what has changed go by time stamps, and everything that is unpacked is new. So such a folder is not unpacked
//! anew but made equal to what it should hold: what differs is written, what is too much is removed, and all else keeps its time.

use std::{
    fs::{self, DirEntry, File, TryLockError},
    io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    thread,
};

use super::session::{Interrupt, LOOK, Watch};

/// Waits until no other build has the folder, and keeps it from them as long as the answer lives.
pub(super) fn take(folder: &Path, watch: &Watch) -> io::Result<Result<File, Interrupt>> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let lock = File::create(path)?;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Ok(lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(fault)) => return Err(fault),
        }
        if let Some(interrupt) = watch.interrupt() {
            return Ok(Err(interrupt));
        }
        thread::sleep(LOOK);
    }
}

/// Makes `kept` hold what `fresh` holds and nothing else.
pub(super) fn renew(kept: &Path, fresh: &Path) -> io::Result<()> {
    for entry in fs::read_dir(kept)? {
        let entry = entry?;
        let wanted = fs::symlink_metadata(fresh.join(entry.file_name()));
        let kind = entry.file_type()?;
        if wanted.is_ok_and(|wanted| wanted.file_type() == kind) {
            continue;
        }
        if kind.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    for entry in fs::read_dir(fresh)? {
        let entry = entry?;
        let at = kept.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&at)?;
            renew(&at, &entry.path())?;
        } else if !same(&at, &entry)? {
            replace(&at, &entry)?;
        }
    }
    Ok(())
}

/// Whether what is there, if anything, is of the same content and mode. It is of the same kind.
fn same(there: &Path, wanted: &DirEntry) -> io::Result<bool> {
    if wanted.file_type()?.is_symlink() {
        return Ok(fs::read_link(there).is_ok_and(|to| fs::read_link(wanted.path()).is_ok_and(|wanted| to == wanted)));
    }
    let Ok(about) = fs::metadata(there) else {
        return Ok(false);
    };
    let wanted_about = wanted.metadata()?;
    Ok(about.len() == wanted_about.len()
        && about.permissions().mode() == wanted_about.permissions().mode()
        && fs::read(there)? == fs::read(wanted.path())?)
}

fn replace(there: &Path, wanted: &DirEntry) -> io::Result<()> {
    match fs::remove_file(there) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
        _ => {}
    }
    if wanted.file_type()?.is_symlink() {
        symlink(fs::read_link(wanted.path())?, there)
    } else {
        // With its mode, and the present time.
        fs::copy(wanted.path(), there).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_is_the_same_keeps_its_time_and_nothing_else_is_left() {
        let folders = tempfile::tempdir().unwrap();
        let [first, second, kept] = ["first", "second", "kept"].map(|name| folders.path().join(name));
        for folder in [&first, &second] {
            fs::create_dir_all(folder.join("a")).unwrap();
            fs::write(folder.join("a/same"), "1").unwrap();
            symlink("same", folder.join("a/link")).unwrap();
        }
        for (folder, text) in [(&first, "1"), (&second, "2")] {
            fs::write(folder.join("a/other"), text).unwrap();
            fs::write(folder.join("run"), "").unwrap();
        }
        fs::set_permissions(second.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(first.join("b"), "a file").unwrap();
        fs::create_dir(second.join("b")).unwrap();
        fs::create_dir(&kept).unwrap();
        renew(&kept, &first).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for name in ["a/same", "a/other", "run"] {
            let file = File::options().write(true).open(kept.join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        fs::create_dir_all(kept.join("out/deep")).unwrap();
        fs::write(kept.join("out/deep/built"), "").unwrap();
        symlink("a", kept.join("astray")).unwrap();

        renew(&kept, &second).unwrap();

        let about = |name: &str| fs::metadata(kept.join(name)).unwrap();
        assert_eq!(about("a/same").modified().unwrap(), long_ago);
        for name in ["a/other", "run"] {
            assert!(about(name).modified().unwrap() > long_ago, "{name}");
        }
        assert_eq!(about("run").permissions().mode() & 0o777, 0o755);
        assert_eq!(fs::read_to_string(kept.join("a/other")).unwrap(), "2");
        assert_eq!(fs::read_link(kept.join("a/link")).unwrap(), Path::new("same"));
        assert!(about("b").is_dir());
        assert!(!kept.join("out").exists() && !kept.join("astray").is_symlink());
    }
}
