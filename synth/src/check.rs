//! `--check`: what on disk is not what a run would write.

use std::fmt::Write;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

use crate::emit::Emission;
use crate::output::{BOLD, GREEN, RED, painted};
use crate::write::Contents;

/// The most lines that are shown of one file's difference.
const LONGEST_DIFFERENCE: usize = 40;

/// Every file that differs, is missing or is stale, with its difference; and how many there are.
pub(crate) fn differences(folder: &Path, emission: &Emission, found: &Contents) -> (String, usize) {
    let mut report = String::new();
    let mut count = 0;
    let mut name = |word: &str, path: &str, report: &mut String| {
        count += 1;
        let line = format!("{word}: {}", folder.join(path).display());
        // Writing into a String does not fail.
        let _ = writeln!(report, "{}", painted(BOLD, &line));
    };
    for file in &emission.files {
        match found.get(&file.path) {
            None => name("missing", &file.path, &mut report),
            Some(text) if text == file.text.as_bytes() => {}
            Some(text) => {
                name("differs", &file.path, &mut report);
                difference(&String::from_utf8_lossy(text), &file.text, &mut report);
            }
        }
    }
    for path in found.keys() {
        if !emission.files.iter().any(|file| file.path == *path) {
            name("stale", path, &mut report);
        }
    }
    (report, count)
}

/// A unified diff, cut after [`LONGEST_DIFFERENCE`] lines.
fn difference(old: &str, new: &str, report: &mut String) {
    let diff = TextDiff::from_lines(old, new);
    let mut unified = diff.unified_diff();
    unified.context_radius(2);
    let mut lines = Vec::new();
    for hunk in unified.iter_hunks() {
        lines.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let text = change.value().trim_end_matches(['\n', '\r']);
            let line = format!("{}{text}", change.tag());
            lines.push(match change.tag() {
                ChangeTag::Delete => painted(RED, &line),
                ChangeTag::Insert => painted(GREEN, &line),
                ChangeTag::Equal => line,
            });
            if change.missing_newline() {
                lines.push("\\ no newline at the end of the file".to_owned());
            }
        }
    }
    for line in lines.iter().take(LONGEST_DIFFERENCE) {
        let _ = writeln!(report, "  {line}");
    }
    if let Some(more @ 1..) = lines.len().checked_sub(LONGEST_DIFFERENCE) {
        let _ = writeln!(report, "  … and {more} more lines");
    }
}
