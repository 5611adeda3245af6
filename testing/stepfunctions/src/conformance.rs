//! Recorded executions, replayed and compared: how far this runner does what AWS did.
//!
//! A file is a JSON list of cases, each with a definition, an input, the tasks as they were recorded, and how the execution ended. Recorded
//! tasks are the handlers: a call gets the result of the first unused one with its state and equal input. This module never
//! excuses a difference: an execution that ends otherwise, asks for another task or takes another path is *wrong*.

mod case;
mod compare;
mod replay;
mod trace;

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use self::case::Case;

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grade {
    /// As on AWS.
    Exact,
    /// As on AWS, but for the wording of the cause.
    CauseOnly(String),
    /// The definition was refused when it was loaded.
    Refused(String),
    /// Otherwise than on AWS.
    Wrong(String),
}

impl fmt::Display for Grade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => formatter.write_str("exact"),
            Self::CauseOnly(_) => formatter.write_str("cause-only"),
            Self::Refused(_) => formatter.write_str("refused"),
            Self::Wrong(_) => formatter.write_str("wrong"),
        }
    }
}

/// One case and how it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// The case's id.
    pub id: String,
    /// What it exercises, such as `ql:JSONata` and `type:Map`.
    pub features: Vec<String>,
    /// How it went.
    pub grade: Grade,
}

/// How many cases went how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// As on AWS.
    pub exact: usize,
    /// As on AWS, but for the wording of the cause.
    pub cause_only: usize,
    /// Refused when they were loaded.
    pub refused: usize,
    /// Otherwise than on AWS.
    pub wrong: usize,
}

impl Summary {
    /// Counts the grades of cases.
    #[must_use]
    pub fn of(cases: &[Graded]) -> Self {
        let mut summary = Self::default();
        for case in cases {
            *match case.grade {
                Grade::Exact => &mut summary.exact,
                Grade::CauseOnly(_) => &mut summary.cause_only,
                Grade::Refused(_) => &mut summary.refused,
                Grade::Wrong(_) => &mut summary.wrong,
            } += 1;
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "exact {} cause-only {} refused {} wrong {}",
            self.exact, self.cause_only, self.refused, self.wrong
        )
    }
}

/// A file of cases could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// The file cannot be read.
    #[error("cannot read {path}\nhelp: name a file of recorded cases")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not a list of cases.
    #[error("{path} is no list of cases")]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The report cannot be written.
    #[error("cannot write the report")]
    Write(#[source] io::Error),
}

/// Replays every case of a file.
///
/// # Errors
/// When the file cannot be read as a list of cases.
pub fn run_file(path: &Path) -> Result<Vec<Graded>, ConformanceError> {
    let text = fs::read_to_string(path).map_err(|source| ConformanceError::Read {
        path: path.to_owned(),
        source,
    })?;
    let cases: Vec<Value> = serde_json::from_str(&text).map_err(|source| ConformanceError::Format {
        path: path.to_owned(),
        source,
    })?;
    Ok(cases.into_iter().map(graded).collect())
}

/// One case that cannot be read must not hide the others.
fn graded(case: Value) -> Graded {
    let id = case["id"].as_str().unwrap_or("a case without an id").to_owned();
    match serde_json::from_value::<Case>(case) {
        Ok(case) => Graded {
            id,
            grade: replay::grade(&case),
            features: case.features,
        },
        Err(error) => Graded {
            id,
            features: Vec::new(),
            grade: Grade::Refused(format!("the case cannot be read: {error}")),
        },
    }
}

/// Replays every case of a file and writes one line for each, and the counts as the last line.
///
/// # Errors
/// When the file cannot be read as a list of cases, or the report cannot be written.
pub fn report(path: &Path, out: &mut impl Write) -> Result<Summary, ConformanceError> {
    let cases = run_file(path)?;
    let summary = Summary::of(&cases);
    write_lines(&cases, summary, out).map_err(ConformanceError::Write)?;
    Ok(summary)
}

fn write_lines(cases: &[Graded], summary: Summary, out: &mut impl Write) -> io::Result<()> {
    for case in cases {
        write!(out, "{} {}", case.grade, case.id)?;
        match &case.grade {
            Grade::Exact => writeln!(out)?,
            Grade::CauseOnly(reason) | Grade::Refused(reason) | Grade::Wrong(reason) => {
                writeln!(out, ": {}", reason.split_whitespace().collect::<Vec<_>>().join(" "))?;
            }
        }
    }
    writeln!(out, "{summary}")
}
