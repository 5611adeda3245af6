//! The crates that describe infrastructure are pure: the same program gives the same bytes, on every machine, every time.
//!
//! Lints are per workspace and these crates' binaries may do what they may not, so this test reads their sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The sources of the pure crates, from this crate's folder.
const PURE: [&str; 5] = [
    "src",
    "../aws/src",
    "../derive/src",
    "../../stacks/src",
    "../../runtime/contract/src",
];

/// What is banned, and why.
const BANNED: [(&str, &str); 22] = [
    ("std::fs", "a pure crate reads and writes no files"),
    ("std::io", "a pure crate does no input or output"),
    ("std::env", "the environment differs from machine to machine"),
    ("std::process", "a pure crate starts and ends no processes"),
    ("std::thread", "the order of threads differs from run to run"),
    ("std::time", "a clock differs from run to run"),
    ("SystemTime", "a clock differs from run to run"),
    ("Instant", "a clock differs from run to run"),
    ("TcpStream", "a pure crate knows no network"),
    ("UdpSocket", "a pure crate knows no network"),
    ("ToSocketAddrs", "a pure crate knows no network"),
    ("rand::", "randomness differs from run to run"),
    ("getrandom", "randomness differs from run to run"),
    ("uuid::", "randomness differs from run to run"),
    ("HashMap", "its order differs from run to run; use BTreeMap or a list"),
    ("HashSet", "its order differs from run to run; use BTreeSet or a list"),
    ("RandomState", "its order differs from run to run"),
    ("println!", "only binaries print"),
    ("eprintln!", "only binaries print"),
    ("print!", "only binaries print"),
    ("eprint!", "only binaries print"),
    ("aws_sdk_", "only `deploy` and the handlers talk to AWS"),
];

#[test]
fn pure_crates_do_no_io_and_know_no_clock_chance_or_environment() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in PURE {
        let files = sources(&package.join(folder));
        assert!(!files.is_empty(), "{folder} has no sources: the list is stale");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let name = file.strip_prefix(package).unwrap().display().to_string();
            found.extend(
                impurities(&text)
                    .into_iter()
                    .map(|(line, word, reason)| format!("{name}:{line}: {word}: {reason}")),
            );
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_ban_is_found_however_it_is_imported() {
    for (word, reason) in BANNED {
        let used = match word {
            _ if word.ends_with('!') => format!("    {word}(\"{{x}}\");\n"),
            _ if word.ends_with("::") || word.ends_with('_') => format!("use {word}Something;\n"),
            _ => format!("use {word}::Something;\n"),
        };
        let found = impurities(&format!("//! {word}\n{used}"));
        assert_eq!(found, [(2, word, reason)], "{used}");
    }
    let grouped = "use std::collections::BTreeMap;\nuse std::{\n    env,\n    fs as files,\n    fmt::Write,\n};\n";
    let words: Vec<(usize, &str)> = impurities(grouped)
        .into_iter()
        .map(|(line, word, _)| (line, word))
        .collect();
    assert_eq!(words, [(2, "std::fs"), (2, "std::env")]);
}

#[test]
fn comments_and_longer_words_are_not_taken_for_what_is_banned() {
    let harmless = "// std::fs::read\n/// println!(\"x\")\nuse std::fmt;\nlet operand = brand(Instantiated, \"std::fmt\");\nenv!(\"OUT_DIR\");\n";
    assert_eq!(impurities(harmless), []);
}

/// Every Rust file under the folder, in order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return files;
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// What is banned in a source: the line, the word and the reason.
fn impurities(source: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    for (index, statement) in statements(source) {
        for (word, reason) in BANNED {
            let named = match word.strip_prefix("std::") {
                Some(module) => {
                    statement.contains("std::") && (has_word(&statement, word) || grouped(&statement, module))
                }
                None => has_word(&statement, word),
            };
            if named {
                found.push((index, word, reason));
            }
        }
    }
    found
}

/// The lines of code without their comments; a `use` of several lines is one, at its first.
fn statements(source: &str) -> Vec<(usize, String)> {
    let mut statements: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        match statements.last_mut() {
            Some((_, statement)) if open => statement.push_str(code),
            _ => statements.push((index + 1, code.to_owned())),
        }
        let (_, statement) = &statements[statements.len() - 1];
        open = statement.trim_start().trim_start_matches("pub ").starts_with("use ") && !statement.contains(';');
    }
    statements
}

/// Whether the word stands in the code by itself, with no letter, digit or `_` beside it.
fn has_word(code: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        let after = code[start + word.len()..].chars().next();
        // `rand::`, `print!` and `aws_sdk_` end where anything may follow.
        let ends = !word.ends_with(['!', ':', '_']);
        !(before.is_some_and(part) || ends && after.is_some_and(part))
    })
}

/// Whether `use std::{…}` names the module.
fn grouped(statement: &str, module: &str) -> bool {
    statement.split_once("std::{").is_some_and(|(_, group)| {
        group
            .split([',', '}'])
            .any(|item| item.split([':', ' ']).find(|part| !part.is_empty()) == Some(module))
    })
}
