//! Definite assignment: a variable that is read must have been assigned on every path that leads there.
//!
//! A forward analysis over each scope, catch edges and loops included. An inner scope starts with what its state sees and keeps
//! its own variables to itself, as Step Functions does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::expr::ast::{Ast, Variable};
use super::lower::{Placed, Scope};
use super::state::{Assignment, Template};
use crate::fault::Fault;

type Names = BTreeSet<Arc<str>>;

/// The faults of a state machine's variables.
pub(crate) fn check(scope: &Scope) -> Vec<Fault> {
    let mut faults = one_type_each(scope);
    let mut assigned_anywhere = Names::new();
    scope.walk(&mut |placed| assigned_anywhere.extend(assigned(placed)));
    check_scope(scope, &Names::new(), &assigned_anywhere, &mut faults);
    faults
}

/// Every variable that a state or its catchers assign.
fn assigned(placed: &Placed) -> impl Iterator<Item = Arc<str>> {
    let state = &placed.state;
    let caught = state.catchers.iter().flat_map(|catcher| &catcher.assigns);
    state
        .assigns
        .iter()
        .chain(caught)
        .map(|assign| Arc::clone(&assign.variable.name))
}

/// The ways out of a state, each with what is assigned on it.
fn exits(placed: &Placed) -> impl Iterator<Item = (&str, &[Assignment])> {
    let state = &placed.state;
    let on = placed
        .next
        .iter()
        .chain(&placed.ways)
        .map(|to| (to.as_str(), state.assigns.as_slice()));
    let caught = placed.caught.iter().zip(&state.catchers);
    on.chain(caught.map(|(to, catcher)| (to.as_str(), catcher.assigns.as_slice())))
}

/// What is surely assigned when each state is entered.
fn entered_with<'a>(scope: &'a Scope, outer: &Names) -> BTreeMap<&'a str, Names> {
    let mut entered: BTreeMap<&str, Names> = BTreeMap::from([(scope.start.as_str(), outer.clone())]);
    let mut pending = VecDeque::from([scope.start.as_str()]);
    while let Some(name) = pending.pop_front() {
        let (Some(placed), Some(before)) = (scope.get(name), entered.get(name).cloned()) else {
            continue;
        };
        for (to, assigns) in exits(placed) {
            let mut after = before.clone();
            after.extend(assigns.iter().map(|assign| Arc::clone(&assign.variable.name)));
            let known = entered.get(to);
            let meet = known.map_or_else(|| after.clone(), |known| known.intersection(&after).cloned().collect());
            if known != Some(&meet) {
                entered.insert(to, meet);
                pending.push_back(to);
            }
        }
    }
    entered
}

fn check_scope(scope: &Scope, outer: &Names, anywhere: &Names, faults: &mut Vec<Fault>) {
    let entered = entered_with(scope, outer);
    let mut own = Names::new();
    for placed in &scope.states {
        own.extend(assigned(placed));
        let Some(before) = entered.get(placed.state.name.as_str()) else {
            continue;
        };
        for (slot, template) in placed.state.templates() {
            for variable in variables(template) {
                if !before.contains(&variable.name) {
                    let fault = unassigned(scope, outer, placed, variable, anywhere);
                    faults.push(
                        fault
                            .at(template.at)
                            .path(format!("{}: {}", placed.state.name, slot.field())),
                    );
                }
            }
        }
    }
    for placed in &scope.states {
        let before = entered.get(placed.state.name.as_str()).unwrap_or(outer);
        let seen: Names = outer.union(&own).cloned().collect();
        for inner in &placed.inner {
            shadowed(inner, &seen, faults);
            check_scope(inner, before, anywhere, faults);
        }
    }
}

