//! One build at a time: a unit-test build has port 8000 and a folder in `/tmp` to itself, as in CodeBuild, where each has a machine.

use std::{
    fs::{File, OpenOptions},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::failed;
use crate::Error;

/// Where the emitted buildspec has DynamoDB Local listen.
const PORT: u16 = 8000;
/// Beside what the emitted buildspec writes there, so that builds of other checkouts wait as well.
const LOCK: &str = "/tmp/dynamodb-local.lock";
/// How long the database of the build before may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The right to run a build that starts a local DynamoDB. Dropping it, or the end of the process, lets the next one begin.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits until no other build of this machine has its turn, and its database is gone.
    ///
    /// # Errors
    /// Where the lock belongs to another user, or a program that is no build's listens on the port.
    pub fn wait() -> Result<Self, Error> {
        let path = Path::new(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| failed("lock", path, source))?;
        let begun = Instant::now();
        while taken(PORT) {
            if begun.elapsed() > PATIENCE {
                return Err(Error::Unavailable {
                    tool: "a local DynamoDB",
                    needs: format!("port {PORT} of 127.0.0.1, on which another program listens"),
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { _lock: lock })
    }
}

fn taken(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
