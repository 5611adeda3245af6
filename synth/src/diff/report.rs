//! A [`Difference`] in words.

use std::fmt::Write;

use serde_json::Value;
use synth::diff::{Action, Data, Difference, PropertyDifference, ResourceDifference, StackAction, StackDifference};

use crate::output::{BOLD, GREEN, RED, YELLOW, painted};

/// The longest text that is shown of a value, in characters.
const LONGEST_VALUE: usize = 60;
/// What is shown of a long text before the place where it differs.
const LEAD: usize = 16;

/// Every stack that differs, then a line that sums up; a line that says so where nothing differs.
pub(crate) fn text(difference: &Difference) -> String {
    let mut text = String::new();
    for stack in &difference.stacks {
        // Writing into a String does not fail, here and below.
        let _ = writeln!(text, "{}", painted(BOLD, &heading(stack)));
        for resource in &stack.resources {
            resource_lines(resource, &mut text);
        }
        for other in &stack.others {
            let _ = writeln!(text, "  {} {}: {}", sign(Action::Update), other.path, values(other));
        }
        text.push('\n');
    }
    text.push_str(&summary(difference));
    text
}

fn heading(stack: &StackDifference) -> String {
    match stack.action {
        StackAction::Add => format!("{} is created", stack.name),
        StackAction::Remove => format!("{} is deleted", stack.name),
        StackAction::Update => stack.name.clone(),
    }
}

fn resource_lines(resource: &ResourceDifference, text: &mut String) {
    let ResourceDifference {
        logical_id,
        type_name,
        action,
        ..
    } = resource;
    let _ = write!(text, "  {} {logical_id} {type_name}: {}", sign(*action), word(*action));
    match resource.data {
        Some(Data::Lost) => text.push_str(&painted(RED.bold(), ", its data is lost")),
        Some(Data::MayBeLost) => text.push_str(&painted(RED.bold(), ", its data is lost if it is replaced")),
        Some(Data::Kept) => text.push_str(", its data is kept outside the stack"),
        None => {}
    }
    text.push('\n');
    for property in &resource.properties {
        let _ = write!(text, "      {}: {}", property.path, values(property));
        if property.action > Action::Update {
            let _ = write!(text, "  ({})", word(property.action));
        }
        text.push('\n');
    }
    for note in &resource.notes {
        let _ = writeln!(text, "      note: {note}");
    }
    if matches!(resource.data, Some(Data::Lost | Data::MayBeLost)) {
        let policy = match action {
            Action::Remove | Action::DeleteAndCreate => "DeletionPolicy",
            _ => "UpdateReplacePolicy",
        };
        let _ = writeln!(
            text,
            "      help: deploy it with `{policy}: Retain` first, or copy the data before"
        );
    }
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Add => "add",
        Action::Update => "update",
        Action::MayReplace => "may replace",
        Action::Replace => "replace",
        Action::DeleteAndCreate => "delete and create",
        Action::Remove => "remove",
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

/// `old → new`, or what was added or removed.
fn values(property: &PropertyDifference) -> String {
    match (&property.old, &property.new) {
        (Some(old), Some(new)) => {
            let (old, new) = (old.to_string(), new.to_string());
            let common = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
            format!("{} → {}", shortened(&old, common), shortened(&new, common))
        }
        (Some(old), None) => format!("{} removed", shown(old)),
        (None, Some(new)) => format!("{} added", shown(new)),
        (None, None) => String::new(),
    }
}

fn shown(value: &Value) -> String {
    shortened(&value.to_string(), 0)
}

/// A part of a long text that holds the place from which on it differs.
fn shortened(text: &str, differs: usize) -> String {
    let length = text.chars().count();
    if length <= LONGEST_VALUE {
        return text.to_owned();
    }
    let skipped = if differs + LEAD < LONGEST_VALUE {
        0
    } else {
        differs - LEAD
    };
    let mut short = String::new();
    if skipped > 0 {
        short.push('…');
    }
    short.extend(text.chars().skip(skipped).take(LONGEST_VALUE - 2));
    if skipped + LONGEST_VALUE - 2 < length {
        short.push('…');
    }
    short
}

fn summary(difference: &Difference) -> String {
    if difference.stacks.is_empty() {
        return "no difference\n".to_owned();
    }
    let resources = || difference.stacks.iter().flat_map(|stack| &stack.resources);
    let mut parts = Vec::new();
    for (action, words) in [
        (Action::Add, "added"),
        (Action::Update, "updated"),
        (Action::MayReplace, "perhaps replaced"),
        (Action::Replace, "replaced"),
        (Action::DeleteAndCreate, "deleted and created"),
        (Action::Remove, "removed"),
    ] {
        let count = resources().filter(|resource| resource.action == action).count();
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    let lost = |resource: &&ResourceDifference| matches!(resource.data, Some(Data::Lost | Data::MayBeLost));
    let lost = resources().filter(lost).count();
    let mut text = if parts.is_empty() {
        "no resource differs".to_owned()
    } else {
        format!("resources: {}", parts.join(", "))
    };
    if lost > 0 {
        let verb = if lost == 1 { "loses" } else { "lose" };
        text.push_str(&painted(RED.bold(), &format!("; {lost} {verb} data")));
    }
    text.push('\n');
    text
}
