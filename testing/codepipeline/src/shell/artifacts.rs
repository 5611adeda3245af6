//! Which files an artifact has, and its archive.

use std::{
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::log::Log;
use crate::archive::{self, Packed};
use crate::buildspec::ArtifactSpec;

/// The archive, or why there is none.
pub(super) fn pack(spec: &ArtifactSpec, source: &Path, log: &mut Log) -> Result<Vec<u8>, String> {
    log.say(&format!("Expanding base directory path: {}", spec.base));
    log.say("Assembling file list");
    let base = source.join(&spec.base);
    let exclude = set(&spec.exclude)?;
    for pattern in &spec.files {
        log.say(&format!("Expanding {pattern}"));
    }
    let found = files(&base, &spec.files)?;
    let found: Vec<PathBuf> = found.into_iter().filter(|path| !exclude.is_match(path)).collect();
    if found.is_empty() {
        return Err("no matching artifact paths found".to_owned());
    }
    log.say(&format!("Found {} file(s)", found.len()));
    let packed = found
        .iter()
        .map(|path| packed(&base, path, spec).map_err(|fault| format!("cannot read {}: {fault}", path.display())));
    let packed = packed.collect::<Result<Vec<_>, _>>()?;
    archive::pack(packed).map_err(|fault| format!("the artifact cannot be packed: {fault}"))
}

/// The files below a folder that match one of the patterns, in order. Links to files are files; links to folders are not followed.
pub(super) fn files(base: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, String> {
    let patterns: Vec<String> = patterns.iter().map(|pattern| plain(pattern)).collect();
    let set = set(&patterns)?;
    let mut found = Vec::new();
    // A folder that is not there has no files.
    if base.is_dir() {
        walk(base, Path::new(""), &mut |path| {
            if set.is_match(path) {
                found.push(path.to_owned());
            }
        })
        .map_err(|fault| format!("cannot list {}: {fault}", base.display()))?;
    }
    found.sort();
    Ok(found)
}

/// Without what says nothing.
fn plain(pattern: &str) -> String {
    pattern.strip_prefix("./").unwrap_or(pattern).to_owned()
}

fn set(patterns: &[String]) -> Result<GlobSet, String> {
    let wrong = |fault: globset::Error| format!("the pattern is no good: {fault}");
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(
            GlobBuilder::new(pattern)
                .literal_separator(true)
                .build()
                .map_err(wrong)?,
        );
    }
    set.build().map_err(wrong)
}

fn walk(base: &Path, below: &Path, visit: &mut dyn FnMut(&Path)) -> io::Result<()> {
    for entry in fs::read_dir(base.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            walk(base, &path, visit)?;
        } else if !fs::metadata(entry.path()).is_ok_and(|target| target.is_dir()) {
            visit(&path);
        }
    }
    Ok(())
}

fn packed(base: &Path, path: &Path, spec: &ArtifactSpec) -> io::Result<Packed> {
    let from = base.join(path);
    let link = spec.symlinks && fs::symlink_metadata(&from)?.is_symlink();
    let shown = if spec.discard_paths {
        path.file_name().map_or(path, Path::new)
    } else {
        path
    };
    Ok(Packed {
        path: shown.to_string_lossy().into_owned(),
        mode: if link {
            0o777
        } else {
            fs::metadata(&from)?.permissions().mode()
        },
        content: if link {
            fs::read_link(&from)?.as_os_str().as_bytes().to_vec()
        } else {
            fs::read(&from)?
        },
        link,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in paths {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, path).unwrap();
        }
        folder
    }

    fn chosen(base: &Path, patterns: &[&str]) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let found = files(base, &patterns).unwrap();
        found.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn patterns_choose_as_the_documentation_says() {
        let folder = tree(&["a.jar", "my/a.jar", "my/sub/b.jar", "my/sub/.hidden", "other/c.txt"]);
        let table: [(&[&str], &[&str]); 7] = [
            (&["a.jar"], &["a.jar"]),
            (&["my/sub/b.jar"], &["my/sub/b.jar"]),
            (&["my/*"], &["my/a.jar"]),
            (&["my/**/*"], &["my/a.jar", "my/sub/.hidden", "my/sub/b.jar"]),
            (&["**/*.jar"], &["a.jar", "my/a.jar", "my/sub/b.jar"]),
            (
                &["**/*"],
                &["a.jar", "my/a.jar", "my/sub/.hidden", "my/sub/b.jar", "other/c.txt"],
            ),
            (&["./a.jar", "nothing", "my"], &["a.jar"]),
        ];
        for (patterns, expected) in table {
            assert_eq!(chosen(folder.path(), patterns), expected, "{patterns:?}");
        }
        assert!(chosen(&folder.path().join("nowhere"), &["**/*"]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever is built is handed on whole: packed by `**/*` and unpacked elsewhere, the tree is the same.
        #[test]
        fn a_tree_comes_out_of_its_archive_as_it_went_in(
            files in proptest::collection::btree_map("[a-c]{1,2}/[a-c]{1,2}/f[a-c.ä ]{0,3}", (any::<Vec<u8>>(), any::<bool>()), 1..8)
        ) {
            let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            for (path, (content, executable)) in &files {
                let file = from.path().join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(&file, content).unwrap();
                let mode = if *executable { 0o755 } else { 0o640 };
                fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            }
            let spec = ArtifactSpec { files: vec!["**/*".to_owned()], exclude: vec![], base: ".".to_owned(), discard_paths: false, symlinks: false };
            let silent = Log::create(to.path().with_extension("log"), std::sync::Arc::new(|_| {})).unwrap();
            let archive = pack(&spec, from.path(), &mut { silent }).unwrap();
            fs::remove_file(to.path().with_extension("log")).unwrap();
            archive::unpack(&archive, to.path()).unwrap();
            let found = super::files(to.path(), &["**/*".to_owned()]).unwrap();
            prop_assert_eq!(found.len(), files.len());
            for (path, (content, executable)) in &files {
                let file = to.path().join(path);
                prop_assert_eq!(&fs::read(&file).unwrap(), content);
                let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
                prop_assert_eq!(mode, if *executable { 0o755 } else { 0o640 });
            }
        }
    }
}
