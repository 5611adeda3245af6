//! The one shell that runs a build's commands, so that `cd` and `export` hold for those that follow.
//!
//! The shell reads names of files from its standard input and sources them one by one. After each it writes down the environment and the
//! folder, and says the exit status in a line that no command can mistake. A command that ends the shell is a command that has failed;
//! the next shell begins with what was written down.

use std::{
    ffi::OsString,
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::{
        ffi::OsStringExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::environment::Environment;
use crate::buildspec::Shell;

/// How often a build looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(10);

/// How long the last lines of a shell that has ended are waited for.
const LAST_LINES: Duration = Duration::from_millis(100);

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Exit(i32),
    Interrupted(Interrupt),
}

/// Why a command was not waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    TimedOut,
    Stopped,
}

/// When a command is no longer waited for.
pub(super) struct Watch {
    pub(super) deadline: Instant,
    pub(super) stop: Arc<AtomicBool>,
}

impl Watch {
    fn interrupt(&self) -> Option<Interrupt> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Interrupt::Stopped);
        }
        (Instant::now() >= self.deadline).then_some(Interrupt::TimedOut)
    }
}

/// The shells of one build.
pub(super) struct Session {
    kind: Shell,
    /// Where the session's own files are.
    control: PathBuf,
    pub(super) environment: Environment,
    folder: PathBuf,
    running: Option<Running>,
    /// The process groups so far: what a shell leaves running lives until the build ends.
    pub(super) groups: Vec<u32>,
    commands: usize,
}

struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Session {
    pub(super) const fn new(kind: Shell, control: PathBuf, environment: Environment, folder: PathBuf) -> Self {
        Self {
            kind,
            control,
            environment,
            folder,
            running: None,
            groups: Vec::new(),
            commands: 0,
        }
    }

    /// Runs a command to its end.
    pub(super) fn run(&mut self, command: &str, watch: &Watch, line: &mut dyn FnMut(&str)) -> io::Result<Outcome> {
        self.commands += 1;
        let file = self.control.join(format!("command-{}", self.commands));
        fs::write(&file, format!("{command}\n"))?;
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.open()?,
        };
        writeln!(running.input, "{}", file.display())?;
        let mut said = Said::new(&self.control);
        loop {
            match running.lines.recv_timeout(LOOK) {
                Ok(text) => match said.hear(&text, line) {
                    None => {}
                    Some(Word::Status(status)) => {
                        self.remember()?;
                        self.running = Some(running);
                        return Ok(Outcome::Exit(status));
                    }
                    Some(Word::Exit(status)) => {
                        self.remember()?;
                        running.child.wait()?;
                        return Ok(Outcome::Exit(status));
                    }
                },
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if let Some(interrupt) = watch.interrupt() {
                        self.running = Some(running);
                        return Ok(Outcome::Interrupted(interrupt));
                    }
                    if let Some(status) = running.child.try_wait()? {
                        return self.ended(&running, status, said, line);
                    }
                    thread::sleep(Duration::from_millis(1));
                }
            }
            if let Some(interrupt) = watch.interrupt() {
                self.running = Some(running);
                return Ok(Outcome::Interrupted(interrupt));
            }
        }
    }

    /// The shell ended without a word, as by `exec` or a signal; or its word is still under way.
    fn ended(
        &self,
        running: &Running,
        status: ExitStatus,
        mut said: Said,
        line: &mut dyn FnMut(&str),
    ) -> io::Result<Outcome> {
        let mut code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        while let Ok(text) = running.lines.recv_timeout(LAST_LINES) {
            if let Some(Word::Exit(status) | Word::Status(status)) = said.hear(&text, line) {
                code = status;
                break;
            }
        }
        Ok(Outcome::Exit(code))
    }

    /// Sets a variable for the commands that follow.
    pub(super) fn export(&mut self, name: &str, value: &str, watch: &Watch) -> io::Result<()> {
        self.environment.insert(name.into(), value.into());
        if self.running.is_some() {
            self.run(&format!("export {name}='{value}'"), watch, &mut |_| {})?;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<Running> {
        let driver = self.control.join("driver");
        fs::write(&driver, driver_text(&self.control))?;
        let program = match self.kind {
            Shell::Sh => "/bin/sh",
            Shell::Bash => "/bin/bash",
        };
        let mut child = Command::new(program)
            .arg(&driver)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        self.groups.push(child.id());
        let (sender, lines) = sync_channel(1_024);
        let gone = || io::Error::other("the shell has no pipe");
        let (input, output) = (
            child.stdin.take().ok_or_else(gone)?,
            child.stdout.take().ok_or_else(gone)?,
        );
        thread::Builder::new()
            .name("build-output".to_owned())
            .spawn(move || read(output, &sender))?;
        Ok(Running { child, input, lines })
    }

    /// Takes over what the shell has written down.
    fn remember(&mut self) -> io::Result<()> {
        let written = fs::read(self.control.join("environment"))?;
        let variables = written.split(|byte| *byte == 0).filter_map(|variable| {
            let at = variable.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (variable[..at].to_vec(), variable[at + 1..].to_vec());
            Some((OsString::from_vec(name), OsString::from_vec(value)))
        });
        self.environment = variables.collect();
        let mut folder = fs::read(self.control.join("folder"))?;
        folder.pop();
        let folder = PathBuf::from(OsString::from_vec(folder));
        // A command may have removed the folder that it was in.
        if folder.is_dir() {
            self.folder = folder;
        }
        Ok(())
    }

    /// Waits for the shell, after its group was killed.
    pub(super) fn close(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.child.kill());
            drop(running.child.wait());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a shell says between the lines of its commands.
enum Word {
    Status(i32),
    Exit(i32),
}

/// Tells the session's words from the lines of commands.
struct Said {
    mark: String,
    /// An empty line that may only stand there to begin the session's word on a line of its own.
    empty: bool,
}

impl Said {
    fn new(control: &Path) -> Self {
        Self {
            mark: mark(control),
            empty: false,
        }
    }

    fn hear(&mut self, text: &str, line: &mut dyn FnMut(&str)) -> Option<Word> {
        if let Some(word) = text.strip_prefix(&self.mark) {
            let (kind, status) = word.trim().split_once(' ')?;
            let status = status.parse().unwrap_or(1);
            return Some(if kind == "exit" {
                Word::Exit(status)
            } else {
                Word::Status(status)
            });
        }
        if std::mem::replace(&mut self.empty, text.is_empty()) {
            line("");
        }
        if !text.is_empty() {
            line(text);
        }
        None
    }
}

/// The folder's name was made up for this build alone.
fn mark(control: &Path) -> String {
    format!("[{}]", control.display())
}

/// The script that the shell runs. Its descriptor 9 is the build's output even where a command redirects its own.
fn driver_text(control: &Path) -> String {
    let (control, mark) = (control.display(), mark(control));
    format!(
        r#"exec 2>&1 9>&1
__codebuild_say() {{
  /usr/bin/env -0 > '{control}/environment'
  pwd > '{control}/folder'
  printf '\n%s %s\n' '{mark}' "$1" >&9
}}
trap '__codebuild_say "exit $?"' EXIT
while IFS= read -r __codebuild_next; do
  . "$__codebuild_next" < /dev/null 9>&-
  __codebuild_say "status $?"
done
trap - EXIT
"#
    )
}

fn read(output: ChildStdout, lines: &SyncSender<String>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        // Nobody listens any more once the session has ended.
        if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
        line.clear();
    }
}
