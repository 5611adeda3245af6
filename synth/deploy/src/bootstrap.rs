//! The functions' binary: built or taken, judged before anything is changed, and zipped the same way every time.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use stacks::project::Processor;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::error::Error;
use crate::event::{Event, Frontend};

/// What an ELF header says the program runs on, see <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>.
const AARCH64: u16 = 183;
const X86_64: u16 = 62;
/// The glibc of Amazon Linux 2023.
const GLIBC: &str = "2.34";

/// The binary as Lambda takes it.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The zip with the binary in it.
    pub zip: Vec<u8>,
}

/// Takes the binary at `path`, or builds it in the repository at `root`.
///
/// # Errors
/// Where it cannot be read or built, or runs on another processor.
pub fn prepare(
    path: Option<&Path>,
    root: &Path,
    processor: Processor,
    frontend: &dyn Frontend,
) -> Result<Bootstrap, Error> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => build(root, processor, frontend)?,
    };
    let binary = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    judge(&path, &binary, processor)?;
    Ok(Bootstrap { zip: zipped(&binary)? })
}

/// How the binary would be obtained, in words; changes nothing.
///
/// # Errors
/// Where it could not be: what is missing, and how to get it.
pub fn obtainable(path: Option<&Path>, root: &Path, processor: Processor) -> Result<String, Error> {
    if let Some(path) = path {
        let binary = fs::read(path).map_err(|error| unreadable(path, &error))?;
        judge(path, &binary, processor)?;
        return Ok(format!("{}, {} bytes", path.display(), binary.len()));
    }
    let way = Way::here(root, processor)?;
    if !way.target_is_installed() {
        return Err(way.without_target());
    }
    Ok(format!("built by `{}`", way.command()))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::Unreadable {
        path: path.to_owned(),
        why: error.to_string(),
        help: "name the binary that `cargo bootstrap` has built, or leave `--bootstrap` out",
    }
}

/// How the binary is built on this machine: with the commands that the README names.
#[derive(Debug)]
struct Way {
    arguments: Vec<String>,
    /// What the binary is built for, as Rust calls it.
    target: String,
    /// Where it lies then, below the repository's root.
    folder: String,
    /// The search path, where it must be another one.
    path: Option<std::ffi::OsString>,
    is_native: bool,
}

impl Way {
    fn here(root: &Path, processor: Processor) -> Result<Self, Error> {
        let is_native = env::consts::ARCH == name(processor) && cfg!(target_os = "linux");
        let target = format!("{}-unknown-linux-gnu", name(processor));
        let (arguments, folder) = if is_native {
            ("bootstrap".to_owned(), "target/lambda".to_owned())
        } else {
            (
                format!("zigbuild --locked --profile lambda -p runtime --features lambda --target {target}.{GLIBC}"),
                format!("target/{target}/lambda"),
            )
        };
        Ok(Self {
            arguments: arguments.split(' ').map(str::to_owned).collect(),
            folder,
            path: if is_native { None } else { with_zig(root)? },
            target,
            is_native,
        })
    }

    fn command(&self) -> String {
        format!("cargo {}", self.arguments.join(" "))
    }

    /// Whether Rust's own library is there for the processor. Where nobody says, the build does.
    fn target_is_installed(&self) -> bool {
        if self.is_native {
            return true;
        }
        let mut rustc = Command::new("rustc");
        let asked = rustc
            .args(["--print", "target-libdir", "--target", &self.target])
            .output();
        asked.map_or(true, |answer| {
            let folder = String::from_utf8_lossy(&answer.stdout);
            !answer.status.success() || Path::new(folder.trim()).is_dir()
        })
    }

    fn without_target(&self) -> Error {
        let target = &self.target;
        Error::Unbuildable(format!(
            "Rust's library for {target} is not installed\n  help: `rustup target add {target}`, or name a binary with `--bootstrap`"
        ))
    }
}

