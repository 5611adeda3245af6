//! From a chunked HTTP source on loopback to a multipart upload on loopback, by the code of `fetch_source`: in a process of its own,
//! which says how much memory it took and what it wrote to disks.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use comfy_table::{Cell, CellAlignment, Table, presets};
use http_body_util::{BodyExt, Empty};
use runtime::functions::fetch_source::{Chunks, transfer};
use runtime::upload::Upload;
use zipball::Options;

use crate::archives::Archive;

/// How much of a part a slow S3 takes before each pause.
const SLOWLY: usize = 256 << 10;
const PAUSE: Duration = Duration::from_millis(5);

/// Streams every archive, to a sink that is fast and to one that is slow.
pub(crate) fn table(archives: &[Archive]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["archive", "S3 is", "CPU", "wall", "peak resident", "written to disks"]);
    for archive in archives {
        for slow in [false, true] {
            let line = stream(archive, slow);
            let words: Vec<&str> = line.split(' ').collect();
            let archive = format!("{} MB", archive.bytes() / 1_000_000);
            let mut row = vec![Cell::new(archive), Cell::new(if slow { "slow" } else { "fast" })];
            row.extend(words[..2].iter().map(|word| Cell::new(format!("{word} ms"))));
            row.push(Cell::new(format!("{} MiB", words[2])));
            row.push(Cell::new(format!("{} bytes", words[3])));
            table.add_row(row);
        }
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn stream(archive: &Archive, slow: bool) -> String {
    let path = archive.path.clone();
    let source = serve(move |reader, connection| send(&path, reader, connection));
    let received = Arc::new(AtomicU64::new(0));
    let sink = {
        let received = Arc::clone(&received);
        serve(move |reader, connection| while answer(reader, connection, &received, slow) {})
    };
    let output = Command::new(std::env::current_exe().expect("this program's path"))
        .args(["stream", &source.to_string(), &sink.to_string()])
        .output()
        .expect("this program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (size, line) = text.trim().split_once(' ').expect("a line");
    assert_eq!(
        size.parse(),
        Ok(received.load(Ordering::SeqCst)),
        "what was sent has arrived"
    );
    line.to_owned()
}

/// A server that gives every connection a thread.
fn serve(answer: impl Fn(&mut BufReader<TcpStream>, &mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut reader = BufReader::new(connection.try_clone().expect("a second handle"));
                answer(&mut reader, &mut connection);
            });
        }
    });
    address
}

/// The source: the whole archive in chunks, as GitHub sends it.
fn send(path: &std::path::Path, reader: &mut BufReader<TcpStream>, connection: &mut TcpStream) {
    let mut line = String::new();
    while reader.read_line(&mut line).expect("a request") > 2 {
        line.clear();
    }
    let mut file = File::open(path).expect("the archive");
    let mut buffer = vec![0; 64 << 10];
    let mut put = |bytes: &[u8]| connection.write_all(bytes).expect("somebody reads");
    put(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    loop {
        let read = file.read(&mut buffer).expect("it can be read");
        put(format!("{read:x}\r\n").as_bytes());
        put(&buffer[..read]);
        put(b"\r\n");
        if read == 0 {
            return;
        }
    }
}

/// The sink: as much of S3 as an upload needs. Answers whether the connection goes on.
fn answer(reader: &mut BufReader<TcpStream>, connection: &mut TcpStream, received: &AtomicU64, slow: bool) -> bool {
    let mut request = String::new();
    if reader.read_line(&mut request).unwrap_or(0) == 0 {
        return false;
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().expect("a number");
        }
        if line.starts_with("expect:") {
            connection
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .expect("somebody reads");
        }
        if line.is_empty() {
            break;
        }
    }
    let data = request.starts_with("PUT");
    let mut buffer = vec![0; SLOWLY];
    let mut missing: usize = length;
    while missing > 0 {
        let piece = missing.min(SLOWLY);
        reader.read_exact(&mut buffer[..piece]).expect("the body");
        missing -= piece;
        if data {
            received.fetch_add(piece as u64, Ordering::SeqCst);
            if slow {
                thread::sleep(PAUSE);
            }
        }
    }
    let body = if request.contains("uploads") {
        "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
    } else if data {
        ""
    } else {
        "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>"
    };
    let mut head = String::from("HTTP/1.1 200 OK\r\netag: \"e\"\r\nx-amz-version-id: v\r\n");
    write!(head, "content-length: {}\r\n\r\n{body}", body.len()).expect("a string takes all");
    connection.write_all(head.as_bytes()).is_ok()
}

/// The archive as it comes over HTTP.
struct Http(hyper::body::Incoming);

impl Chunks for Http {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            match self.0.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(error.to_string()),
                Some(Ok(frame)) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// Streams from one address to the other and prints the size, CPU and wall time, peak memory and bytes written to disks.
pub(crate) fn child(arguments: &[String]) {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let size = runtime.block_on(upload(&arguments[0], &arguments[1]));
    let wall = begun.elapsed().as_millis();
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).expect("the kernel counts");
    let (user, system) = (usage.user_time(), usage.system_time());
    let cpu = (user.tv_sec() + system.tv_sec()) * 1000 + (user.tv_usec() + system.tv_usec()) / 1000;
    let read = |file: &str, key: &str| -> u64 {
        let text = fs::read_to_string(file).expect("Linux tells");
        let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("that line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    let memory = read("/proc/self/status", "VmHWM:") / 1024;
    println!("{size} {cpu} {wall} {memory} {}", read("/proc/self/io", "write_bytes:"));
}

async fn upload(source: &str, sink: &str) -> u64 {
    let variables = [
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{sink}")),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
    let aws = runtime::aws::config(&variables, "benchmark").expect("certificates");
    let client = runtime::https::client::<Empty<Bytes>>().expect("certificates");
    let address = format!("http://{source}/").parse().expect("an address");
    let response = client.get(address).await.expect("an answer");
    let mut upload = Upload::new(aws_sdk_s3::Client::new(&aws), "bucket".to_owned(), "key".to_owned());
    let mut chunks = Http(response.into_body());
    transfer(&mut chunks, &mut upload, Options::default())
        .await
        .expect("it is a good archive");
    upload.complete().await.expect("it is taken").size
}