/// An inner scope may read the outer's variables, but not assign one of their names.
fn shadowed(inner: &Scope, outer: &Names, faults: &mut Vec<Fault>) {
    for placed in &inner.states {
        let caught = placed.state.catchers.iter().flat_map(|catcher| &catcher.assigns);
        for assign in placed.state.assigns.iter().chain(caught) {
            if outer.contains(&assign.variable.name) {
                faults.push(
                    Fault::new(format!("the variable `{}` belongs to the scope around this one", assign.variable.name))
                        .at(assign.value.at)
                        .path(&placed.state.name)
                        .help("a branch or iteration reads outer variables and assigns its own: use another name, or the output"),
                );
            }
        }
    }
}

fn unassigned(scope: &Scope, outer: &Names, placed: &Placed, variable: &Variable, anywhere: &Names) -> Fault {
    let name = &variable.name;
    if !anywhere.contains(name) {
        return Fault::new(format!("the variable `{name}` is read, but no state assigns it"))
            .help(format!("assign it in an earlier state: `.assign(&{name}, …)`"));
    }
    let mut in_scope = outer.clone();
    scope.states.iter().for_each(|placed| in_scope.extend(assigned(placed)));
    if !in_scope.contains(name) {
        return Fault::new(format!(
            "the variable `{name}` is assigned in another branch or iteration alone, and unseen here"
        ))
        .help("let the Parallel or Map state assign it from its result");
    }
    let path = path_without(scope, name, &placed.state.name).join(" → ");
    Fault::new(format!(
        "the variable `{name}` is read, but the path {path} does not assign it"
    ))
    .help("assign it on that path too, or before the paths part")
}

/// A shortest path from the start to a state on which a variable is not assigned.
fn path_without<'a>(scope: &'a Scope, variable: &str, to: &'a str) -> Vec<&'a str> {
    let mut before: BTreeMap<&str, Option<&str>> = BTreeMap::from([(scope.start.as_str(), None)]);
    let mut pending = VecDeque::from([scope.start.as_str()]);
    while let Some(name) = pending.pop_front() {
        let Some(placed) = scope.get(name) else { continue };
        for (next, assigns) in exits(placed) {
            let assigns = assigns.iter().any(|assign| &*assign.variable.name == variable);
            if !assigns && !before.contains_key(next) {
                before.insert(next, Some(name));
                pending.push_back(next);
            }
        }
    }
    let mut path = vec![to];
    while let Some(Some(previous)) = path.last().and_then(|name| before.get(name)) {
        path.push(previous);
    }
    path.reverse();
    path
}

fn variables(template: &Template) -> Vec<&Variable> {
    let mut found: Vec<&Variable> = Vec::new();
    template.ast.walk(&mut |ast| {
        if let Ast::Variable(variable) = ast
            && !found.iter().any(|known| known.name == variable.name)
        {
            found.push(variable);
        }
    });
    found
}

/// A name must mean one type, wherever it is assigned or read.
fn one_type_each(scope: &Scope) -> Vec<Fault> {
    let mut types: BTreeMap<Arc<str>, String> = BTreeMap::new();
    let mut faults = Vec::new();
    scope.walk(&mut |placed| {
        let state = &placed.state;
        let caught = state.catchers.iter().flat_map(|catcher| &catcher.assigns);
        let assigned = state
            .assigns
            .iter()
            .chain(caught)
            .map(|assign| (&assign.variable, assign.value.at));
        let templates = state.templates();
        let read = templates
            .iter()
            .flat_map(|(_, template)| variables(template).into_iter().map(|read| (read, template.at)));
        for (variable, at) in assigned.chain(read) {
            let kind = (variable.kind.name)().into_owned();
            let known = types.entry(Arc::clone(&variable.name)).or_insert_with(|| kind.clone());
            if *known != kind {
                let message = format!(
                    "the variable `{}` is a `{kind}` here and a `{known}` elsewhere",
                    variable.name
                );
                faults.push(
                    Fault::new(message)
                        .at(at)
                        .path(&state.name)
                        .help("give one of the two variables another name"),
                );
            }
        }
    });
    faults
}
