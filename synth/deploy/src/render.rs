//! Events in words, and as JSON. Results go to standard output, all else to standard error; colours appear on terminals only.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use deploy::Error;
use deploy::down::{Kept, Receipt};
use deploy::event::{Event, WebhookChange};
use deploy::plan::{PropertyPlan, ResourcePlan, StackPlan};
use deploy::status::{Line, Status};
use serde_json::Value;
use synth::diff::{Action, Data};

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();

/// The longest text that is shown of a value, in characters.
const LONGEST_VALUE: usize = 60;

/// Prints a line for machines. Whoever has closed the pipe has read enough.
pub(crate) fn json(event: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(event) {
        let mut stdout = io::stdout().lock();
        drop(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
    }
}

/// Prints text for people.
pub(crate) fn print(text: &str) {
    let mut stdout = anstream::stdout().lock();
    drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
}

/// Says something that is not part of the result.
pub(crate) fn note(text: &str) {
    drop(writeln!(anstream::stderr().lock(), "{text}"));
}

/// Reports what ended the run.
pub(crate) fn error(error: &Error, as_json: bool) {
    if as_json {
        json(&error.report());
    }
    note(&format!("{}: {error}", painted(RED.bold(), "error")));
    if let Some(claim) = error.claim() {
        note(&format!(
            "{}: this is what only an account can show, \"{}\" in RUNBOOK.md: {}\n  help: {}",
            painted(BOLD, "note"),
            claim.name,
            claim.claim,
            claim.if_it_fails
        ));
    }
}

/// An event in words; none if people need not know.
pub(crate) fn text(event: &Event) -> Option<String> {
    let line = match event {
        Event::Checked { what, found } => format!("{what}: {found}"),
        Event::Building { command } => format!("building the functions: {command}"),
        Event::Asset {
            name,
            place,
            bytes,
            uploaded,
        } => {
            let done = if *uploaded { "uploaded" } else { "there already" };
            format!("{name}: {done}, {place} ({bytes} bytes)")
        }
        Event::Plan(plan) => return Some(self::plan(plan)),
        Event::Unchanged { stack } => format!("{stack}: nothing to do"),
        Event::Working { .. } => return None,
        Event::Resource {
            logical_id,
            type_name,
            status,
            reason,
            ..
        } => {
            let style = match status.as_str() {
                failed if failed.ends_with("_FAILED") || failed.contains("ROLLBACK") => RED,
                done if done.ends_with("_COMPLETE") => GREEN,
                _ => Style::new(),
            };
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("  {} {logical_id} {type_name}{reason}", painted(style, status))
        }
        Event::Discarding { stack, status } => format!("{stack} is {status} and can only be deleted; it is made anew"),
        Event::Complete { stack, status } => format!("{stack}: {}", painted(GREEN, status)),
        Event::Output { name, value, .. } => format!("  {name} = {value}"),
        Event::CredentialsStored { secret } => format!("GitHub's credentials are set: {secret}"),
        Event::Webhook { id, url, change } => {
            let change = match change {
                WebhookChange::Created => "created",
                WebhookChange::Updated => "updated",
                WebhookChange::Unchanged => "nothing to do",
            };
            format!("webhook {id}: {change}, {url}")
        }
        Event::Pinged { status, outcome } => format!("webhook answered GitHub's ping with {status} ({outcome})"),
        Event::Status(status) => return Some(self::status(status)),
        Event::Diagnosis(diagnosis) => return Some(self::diagnosis(&diagnosis.checks)),
        Event::Reconciled {
            compared,
            dry_run,
            repairs,
            more,
        } => return Some(reconciled(*compared, *dry_run, repairs, *more)),
        Event::Receipt(receipt) => return Some(self::receipt(receipt)),
        Event::Redelivered { id, about } => format!("delivery {id} ({about}) is made again"),
        Event::Warning { message } => format!("{}: {message}", painted(YELLOW, "warning")),
    };
    Some(format!("{line}\n"))
}

/// What there is, as a table.
fn status(status: &Status) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    let lines = status
        .stacks
        .iter()
        .chain([&status.webhook])
        .chain(&status.environments);
    for line in lines {
        let problem = line.problem.clone().unwrap_or_default();
        table.add_row([line.name.clone(), line.state.clone(), problem]);
    }
    format!("{}\n", table.trim_fmt())
}

