//! The git repository that the pull request is made in: a clone in a folder of its own.
//!
//! Commits are made here as people make them, and packed as GitHub packs them. The repository that was named is only read.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

use crate::Error;

const GIT: &str = "git";

/// A clone.
#[derive(Debug)]
pub(super) struct Source {
    folder: TempDir,
    commits: u32,
}

impl Source {
    /// Clones what the repository at `path` has checked out: its last commit, on a branch of this name.
    ///
    /// # Errors
    /// Where git is missing, or there is no repository with a commit.
    pub(super) fn clone_of(path: &Path, branch: &str) -> Result<Self, Error> {
        let path = fs::canonicalize(path).map_err(|source| Error::Io {
            doing: "find the repository",
            path: path.to_owned(),
            source,
        })?;
        let folder = tempfile::tempdir().map_err(|source| Error::Io {
            doing: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let source = Self { folder, commits: 0 };
        // Over a URL, so that a depth is kept; a shallow clone of a large repository takes no longer than of a small one.
        let mut clone = Command::new(GIT);
        clone.args(["clone", "--quiet", "--depth", "1", "--no-tags"]);
        clone
            .arg(format!("file://{}", path.display()))
            .arg(source.folder.path());
        output(&mut clone)?;
        source.git(&["checkout", "--quiet", "-B", branch])?;
        Ok(source)
    }

    /// A file of what is checked out; none if it is not there.
    ///
    /// # Errors
    /// Where it is there and cannot be read as text.
    pub(super) fn read(&self, path: &str) -> Result<Option<String>, Error> {
        let path = self.folder.path().join(path);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io {
                doing: "read",
                path,
                source,
            }),
        }
    }

    /// Begins a branch at what is checked out.
    ///
    /// # Errors
    /// Where git refuses the name.
    pub(super) fn branch(&self, name: &str) -> Result<(), Error> {
        self.git(&["checkout", "--quiet", "-B", name]).map(drop)
    }

    /// Commits files with these contents on the branch that is checked out, and returns the commit's SHA.
    ///
    /// # Errors
    /// Where a file cannot be written, or git refuses.
    pub(super) fn commit(&mut self, message: &str, files: &[(&str, &str)]) -> Result<String, Error> {
        for (path, text) in files {
            let path = self.folder.path().join(path);
            let io = |doing, path: &Path| {
                let path = path.to_owned();
                move |source| Error::Io { doing, path, source }
            };
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(io("make", parent))?;
            }
            fs::write(&path, text).map_err(io("write", &path))?;
        }
        self.git(&["add", "--all"])?;
        self.record(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--no-verify",
            "--message",
            message,
        ])
    }

    /// Merges a branch into another, and returns the commit's SHA.
    ///
    /// # Errors
    /// Where git refuses.
    pub(super) fn merge(&mut self, branch: &str, into: &str) -> Result<String, Error> {
        self.git(&["checkout", "--quiet", into])?;
        let message = format!("Merge {branch}");
        self.record(&[
            "merge",
            "--quiet",
            "--no-ff",
            "--no-verify",
            "--message",
            &message,
            branch,
        ])
    }

    /// The commit's files as GitHub packs them: a zip with everything under one root folder.
    ///
    /// # Errors
    /// Where git does not know the commit.
    pub(super) fn archive(&self, repository: &str, sha: &str) -> Result<Vec<u8>, Error> {
        let root = format!("--prefix={}-{sha}/", repository.replace('/', "-"));
        let mut archive = self.command();
        archive.args(["archive", "--format=zip", &root, sha]);
        output(&mut archive)
    }

    /// Runs what makes a commit. Names and times are made up, so that the same commits have the same SHA everywhere.
    fn record(&mut self, arguments: &[&str]) -> Result<String, Error> {
        self.commits += 1;
        let time = format!("2026-01-31T12:{:02}:00Z", self.commits % 60);
        let mut git = self.command();
        git.args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]);
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Rehearsal")
                .env(format!("GIT_{who}_EMAIL"), "rehearsal@example.com")
                .env(format!("GIT_{who}_DATE"), &time);
        }
        output(git.args(arguments))?;
        self.git(&["rev-parse", "HEAD"])
    }

    fn git(&self, arguments: &[&str]) -> Result<String, Error> {
        let printed = output(self.command().args(arguments))?;
        Ok(String::from_utf8_lossy(&printed).trim().to_owned())
    }

    fn command(&self) -> Command {
        let mut git = Command::new(GIT);
        git.arg("-C").arg(self.folder.path());
        git
    }
}

/// What a command prints; that it fails is an error with its words.
fn output(command: &mut Command) -> Result<Vec<u8>, Error> {
    // Variables of a hook that runs this would send git to another repository.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|source| Error::Start { tool: GIT, source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Error::Answer {
        tool: GIT,
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut source = Source { folder, commits: 0 };
        source.git(&["init", "--quiet", "--initial-branch", "trunk"]).unwrap();
        source.commit("One", &[("project.yaml", "project: one\n")]).unwrap();
        source.folder
    }

    #[test]
    fn commits_are_made_in_the_clone_and_packed_under_one_root() {
        let original = repository();
        let mut source = Source::clone_of(original.path(), "main").unwrap();
        assert_eq!(source.read("project.yaml").unwrap().unwrap(), "project: one\n");
        assert_eq!(source.read("other.yaml").unwrap(), None);
        source.branch("change").unwrap();
        let pushed = source.commit("Two", &[("src/new.txt", "new\n")]).unwrap();
        let merged = source.merge("change", "main").unwrap();
        assert_ne!(pushed, merged);
        let archive = source.archive("octo/app", &pushed).unwrap();
        let names = String::from_utf8_lossy(&archive).into_owned();
        assert!(names.contains(&format!("octo-app-{pushed}/src/new.txt")));
        assert!(names.ends_with(&pushed), "the archive's comment is the commit");
        assert!(!original.path().join("src").exists(), "the original was changed");
    }

    #[test]
    fn the_same_commits_have_the_same_names() {
        let original = repository();
        let named = || {
            let mut source = Source::clone_of(original.path(), "main").unwrap();
            source.commit("Two", &[("a", "b")]).unwrap()
        };
        assert_eq!(named(), named());
    }

    #[test]
    fn what_is_no_repository_is_refused_with_gits_words() {
        let folder = tempfile::tempdir().unwrap();
        let fault = Source::clone_of(folder.path(), "main").unwrap_err();
        assert!(
            fault.to_string().contains("does not appear to be a git repository"),
            "{fault}"
        );
    }
}
