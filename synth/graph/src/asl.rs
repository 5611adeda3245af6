//! A Step Functions definition → a [`Graph`]: states, transitions, choices, catchers; branches and iterations within their state.

use serde_json::{Map, Value};

use super::{Edge, Graph, Kind, Node, Transition};

/// Why a document cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum AslError {
    /// It is something else.
    #[error("it is no state machine: {0}")]
    NoMachine(String),
    /// A transition into nothing.
    #[error("the state {from:?} goes to {to:?}, which there is not next to it")]
    NoState {
        /// The state.
        from: String,
        /// What it names.
        to: String,
    },
}

/// Draws a definition.
///
/// # Errors
/// Where the text is no state machine, or a transition leads nowhere.
pub fn graph(text: &str) -> Result<Graph, AslError> {
    let definition: Value = serde_json::from_str(text).map_err(|error| AslError::NoMachine(error.to_string()))?;
    let mut graph = Graph::default();
    machine(&definition, &mut graph)?;
    Ok(graph)
}

/// Adds a machine, or a branch, which has the same form.
fn machine(definition: &Value, graph: &mut Graph) -> Result<(), AslError> {
    let missing = |key: &str| AslError::NoMachine(format!("`{key}` is missing"));
    let states = definition
        .get("States")
        .and_then(Value::as_object)
        .ok_or_else(|| missing("States"))?;
    let first = text(definition, "StartAt").ok_or_else(|| missing("StartAt"))?;
    let start = graph.add(Node::new(Kind::Start, "start"));
    let begin = graph.nodes.len();
    for (name, state) in states {
        let node = node(name, state)?;
        graph.add(node);
    }
    let end = graph.add(Node::new(Kind::End, "end"));
    let mut machine = Machine {
        names: states,
        begin,
        end,
        graph,
    };
    machine.connect("StartAt", start, first, None, Transition::Next)?;
    for (index, (name, state)) in states.iter().enumerate() {
        machine.transitions(name, begin + index, state)?;
    }
    fold_shared_catchers(graph);
    if !graph.edges.iter().any(|edge: &Edge| edge.to == end) {
        // Nothing was added after it, so no index changes.
        graph.nodes.truncate(end);
    }
    Ok(())
}

/// A state that is caught into from more states than this is drawn with one arrow and the number of the others.
const MOST_CATCHERS: usize = 5;

/// What nearly every state catches would bury the way that matters under arrows, so only the last one is drawn.
fn fold_shared_catchers(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        let caught = |edge: &Edge| edge.to == index && edge.kind == Transition::Catch;
        let count = graph.edges.iter().filter(|edge| caught(edge)).count();
        if count > MOST_CATCHERS {
            let mut others = count - 1;
            graph.edges.retain(|edge| {
                let folded = caught(edge) && others > 0;
                others -= usize::from(folded);
                !folded
            });
            graph.nodes[index].details.push(format!("caught from {count} states"));
        }
    }
}

struct Machine<'a> {
    names: &'a Map<String, Value>,
    /// The index of the first state.
    begin: usize,
    end: usize,
    graph: &'a mut Graph,
}

impl Machine<'_> {
    fn transitions(&mut self, name: &str, index: usize, state: &Value) -> Result<(), AslError> {
        if let Some(next) = text(state, "Next") {
            self.connect(name, index, next, None, Transition::Next)?;
        }
        if state.get("End").and_then(Value::as_bool) == Some(true) {
            self.graph.connect(index, self.end, None, Transition::Next);
        }
        for choice in list(state, "Choices") {
            if let Some(next) = text(choice, "Next") {
                self.connect(name, index, next, Some(condition(choice)), Transition::Next)?;
            }
        }
        if let Some(next) = text(state, "Default") {
            self.connect(name, index, next, Some("otherwise".to_owned()), Transition::Next)?;
        }
        for catcher in list(state, "Catch") {
            if let Some(next) = text(catcher, "Next") {
                self.connect(name, index, next, Some(errors(catcher)), Transition::Catch)?;
            }
        }
        Ok(())
    }

    fn connect(
        &mut self,
        name: &str,
        from: usize,
        to: &str,
        label: Option<String>,
        kind: Transition,
    ) -> Result<(), AslError> {
        let position = self.names.keys().position(|key| key == to);
        let to = position.ok_or_else(|| AslError::NoState {
            from: name.to_owned(),
            to: to.to_owned(),
        })?;
        self.graph.connect(from, self.begin + to, label, kind);
        Ok(())
    }
}

