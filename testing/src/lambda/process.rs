//! A function's process.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    io::Read,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::Value;

use super::{Answer, RuntimeApi};
use crate::Error;

/// A function's process with its Runtime API. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    api: RuntimeApi,
    printed: Option<JoinHandle<String>>,
    invoked: u32,
}

/// How much memory a process has resident, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub resident: u64,
    /// At most so far.
    pub peak: u64,
}

impl Process {
    /// Starts a program as Lambda starts a runtime: with these variables, those that Lambda itself sets, and no others.
    ///
    /// # Errors
    /// Where the program cannot be started.
    pub fn start(
        program: &OsStr,
        arguments: &[&OsStr],
        handler: &str,
        function: &str,
        variables: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Start {
            tool: "a function's process",
            source,
        };
        let api = RuntimeApi::start()?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("_HANDLER", handler)
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", function)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{function}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let printed = child.stdout.take().map(|mut output| {
            thread::spawn(move || {
                let mut text = Vec::new();
                // What was printed until the pipe broke is what there is.
                drop(output.read_to_end(&mut text));
                String::from_utf8_lossy(&text).into_owned()
            })
        });
        Ok(Self {
            child,
            api,
            printed,
            invoked: 0,
        })
    }

    /// Invokes the function, which may take this long.
    pub fn invoke(&mut self, payload: &Value, time: Duration) -> Answer {
        self.invoked += 1;
        self.api.invoke(&format!("invocation-{}", self.invoked), payload, time)
    }

    /// What the process has resident.
    ///
    /// # Errors
    /// Where it has ended, or the system has no `/proc`.
    pub fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let read = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<u64>().ok());
            kibibytes
                .map(|kibibytes| kibibytes * 1024)
                .ok_or_else(|| io::Error::other(format!("/proc names no {name}")))
        };
        Ok(Memory {
            resident: read("VmRSS")?,
            peak: read("VmHWM")?,
        })
    }

    /// Ends the process and returns what it has printed: its log.
    pub fn end(mut self) -> String {
        self.kill();
        self.printed
            .take()
            .and_then(|printed| printed.join().ok())
            .unwrap_or_default()
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
