//! The archives: text and noise, small files and large ones, some executable, some links, as `git archive` packs them.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An archive.
#[derive(Debug)]
pub(crate) struct Archive {
    pub(crate) path: PathBuf,
    pub(crate) megabytes: u32,
    pub(crate) entries: u32,
}

impl Archive {
    pub(crate) fn bytes(&self) -> u64 {
        fs::metadata(&self.path).expect("it is there").len()
    }
}

/// By name: how many megabytes the archive has, how many files, and how many bytes these are in all.
const ARCHIVES: [(&str, u32, u32, u64); 4] = [
    ("13", 13, 1_200, 22_000_000),
    ("60", 60, 4_000, 104_000_000),
    ("750", 750, 9_000, 1_300_000_000),
    ("70000", 190, 70_000, 330_000_000),
];

/// Those that the arguments name, or all.
pub(crate) fn chosen(arguments: &[String]) -> Vec<Archive> {
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let chosen = ARCHIVES.iter().filter(|(name, ..)| wanted(name));
    chosen
        .map(|(name, megabytes, files, bytes)| {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("repackage-{name}.zip"));
            if !path.exists() {
                eprintln!("making the archive {name}");
                make(&path, *files, *bytes);
            }
            Archive {
                path,
                megabytes: *megabytes,
                entries: *files,
            }
        })
        .collect()
}

/// The same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap_or(0) % end
    }
}

fn make(path: &Path, files: u32, bytes: u64) {
    let repository = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C").arg(repository.path());
        git
    };
    assert!(
        git()
            .args(["init", "--quiet", "--bare"])
            .status()
            .expect("git starts")
            .success()
    );
    let mut import = git()
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("git starts");
    let mut input = BufWriter::new(import.stdin.take().expect("it is piped"));
    write_files(&mut input, files, bytes).expect("git reads");
    drop(input);
    assert!(import.wait().expect("git ends").success());
    // Under another name until it is whole.
    let draft = path.with_extension("draft");
    let archived = git()
        .args(["archive", "--format=zip", "--prefix=owner-name-0123456/", "--output"])
        .arg(&draft)
        .arg("main")
        .status();
    assert!(archived.expect("git starts").success());
    fs::rename(draft, path).expect("it is renamed");
}

fn write_files(input: &mut impl Write, files: u32, bytes: u64) -> std::io::Result<()> {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let text = text(&mut numbers);
    let noise: Vec<u8> = (0..1 << 20).flat_map(|_| numbers.next().to_le_bytes()).collect();
    let mean = usize::try_from(bytes / u64::from(files)).unwrap_or(usize::MAX);
    writeln!(
        input,
        "commit refs/heads/main\ncommitter a <a@example.com> 1700000000 +0000\ndata 0"
    )?;
    for file in 0..files {
        let mode = match file {
            _ if file % 500 == 7 => "120000",
            _ if file % 50 == 3 => "100755",
            _ => "100644",
        };
        writeln!(
            input,
            "M {mode} inline part{}/module{}/file{file}",
            file % 97,
            file % 13
        )?;
        if mode == "120000" {
            write!(input, "data 6\ntarget\n")?;
            continue;
        }
        // A third of the mean, up to five times as much for one in eight.
        let length = if file % 8 == 0 { mean * 5 } else { mean * 3 / 7 };
        let length = length / 2 + numbers.below(length + 1);
        let from = if file % 7 == 0 { &noise } else { &text };
        writeln!(input, "data {length}")?;
        let mut missing = length;
        while missing > 0 {
            let piece = missing.min(1 << 16);
            let begin = numbers.below(from.len() - piece);
            input.write_all(&from[begin..begin + piece])?;
            missing -= piece;
        }
        writeln!(input)?;
    }
    Ok(())
}

/// Words that repeat as those of a program do.
fn text(numbers: &mut Numbers) -> Vec<u8> {
    let words: Vec<Vec<u8>> = (0..4_000)
        .map(|_| {
            (0..2 + numbers.below(8))
                .map(|_| b'a' + (numbers.below(26) as u8))
                .collect()
        })
        .collect();
    let mut text = Vec::new();
    while text.len() < 8 << 20 {
        text.extend_from_slice(&words[numbers.below(words.len())]);
        text.push(if numbers.below(10) == 0 { b'\n' } else { b' ' });
    }
    text
}
