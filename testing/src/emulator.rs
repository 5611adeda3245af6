//! An emulator as a process of this test: on a free port of the loopback interface, and gone when the test is.
//!
//! Its script in `testing/tools/` ends when its standard input closes, which it does when this process ends in any way.

use std::{
    env,
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Error,
    tools::{self, Packages},
};

/// They take seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the log of a finished run is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What to start.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// Its name.
    pub(crate) tool: &'static str,
    pub(crate) packages: Packages,
    /// The script in `testing/tools/` that runs it.
    pub(crate) script: &'static str,
    /// The path that answers 200 once it serves.
    pub(crate) health: &'static str,
    /// Its variables, given its port and a folder of its own.
    pub(crate) variables: fn(u16, &Path) -> Vec<(&'static str, String)>,
}

/// An emulator that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    /// Its standard input is what keeps it alive.
    process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
}

impl Emulator {
    /// Starts it with these variables beside its own, and waits until it answers.
    pub(crate) fn start(recipe: &Recipe, more: &[(&str, &str)]) -> Result<Self, Error> {
        // A port that was free may be taken before the emulator binds it, so one more try is fair.
        Self::try_to_start(recipe, more).or_else(|fault| match fault {
            Error::Answer { .. } => Self::try_to_start(recipe, more),
            other => Err(other),
        })
    }

    fn try_to_start(recipe: &Recipe, more: &[(&str, &str)]) -> Result<Self, Error> {
        let tool = recipe.tool;
        let failed = |source| Error::Start { tool, source };
        let python = tools::python(recipe.packages)?;
        let port = free_port().map_err(failed)?;
        let folder = run_folder(tool, port)?;
        let log = folder.join("log");
        let output = File::create(&log).map_err(|source| io("create", &log, source))?;
        let errors = output.try_clone().map_err(|source| io("share", &log, source))?;
        let mut command = Command::new(python);
        // Credentials of whoever runs the tests would change whom the emulator lets in.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let process = command
            .arg("-B")
            .arg(tools::script(recipe.script))
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("TMPDIR", &folder)
            .envs((recipe.variables)(port, &folder))
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(failed)?;
        let mut started = Self {
            process,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            log,
        };
        started.wait(recipe)?;
        Ok(started)
    }

    fn wait(&mut self, recipe: &Recipe) -> Result<(), Error> {
        let failed = |source| Error::Start {
            tool: recipe.tool,
            source,
        };
        let begun = Instant::now();
        while !self.answers(recipe.health) {
            let ended = self.process.try_wait().map_err(failed)?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                drop(self.process.kill());
                return Err(Error::Answer {
                    tool: recipe.tool,
                    status: self.process.wait().map_err(failed)?,
                    output: fs::read_to_string(&self.log).unwrap_or_default(),
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether it answers 200 at this path.
    fn answers(&self, path: &str) -> bool {
        answers(self.address, path)
    }

    /// The process's id.
    #[cfg(test)]
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.local_addr().map(|address| address.port())
}

fn answers(address: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            connection,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// A folder for one run's log and temporary files, under the target folder. Those of runs long over are removed.
fn run_folder(tool: &str, port: u16) -> Result<PathBuf, Error> {
    let runs = tools::folder()?.join(format!("{tool}-runs"));
    let folder = runs.join(format!("{}-{port}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|source| io("make", &folder, source))?;
    let over = |run: &fs::DirEntry| -> std::io::Result<bool> {
        let age = SystemTime::now().duration_since(run.metadata()?.modified()?);
        Ok(age.is_ok_and(|age| age > KEPT))
    };
    for run in fs::read_dir(&runs)
        .map_err(|source| io("list", &runs, source))?
        .flatten()
    {
        if over(&run).unwrap_or(false) {
            // Another process may be removing the same one.
            drop(fs::remove_dir_all(run.path()));
        }
    }
    Ok(folder)
}

fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aws::MINISTACK, localemu::LOCALEMU, or_skip};

    #[test]
    fn every_emulator_ends_with_its_standard_input() {
        for recipe in [&MINISTACK, &LOCALEMU] {
            let what = format!("{} ends with its standard input", recipe.tool);
            let Some(started) = or_skip(&what, Emulator::start(recipe, &[])) else {
                return;
            };
            let (id, address) = (started.id(), started.address);
            assert!(Path::new(&format!("/proc/{id}")).exists(), "it runs");
            drop(started);
            assert!(!answers(address, recipe.health), "it still answers");
        }
    }
}
