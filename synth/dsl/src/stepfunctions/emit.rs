//! Emission: from placed states to the States Language, as a tree that a template holds.
//!
//! See <https://states-language.net/spec.html>. Nothing is checked here; see [`check`](super::check).

use serde_json::Value as Json;
use synth_aws::{Node, Object, pseudo, sub};

use super::expr::ast::Ast;
use super::lower::{Placed, Scope};
use super::retry::{error_equals, seconds_node};
use super::state::{Assignment, Invocation, Kind, Template, Until};

/// Adds `StartAt` and `States` to an object.
pub(crate) fn scope_into(object: &mut Object, scope: &Scope) {
    object.set("StartAt", scope.start.clone().into());
    let mut states = Object::new();
    for placed in &scope.states {
        states.set(placed.state.name.clone(), state_node(placed));
    }
    object.set("States", states.into());
}

fn scope_node(scope: &Scope) -> Object {
    let mut object = Object::new();
    scope_into(&mut object, scope);
    object
}

/// A state's object.
pub(crate) fn state_node(placed: &Placed) -> Node {
    let state = &placed.state;
    let mut node = Object::new().with("Type", state.kind_name());
    if let Some(comment) = &state.comment {
        node.set("Comment", comment.clone().into());
    }
    kind_into(&mut node, placed);
    assigns_into(&mut node, &state.assigns);
    if let Some(output) = &state.output {
        node.set("Output", template_node(output));
    }
    if !state.retries.is_empty() {
        node.set(
            "Retry",
            Node::List(state.retries.iter().map(super::retry::Retrier::to_node).collect()),
        );
    }
    if !state.catchers.is_empty() {
        let catchers = state.catchers.iter().zip(&placed.caught).map(|(catcher, next)| {
            let mut node = Object::new().with("ErrorEquals", error_equals(&catcher.errors));
            assigns_into(&mut node, &catcher.assigns);
            if let Some(output) = &catcher.output {
                node.set("Output", template_node(output));
            }
            node.with("Next", next.clone()).into()
        });
        node.set("Catch", Node::List(catchers.collect()));
    }
    match (&state.kind, &placed.next) {
        (Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. }, _) => {}
        (_, Some(next)) => node.set("Next", next.clone().into()),
        (_, None) => node.set("End", Node::Bool(true)),
    }
    node.into()
}

fn kind_into(node: &mut Object, placed: &Placed) {
    match &placed.state.kind {
        Kind::Task(invocation) => task_into(node, invocation),
        Kind::Pass | Kind::Succeed => {}
        Kind::Wait(Until::Passed(time)) => node.set("Seconds", seconds_node(*time)),
        Kind::Wait(Until::Seconds(template)) => node.set("Seconds", template_node(template)),
        Kind::Wait(Until::Timestamp(template)) => node.set("Timestamp", template_node(template)),
        Kind::Fail { error, cause } => {
            node.set("Error", template_node(error));
            if let Some(cause) = cause {
                node.set("Cause", template_node(cause));
            }
        }
        Kind::Choice { rules, .. } => {
            let choices = rules.iter().zip(&placed.ways).map(|(rule, next)| {
                let condition = format!("{{% {} %}}", rule.condition.ast.jsonata());
                Object::new()
                    .with("Condition", condition)
                    .with("Next", next.clone())
                    .into()
            });
            node.set("Choices", Node::List(choices.collect()));
            if let Some(default) = placed.ways.get(rules.len()) {
                node.set("Default", default.clone().into());
            }
        }
        Kind::Parallel { .. } => {
            node.set(
                "Branches",
                Node::List(placed.inner.iter().map(|scope| scope_node(scope).into()).collect()),
            );
        }
        Kind::Map { items, concurrency, .. } => {
            node.set("Items", template_node(items));
            if let Some((limit, _)) = concurrency {
                node.set("MaxConcurrency", Node::Integer((*limit).into()));
            }
            let mut processor = Object::new().with("ProcessorConfig", Object::new().with("Mode", "INLINE"));
            placed.inner.iter().for_each(|scope| scope_into(&mut processor, scope));
            node.set("ItemProcessor", processor.into());
        }
    }
}

fn task_into(node: &mut Object, invocation: &Invocation) {
    node.set(
        "Resource",
        sub!["arn:", pseudo::partition(), ":states:::lambda:invoke"].into_node(),
    );
    let arguments = Object::new()
        .with("FunctionName", invocation.function.node().clone())
        .with("Payload", template_node(&invocation.payload));
    node.set("Arguments", arguments.into());
    if let Some((timeout, _)) = invocation.timeout {
        node.set("TimeoutSeconds", seconds_node(timeout));
    }
}

fn assigns_into(node: &mut Object, assigns: &[Assignment]) {
    if assigns.is_empty() {
        return;
    }
    let mut object = Object::new();
    for assign in assigns {
        object.set(assign.variable.name.to_string(), template_node(&assign.value));
    }
    node.set("Assign", object.into());
}

/// An expression as a JSON template whose leaves are literals or `{% … %}`.
pub(crate) fn template_node(template: &Template) -> Node {
    ast_node(&template.ast)
}

fn ast_node(ast: &Ast) -> Node {
    match ast {
        Ast::Literal(value) => literal_node(value),
        Ast::Invalid(fault) => Node::Invalid(fault.clone()),
        Ast::Object { entries, .. } => {
            let mut object = Object::new();
            for (name, value) in entries {
                object.set(*name, ast_node(value));
            }
            object.into()
        }
        Ast::List { items, .. } => Node::List(items.iter().map(|item| ast_node(item)).collect()),
        other => Node::from(format!("{{% {} %}}", other.jsonata())),
    }
}

fn literal_node(value: &Json) -> Node {
    match value {
        // CloudFormation takes no null, not even within a definition; JSONata's own literal is the same value.
        Json::Null => Node::from(format!("{{% {} %}}", Ast::Literal(Json::Null).jsonata())),
        Json::Bool(value) => Node::Bool(*value),
        Json::Number(_) => Node::from(value.clone()),
        // The States Language would take such text for an expression, or refuse it for half of one.
        Json::String(text) if text.starts_with("{%") || text.ends_with("%}") => {
            Node::from(format!("{{% {} %}}", Ast::Literal(value.clone()).jsonata()))
        }
        Json::String(text) => Node::from(text.clone()),
        Json::Array(items) => Node::List(items.iter().map(literal_node).collect()),
        Json::Object(entries) => {
            let mut object = Object::new();
            for (name, value) in entries {
                object.set(name.clone(), literal_node(value));
            }
            object.into()
        }
    }
}
