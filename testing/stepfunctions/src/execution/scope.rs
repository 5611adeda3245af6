//! What the expressions of a state can see: `$states`, variables, the context object.

use serde_json::{Map, Value, json};

use super::{Execution, MOST_BYTES, flow::FlowId};
use crate::{
    definition::{Assign, Data, StateType},
    evaluate::Scope,
    failure::{DATA_LIMIT_EXCEEDED, Failure, Origin},
};

/// What a state has got so far, beside its input.
#[derive(Debug, Clone, Default)]
pub(super) struct Got {
    pub(super) result: Option<Value>,
    pub(super) error: Option<Value>,
    /// What `$` is in a JSONPath state, where it is not the state's input.
    pub(super) root: Option<Value>,
    /// The item that a Map selects from.
    pub(super) item: Option<super::flow::Item>,
}

impl Got {
    /// Nothing yet, with `$` at this value.
    pub(super) fn at(root: Value) -> Self {
        Self {
            root: Some(root),
            ..Self::default()
        }
    }
}

impl Execution {
    pub(super) fn scoped<T>(&mut self, flow: FlowId, got: &Got, evaluate: impl FnOnce(&mut Scope<'_>) -> T) -> T {
        let (states, root, context) = match self.visit(flow).map(|visit| (&visit.state.data, &visit.input)) {
            Some((Data::JsonPath(_), input)) => {
                let root = got.root.clone().unwrap_or_else(|| input.clone());
                (Value::Null, root, self.context(flow, got))
            }
            _ => (self.states_variable(flow, got), Value::Null, Value::Null),
        };
        let mut random = self.random.clone();
        let variable = |name: &str| self.variable(flow, name).cloned();
        let value = evaluate(&mut Scope {
            states,
            root,
            context,
            variable: &variable,
            now: self.now,
            random: &mut random,
        });
        self.random = random;
        value
    }

    fn states_variable(&self, flow: FlowId, got: &Got) -> Value {
        let mut states = Map::new();
        if let Some(visit) = self.visit(flow) {
            states.insert("input".to_owned(), visit.input.clone());
        }
        states.insert("context".to_owned(), self.context(flow, got));
        if let Some(result) = &got.result {
            states.insert("result".to_owned(), result.clone());
        }
        if let Some(error) = &got.error {
            states.insert("errorOutput".to_owned(), error.clone());
        }
        Value::Object(states)
    }

    /// A variable of the flow, or of the nearest around it that has one of that name.
    fn variable(&self, flow: FlowId, name: &str) -> Option<&Value> {
        let mut flow = self.flow(flow)?;
        loop {
            if let Some(value) = flow.variables.get(name) {
                return Some(value);
            }
            flow = self.flow(flow.parent?.0)?;
        }
    }

    /// The context object.
    fn context(&self, flow: FlowId, got: &Got) -> Value {
        let mut context = Map::new();
        context.insert("Execution".to_owned(), self.start.execution_context());
        context.insert("StateMachine".to_owned(), self.start.machine_context());
        if let Some(visit) = self.visit(flow) {
            let kind = visit.state.kind.state_type();
            let mut state = json!({ "Name": &*visit.name, "EnteredTime": visit.entered_at.to_string() });
            if matches!(kind, StateType::Task | StateType::Parallel | StateType::Map) {
                state["RetryCount"] = json!(visit.attempt);
            }
            context.insert("State".to_owned(), state);
            if let Some(token) = &visit.token {
                context.insert("Task".to_owned(), json!({ "Token": token }));
            }
        }
        if let Some(item) = got.item.as_ref().or_else(|| self.flow(flow)?.item.as_ref()) {
            context.insert(
                "Map".to_owned(),
                json!({ "Item": { "Index": item.index, "Value": item.value } }),
            );
        }
        Value::Object(context)
    }

    /// The values of all variables that are to be assigned, none of which sees another's new value.
    pub(super) fn assignment(
        &mut self,
        flow: FlowId,
        got: &Got,
        assign: &Assign,
        at: &str,
    ) -> Result<Vec<(String, Value)>, Failure> {
        let variables = self.scoped(flow, got, |scope| {
            assign
                .iter()
                .map(|(name, template)| Ok((name.clone(), scope.value(template, &format!("{at}/{name}"))?)))
                .collect::<Result<Vec<_>, Failure>>()
        })?;
        if variables.iter().map(|(_, value)| size(value)).sum::<usize>() > MOST_BYTES {
            return Err(Failure::named(
                DATA_LIMIT_EXCEEDED,
                format!("The variables assigned by the field '{at}' exceed the limit of {MOST_BYTES} bytes."),
                Origin::Interpreter,
            ));
        }
        Ok(variables)
    }
}

/// The bytes that the value has as JSON.
pub(super) fn size(value: &Value) -> usize {
    /// Counts what is written to it.
    struct Counter(usize);

    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut counter = Counter(0);
    // A value always has a JSON text, and counting it cannot fail.
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}
