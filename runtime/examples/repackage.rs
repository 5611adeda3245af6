//! `repackage IN.zip OUT.zip`: what `fetch_source` does to a zipball on its way to S3, from file to file.
//!
//! Reads once from front to back and needs no feature: a pipe will do for either end. A file is written under a temporary name and
//! renamed once the archive is verified, so what was there before stays there until then.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use tempfile::NamedTempFile;
use zipball::{Limits, Options, Output, Rewriter, Summary};

/// As much as fits into a processor's cache: what was read is still there when it is written.
const BUFFER: usize = 128 * 1024;

const EXAMPLES: &str = "\
Examples:
  repackage zipball.zip source.zip
  repackage --sha \"$(git rev-parse HEAD)\" zipball.zip source.zip
  git archive --format=zip --prefix=root/ HEAD | repackage - source.zip
  curl -L https://api.github.com/repos/OWNER/NAME/zipball/SHA | repackage - - | aws s3 cp - s3://BUCKET/source.zip

Exit codes:
  0  done
  1  the archive is refused: hostile, broken, or not of the commit
  2  the flags or the input are unusable
  3  the output cannot be written; what was there before is untouched";

/// Strips the root folder off a zip, without inflating it.
///
/// Modes, symbolic links, times and the comment stay as they are. Whatever could harm who extracts the archive is refused.
#[derive(Debug, Parser)]
#[command(name = "repackage", version, after_help = EXAMPLES)]
struct Cli {
    /// The zip, all of whose files are in one folder; `-` for standard input.
    #[arg(value_name = "IN.zip")]
    input: PathBuf,
    /// The zip to write; `-` for standard output.
    #[arg(value_name = "OUT.zip")]
    output: PathBuf,
    /// The full SHA of the commit that the archive's comment must name.
    #[arg(long, value_name = "SHA", value_parser = commit)]
    sha: Option<String>,
    /// Most entries, the root folder included.
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().entries)]
    max_entries: u64,
    /// Most bytes of all files once they are extracted.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().expanded)]
    max_expanded: u64,
    /// Say nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// What ends it early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot read {path}: {source}\n  help: name a zip that is there, or `-` for standard input")]
    Unreadable { path: String, source: io::Error },
    #[error("cannot write {path}: {source}\n  help: name a file in a folder that takes it, or `-` for standard output")]
    Unwritable { path: String, source: io::Error },
    #[error("a zip is nothing for a terminal\n  help: redirect standard output, or name a file")]
    Terminal,
    #[error("{path}: {source}")]
    Refused { path: String, source: zipball::Error },
}

impl Failure {
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused { .. } => 1,
            Self::Unreadable { .. } | Self::Terminal => 2,
            Self::Unwritable { .. } => 3,
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(summary) => {
            if !cli.quiet {
                // There is nobody to tell that standard error is closed.
                drop(writeln!(io::stderr(), "{}", describe(&summary)));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            drop(writeln!(io::stderr(), "error: {failure}"));
            failure.code()
        }
    }
}

fn describe(summary: &Summary) -> String {
    format!(
        "{} entries, {} bytes; stripped {}; comment {:?}",
        summary.entries,
        summary.bytes,
        String::from_utf8_lossy(&summary.root),
        String::from_utf8_lossy(&summary.comment),
    )
}

fn commit(text: &str) -> Result<String, String> {
    if matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    Err("no full SHA, which has 40 hexadecimal digits (64 in a SHA-256 repository)\n  help: `git rev-parse HEAD` prints it".to_owned())
}

fn run(cli: &Cli) -> Result<Summary, Failure> {
    let from = shown(&cli.input, "standard input");
    let to = shown(&cli.output, "standard output");
    let unreadable = |source| Failure::Unreadable {
        path: from.clone(),
        source,
    };
    let unwritable = |source| Failure::Unwritable {
        path: to.clone(),
        source,
    };
    let rewriter = Rewriter::new(Options {
        limits: Limits {
            entries: cli.max_entries,
            expanded: cli.max_expanded,
            // A file on a disk may be larger than what CodePipeline takes.
            bytes: u64::MAX,
            ..Limits::default()
        },
        commit: cli.sha.clone(),
    });
    let mut input: Box<dyn Read> = if cli.input == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(&cli.input).map_err(unreadable)?)
    };
    if cli.output == Path::new("-") {
        if io::stdout().is_terminal() {
            return Err(Failure::Terminal);
        }
        return rewrite(rewriter, &mut input, io::stdout().lock(), &from, &to);
    }
    let folder = cli.output.parent().filter(|folder| *folder != Path::new(""));
    let mut draft = tempfile::Builder::new();
    // Those of a file that any program makes, which the user's mask narrows; a temporary file is its owner's alone.
    #[cfg(unix)]
    draft.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let draft = draft
        .prefix(".repackage-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(unwritable)?;
    let summary = rewrite(rewriter, &mut input, draft.as_file(), &from, &to)?;
    keep(draft, &cli.output).map_err(unwritable)?;
    Ok(summary)
}

fn keep(draft: NamedTempFile, path: &Path) -> io::Result<()> {
    draft.persist(path).map(drop).map_err(|error| error.error)
}

fn shown(path: &Path, otherwise: &str) -> String {
    if path == Path::new("-") {
        otherwise.to_owned()
    } else {
        path.display().to_string()
    }
}

fn rewrite(
    mut rewriter: Rewriter,
    input: &mut dyn Read,
    output: impl Write,
    from: &str,
    to: &str,
) -> Result<Summary, Failure> {
    let refused = |source| Failure::Refused {
        path: from.to_owned(),
        source,
    };
    let unwritable = |source| Failure::Unwritable {
        path: to.to_owned(),
        source,
    };
    let mut sink = Sink {
        // What is as long as the buffer is written as it is, without a copy.
        output: BufWriter::with_capacity(BUFFER, output),
        result: Ok(()),
    };
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(Failure::Unreadable {
                    path: from.to_owned(),
                    source,
                });
            }
        };
        rewriter.push(&buffer[..read], &mut sink).map_err(refused)?;
        std::mem::replace(&mut sink.result, Ok(())).map_err(unwritable)?;
    }
    let summary = rewriter.finish(&mut sink).map_err(refused)?;
    let written = sink.result.and_then(|()| sink.output.flush());
    written.map_err(unwritable)?;
    Ok(summary)
}

/// Writes what comes out, and remembers the first error.
struct Sink<W: Write> {
    output: BufWriter<W>,
    result: io::Result<()>,
}

impl<W: Write> Output for Sink<W> {
    fn put(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.output.write_all(bytes);
        }
    }
}
