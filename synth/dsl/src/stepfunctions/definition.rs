//! [`Definition`]: a whole state machine, checked and emitted.

use std::panic::Location;

use synth_aws::{Arn, Duration, Node, Object, Value, lambda};

use super::flow::IntoFlow;
use super::graph::Graph;
use super::lower::{Scope, lower};
use super::state::{At, Kind};
use super::{assignment, check, emit};
use crate::fault::Fault;

/// The definition of a state machine; see [`definition`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Definition {
    scope: Scope,
    lowering: Vec<Fault>,
    comment: Option<String>,
    timeout: Option<(Duration, At)>,
    at: At,
}

/// Makes a state machine of a flow. Executions are started with the flow's input and end with its output.
#[track_caller]
pub fn definition<F: IntoFlow>(flow: F) -> Definition {
    let at = Location::caller();
    let (scope, lowering) = lower(&flow.into_flow().chain, at);
    Definition {
        scope,
        lowering,
        comment: None,
        timeout: None,
        at,
    }
}

impl Definition {
    /// What a reader of the definition should know.
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// The longest that an execution may take (`TimeoutSeconds`), 1 to 99,999,999 seconds; then it ends as `TIMED_OUT`, which no
    /// state can catch. A standard execution left alone ends after a year.
    #[track_caller]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some((timeout, Location::caller()));
        self
    }

    /// Everything that is wrong with the state machine, each with the source line to blame.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = self.lowering.clone();
        faults.extend(check::states(&self.scope));
        faults.extend(assignment::check(&self.scope));
        if let Some((timeout, at)) = self.timeout {
            faults.extend(check::seconds_within("the execution's time-out", timeout, 1, at));
        }
        faults.extend(check::size(&self.to_node(), self.at));
        faults
    }

    /// The definition in the States Language.
    #[must_use]
    pub fn to_node(&self) -> Node {
        let mut node = Object::new();
        if let Some(comment) = &self.comment {
            node.set("Comment", comment.clone().into());
        }
        node.set("QueryLanguage", "JSONata".into());
        if let Some((timeout, _)) = self.timeout {
            node.set("TimeoutSeconds", super::retry::seconds_node(timeout));
        }
        emit::scope_into(&mut node, &self.scope);
        node.into()
    }

    /// The functions that the tasks invoke, each once, in the order of the states: what the state machine's role must be allowed.
    #[must_use]
    pub fn invoked(&self) -> Vec<Value<Arn<lambda::Function>>> {
        let mut functions = Vec::new();
        self.scope.walk(&mut |placed| {
            if let Kind::Task(invocation) = &placed.state.kind
                && !functions.contains(&invocation.function)
            {
                functions.push(invocation.function.clone());
            }
        });
        functions
    }

    /// The states and the ways between them, for drawing.
    #[must_use]
    pub fn graph(&self) -> Graph {
        Graph::of(&self.scope)
    }
}
