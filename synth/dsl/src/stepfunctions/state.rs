//! The untyped model that typed flows are lowered from: states with their templates, and chains of them.

use std::panic::Location;
use std::sync::Arc;

use synth_aws::{Arn, Duration, Value, lambda};

use super::expr::ast::{Ast, Token, Variable};
use super::retry::Retrier;
use crate::fault::Fault;
use crate::handler::ErrorName;

/// A source line.
pub(crate) type At = &'static Location<'static>;

/// An expression in a state, with the line that set it.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) ast: Arc<Ast>,
    pub(crate) at: At,
}

/// An entry of `Assign`.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) variable: Variable,
    pub(crate) value: Template,
}

/// A state before it is placed: what it does, not what follows it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) comment: Option<String>,
    /// Whose `$states` its expressions read.
    pub(crate) token: Token,
    pub(crate) assigns: Vec<Assignment>,
    pub(crate) output: Option<Template>,
    pub(crate) retries: Vec<Retrier>,
    pub(crate) catchers: Vec<Catcher>,
    pub(crate) kind: Kind,
    /// What its builder found wrong with it.
    pub(crate) faults: Vec<Fault>,
}

/// What kind of state, with what only that kind has.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Task(Invocation),
    Pass,
    Wait(Until),
    Succeed,
    Fail {
        error: Template,
        cause: Option<Template>,
    },
    Choice {
        rules: Vec<Rule>,
        otherwise: Otherwise,
    },
    Parallel {
        branches: Vec<Chain>,
    },
    Map {
        items: Template,
        concurrency: Option<(u32, At)>,
        each: Chain,
    },
}

/// The invocation of a Lambda function.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) function: Value<Arn<lambda::Function>>,
    pub(crate) errors: &'static [ErrorName],
    pub(crate) payload: Template,
    pub(crate) timeout: Option<(Duration, At)>,
}

/// What a Wait state waits for.
#[derive(Debug, Clone)]
pub(crate) enum Until {
    Passed(Duration),
    Seconds(Template),
    Timestamp(Template),
}

/// A rule of a Choice state.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) condition: Template,
    pub(crate) chain: Chain,
}

/// What a Choice state does if no rule holds.
#[derive(Debug, Clone)]
pub(crate) enum Otherwise {
    /// `Default`.
    To(Chain),
    /// No default: the rules compare with every value of an enum. The values that they compare with, and the enum.
    Exhausted {
        covered: Vec<serde_json::Value>,
        of: super::expr::ast::Type,
        at: At,
    },
}

/// A catcher.
#[derive(Debug, Clone)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<ErrorName>,
    pub(crate) assigns: Vec<Assignment>,
    pub(crate) output: Option<Template>,
    pub(crate) chain: Chain,
    pub(crate) at: At,
}

/// States one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    pub(crate) links: Vec<Link>,
}

/// A part of a chain.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    State(Arc<State>),
    /// The execution ends here.
    End(At),
    /// On to the state of this name; how loops are closed.
    To(String),
}

impl State {
    pub(crate) fn new(name: impl Into<String>, kind: Kind, token: Token, at: At) -> Self {
        Self {
            name: name.into(),
            at,
            comment: None,
            token,
            assigns: Vec::new(),
            output: None,
            retries: Vec::new(),
            catchers: Vec::new(),
            kind,
            faults: Vec::new(),
        }
    }

