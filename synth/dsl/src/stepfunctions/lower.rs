//! Lowering: from nested chains to scopes of named states, each with what follows it.
//!
//! This is where sharing is decided: the same state met twice is placed once; two different states of one name are a fault.

use std::sync::Arc;

use super::emit::state_node;
use super::expr::ast::Token;
use super::state::{At, Chain, Kind, Link, Otherwise, State};
use crate::fault::Fault;

/// The states of a state machine, of a branch or of an iteration.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) start: String,
    pub(crate) states: Vec<Placed>,
}

/// A state with what follows it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) state: Arc<State>,
    /// What follows; nothing if the execution, branch or iteration ends here, or if it is a choice.
    pub(crate) next: Option<String>,
    /// Where the rules of a Choice state lead, then its default if it has one.
    pub(crate) ways: Vec<String>,
    /// Where the catchers lead.
    pub(crate) caught: Vec<String>,
    /// The branches of a Parallel state, or the one iteration of a Map state.
    pub(crate) inner: Vec<Scope>,
}

impl Placed {
    /// All the states that may come next in the same scope.
    pub(crate) fn successors(&self) -> impl Iterator<Item = &str> {
        self.next
            .iter()
            .chain(&self.ways)
            .chain(&self.caught)
            .map(String::as_str)
    }

    /// Whether both lead to the same states.
    fn leads_as(&self, other: &Self) -> bool {
        (&self.next, &self.ways, &self.caught) == (&other.next, &other.ways, &other.caught)
    }
}

impl Scope {
    pub(crate) fn get(&self, name: &str) -> Option<&Placed> {
        self.states.iter().find(|placed| placed.state.name == name)
    }

    /// Calls `visit` on each state, those of inner scopes after their own.
    pub(crate) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Placed)) {
        for placed in &self.states {
            visit(placed);
            placed.inner.iter().for_each(|scope| scope.walk(visit));
        }
    }
}

/// Lowers a whole state machine.
pub(crate) fn lower(chain: &Chain, at: At) -> (Scope, Vec<Fault>) {
    let mut lowering = Lowering::default();
    let scope = lowering.scope(chain, at, None);
    (scope, lowering.faults)
}

#[derive(Default)]
struct Lowering {
    faults: Vec<Fault>,
    scopes: usize,
    /// Every name with its scope, to find one that is used in two scopes.
    names: Vec<(String, usize, At)>,
}

/// A scope under construction.
struct Building {
    number: usize,
    placed: Vec<Placed>,
    /// The Parallel or Map state that it is in.
    within: Option<String>,
}

impl Lowering {
    fn scope(&mut self, chain: &Chain, at: At, within: Option<&str>) -> Scope {
        self.scopes += 1;
        let mut building = Building {
            number: self.scopes,
            placed: Vec::new(),
            within: within.map(str::to_owned),
        };
        let start = Chain::entry(&chain.links, None).unwrap_or_else(|| {
            let fault = Fault::new("there is no state to start with")
                .at(at)
                .path(within.unwrap_or_default());
            self.faults.push(fault.help("put one in, such as a `pass`"));
            String::new()
        });
        self.chain(chain, None, &mut building);
        let scope = Scope {
            start,
            states: building.placed,
        };
        // A state that could not be placed leaves others unreached: one fault is enough.
        if self.faults.is_empty() {
            self.unreachable(&scope);
        }
        scope
    }

    /// Places the states of a chain that goes on with `next`: first the chain itself, then what it catches.
    fn chain(&mut self, chain: &Chain, next: Option<&str>, scope: &mut Building) {
        let mut caught = Vec::new();
        for (index, link) in chain.links.iter().enumerate() {
            match link {
                Link::State(state) => {
                    let next = Chain::entry(&chain.links[index + 1..], next);
                    if self.place(state, next.as_deref(), scope) {
                        caught.push((state, next));
                    }
                }
                Link::End(at) => self.end("`.end()`", at, scope),
                Link::To(_) => {}
            }
        }
        for (state, next) in caught {
            for catcher in &state.catchers {
                self.chain(&catcher.chain, next.as_deref(), scope);
            }
        }
    }

    fn end(&mut self, what: &str, at: At, scope: &Building) {
        if let Some(within) = &scope.within {
            self.faults.push(
                Fault::new(format!(
                    "{what} within a Parallel or Map state ends the branch, not the execution"
                ))
                .at(at)
                .path(within)
                .help("let the branch go on to its output, or fail"),
            );
        }
    }

