//! The claims about AWS and GitHub that this system rests on, and by whose word each is taken to be true.
//!
//! A proof names its oracle, and the oracle is never this project: somebody else's facts, engine, validator, recording or report. What
//! nobody but an account can show is in [`stacks::first_deployment`]. `cargo run -p testing -- claims` prints both, for the README and the
//! runbook; a test holds them to what is printed, and every row to a test that is there.

mod proven;

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::{fs, io};

use stacks::first_deployment::{self, Moment};

pub use proven::PROVEN;

/// Whose word a claim is taken on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// Facts that AWS publishes for machines: the CloudFormation registry, service models, the Service Authorization Reference.
    Facts,
    /// AWS's documentation, by its address.
    Documentation,
    /// Somebody else's validator.
    Validator,
    /// Somebody else's implementation, asked the same.
    Engine,
    /// Executions and payloads that were recorded elsewhere.
    Recording,
    /// What people have reported in public.
    Report,
}

/// A claim that is proven on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Proven {
    /// What is taken to be so.
    pub claim: &'static str,
    /// What kind of word it is taken on.
    pub oracle: Oracle,
    /// Whose word: a package and its version's lock file, an address, a report.
    pub says: &'static str,
    /// The tests that show it, each as `file::test` from the repository's root.
    pub shown_by: &'static [&'static str],
}

impl fmt::Display for Oracle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Facts => "AWS's facts",
            Self::Documentation => "documentation",
            Self::Validator => "validator",
            Self::Engine => "another engine",
            Self::Recording => "recording",
            Self::Report => "public report",
        })
    }
}

/// The proven claims as a Markdown table, the oracles in the order of their weight.
pub fn table() -> String {
    let mut rows: Vec<&Proven> = PROVEN.iter().collect();
    rows.sort_by_key(|row| row.oracle);
    let mut text = String::from("| claim | oracle | shown by |\n|---|---|---|\n");
    for row in rows {
        let tests: Vec<&str> = row.shown_by.iter().map(|test| short(test)).collect();
        let _ = writeln!(
            text,
            "| {} | {}: {} | `{}` |",
            row.claim,
            row.oracle,
            row.says,
            tests.join("`, `")
        );
    }
    text
}

/// What only an account can show, as a Markdown table: the first deployment's checklist.
pub fn checklist() -> String {
    let mut text = String::new();
    let mut moment: Option<Moment> = None;
    for claim in first_deployment::CLAIMS {
        if moment != Some(claim.moment) {
            let _ = write!(
                text,
                "{}**{}**\n\n| | claim | look at | if it fails |\n|---|---|---|---|\n",
                if moment.is_none() { "" } else { "\n" },
                claim.moment.title()
            );
            moment = Some(claim.moment);
        }
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            claim.name, claim.claim, claim.look_at, claim.if_it_fails
        );
    }
    text
}

/// A page of the repository that holds one of the tables, between two marks.
#[derive(Debug)]
pub struct Page {
    /// The file.
    pub path: PathBuf,
    /// What stands between the marks.
    pub table: String,
}

/// What goes before and after a table.
const MARKS: [&str; 2] = [
    "<!-- claims: cargo run -p testing -- claims --write -->\n",
    "<!-- claims end -->\n",
];

/// The pages that hold the tables.
pub fn pages() -> [Page; 2] {
    let page = |path: &str, table: String| Page {
        path: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path),
        table,
    };
    [page("README.md", table()), page("synth/deploy/RUNBOOK.md", checklist())]
}

impl Page {
    /// The page as it is, and as it should be.
    ///
    /// # Errors
    /// Where it cannot be read or has no marks.
    pub fn read(&self) -> io::Result<(String, String)> {
        let text = fs::read_to_string(&self.path)?;
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(MARKS[1])?;
            Some(format!("{before}{}\n{}\n{}{after}", MARKS[0], self.table, MARKS[1]))
        });
        let wanted = parts.ok_or_else(|| {
            let words = format!(
                "{} lacks the marks of its table: {}",
                self.path.display(),
                MARKS.concat()
            );
            io::Error::new(io::ErrorKind::InvalidData, words)
        })?;
        Ok((text, wanted))
    }

    /// Brings the page up to date.
    ///
    /// # Errors
    /// Where it cannot be read or written, or has no marks.
    pub fn write(&self) -> io::Result<()> {
        let (text, wanted) = self.read()?;
        if text == wanted {
            return Ok(());
        }
        fs::write(&self.path, wanted)
    }
}

/// The name of a test without its file.
fn short(test: &str) -> &str {
    test.rsplit("::").next().unwrap_or(test)
}
