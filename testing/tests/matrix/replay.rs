//! Recorded answers, given again: a server on loopback that the functions of MiniStack ask, and those functions.

use std::collections::VecDeque;
use std::io::{Cursor, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Value, json};
use testing::aws::Client;

use crate::timeline::Asked;

/// What every function of MiniStack runs: it asks the server, and returns or fails as that says.
const BOOTSTRAP: &[u8] = include_bytes!("replay.py");

/// Answers that are given in the order in which they were recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replay(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    ahead: VecDeque<Asked>,
    /// What was asked otherwise than it was recorded.
    otherwise: Vec<String>,
}

impl Replay {
    /// Serves until the test's process ends.
    pub(crate) fn serve() -> (Self, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a port");
        let address = listener.local_addr().expect("it has one");
        let replay = Self::default();
        let served = replay.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                served.answer(stream);
            }
        });
        (replay, address)
    }

    /// Gives these answers from now on.
    pub(crate) fn give(&self, answers: &[Asked]) {
        let mut state = self.state();
        state.ahead = answers.iter().cloned().collect();
        state.otherwise.clear();
    }

    /// What was asked otherwise, and what was never asked.
    pub(crate) fn differences(&self) -> Vec<String> {
        let state = self.state();
        let left = state
            .ahead
            .iter()
            .map(|asked| format!("{} was not asked again", asked.function));
        state.otherwise.iter().cloned().chain(left).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, mut stream: TcpStream) {
        let asked = read(&mut stream);
        let mut state = self.state();
        let answer = match state.ahead.pop_front() {
            Some(recorded) => {
                let same = json!({ "function": recorded.function, "payload": recorded.payload });
                if same != asked {
                    state.otherwise.push(format!("asked was {same}, and then {asked}"));
                }
                recorded.answer
            }
            None => {
                state
                    .otherwise
                    .push(format!("asked was nothing more, and then {asked}"));
                Ok(Value::Null)
            }
        };
        let body = match answer {
            Ok(result) => json!({ "result": result }),
            Err(fault) => json!({ "error": fault.error, "message": message(fault.cause.as_deref()) }),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // A function that was ended meanwhile does not read it.
        drop(stream.write_all((head + &body).as_bytes()));
    }
}

/// The words of an error, of which its cause tells as JSON if they are a function's own.
fn message(cause: Option<&str>) -> String {
    let cause = cause.unwrap_or_default();
    let told: Value = serde_json::from_str(cause).unwrap_or_default();
    told["errorMessage"].as_str().unwrap_or(cause).to_owned()
}

/// The body of a request.
fn read(stream: &mut TcpStream) -> Value {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return serde_json::from_str(body).unwrap_or_default();
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return Value::Null,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

/// Makes a function of this name that asks the server.
pub(crate) fn make_function(client: &Client, name: &str, server: SocketAddr) {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    archive.start_file("bootstrap", options).expect("it is begun");
    archive.write_all(BOOTSTRAP).expect("it is written");
    let code = archive.finish().expect("it is finished").into_inner();
    let function = json!({
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": "replay",
        "Environment": { "Variables": { "REPLAY": server.to_string() } },
        "Role": "arn:aws:iam::123456789012:role/function",
        "Code": { "ZipFile": BASE64_STANDARD.encode(code) },
        "Timeout": 60,
    });
    client
        .rest(
            "lambda",
            Method::POST,
            "/2015-03-31/functions",
            function.to_string().into(),
        )
        .expect("the function is made");
}