    /// Places a state and those that its rules lead to; whether it was not placed before.
    fn place(&mut self, state: &Arc<State>, next: Option<&str>, scope: &mut Building) -> bool {
        let mut placed = placed(state, next);
        if let Some(known) = scope.placed.iter().find(|known| known.state.name == state.name) {
            if !(Arc::ptr_eq(&known.state, state) && known.leads_as(&placed)) {
                // Its inner scopes have their place already; these are to compare with.
                placed.inner = Self::default().inner(state);
                if state_node(known) != state_node(&placed) {
                    let fault = differs(known, &placed);
                    self.faults.push(fault);
                }
            }
            return false;
        }
        self.claim(state, scope.number);
        if matches!(state.kind, Kind::Succeed) {
            self.end("a Succeed state", state.at, scope);
        }
        let place = scope.placed.len();
        scope.placed.push(placed);
        scope.placed[place].inner = self.inner(state);
        self.place_end(state, scope);
        if let Kind::Choice { rules, otherwise } = &state.kind {
            for rule in rules {
                self.chain(&rule.chain, next, scope);
            }
            if let Otherwise::To(chain) = otherwise {
                self.chain(chain, next, scope);
            }
        }
        true
    }

    /// Places the state that ends the scope, if a way of `state` leads to no other.
    fn place_end(&mut self, state: &State, scope: &mut Building) {
        let name = end_of(&state.name);
        let leads = scope
            .placed
            .iter()
            .any(|placed| placed.ways.contains(&name) || placed.caught.contains(&name));
        if leads && !scope.placed.iter().any(|placed| placed.state.name == name) {
            let end = State::new(name, Kind::Succeed, Token::fresh(), state.at);
            self.claim(&end, scope.number);
            scope.placed.push(placed(&Arc::new(end), None));
        }
    }

    fn inner(&mut self, state: &State) -> Vec<Scope> {
        match &state.kind {
            Kind::Parallel { branches } => branches
                .iter()
                .map(|branch| self.scope(branch, state.at, Some(&state.name)))
                .collect(),
            Kind::Map { each, .. } => vec![self.scope(each, state.at, Some(&state.name))],
            _ => Vec::new(),
        }
    }

    fn claim(&mut self, state: &State, scope: usize) {
        if let Some((_, _, other)) = self
            .names
            .iter()
            .find(|(name, number, _)| *name == state.name && *number != scope)
        {
            self.faults.push(
                Fault::new(format!(
                    "the name `{}` is taken in another branch, by the state of {other}",
                    state.name
                ))
                .at(state.at)
                .path(&state.name)
                .help("names are unique in the whole state machine: name one of the states otherwise"),
            );
        }
        self.names.push((state.name.clone(), scope, state.at));
    }

    fn unreachable(&mut self, scope: &Scope) {
        let mut reached = vec![scope.start.as_str()];
        let mut index = 0;
        while index < reached.len() {
            if let Some(placed) = scope.get(reached[index]) {
                for successor in placed.successors() {
                    if !reached.contains(&successor) {
                        reached.push(successor);
                    }
                }
            }
            index += 1;
        }
        for placed in &scope.states {
            if !reached.contains(&placed.state.name.as_str()) {
                self.faults.push(
                    Fault::new(format!(
                        "the state `{}` is never reached: all that comes before it ends",
                        placed.state.name
                    ))
                    .at(placed.state.at)
                    .path(&placed.state.name)
                    .help("take it out, or let a way lead to it"),
                );
            }
        }
    }
}

/// A state with where it leads, given what follows it.
fn placed(state: &Arc<State>, next: Option<&str>) -> Placed {
    let to = |chain: &Chain| Chain::entry(&chain.links, next).unwrap_or_else(|| end_of(&state.name));
    let mut ways = Vec::new();
    if let Kind::Choice { rules, otherwise } = &state.kind {
        ways.extend(rules.iter().map(|rule| to(&rule.chain)));
        if let Otherwise::To(chain) = otherwise {
            ways.push(to(chain));
        }
    }
    let caught = state.catchers.iter().map(|catcher| to(&catcher.chain)).collect();
    let follows = !matches!(state.kind, Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. });
    let next = next.filter(|_| follows).map(str::to_owned);
    Placed {
        state: Arc::clone(state),
        next,
        ways,
        caught,
        inner: Vec::new(),
    }
}

/// The name of the Succeed state that a choice or catcher leads to where it is the end: it must name a state.
fn end_of(name: &str) -> String {
    format!("{name}: end")
}

fn differs(known: &Placed, placed: &Placed) -> Fault {
    let name = &placed.state.name;
    let (one, other) = (known.state.at, placed.state.at);
    let why = if known.leads_as(placed) {
        "they do different things"
    } else {
        "different states follow them"
    };
    Fault::new(format!("two states are named `{name}`, here and at {one}, and {why}"))
        .at(other)
        .path(name)
        .help("name one of them otherwise, or let both do the same and lead to the same state")
}
