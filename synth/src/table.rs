//! The table of what was written, and the list of escape hatches.

use std::fmt::Write;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::emit::{Emission, Escape};
use crate::write::Contents;

/// The columns that hold numbers.
const NUMBERS: [usize; 2] = [1, 2];

/// How an emission differs from what was there before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Files that were not there.
    pub(crate) new: usize,
    /// Files with another content.
    pub(crate) changed: usize,
    /// Files that are no longer part of the emission.
    pub(crate) removed: usize,
}

/// The table of an emission's files; `width` is that of the terminal, if there is one.
pub(crate) fn files(folder: &Path, emission: &Emission, before: &Contents, width: Option<u16>) -> (String, Summary) {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(["file", "bytes", "resources", "change"]);
    if let Some(width) = width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
    }
    let mut summary = Summary::default();
    for file in &emission.files {
        let change = match before.get(&file.path) {
            None => {
                summary.new += 1;
                "new"
            }
            Some(text) if text == file.text.as_bytes() => "unchanged",
            Some(_) => {
                summary.changed += 1;
                "changed"
            }
        };
        table.add_row([
            shown(folder, &file.path),
            file.text.len().to_string(),
            file.resources.map_or_else(String::new, |count| count.to_string()),
            change.to_owned(),
        ]);
    }
    for path in before.keys() {
        if !emission.files.iter().any(|file| file.path == *path) {
            summary.removed += 1;
            table.add_row([shown(folder, path), String::new(), String::new(), "removed".to_owned()]);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for column in NUMBERS {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    (format!("{}\n", table.trim_fmt()), summary)
}

/// The uses of the escape hatch, each with its reason; empty if there are none.
pub(crate) fn escapes(escapes: &[Escape]) -> String {
    let mut text = String::new();
    if escapes.is_empty() {
        return text;
    }
    text.push_str("\nproperties set past the types:\n");
    for escape in escapes {
        let Escape {
            resource,
            path,
            reason,
            at,
        } = escape;
        // Writing into a String does not fail.
        let _ = write!(text, "  {resource}: {path}\n    because {reason}\n    --> {at}\n");
    }
    text
}

impl Summary {
    /// The summary as a clause: `12 files (1 new, 2 changed)`.
    pub(crate) fn clause(&self, files: usize) -> String {
        let parts: Vec<String> = [(self.new, "new"), (self.changed, "changed"), (self.removed, "removed")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let plural = if files == 1 { "" } else { "s" };
        if parts.is_empty() {
            format!("{files} file{plural}, nothing changed")
        } else {
            format!("{files} file{plural}: {}", parts.join(", "))
        }
    }
}

fn shown(folder: &Path, path: &str) -> String {
    folder.join(path).display().to_string()
}
