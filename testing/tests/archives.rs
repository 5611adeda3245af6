//! Archives that git makes, rewritten, and read by programs that know nothing of the rewriter: Python's zipfile and Info-ZIP's
//! `unzip`. What they see must be what `git ls-tree` says.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use zipball::{Options, Rewriter, Summary};

const PREFIX: &str = "owner-name-0123456/";

/// Prints each entry's name, Unix mode and git object id, in the order of the directory, and last the comment.
const READER: &str = r#"
import hashlib, json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    rows = []
    for info in archive.infolist():
        data = archive.read(info)
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        rows.append([info.filename, info.external_attr >> 16, blob, info.date_time])
    print(json.dumps([rows, archive.comment.decode()]))
"#;

fn present(program: &str, argument: &str) -> bool {
    let started = Command::new(program)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let present = started.is_ok_and(|status| status.success());
    if !present {
        testing::skipped(program, "the program is not on this machine; install it");
    }
    present
}

/// Whether what every test here needs is there.
fn ready() -> bool {
    present("git", "--version") && present("python3", "--version")
}

fn run(program: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().expect("it starts");
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A repository without a working tree.
struct Repository {
    folder: TempDir,
}

/// What is in a repository, or in an archive of it: by name, its mode and object id.
type Tree = BTreeMap<String, (u32, String)>;

impl Repository {
    fn of(files: impl IntoIterator<Item = (String, u32, Vec<u8>)>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        run(
            "git",
            [
                OsStr::new("init"),
                OsStr::new("--quiet"),
                OsStr::new("--bare"),
                OsStr::new("--initial-branch=main"),
                folder.path().as_os_str(),
            ],
        );
        let mut import = Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args(["fast-import", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("git starts");
        let mut input = std::io::BufWriter::new(import.stdin.take().expect("it is piped"));
        let mut write = |bytes: &[u8]| input.write_all(bytes).expect("git reads");
        write(b"commit refs/heads/main\ncommitter a <a@example.com> 1700000000 +0000\ndata 0\n");
        for (name, mode, content) in files {
            if mode == 0o160_000 {
                write(format!("M 160000 {} {name}\n", "1".repeat(40)).as_bytes());
            } else {
                write(format!("M {mode:o} inline {name}\ndata {}\n", content.len()).as_bytes());
                write(&content);
                write(b"\n");
            }
        }
        drop(input);
        assert!(import.wait().expect("git ends").success());
        Self { folder }
    }

    fn git(&self, arguments: &[&str]) -> Vec<u8> {
        git(self.folder.path(), arguments)
    }
}

fn git(repository: &Path, arguments: &[&str]) -> Vec<u8> {
    let place = [OsStr::new("-C"), repository.as_os_str()];
    run("git", place.into_iter().chain(arguments.iter().map(OsStr::new)))
}

/// What git says: files, links, and folders and submodules as folders.
fn tree(repository: &Path, commit: &str) -> Tree {
    let listing = git(repository, &["ls-tree", "-r", "-t", "-z", commit]);
    let listing = String::from_utf8(listing).expect("the names are UTF-8");
    let mut tree = Tree::new();
    for line in listing.split_terminator('\0') {
        let (facts, name) = line.split_once('\t').expect("a name");
        let facts: Vec<&str> = facts.split(' ').collect();
        let mode = u32::from_str_radix(facts[0], 8).expect("a mode");
        if facts[1] == "blob" {
            tree.insert(name.to_owned(), (mode, facts[2].to_owned()));
        } else {
            tree.insert(format!("{name}/"), (0, String::new()));
        }
    }
    tree
}

/// What Python's zipfile says, and the comment.
fn read(zip: &Path) -> (Tree, String) {
    let output = run("python3", [OsStr::new("-c"), OsStr::new(READER), zip.as_os_str()]);
    /// Name, Unix mode, content and time, as the script prints them.
    type Row = (String, u32, String, Vec<u32>);
    let (rows, comment): (Vec<Row>, String) = serde_json::from_slice(&output).expect("the reader prints JSON");
    let mut tree = Tree::new();
    for (name, mode, blob, _) in rows {
        let facts = if name.ends_with('/') {
            (0, String::new())
        } else {
            // Git gives no mode to files that are not executable, and all permissions to links.
            let mode = match mode {
                0 => 0o100_644,
                mode if mode & 0o170_000 == 0o120_000 => 0o120_000,
                mode => mode,
            };
            (mode, blob)
        };
        assert!(tree.insert(name, facts).is_none(), "a name twice");
    }
    (tree, comment)
}

fn rewrite(zip: &[u8], commit: &str) -> (Vec<u8>, Summary) {
    let mut rewriter = Rewriter::new(Options {
        commit: Some(commit.to_owned()),
        ..Options::default()
    });
    let mut output = Vec::new();
    // As it comes from a network.
    for chunk in zip.chunks(8_191) {
        rewriter.push(chunk, &mut output).expect("git's archives are good");
    }
    let summary = rewriter.finish(&mut output).expect("git's archives are good");
    (output, summary)
}

/// Archives, rewrites, and compares what the readers see with what git says.
fn check(repository: &Path, before: &[&str], after: &[&str]) -> (Vec<u8>, Summary) {
    let commit = String::from_utf8(git(repository, &["rev-parse", "HEAD"])).expect("hexadecimal");
    let commit = commit.trim();
    let prefix = format!("--prefix={PREFIX}");
    let arguments = [before, &["archive", "--format=zip", &prefix], after, &["HEAD"]].concat();
    let zip = git(repository, &arguments);
    let (output, summary) = rewrite(&zip, commit);
    assert_eq!(summary.root, PREFIX.as_bytes());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.zip");
    fs::write(&path, &output).expect("it is written");
    let (seen, comment) = read(&path);
    assert_eq!(comment, commit);
    assert_eq!(seen, tree(repository, commit), "{arguments:?}");
    assert_eq!(summary.entries, seen.len() as u64);
    if present("unzip", "-v") {
        run("unzip", [OsStr::new("-tqq"), path.as_os_str()]);
    }
    (output, summary)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every kind of thing that git keeps.
fn everything() -> Vec<(String, u32, Vec<u8>)> {
    let text: Vec<u8> = b"Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n".repeat(400);
    let noise: Vec<u8> = (0_u32..20_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let files: [(&str, u32, &[u8]); 13] = [
        ("README.md", 0o100_644, &text),
        ("bin/run.sh", 0o100_755, b"#!/bin/sh\n"),
        ("bin/tool", 0o100_755, &text),
        ("bin/alias", 0o120_000, b"run.sh"),
        ("deep/er/est/link", 0o120_000, b"../../../README.md"),
        ("deep/er/circle", 0o120_000, b"circle"),
        ("empty", 0o100_644, b""),
        ("naïve/日本語/🍕.txt", 0o100_644, b"pizza"),
        ("noise.bin", 0o100_644, &noise),
        ("records.bin", 0o100_644, b"PK\x03\x04PK\x07\x08PK\x01\x02PK\x05\x06"),
        ("spaces and 'quotes'", 0o100_644, b"x"),
        ("vendor/module", 0o160_000, b""),
        ("zz/no newline", 0o100_644, b"not a link"),
    ];
    files
        .map(|(name, mode, content)| (name.to_owned(), mode, content.to_vec()))
        .into()
}

#[test]
fn what_git_archives_arrives_as_git_has_it() {
    if !ready() {
        return;
    }
    let repository = Repository::of(everything());
    let streamed = ["-c", "core.bigFileThreshold=1"];
    for before in [&[][..], &streamed] {
        for after in [&[][..], &["-0"], &["-9"]] {
            check(repository.folder.path(), before, after);
        }
    }
}

#[test]
fn large_files_that_git_streams_have_their_sums_behind_them() {
    if !ready() {
        return;
    }
    let repository = Repository::of(everything());
    for method in ["-0", "-6"] {
        let (output, _) = check(repository.folder.path(), &["-c", "core.bigFileThreshold=1"], &[method]);
        assert!(
            output.windows(4).any(|bytes| bytes == b"PK\x07\x08"),
            "{method} made no descriptor"
        );
    }
}

#[test]
fn more_entries_than_the_old_format_counts_arrive() {
    if !ready() {
        return;
    }
    let files = (0..66_000).map(|n| (format!("{}/{n}", n % 50), 0o100_644, n.to_string().into_bytes()));
    let repository = Repository::of(files);
    let (output, summary) = check(repository.folder.path(), &[], &[]);
    assert_eq!(summary.entries, 66_050);
    assert!(
        output.windows(4).rev().take(200).any(|bytes| bytes == b"PK\x06\x06"),
        "no zip64 record"
    );
}

#[test]
fn an_archive_that_just_needs_zip64_does_not_once_its_root_is_gone() {
    if !ready() {
        return;
    }
    // With the root and the folder 65,536 entries, 65,535 without the root.
    let files = (0..65_534).map(|n| (format!("f/{n}"), 0o100_644, Vec::new()));
    let repository = Repository::of(files);
    let (_, summary) = check(repository.folder.path(), &[], &[]);
    assert_eq!(summary.entries, 65_535);
}

#[test]
fn a_repository_with_nothing_in_it_is_an_empty_zip() {
    if !ready() {
        return;
    }
    let repository = Repository::of([]);
    let zip = repository.git(&["archive", "--format=zip", &format!("--prefix={PREFIX}"), "HEAD"]);
    let commit = String::from_utf8(repository.git(&["rev-parse", "HEAD"])).expect("hexadecimal");
    let (output, summary) = rewrite(&zip, commit.trim());
    assert_eq!((summary.entries, output.len()), (0, 22 + 40));
}

#[test]
fn this_repository_arrives_as_git_has_it() {
    if !ready() {
        return;
    }
    if !workspace().join(".git").exists() {
        testing::skipped("this repository's own archive", "this is no clone of it");
        return;
    }
    check(&workspace(), &[], &[]);
}