/// A line each, and below it what is missing and how to get it.
fn diagnosis(lines: &[Line]) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    for Line { name, state, problem } in lines {
        let Some(problem) = problem else {
            let _ = writeln!(text, "{} {name}: {state}", painted(GREEN, "ok     "));
            continue;
        };
        let _ = writeln!(text, "{} {name}: {state}", painted(RED.bold(), "missing"));
        for line in problem.lines() {
            let _ = writeln!(text, "        {line}");
        }
    }
    text
}

fn reconciled(compared: u32, dry_run: bool, repairs: &[String], more: bool) -> String {
    let verb = if dry_run { "would start" } else { "started" };
    let mut text = format!("compared: {compared} pull requests and environments\n");
    // Writing into a String does not fail.
    for repair in repairs {
        let _ = writeln!(text, "{verb}: {repair}");
    }
    if repairs.is_empty() {
        text.push_str("nothing to mend\n");
    }
    if more {
        text.push_str("there is more: run it again\n");
    }
    text
}

fn receipt(receipt: &Receipt) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    for stack in &receipt.stacks {
        let _ = writeln!(text, "gone: {stack}");
    }
    if let Some(webhook) = receipt.webhook {
        let _ = writeln!(text, "gone: webhook {webhook}");
    }
    for kept in &receipt.kept {
        let Kept {
            logical_id,
            type_name,
            physical_id,
        } = kept;
        let _ = writeln!(text, "kept: {physical_id} ({logical_id} {type_name})");
    }
    if text.is_empty() {
        text.push_str("there was nothing to remove\n");
    }
    text
}

/// A plan: a line a resource, and below it what changes of it.
pub(crate) fn plan(plan: &StackPlan) -> String {
    let mut text = String::new();
    let heading = match (plan.creates, plan.is_empty()) {
        (true, _) => format!("{} is created:", plan.stack),
        (false, true) => format!("{} changes as its change set says:", plan.stack),
        (false, false) => format!("{} changes:", plan.stack),
    };
    // Writing into a String does not fail, here and below.
    let _ = writeln!(text, "{}", painted(BOLD, &heading));
    for resource in &plan.resources {
        resource_lines(resource, &mut text);
    }
    for other in &plan.others {
        let _ = writeln!(text, "  {} {}: {}", sign(Action::Update), other.path, values(other));
    }
    text
}

fn resource_lines(resource: &ResourcePlan, text: &mut String) {
    let ResourcePlan {
        logical_id,
        type_name,
        action,
        ..
    } = resource;
    let word = word(*action);
    let word = if matches!(action, Action::Add | Action::Update) {
        word.to_owned()
    } else {
        painted(RED.bold(), word)
    };
    let _ = write!(text, "  {} {logical_id} {type_name}: {word}", sign(*action));
    match resource.data {
        Some(Data::Lost) => text.push_str(&painted(RED.bold(), ", its data is lost")),
        Some(Data::MayBeLost) => text.push_str(&painted(RED.bold(), ", its data is lost if it is replaced")),
        Some(Data::Kept) => text.push_str(", its data is kept outside the stack"),
        None => {}
    }
    text.push('\n');
    if *action != Action::Add {
        for property in &resource.properties {
            let _ = writeln!(text, "      {}: {}", property.path, values(property));
        }
    }
    for note in &resource.notes {
        let _ = writeln!(text, "      note: {note}");
    }
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Add => "add",
        Action::Update => "update",
        Action::MayReplace => "may be replaced",
        Action::Replace => "replaced",
        Action::DeleteAndCreate => "deleted and created",
        Action::Remove => "deleted",
    }
}

fn sign(action: Action) -> String {
    match action {
        Action::Add => painted(GREEN, "+"),
        Action::Update => painted(YELLOW, "~"),
        Action::MayReplace => painted(YELLOW, "?"),
        Action::Replace | Action::DeleteAndCreate => painted(RED, "±"),
        Action::Remove => painted(RED, "-"),
    }
}

fn values(property: &PropertyPlan) -> String {
    match (&property.old, &property.new) {
        (Some(old), Some(new)) => format!("{} → {}", shown(old), shown(new)),
        (Some(old), None) => format!("{} removed", shown(old)),
        (None, Some(new)) => format!("{} added", shown(new)),
        (None, None) => "changed".to_owned(),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    clients::words::shortened(&text, LONGEST_VALUE)
}

fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
