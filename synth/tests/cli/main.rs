//! The program as its users meet it: run in an empty folder, judged by its files, output and exit code.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails ends its test, as the tests themselves do"
)]

mod check;
mod diff;
mod emission;
mod faults;
mod graph;
mod policy;
mod stdout;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with the project's configuration in it, removed at the end of the test.
struct Workplace {
    folder: tempfile::TempDir,
}

/// What a run left behind.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Workplace {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("stacks")).unwrap();
        // Where the search for the configuration ends.
        fs::create_dir(folder.path().join(".git")).unwrap();
        let place = Self { folder };
        place.write("stacks/project.yaml", &configuration());
        place
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_synth"));
        command.current_dir(self.folder.path()).env_remove("CLICOLOR_FORCE");
        command
    }

    /// Runs the program with arguments that are separated by spaces.
    fn run(&self, arguments: &str) -> Run {
        Run::of(&self.command().args(arguments.split_whitespace()).output().unwrap())
    }

    /// Runs a shell command in which `synth` is the program.
    fn shell(&self, script: &str) -> Run {
        let script = format!("synth() {{ '{}' \"$@\"; }}\n{script}", env!("CARGO_BIN_EXE_synth"));
        let mut command = Command::new("sh");
        Run::of(
            &command
                .current_dir(self.folder.path())
                .args(["-c", &script])
                .output()
                .unwrap(),
        )
    }

    /// Every file under a folder with its content.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(folder), "", &mut files);
        files
    }

    /// The path of an emission's first template.
    fn template(&self, folder: &str) -> String {
        let files = self.files(folder);
        let template = files.keys().find(|path| path.starts_with("templates/")).unwrap();
        format!("{folder}/{template}")
    }
}

impl Run {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

/// The configuration that ships with the project.
fn configuration() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../stacks/project.yaml")).unwrap()
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else {
            files.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}
