//! Cold starts and memory of a function as it is deployed, beside the same handler in Python 3 with boto3.
//!
//! `cargo bench -p testing --bench cold_start` builds the `bootstrap` and prints a table. Both are started as Lambda starts a
//! runtime, take one invocation from the same Runtime API, and make the same three calls of AWS, which are answered on loopback at
//! once: what differs is the runtime and the handler. It fails if a figure is beyond what the project promises.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use testing::lambda::{self, Answer, Process};
use testing::tools::{self, Packages};

/// How often each is started; the figures are medians.
const STARTS: usize = 15;
/// What the project promises, beside Python.
const QUICKER: f64 = 20.0;
const SMALLER: f64 = 5.0;
/// The greatest size of the binary.
const BINARY: u64 = 8_000_000;
/// The longest that the first random bytes may take.
const RANDOM: Duration = Duration::from_millis(1);

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn Error>> {
    // Before anything else in this process asks for any.
    let begun = Instant::now();
    SystemRandom::new()
        .fill(&mut [0; 32])
        .map_err(|_| "there are no random bytes")?;
    let random = begun.elapsed();

    let bootstrap = lambda::bootstrap()?;
    let python = tools::python(Packages::Lambda)?;
    let aws = aws()?;

    let ours = Program {
        program: bootstrap.as_os_str().to_owned(),
        arguments: Vec::new(),
        handler: "check_pipeline",
    };
    let theirs = Program {
        program: python.as_os_str().to_owned(),
        arguments: ["-m", "awslambdaric", "handler.check_pipeline"]
            .map(OsString::from)
            .to_vec(),
        handler: "handler.check_pipeline",
    };
    let (rust, boto) = (measure(&ours, &aws)?, measure(&theirs, &aws)?);
    let size = std::fs::metadata(&bootstrap)?.len();

    let quicker = boto.first.as_secs_f64() / rust.first.as_secs_f64();
    let smaller = boto.resident as f64 / rust.resident as f64;
    let promises = [quicker >= QUICKER, smaller >= SMALLER, size <= BINARY, random <= RANDOM];
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(["", "bootstrap", "Python 3 and boto3", "ratio", "promised"]);
    let rows = [
        [
            "from the start to the first answer".to_owned(),
            milliseconds(rust.first),
            milliseconds(boto.first),
            format!("{quicker:.0}×"),
            format!("{QUICKER}×"),
        ],
        [
            "the next answer".to_owned(),
            milliseconds(rust.next),
            milliseconds(boto.next),
            String::new(),
            String::new(),
        ],
        [
            "resident after both".to_owned(),
            mebibytes(rust.resident),
            mebibytes(boto.resident),
            format!("{smaller:.1}×"),
            format!("{SMALLER}×"),
        ],
        [
            "size of the binary".to_owned(),
            format!("{:.2} MB", size as f64 / 1e6),
            String::new(),
            String::new(),
            format!("{:.0} MB", BINARY as f64 / 1e6),
        ],
        [
            "first random bytes".to_owned(),
            milliseconds(random),
            String::new(),
            String::new(),
            milliseconds(RANDOM),
        ],
    ];
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
    Ok(promises.iter().all(|kept| *kept))
}

struct Program {
    program: OsString,
    arguments: Vec<OsString>,
    handler: &'static str,
}

struct Figures {
    first: Duration,
    next: Duration,
    resident: u64,
}

/// Starts the program again and again; the medians.
fn measure(program: &Program, aws: &str) -> Result<Figures, Box<dyn Error>> {
    let variables: BTreeMap<String, String> = [
        ("AWS_ENDPOINT_URL", aws),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("TABLE", "records"),
        ("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tools")),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let target = json!({
        "repository": "o/r", "number": 17, "sha": "0".repeat(40), "environment": "pr-17", "generation": 1,
    });
    let query = json!({ "target": target, "run": { "pipeline": "unit-test", "execution_id": "e" } });
    let arguments: Vec<&OsStr> = program.arguments.iter().map(OsString::as_os_str).collect();
    let mut figures = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut process = Process::start(
            &program.program,
            &arguments,
            program.handler,
            "bench-check-pipeline",
            &variables,
        )?;
        expect_output(process.invoke(&query, Duration::from_secs(30)))?;
        let first = begun.elapsed();
        let begun = Instant::now();
        expect_output(process.invoke(&query, Duration::from_secs(30)))?;
        figures.push((first, begun.elapsed(), process.memory()?.resident));
    }
    let median = |mut all: Vec<Duration>| {
        all.sort();
        all[all.len() / 2]
    };
    let mut resident: Vec<u64> = figures.iter().map(|figure| figure.2).collect();
    resident.sort_unstable();
    Ok(Figures {
        first: median(figures.iter().map(|figure| figure.0).collect()),
        next: median(figures.iter().map(|figure| figure.1).collect()),
        resident: resident[resident.len() / 2],
    })
}

fn expect_output(answer: Answer) -> Result<(), Box<dyn Error>> {
    match answer {
        Answer::Output(_) => Ok(()),
        other => Err(format!("the function answered {other:?}").into()),
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// An AWS that knows one record and one execution, and thinks of nothing. Returns its address.
fn aws() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A client that goes away has what it wanted.
            thread::spawn(move || drop(serve(connection)));
        }
    });
    Ok(address)
}

fn serve(connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut writer = connection;
    loop {
        let (mut operation, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let lower = line.trim_end().to_ascii_lowercase();
            if lower.is_empty() {
                break;
            }
            if let Some(target) = lower.strip_prefix("x-amz-target:") {
                operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            }
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let body = answer(&operation).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: ";
        write!(writer, "{head}{}\r\n\r\n{body}", body.len())?;
    }
}

fn answer(operation: &str) -> Value {
    match operation {
        "getitem" => json!({ "Item": record() }),
        "getpipelineexecution" => {
            json!({ "pipelineExecution": { "pipelineName": "unit-test", "status": "InProgress" } })
        }
        _ => json!({ "actionExecutionDetails": [] }),
    }
}

/// A record as `claim` writes it.
fn record() -> Value {
    let (text, number) = (
        |text: &str| json!({ "S": text }),
        |number: u32| json!({ "N": number.to_string() }),
    );
    json!({
        "repository": text("o/r"), "number": number(17), "revision": number(1), "generation": number(1),
        "decision": text("deploy"), "reason": text("a push"), "sha": text(&"0".repeat(40)), "open": { "BOOL": true }, "wanted": { "BOOL": true },
        "updated_at": text("2026-01-01T00:00:00Z"), "execution": text("e"), "claimed_at": number(1), "attempts": number(1),
    })
}
