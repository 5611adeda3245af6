//! Archives of artifacts: what is unpacked for a build, what is packed after it, what is read from one.
//!
//! Packing the same files gives the same bytes: entries are in order and carry no time.

use std::{
    fs,
    io::{self, Cursor, Read, Write},
    path::{Component, Path, PathBuf},
};

use zip::{ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive itself is no good.
    #[error("the archive cannot be read: {0}")]
    Unreadable(#[from] ZipError),
    /// An entry would leave the folder.
    #[error("the archive has the entry `{0}`, which leads out of its folder")]
    Escape(String),
    /// The disk fails.
    #[error("cannot write {path}: {source}")]
    Disk {
        /// What was written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no such file.
    #[error("the archive has no file `{0}`")]
    Missing(String),
}

/// A file that goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Its path, with `/` between folders.
    pub path: String,
    /// Its Unix mode, such as `0o755`.
    pub mode: u32,
    /// Its content; of a symbolic link, the target.
    pub content: Vec<u8>,
    /// Whether it is a symbolic link.
    pub link: bool,
}

/// An archive of plain files.
///
/// # Errors
/// When two have the same path.
pub fn of_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>, ArchiveError> {
    let files = files.into_iter().map(|(path, content)| Packed {
        path: path.to_owned(),
        mode: 0o644,
        content: content.to_vec(),
        link: false,
    });
    pack(files.collect())
}

/// An archive of these files.
///
/// # Errors
/// When two have the same path.
pub fn pack(mut files: Vec<Packed>) -> Result<Vec<u8>, ArchiveError> {
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        let options = SimpleFileOptions::default()
            .unix_permissions(file.mode & 0o7777)
            .last_modified_time(zip::DateTime::default())
            .large_file(file.content.len() > 0xffff_ffff);
        if file.link {
            let target = String::from_utf8_lossy(&file.content).into_owned();
            writer.add_symlink(&file.path, target, options)?;
        } else {
            writer.start_file(&file.path, options)?;
            writer.write_all(&file.content).map_err(ZipError::Io)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}

/// The content of one file of the archive.
///
/// # Errors
/// When there is no such file, or the archive cannot be read.
pub fn file(archive: &[u8], path: &str) -> Result<Vec<u8>, ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    let mut entry = match archive.by_name(path) {
        Err(ZipError::FileNotFound) => return Err(ArchiveError::Missing(path.to_owned())),
        found => found?,
    };
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(ZipError::Io)?;
    Ok(content)
}

/// The paths in the archive, in its order; those of folders end in `/`.
///
/// # Errors
/// When the archive cannot be read.
pub fn names(archive: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let archive = ZipArchive::new(Cursor::new(archive))?;
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    names.collect()
}

/// Unpacks the archive into a folder that is there, with modes and symbolic links.
///
/// # Errors
/// When the archive cannot be read, an entry would leave the folder, or the disk fails.
pub fn unpack(archive: &[u8], folder: &Path) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(archive))?;
    let mut links = Vec::new();
    for place in 0..archive.len() {
        let mut entry = archive.by_index(place)?;
        let path = entry.enclosed_name();
        let Some(path) = path else {
            return Err(ArchiveError::Escape(entry.name()?.into_owned()));
        };
        let target = folder.join(&path);
        if entry.is_dir() {
            create(&target)?;
            continue;
        }
        target.parent().map_or(Ok(()), create)?;
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(ZipError::Io)?;
        if entry.is_symlink() {
            let to = PathBuf::from(String::from_utf8_lossy(&content).into_owned());
            if leaves(&path, &to) {
                return Err(ArchiveError::Escape(format!("{} -> {}", path.display(), to.display())));
            }
            links.push((target, to));
        } else {
            fs::write(&target, content).map_err(disk(&target))?;
            set_mode(&target, entry.unix_mode())?;
        }
    }
    // Links come last: nothing is ever written through one.
    for (target, to) in links {
        std::os::unix::fs::symlink(to, &target).map_err(disk(&target))?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), ArchiveError> {
    fs::create_dir_all(folder).map_err(disk(folder))
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    |source| ArchiveError::Disk { path, source }
}

/// Entries without a mode, as git writes them for plain files, stay as the system makes them.
fn set_mode(path: &Path, mode: Option<u32>) -> Result<(), ArchiveError> {
    use std::os::unix::fs::PermissionsExt as _;
    match mode.map(|mode| mode & 0o777) {
        None | Some(0) => Ok(()),
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(disk(path)),
    }
}

/// Whether a link at `path` to `to` points out of the folder.
fn leaves(path: &Path, to: &Path) -> bool {
    let mut depth = path.components().count() - 1;
    for component in to.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn packed(path: &str, mode: u32, content: &str, link: bool) -> Packed {
        Packed {
            path: path.to_owned(),
            mode,
            content: content.as_bytes().to_vec(),
            link,
        }
    }

    #[test]
    fn modes_and_links_survive_and_the_order_of_files_does_not_matter() {
        let files = vec![
            packed("bin/run", 0o755, "#!/bin/sh", false),
            packed("readme", 0o644, "hello", false),
            packed("bin/again", 0o777, "run", true),
        ];
        let archive = pack(files.clone()).unwrap();
        assert_eq!(archive, pack(files.into_iter().rev().collect()).unwrap());
        let folder = tempfile::tempdir().unwrap();
        unpack(&archive, folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join("bin/run"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(
            fs::read_link(folder.path().join("bin/again")).unwrap(),
            Path::new("run")
        );
        assert_eq!(file(&archive, "readme").unwrap(), b"hello");
        assert!(matches!(file(&archive, "nothing"), Err(ArchiveError::Missing(_))));
    }

    #[test]
    fn nothing_is_unpacked_outside_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for (path, content, link) in [
            ("../out", "x", false),
            ("link", "../out", true),
            ("a/link", "../../out", true),
            ("link", "/etc", true),
        ] {
            let archive = pack(vec![packed(path, 0o644, content, link)]).unwrap();
            let refused = unpack(&archive, &inner);
            assert!(matches!(refused, Err(ArchiveError::Escape(_))), "{path}: {refused:?}");
        }
        assert!(!folder.path().join("out").exists());
        let archive = pack(vec![packed("a/link", 0o777, "../b", true)]).unwrap();
        unpack(&archive, &inner).unwrap();
    }
}
