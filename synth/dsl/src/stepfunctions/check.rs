//! The checks of a definition that types cannot make: limits, orders, names, and each path against the JSON Schema.

use std::collections::BTreeSet;

use synth_aws::{Duration, Node, Part};

use super::errors::States;
use super::expr::ast::{Ast, Root};
use super::expr::depth::MOST_LEVELS;
use super::lower::{Placed, Scope};
use super::schema;
use super::state::{At, Kind, Otherwise, Slot, State, Until};
use crate::fault::Fault;
use crate::handler::ErrorName;

/// The faults of each state, in the order of the definition.
pub(crate) fn states(scope: &Scope) -> Vec<Fault> {
    let mut faults = Vec::new();
    scope.walk(&mut |placed| {
        let state = &placed.state;
        let mut of_state = state.faults.clone();
        of_state.extend(name(state));
        of_state.extend(kind(state));
        of_state.extend(expressions(state));
        of_state.extend(variable_names(state));
        of_state.extend(handling(placed));
        faults.extend(of_state.into_iter().map(|fault| match fault.path.as_str() {
            "" => fault.path(&state.name),
            within => {
                let path = format!("{}: {within}", state.name);
                fault.path(path)
            }
        }));
    });
    faults
}

fn name(state: &State) -> Vec<Fault> {
    let length = state.name.chars().count();
    if (1..=80).contains(&length) {
        return Vec::new();
    }
    vec![
        Fault::new(format!("a state's name of {length} characters is not 1 to 80 long"))
            .at(state.at)
            .help("shorten the name and say the rest in a comment"),
    ]
}