/// Builds the binary.
fn build(root: &Path, processor: Processor, frontend: &dyn Frontend) -> Result<PathBuf, Error> {
    let way = Way::here(root, processor)?;
    if !way.target_is_installed() {
        return Err(way.without_target());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    if let Some(path) = &way.path {
        command.env("PATH", path);
    }
    frontend.event(&Event::Building { command: way.command() });
    let here = root.as_os_str().is_empty();
    let status = command
        .args(&way.arguments)
        .current_dir(if here { Path::new(".") } else { root })
        .stdin(Stdio::null())
        .status()
        .map_err(|error| {
            Error::Unbuildable(format!(
                "cannot start cargo: {error}\n  help: install Rust, or name a binary with `--bootstrap`"
            ))
        })?;
    if !status.success() {
        return Err(Error::Unbuildable(format!(
            "the functions' binary was not built: {status}\n  help: mend what cargo says above, or name a binary that was built elsewhere with `--bootstrap`"
        )));
    }
    Ok(root.join(way.folder).join("bootstrap"))
}

/// The search path with which cargo finds `cargo-zigbuild`; none if it is there anyway.
fn with_zig(root: &Path) -> Result<Option<std::ffi::OsString>, Error> {
    const TOOL: &str = "cargo-zigbuild";
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|folder| folder.join(TOOL).is_file()) {
        return Ok(None);
    }
    let folder = root.join("target/zig/bin");
    if !folder.join(TOOL).is_file() {
        return Err(Error::Unbuildable(format!(
            "{TOOL} is not there, with which the functions' binary is linked for {}\n  help: install it, then run the same command again:\n    rustup target add aarch64-unknown-linux-gnu\n    python3 -m venv target/zig && target/zig/bin/pip install cargo-zigbuild==0.24.0 ziglang==0.17.1\n  or name a binary that was built elsewhere with `--bootstrap`",
            "another processor than this machine's"
        )));
    }
    let folder = fs::canonicalize(&folder).unwrap_or(folder);
    let folders = std::iter::once(folder).chain(env::split_paths(&path));
    Ok(env::join_paths(folders).ok())
}

/// What Rust calls the processor.
const fn name(processor: Processor) -> &'static str {
    match processor {
        Processor::Arm64 => "aarch64",
        Processor::X86_64 => "x86_64",
    }
}

/// Refuses what Lambda would only fail with at the first request. A script is for the machine to run, whichever that is.
fn judge(path: &Path, binary: &[u8], processor: Processor) -> Result<(), Error> {
    let wrong = |found: String| Error::WrongBinary {
        path: path.to_owned(),
        found,
        wanted: match processor {
            Processor::Arm64 => "arm64",
            Processor::X86_64 => "x86_64",
        },
    };
    if binary.starts_with(b"#!") {
        return Ok(());
    }
    let machine = match binary {
        [0x7f, b'E', b'L', b'F', 2, 1, ..] => binary.get(18..20).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])),
        _ => None,
    };
    match (machine, processor) {
        (Some(AARCH64), Processor::Arm64) | (Some(X86_64), Processor::X86_64) => Ok(()),
        (Some(AARCH64), _) => Err(wrong("a program for arm64".to_owned())),
        (Some(X86_64), _) => Err(wrong("a program for x86_64".to_owned())),
        (Some(other), _) => Err(wrong(format!("a program for the processor {other}"))),
        (None, _) => Err(wrong("no program for Linux".to_owned())),
    }
}

/// The binary in a zip, whose bytes depend on it alone.
fn zipped(binary: &[u8]) -> Result<Vec<u8>, Error> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options)
        .map_err(std::io::Error::from)
        .and_then(|()| zip.write_all(binary))
        .and_then(|()| zip.finish().map_err(std::io::Error::from))
        .map(Cursor::into_inner)
        .map_err(|error| {
            Error::Unbuildable(format!(
                "the binary cannot be zipped: {error}\n  help: name another with `--bootstrap`"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(machine: u16) -> Vec<u8> {
        let mut header = vec![0x7f, b'E', b'L', b'F', 2, 1];
        header.resize(18, 0);
        header.extend(machine.to_le_bytes());
        header
    }

    #[test]
    fn a_binary_for_another_processor_is_refused_before_anything_changes() {
        let path = Path::new("bootstrap");
        assert_eq!(judge(path, &program(AARCH64), Processor::Arm64), Ok(()));
        let refused = judge(path, &program(X86_64), Processor::Arm64).unwrap_err().to_string();
        assert!(refused.starts_with("bootstrap is a program for x86_64, and the functions run on arm64"));
        assert!(judge(path, b"MZ", Processor::X86_64).is_err());
    }

    #[test]
    fn the_same_binary_is_always_the_same_zip() {
        assert_eq!(zipped(b"one").unwrap(), zipped(b"one").unwrap());
        assert_ne!(zipped(b"one").unwrap(), zipped(b"two").unwrap());
    }
}
