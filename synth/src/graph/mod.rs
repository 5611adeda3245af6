//! Drawings: a state machine or the dependencies of stacks, as Mermaid text, SVG or a page for browsers.
//!
//! A drawing is a [`Graph`] first: [`asl`] and [`stacks`] make one, [`mermaid`], [`svg`] and [`html`] render it. Nothing here
//! reads files or prints.

pub(crate) mod asl;
mod html;
mod layout;
mod mermaid;
pub(crate) mod stacks;
mod svg;

use crate::cli::Drawing;

/// Boxes and arrows.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// The boxes.
    pub(crate) nodes: Vec<Node>,
    /// The arrows between boxes of this graph.
    pub(crate) edges: Vec<Edge>,
}

/// A box.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it is called.
    pub(crate) label: String,
    /// What else there is to say, a line each.
    pub(crate) details: Vec<String>,
    /// What it is.
    pub(crate) kind: Kind,
    /// What is within it.
    pub(crate) inner: Option<Graph>,
}

/// What a box is, which decides its shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Where a state machine or branch begins.
    Start,
    /// Where it ends.
    End,
    /// A state that does work.
    Task,
    /// A state that decides.
    Choice,
    /// A state that waits.
    Wait,
    /// A state that passes data on.
    Pass,
    /// A state that ends the execution well.
    Succeed,
    /// A state that ends the execution badly.
    Fail,
    /// Something with a graph within: a parallel, a map, a state machine among several.
    Group,
    /// A stack.
    Stack,
}

/// An arrow.
#[derive(Debug)]
pub(crate) struct Edge {
    /// The index of the box that it comes from.
    pub(crate) from: usize,
    /// The index of the box that it goes to.
    pub(crate) to: usize,
    /// When it is taken, a line for each case; none if always.
    pub(crate) labels: Vec<String>,
    /// What it is.
    pub(crate) kind: Transition,
}

/// What an arrow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    /// What comes next.
    Next,
    /// What comes next where a state fails.
    Catch,
}

/// Renders a drawing; pictures have a title.
pub(crate) fn render(graph: &Graph, title: &str, drawing: Drawing) -> String {
    match drawing {
        Drawing::Mermaid => mermaid::text(graph),
        Drawing::Svg => svg::text(graph, title),
        Drawing::Html => html::text(graph, title),
    }
}

impl Kind {
    /// The name of the kind in style sheets.
    const fn class(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::End => "end",
            Self::Task => "task",
            Self::Choice => "choice",
            Self::Wait => "wait",
            Self::Pass => "pass",
            Self::Succeed => "succeed",
            Self::Fail => "fail",
            Self::Group => "group",
            Self::Stack => "stack",
        }
    }
}

impl Node {
    /// A box with nothing within.
    pub(crate) fn new(kind: Kind, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            details: Vec::new(),
            kind,
            inner: None,
        }
    }
}

impl Graph {
    /// Adds a box and returns its index.
    pub(crate) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds an arrow; one that differs only in when it is taken gets a further label.
    pub(crate) fn connect(&mut self, from: usize, to: usize, label: Option<String>, kind: Transition) {
        let twin =
            |edge: &&mut Edge| edge.from == from && edge.to == to && edge.kind == kind && !edge.labels.is_empty();
        match (self.edges.iter_mut().find(twin), label) {
            (Some(edge), Some(label)) => edge.labels.push(label),
            (_, label) => self.edges.push(Edge {
                from,
                to,
                labels: label.into_iter().collect(),
                kind,
            }),
        }
    }
}

/// Text that fits into a drawing: `longest` characters, the last an ellipsis if there were more.
fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(longest - 1).collect();
    short.push('…');
    short
}

/// Text within XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
