//! Starts a tool, hands it its input, and reads its answer. Never interprets the answer.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use serde::de::DeserializeOwned;

use crate::Error;

/// The path of one of the scripts in `testing/tools/`.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tools").join(name)
}

/// Runs the command with `input` on its standard input; what it prints must be JSON of `T`, whatever its exit code.
pub(crate) fn answer<T: DeserializeOwned>(tool: &'static str, command: &mut Command, input: &str) -> Result<T, Error> {
    let output = run(tool, command, input)?;
    serde_json::from_slice(&output.stdout).map_err(|fault| Error::Answer {
        tool,
        status: output.status,
        output: format!("{}\n(reading its answer: {fault})", printed(&output)),
    })
}

/// Runs one step of an installation.
pub(super) fn step(tool: &'static str, command: &mut Command) -> Result<(), Error> {
    let output = run(tool, command, "")?;
    if output.status.success() {
        return Ok(());
    }
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let step = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    Err(Error::Install {
        tool,
        step,
        output: printed(&output),
    })
}

/// What the command prints, if it can be started and succeeds. For asking a program who it is.
pub(super) fn word_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn run(tool: &'static str, command: &mut Command, input: &str) -> Result<Output, Error> {
    let started = |source| Error::Start { tool, source };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(started)?;
    let entrance = child.stdin.take();
    thread::scope(|threads| {
        // In a thread of its own: a child that prints before it has read everything would otherwise wait for us, and we for it.
        let writer = threads.spawn(move || match entrance {
            Some(mut entrance) => entrance.write_all(input.as_bytes()),
            None => Ok(()),
        });
        let output = child.wait_with_output().map_err(started)?;
        match writer.join() {
            // A child that ends early says why in its output.
            Ok(Err(fault)) if fault.kind() != ErrorKind::BrokenPipe => Err(started(fault)),
            _ => Ok(output),
        }
    })
}

fn printed(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    both.into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_answer_shows_what_the_tool_printed() {
        let fault = answer::<Vec<u8>>(
            "sh",
            Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]),
            "",
        )
        .unwrap_err();
        let text = fault.to_string();
        assert!(text.contains("exit status: 3") && text.contains("out\nerr"), "{text}");
    }

    #[test]
    fn a_large_input_does_not_block_a_tool_that_echoes_it() {
        let long = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(
            answer::<String>("cat", &mut Command::new("cat"), &long).unwrap().len(),
            1 << 20
        );
    }

    #[test]
    fn a_tool_that_does_not_read_its_input_still_answers() {
        let long = "x".repeat(1 << 20);
        assert_eq!(
            answer::<u8>("sh", Command::new("sh").args(["-c", "echo 7"]), &long).unwrap(),
            7
        );
    }
}
