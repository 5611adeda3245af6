//! [`Graph`]: the states and ways of a definition as plain data, for whoever draws them.

use super::lower::Scope;
use super::state::{Kind, Otherwise};

/// The states of a definition and the ways between them, in the order of the definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// The states.
    pub nodes: Vec<GraphNode>,
    /// The ways between them.
    pub edges: Vec<Edge>,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphNode {
    /// Its name.
    pub name: String,
    /// Its `Type`, such as `Task`.
    pub kind: &'static str,
    /// The Parallel or Map state that it stands in, with the number of the branch.
    pub within: Option<(String, usize)>,
    /// Whether its scope starts with it.
    pub start: bool,
    /// Whether its scope may end with it.
    pub end: bool,
}

/// A way from one state to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The state that is left.
    pub from: String,
    /// The state that is entered.
    pub to: String,
    /// The condition or the errors; empty where there is neither.
    pub label: String,
    /// Why the way is taken.
    pub kind: EdgeKind,
}

/// Why a way is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EdgeKind {
    /// The state is done.
    Next,
    /// A rule of a choice holds.
    Choice,
    /// No rule of the choice holds.
    Default,
    /// The state failed with an error that is caught.
    Catch,
}

impl Graph {
    pub(crate) fn of(scope: &Scope) -> Self {
        let mut graph = Self {
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        graph.add(scope, None);
        graph
    }

    fn add(&mut self, scope: &Scope, within: Option<(&str, usize)>) {
        for placed in &scope.states {
            let state = &placed.state;
            self.nodes.push(GraphNode {
                name: state.name.clone(),
                kind: state.kind_name(),
                within: within.map(|(name, branch)| (name.to_owned(), branch)),
                start: state.name == scope.start,
                end: placed.next.is_none() && !matches!(state.kind, Kind::Choice { .. }),
            });
            let mut edge = |to: &String, label: String, kind| {
                self.edges.push(Edge {
                    from: state.name.clone(),
                    to: to.clone(),
                    label,
                    kind,
                });
            };
            if let Kind::Choice { rules, otherwise } = &state.kind {
                for (rule, to) in rules.iter().zip(&placed.ways) {
                    edge(to, rule.condition.ast.jsonata(), EdgeKind::Choice);
                }
                if let (Otherwise::To(_), Some(to)) = (otherwise, placed.ways.last()) {
                    edge(to, String::new(), EdgeKind::Default);
                }
            }
            if let Some(next) = &placed.next {
                edge(next, String::new(), EdgeKind::Next);
            }
            for (catcher, to) in state.catchers.iter().zip(&placed.caught) {
                let errors: Vec<_> = catcher.errors.iter().map(|error| error.0).collect();
                edge(to, errors.join(", "), EdgeKind::Catch);
            }
            for (branch, inner) in placed.inner.iter().enumerate() {
                self.add(inner, Some((&state.name, branch)));
            }
        }
    }
}
