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
    let binary = fs::read(&path).map_err(|error| Error::Unreadable {
        path: path.clone(),
        why: error.to_string(),
        help: "name the binary that `cargo bootstrap` has built, or leave `--bootstrap` out",
    })?;
    judge(&path, &binary, processor)?;
    Ok(Bootstrap { zip: zipped(&binary)? })
}

/// Builds the binary with the commands that the README names.
fn build(root: &Path, processor: Processor, frontend: &dyn Frontend) -> Result<PathBuf, Error> {
    let native = env::consts::ARCH == name(processor);
    let target = format!("{}-unknown-linux-gnu", name(processor));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let (arguments, folder) = if native && cfg!(target_os = "linux") {
        (vec!["bootstrap".to_owned()], "target/lambda".to_owned())
    } else {
        let arguments =
            format!("zigbuild --locked --profile lambda -p runtime --features lambda --target {target}.{GLIBC}");
        if let Some(path) = with_zig(root)? {
            command.env("PATH", path);
        }
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        (arguments, format!("target/{target}/lambda"))
    };
    frontend.event(&Event::Building {
        command: format!("cargo {}", arguments.join(" ")),
    });
    let status = command
        .args(arguments)
        .current_dir(if root.as_os_str().is_empty() {
            Path::new(".")
        } else {
            root
        })
        .stdin(Stdio::null())
        .status()
        .map_err(|error| {
            Error::Unbuildable(format!(
                "cannot start cargo: {error}\n  help: install Rust, or name a binary with `--bootstrap`"
            ))
        })?;
    if !status.success() {
        return Err(Error::Unbuildable(format!(
            "the functions' binary was not built: {status}\n  help: see above; `rustup target add {target}` installs what Rust needs for {}; or name a binary with `--bootstrap`",
            name(processor)
        )));
    }
    Ok(root.join(folder).join("bootstrap"))
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