fn kind(state: &State) -> Vec<Fault> {
    match &state.kind {
        Kind::Task(invocation) => invocation
            .timeout
            .iter()
            .flat_map(|(timeout, at)| seconds_within("the task's time-out", *timeout, 1, at))
            .collect(),
        Kind::Wait(Until::Passed(time)) => seconds_within("the wait", *time, 0, state.at),
        Kind::Map {
            concurrency: Some((limit, at)),
            ..
        } if !(1..=40).contains(limit) => vec![
            Fault::new(format!("{limit} iterations at once are outside 1 to 40"))
                .at(at)
                .help("inline mode runs up to 40 at once; leave `.concurrency` out to let it"),
        ],
        Kind::Choice { rules, .. } if rules.is_empty() => {
            vec![
                Fault::new("a choice without a rule")
                    .at(state.at)
                    .help("add `.when(…)`, or leave the choice out"),
            ]
        }
        Kind::Choice {
            otherwise: Otherwise::Exhausted { covered, of, at },
            ..
        } => schema::uncovered(*of, covered)
            .map(|fault| fault.at(at))
            .into_iter()
            .collect(),
        Kind::Fail { error, .. } => match &*error.ast {
            Ast::Literal(serde_json::Value::String(name)) if name.starts_with("States.") => vec![
                Fault::new(format!(
                    "the error name `{name}` starts with `States.`, which Step Functions keeps to itself"
                ))
                .at(error.at)
                .help("take a name of your own"),
            ],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A fault if a duration is outside `least` to 99,999,999 seconds.
pub(crate) fn seconds_within(what: &str, duration: Duration, least: u64, at: At) -> Vec<Fault> {
    let seconds = duration.as_seconds();
    if (least..=99_999_999).contains(&seconds) {
        return Vec::new();
    }
    let message = format!("{what} of {seconds} seconds is outside {least} to 99999999");
    vec![Fault::new(message).at(at).help("set a duration within these bounds")]
}

fn expressions(state: &State) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (slot, template) in state.templates() {
        faults.extend(too_deep(&template.ast).map(|fault| fault.at(template.at).path(slot.field())));
        template.ast.walk(&mut |ast| {
            let fault = match ast {
                Ast::Root(root) => foreign(*root, state, slot),
                Ast::Invalid(message) => Some(Fault::new(message.as_str())),
                Ast::Field { name, owner, kind, .. } => schema::field(*owner, name, Some(*kind)),
                Ast::Object { owner, entries } => {
                    entries.iter().find_map(|(name, _)| schema::field(*owner, name, None))
                }
                _ => None,
            };
            faults.extend(fault.map(|fault| fault.at(template.at).path(slot.field())));
        });
    }
    faults
}

/// A fault if an expression nests deeper than Step Functions evaluates.
fn too_deep(ast: &Ast) -> Option<Fault> {
    let levels = ast.levels();
    (levels > MOST_LEVELS).then(|| {
        Fault::new(format!(
            "the expression nests {levels} levels deep, allowed are {MOST_LEVELS}"
        ))
        .help("put text together with `text![…]`, which nests none of its parts, or keep a part in a variable")
    })
}

/// A fault if an expression reads what is not this state's, or not there yet.
fn foreign(root: Root, state: &State, slot: Slot) -> Option<Fault> {
    let (what, token, there) = match root {
        Root::Input(token) => ("input", token, true),
        Root::Result(token) | Root::Payload(token) => ("result", token, matches!(slot, Slot::Result(_))),
        Root::ErrorOutput(token) => ("error", token, matches!(slot, Slot::Error(_))),
        Root::Context(_) => return None,
    };
    (token != state.token || !there).then(|| {
        Fault::new(format!(
            "the expression reads the {what} of another closure, which is not the {what} of this state here"
        ))
        .help("keep it in a variable in that state, and read the variable here")
    })
}

/// JSONata's functions and those that Step Functions adds: a variable of such a name would hide the function.
const FUNCTIONS: &[&str] = &[
    "abs",
    "append",
    "assert",
    "average",
    "base64decode",
    "base64encode",
    "boolean",
    "ceil",
    "contains",
    "count",
    "decodeUrl",
    "decodeUrlComponent",
    "distinct",
    "each",
    "encodeUrl",
    "encodeUrlComponent",
    "error",
    "eval",
    "exists",
    "filter",
    "floor",
    "formatBase",
    "formatInteger",
    "formatNumber",
    "fromMillis",
    "hash",
    "join",
    "keys",
    "length",
    "lookup",
    "lowercase",
    "map",
    "match",
    "max",
    "merge",
    "millis",
    "min",
    "not",
    "now",
    "number",
    "pad",
    "parse",
    "parseInteger",
    "partition",
    "power",
    "random",
    "range",
    "reduce",
    "replace",
    "reverse",
    "round",
    "shuffle",
    "sift",
    "single",
    "sort",
    "split",
    "spread",
    "sqrt",
    "states",
    "string",
    "substring",
    "substringAfter",
    "substringBefore",
    "sum",
    "toMillis",
    "trim",
    "type",
    "uppercase",
    "uuid",
    "zip",
];

fn variable_names(state: &State) -> Vec<Fault> {
    let caught = state.catchers.iter().flat_map(|catcher| &catcher.assigns);
    let mut faults = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for assign in &state.assigns {
        if seen.contains(&&*assign.variable.name) {
            let message = format!("the variable `{}` is assigned twice in one state", assign.variable.name);
            faults.push(Fault::new(message).at(assign.value.at).help("keep one of the two"));
        }
        seen.push(&assign.variable.name);
    }
    for assign in state.assigns.iter().chain(caught) {
        let name = &*assign.variable.name;
        let well_formed = name.len() <= 80
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let fault = if !well_formed {
            format!("the variable's name `{name}` is not up to 80 letters, digits and `_`, a letter first")
        } else if FUNCTIONS.contains(&name) {
            format!("a variable named `{name}` would hide JSONata's `${name}`")
        } else {
            continue;
        };
        faults.push(
            Fault::new(fault)
                .at(assign.value.at)
                .path("Assign")
                .help("name the variable otherwise"),
        );
    }
    faults
}

fn handling(placed: &Placed) -> Vec<Fault> {
    let state = &placed.state;
    let retried: Vec<_> = state
        .retries
        .iter()
        .map(|retrier| (retrier.errors.as_slice(), retrier.at))
        .collect();
    let caught: Vec<_> = state
        .catchers
        .iter()
        .map(|catcher| (catcher.errors.as_slice(), catcher.at))
        .collect();
    let mut faults = matching("Retry", &retried);
    faults.extend(matching("Catch", &caught));
    faults.extend(
        state
            .retries
            .iter()
            .flat_map(|retrier| retrier.retry.check())
            .map(|fault| fault.path("Retry")),
    );
    let raised = raised(placed);
    for (errors, at) in retried.into_iter().chain(caught) {
        let unknown = |error: &&ErrorName| !is_predefined(**error) && !raised.contains(error.0);
        for error in errors.iter().filter(unknown) {
            let declared = raised.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            let declared = if declared.is_empty() {
                "no error of a handler's own"
            } else {
                &declared
            };
            let message = format!(
                "nothing in this state fails with `{}`; it may fail with {declared}",
                error.0
            );
            faults.push(
                Fault::new(message)
                    .at(at)
                    .help("match an error of a handler that is invoked in it"),
            );
        }
    }
    faults
}

fn is_predefined(error: ErrorName) -> bool {
    ["States.", "Lambda.", "Sandbox."]
        .iter()
        .any(|prefix| error.0.starts_with(prefix))
}

/// The errors that a state's own function declares, and the tasks and Fail states within it.
fn raised(placed: &Placed) -> BTreeSet<String> {
    let mut errors = BTreeSet::new();
    let mut add = |placed: &Placed| match &placed.state.kind {
        Kind::Task(invocation) => errors.extend(invocation.errors.iter().map(|error| error.0.to_owned())),
        Kind::Fail { error, .. } => {
            if let Ast::Literal(serde_json::Value::String(name)) = &*error.ast {
                errors.insert(name.clone());
            }
        }
        _ => {}
    };
    add(placed);
    placed.inner.iter().for_each(|scope| scope.walk(&mut add));
    errors
}

/// The order of retriers or catchers: no error twice, `States.ALL` alone and last.
fn matching(field: &str, entries: &[(&[ErrorName], At)]) -> Vec<Fault> {
    let all = States::All.name();
    let mut faults = Vec::new();
    let mut fault =
        |message: String, at: At, help: &str| faults.push(Fault::new(message).at(at).path(field).help(help));
    let mut seen: Vec<ErrorName> = Vec::new();
    for (index, (errors, at)) in entries.iter().enumerate() {
        if errors.is_empty() {
            fault("no error is named".to_owned(), at, "name at least one error");
        }
        if errors.contains(&all) && errors.len() > 1 {
            fault(
                "`States.ALL` stands with other errors".to_owned(),
                at,
                "it matches them all: let it stand alone",
            );
        }
        if errors.contains(&all) && index + 1 < entries.len() {
            fault(
                "`States.ALL` is not last, so what follows is never looked at".to_owned(),
                at,
                "put it last",
            );
        }
        for error in *errors {
            if seen.contains(error) {
                fault(
                    format!("`{}` is matched already by an entry above", error.0),
                    at,
                    "name each error once",
                );
            }
            seen.push(*error);
        }
    }
    faults
}

/// A fault if the definition is longer than Step Functions takes: 1 MB.
pub(crate) fn size(node: &Node, at: At) -> Vec<Fault> {
    let size = length(node);
    if size <= 1_000_000 {
        return Vec::new();
    }
    let message = format!("the definition has about {size} characters, more than 1000000");
    vec![
        Fault::new(message)
            .at(at)
            .help("move a part of it into a state machine of its own"),
    ]
}

/// The length of a node's JSON, about: an intrinsic counts what is written in it.
fn length(node: &Node) -> usize {
    match node {
        Node::Null | Node::Bool(_) => 5,
        Node::Integer(_) | Node::Unsigned(_) | Node::Number(_) => 8,
        Node::Text(text) => text.len() + 2,
        Node::List(items) => items.iter().map(|item| length(item) + 1).sum::<usize>() + 2,
        Node::Object(object) => {
            object
                .entries()
                .iter()
                .map(|entry| entry.key.len() + 4 + length(&entry.value))
                .sum::<usize>()
                + 2
        }
        Node::Intrinsic(intrinsic) => match &**intrinsic {
            synth_aws::Intrinsic::Sub(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Literal(text) => text.len(),
                    Part::Value(_) => 128,
                })
                .sum(),
            _ => 128,
        },
        Node::Invalid(_) => 0,
    }
}