fn node(name: &str, state: &Value) -> Result<Node, AslError> {
    let kind = match text(state, "Type").unwrap_or_default() {
        "Task" => Kind::Task,
        "Choice" => Kind::Choice,
        "Wait" => Kind::Wait,
        "Pass" => Kind::Pass,
        "Succeed" => Kind::Succeed,
        "Fail" => Kind::Fail,
        "Parallel" | "Map" => Kind::Group,
        other => return Err(AslError::NoMachine(format!("{name:?} has the type {other:?}"))),
    };
    let mut node = Node::new(kind, name);
    node.details = details(kind, state);
    let branches: Vec<&Value> = list(state, "Branches")
        .chain(state.get("ItemProcessor"))
        .chain(state.get("Iterator"))
        .collect();
    if kind == Kind::Group {
        let mut inner = Graph::default();
        for branch in branches {
            machine(branch, &mut inner)?;
        }
        node.inner = Some(inner);
    }
    Ok(node)
}

/// What a state does, in a line or two; then its retries.
fn details(kind: Kind, state: &Value) -> Vec<String> {
    let mut details = Vec::new();
    match kind {
        Kind::Task => details.extend(text(state, "Resource").map(|resource| service(resource, state))),
        Kind::Wait => {
            for (key, form) in [
                ("Seconds", " s"),
                ("SecondsPath", " s"),
                ("Timestamp", ""),
                ("TimestampPath", ""),
            ] {
                details.extend(state.get(key).map(|value| format!("{}{form}", plain(value))));
            }
        }
        Kind::Fail => details.extend(["Error", "ErrorPath"].iter().find_map(|key| state.get(key)).map(plain)),
        Kind::Group if text(state, "Type") == Some("Map") => {
            let items = ["Items", "ItemsPath"].iter().find_map(|key| state.get(key)).map(plain);
            details.push(items.map_or_else(|| "for each item".to_owned(), |items| format!("for each of {items}")));
        }
        Kind::Group => details.push("all at once".to_owned()),
        _ => {}
    }
    for retrier in list(state, "Retry") {
        let attempts = retrier.get("MaxAttempts").and_then(Value::as_u64).unwrap_or(3);
        details.push(format!("↻ {attempts}× {}", errors(retrier)));
    }
    details
}

/// What a task calls: the function's name for Lambda, else the service and the action.
fn service(resource: &str, state: &Value) -> String {
    let function = ["Arguments", "Parameters"]
        .iter()
        .find_map(|key| state.get(key)?.get("FunctionName")?.as_str());
    if let Some(function) = function {
        let name = function.trim_start_matches("${").trim_end_matches('}');
        return format!("λ {}", name.strip_suffix(".Arn").unwrap_or(name));
    }
    match resource.split_once(":::") {
        Some((_, service)) => service.strip_prefix("aws-sdk:").unwrap_or(service).to_owned(),
        None => resource.rsplit(':').next().unwrap_or(resource).to_owned(),
    }
}

/// The errors that a catcher or retrier is for; several of one service go by its name.
fn errors(handler: &Value) -> String {
    let names: Vec<&str> = list(handler, "ErrorEquals").filter_map(Value::as_str).collect();
    let family = names
        .first()
        .and_then(|name| name.split_once('.'))
        .map(|(family, _)| family);
    match (names.as_slice(), family) {
        (["States.ALL"], _) => "any error".to_owned(),
        ([_, _, ..], Some(family))
            if names
                .iter()
                .all(|name| name.split_once('.').is_some_and(|(of, _)| of == family)) =>
        {
            format!("{family} errors")
        }
        (names, _) => names.join(", "),
    }
}

/// A choice's condition: the JSONata expression, or a JSONPath comparison as text.
fn condition(choice: &Value) -> String {
    if let Some(expression) = choice.get("Condition") {
        return plain(expression);
    }
    let joined = |key: &str, word: &str| {
        let parts: Vec<String> = list(choice, key).map(condition).collect();
        (!parts.is_empty()).then(|| parts.join(word))
    };
    if let Some(text) = joined("And", " and ").or_else(|| joined("Or", " or ")) {
        return text;
    }
    if let Some(inner) = choice.get("Not") {
        return format!("not ({})", condition(inner));
    }
    let variable = text(choice, "Variable").unwrap_or_default();
    let test = choice
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, _)| !["Variable", "Next", "Comment", "Assign", "Output"].contains(&key.as_str()));
    match test {
        Some((operator, value)) => format!("{variable} {operator} {}", plain(value)),
        None => variable.to_owned(),
    }
}

/// A value as people write it; an expression without its `{% … %}`.
fn plain(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let inner = text.strip_prefix("{%").and_then(|text| text.strip_suffix("%}"));
    inner.unwrap_or(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}
