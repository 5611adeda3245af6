//! MiniStack as a process of this test: started once, on a free port of the loopback interface, and gone when the test is.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Error,
    tools::{self, Packages},
};

const TOOL: &str = "ministack";
/// It takes two seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the log of a finished test is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A MiniStack that runs. It ends when the last handle is dropped, or when the test's process ends in any way.
#[derive(Debug)]
pub(super) struct MiniStack {
    /// Its standard input is what keeps it alive.
    process: Child,
    pub(super) address: SocketAddr,
    pub(super) log: PathBuf,
}

/// Whether MiniStack enforces IAM policies. It is decided when it starts, so there is at most one process of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enforcement {
    /// Whoever asks is answered.
    Off,
    /// Signatures are verified, and callers may do what their identity policies allow.
    Policies,
}

impl MiniStack {
    /// The MiniStack that all tests of this process share.
    pub(super) fn shared(enforcement: Enforcement, region: &'static str) -> Result<&'static Self, Error> {
        static STARTED: [Mutex<Option<&'static MiniStack>>; 2] = [Mutex::new(None), Mutex::new(None)];
        let place = &STARTED[usize::from(enforcement == Enforcement::Policies)];
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(started) = *place {
            return Ok(started);
        }
        // A port that was free may be taken before MiniStack binds it, so one more try is fair.
        let started = Self::start(enforcement, region).or_else(|fault| match fault {
            Error::Answer { .. } => Self::start(enforcement, region),
            other => Err(other),
        })?;
        Ok(place.insert(Box::leak(Box::new(started))))
    }

    fn start(enforcement: Enforcement, region: &'static str) -> Result<Self, Error> {
        let python = tools::python(Packages::MiniStack)?;
        let port = free_port()?;
        let folder = run_folder(port)?;
        let log = folder.join("log");
        let output = File::create(&log).map_err(|source| io("create", &log, source))?;
        let errors = output.try_clone().map_err(|source| io("share", &log, source))?;
        let mut command = Command::new(python);
        // Credentials of whoever runs the tests would change whom MiniStack lets in.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        let mut process = command
            .arg(tools::script("local_aws.py"))
            .env("AUTH", (enforcement == Enforcement::Policies).to_string())
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("GATEWAY_PORT", port.to_string())
            .env("IOT_MTLS_ENABLED", "0")
            .env("MINISTACK_REGION", region)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("SFTP_ENABLED", "0")
            .env("TMPDIR", &folder)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|source| Error::Start { tool: TOOL, source })?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while !answers(address) {
            let ended = process
                .try_wait()
                .map_err(|source| Error::Start { tool: TOOL, source })?;
            let late = begun.elapsed() > PATIENCE;
            if ended.is_some() || late {
                drop(process.kill());
                let status = process.wait().map_err(|source| Error::Start { tool: TOOL, source })?;
                let output = fs::read_to_string(&log).unwrap_or_default();
                return Err(Error::Answer {
                    tool: TOOL,
                    status,
                    output,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process, address, log })
    }

    /// The process's id.
    #[cfg(test)]
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for MiniStack {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Start { tool: TOOL, source })
}

fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut connection = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            connection,
            "GET /_ministack/health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// A folder for one run's log and temporary files, under the target folder. Those of runs long over are removed.
fn run_folder(port: u16) -> Result<PathBuf, Error> {
    let runs = tools::folder()?.join("ministack-runs");
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
    use crate::or_skip;

    #[test]
    fn ministack_ends_with_its_standard_input() {
        let started = or_skip(
            "MiniStack ends with its standard input",
            MiniStack::start(Enforcement::Off, "eu-west-1"),
        );
        let Some(started) = started else { return };
        let (id, address) = (started.id(), started.address);
        assert!(Path::new(&format!("/proc/{id}")).exists(), "it runs");
        drop(started);
        assert!(!answers(address), "it still answers");
    }
}
