//! Arguments → [`Cli`], with every fault at once.
//!
//! clap stops at the first argument that it does not understand. Here that argument is taken out, or corrected if it is a slip of
//! the pen, and the rest is read again, so that one run reports everything, the values and the configuration included.

use std::ffi::OsString;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::Cli;
use crate::error::Problem;

/// What the arguments say.
pub(crate) enum Parsed {
    /// Flags, and what was wrong with those that had to be left out.
    Flags(Box<Cli>, Vec<Problem>),
    /// Nothing that can be read on.
    Unusable(Vec<Problem>),
    /// `--help` or `--version`: the text.
    Text(clap::builder::StyledStr),
}

/// Reads the arguments, the program's name first.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Parsed {
    let mut arguments: Vec<OsString> = arguments.collect();
    let mut problems = Vec::new();
    loop {
        let error = match Cli::try_parse_from(&arguments) {
            Ok(cli) => return Parsed::Flags(Box::new(cli), problems),
            Err(error) => error,
        };
        if !error.use_stderr() {
            return Parsed::Text(error.render());
        }
        problems.push(problem(&error));
        if !mend(&mut arguments, &error) {
            return Parsed::Unusable(problems);
        }
    }
}

/// Takes out the argument that the error blames, or puts the one in its place that was meant; false where it cannot be found.
fn mend(arguments: &mut Vec<OsString>, error: &clap::Error) -> bool {
    let Some(culprit) = text(error, ContextKind::InvalidArg).or_else(|| text(error, ContextKind::InvalidSubcommand))
    else {
        return false;
    };
    // A known flag is named with its placeholder: `--format <FORMAT>`.
    let (flag, takes_value) = match culprit.split_once(' ') {
        Some((flag, _)) => (flag, true),
        None => (culprit.as_str(), false),
    };
    let value_of = |argument: &OsString| match argument.to_string_lossy().strip_prefix(flag) {
        Some("") => Some(None),
        Some(rest) => rest.strip_prefix('=').map(|value| Some(value.to_owned())),
        None => None,
    };
    let found = arguments.iter().enumerate().skip(1);
    let Some((index, inline)) = found
        .filter_map(|(index, argument)| Some((index, value_of(argument)?)))
        .last()
    else {
        return false;
    };
    if let Some(meant) = text(error, ContextKind::SuggestedArg).filter(|_| error.kind() == ErrorKind::UnknownArgument) {
        arguments[index] = inline
            .map_or_else(|| meant.clone(), |value| format!("{meant}={value}"))
            .into();
        return true;
    }
    arguments.remove(index);
    let value_follows = takes_value && inline.is_none() && index < arguments.len();
    let is_value = match text(error, ContextKind::InvalidValue) {
        Some(value) => value_follows && arguments[index].to_string_lossy() == value,
        None => value_follows && error.kind() == ErrorKind::ArgumentConflict,
    };
    if is_value {
        arguments.remove(index);
    }
    true
}

/// clap's error in the words of this program: a clause, then the edit.
fn problem(error: &clap::Error) -> Problem {
    let rendered = error.render().to_string();
    let first: Vec<&str> = rendered
        .lines()
        .take_while(|line| !line.is_empty())
        .map(str::trim)
        .collect();
    let message = first
        .iter()
        .filter(|line| !line.starts_with('['))
        .copied()
        .collect::<Vec<_>>()
        .join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let suggestion = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
        ContextKind::SuggestedSubcommand,
    ]
    .into_iter()
    .find_map(|kind| text(error, kind));
    let help = match (texts(error, ContextKind::ValidValue), suggestion) {
        (Some(values), _) if !values.is_empty() => format!("write one of: {}", values.join(", ")),
        (_, Some(suggestion)) => format!("did you mean `{suggestion}`?"),
        _ if error.kind() == ErrorKind::ArgumentConflict => "leave one of the two out".to_owned(),
        _ if error.kind() == ErrorKind::InvalidValue => "write the value after the flag".to_owned(),
        _ => "`synth --help` lists what there is".to_owned(),
    };
    Problem::Flag { message, help }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

fn texts(error: &clap::Error, kind: ContextKind) -> Option<Vec<String>> {
    match error.get(kind)? {
        ContextValue::Strings(texts) => Some(texts.clone()),
        _ => None,
    }
}