    /// The state's `Type`.
    pub(crate) const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Task(_) => "Task",
            Kind::Pass => "Pass",
            Kind::Wait(_) => "Wait",
            Kind::Succeed => "Succeed",
            Kind::Fail { .. } => "Fail",
            Kind::Choice { .. } => "Choice",
            Kind::Parallel { .. } => "Parallel",
            Kind::Map { .. } => "Map",
        }
    }

    /// The expressions that the state evaluates itself, each with the field that holds it.
    pub(crate) fn templates(&self) -> Vec<(Slot, &Template)> {
        let mut all = Vec::new();
        match &self.kind {
            Kind::Task(invocation) => all.push((Slot::Input("Arguments"), &invocation.payload)),
            Kind::Wait(Until::Seconds(template)) => all.push((Slot::Input("Seconds"), template)),
            Kind::Wait(Until::Timestamp(template)) => all.push((Slot::Input("Timestamp"), template)),
            Kind::Fail { error, cause } => {
                all.push((Slot::Input("Error"), error));
                all.extend(cause.iter().map(|cause| (Slot::Input("Cause"), cause)));
            }
            Kind::Choice { rules, .. } => {
                all.extend(rules.iter().map(|rule| (Slot::Input("Condition"), &rule.condition)))
            }
            Kind::Map { items, .. } => all.push((Slot::Input("Items"), items)),
            Kind::Pass | Kind::Wait(Until::Passed(_)) | Kind::Succeed | Kind::Parallel { .. } => {}
        }
        all.extend(
            self.assigns
                .iter()
                .map(|assign| (Slot::Result("Assign"), &assign.value)),
        );
        all.extend(self.output.iter().map(|output| (Slot::Result("Output"), output)));
        for catcher in &self.catchers {
            all.extend(
                catcher
                    .assigns
                    .iter()
                    .map(|assign| (Slot::Error("Catch/Assign"), &assign.value)),
            );
            all.extend(
                catcher
                    .output
                    .iter()
                    .map(|output| (Slot::Error("Catch/Output"), output)),
            );
        }
        all
    }

    /// The chains within the state, in the order in which a reader meets them: branches first, then what is caught.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &Chain> {
        let inner: Vec<&Chain> = match &self.kind {
            Kind::Choice { rules, otherwise } => {
                let otherwise = match otherwise {
                    Otherwise::To(chain) => Some(chain),
                    Otherwise::Exhausted { .. } => None,
                };
                rules.iter().map(|rule| &rule.chain).chain(otherwise).collect()
            }
            Kind::Parallel { branches } => branches.iter().collect(),
            Kind::Map { each, .. } => vec![each],
            _ => Vec::new(),
        };
        inner
            .into_iter()
            .chain(self.catchers.iter().map(|catcher| &catcher.chain))
    }
}

/// Which field of a state an expression stands in, and so what of `$states` it may read besides the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Before the state's work: the input alone.
    Input(&'static str),
    /// After it: the result.
    Result(&'static str),
    /// After it failed: the error output.
    Error(&'static str),
}

impl Slot {
    pub(crate) const fn field(self) -> &'static str {
        match self {
            Self::Input(field) | Self::Result(field) | Self::Error(field) => field,
        }
    }
}

impl Chain {
    pub(crate) fn of(state: State) -> Self {
        Self {
            links: vec![Link::State(Arc::new(state))],
        }
    }

    pub(crate) fn followed_by(mut self, next: Self) -> Self {
        self.links.extend(next.links);
        self
    }

    /// The name of the state that the chain is entered by; `next` if it has none, nothing if it ends at once.
    pub(crate) fn entry(links: &[Link], next: Option<&str>) -> Option<String> {
        match links.first() {
            Some(Link::State(state)) => Some(state.name.clone()),
            Some(Link::To(name)) => Some(name.clone()),
            Some(Link::End(_)) => None,
            None => next.map(str::to_owned),
        }
    }

    /// The same chain with each state changed by `change`; `within` says whether Parallel and Map states are entered.
    pub(crate) fn map_states(&self, within: bool, change: &impl Fn(&mut State)) -> Self {
        let links = self.links.iter().map(|link| match link {
            Link::State(state) => {
                let mut state = State::clone(state);
                let map = |chain: &mut Self| *chain = chain.map_states(within, change);
                match &mut state.kind {
                    Kind::Choice { rules, otherwise } => {
                        rules.iter_mut().for_each(|rule| map(&mut rule.chain));
                        if let Otherwise::To(chain) = otherwise {
                            map(chain);
                        }
                    }
                    Kind::Parallel { branches } if within => branches.iter_mut().for_each(map),
                    Kind::Map { each, .. } if within => map(each),
                    _ => {}
                }
                state.catchers.iter_mut().for_each(|catcher| map(&mut catcher.chain));
                change(&mut state);
                Link::State(Arc::new(state))
            }
            other => other.clone(),
        });
        Self { links: links.collect() }
    }
}
