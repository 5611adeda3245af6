//! Drawings: boxes and arrows, such as a state machine, as Mermaid text, SVG or a page for browsers.
//!
//! A drawing is a [`Graph`] first: [`asl`] makes one of a Step Functions definition; [`mermaid`], [`svg`] and [`html`] render it. The
//! boxes and arrows that an execution came by can be [marked](Graph::mark), and stand out then. Nothing here reads files or prints.
//!
//! ```
//! use synth_graph::{Mark, asl, svg};
//!
//! let mut graph = asl::graph(
//!     r#"{ "StartAt": "Greet", "States": { "Greet": { "Type": "Pass", "End": true } } }"#,
//! )?;
//! graph.mark("Greet", Mark::Taken);
//! assert!(svg::text(&graph, "Greetings").contains("Greet"));
//! # Ok::<(), asl::AslError>(())
//! ```

pub mod asl;
pub mod html;
mod layout;
pub mod mermaid;
pub mod svg;

/// Boxes and arrows.
#[derive(Debug, Default)]
pub struct Graph {
    /// The boxes.
    pub nodes: Vec<Node>,
    /// The arrows between boxes of this graph.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Debug)]
pub struct Node {
    /// What it is called.
    pub label: String,
    /// What else there is to say, a line each.
    pub details: Vec<String>,
    /// What it is.
    pub kind: Kind,
    /// What is within it.
    pub inner: Option<Graph>,
    /// How it stands out; pictures fade what does not as soon as anything does.
    pub mark: Option<Mark>,
}

/// What a box is, which decides its shape and colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
pub struct Edge {
    /// The index of the box that it comes from.
    pub from: usize,
    /// The index of the box that it goes to.
    pub to: usize,
    /// When it is taken, a line for each case; none if always.
    pub labels: Vec<String>,
    /// What it is.
    pub kind: Transition,
    /// How it stands out.
    pub mark: Option<Mark>,
}

/// What an arrow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// What comes next.
    Next,
    /// What comes next where a state fails.
    Catch,
}

/// How a box or an arrow stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// An execution came by.
    Taken,
    /// An execution failed here.
    Failed,
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
    pub fn new(kind: Kind, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            details: Vec::new(),
            kind,
            inner: None,
            mark: None,
        }
    }
}

impl Graph {
    /// Adds a box and returns its index.
    pub fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds an arrow; one that differs only in when it is taken gets a further label.
    pub fn connect(&mut self, from: usize, to: usize, label: Option<String>, kind: Transition) {
        let twin =
            |edge: &&mut Edge| edge.from == from && edge.to == to && edge.kind == kind && !edge.labels.is_empty();
        match (self.edges.iter_mut().find(twin), label) {
            (Some(edge), Some(label)) => edge.labels.push(label),
            (_, label) => self.edges.push(Edge {
                from,
                to,
                labels: label.into_iter().collect(),
                kind,
                mark: None,
            }),
        }
    }

    /// Makes the box of that name stand out, wherever it is; what has failed stays so.
    pub fn mark(&mut self, label: &str, mark: Mark) {
        for node in &mut self.nodes {
            if node.label == label {
                node.mark = node.mark.max(Some(mark));
            }
            if let Some(inner) = &mut node.inner {
                inner.mark(label, mark);
            }
        }
    }

    /// Makes the arrow between two boxes stand out; of several, the first.
    pub fn mark_arrow(&mut self, from: &str, to: &str) {
        let named = |index: usize, name: &str| self.nodes.get(index).is_some_and(|node| node.label == name);
        let found = self
            .edges
            .iter()
            .position(|edge| named(edge.from, from) && named(edge.to, to));
        if let Some(edge) = found.and_then(|index| self.edges.get_mut(index)) {
            edge.mark = Some(Mark::Taken);
        }
        for inner in self.nodes.iter_mut().filter_map(|node| node.inner.as_mut()) {
            inner.mark_arrow(from, to);
        }
    }

    /// Whether anything stands out.
    fn is_marked(&self) -> bool {
        let node = |node: &Node| node.mark.is_some() || node.inner.as_ref().is_some_and(Self::is_marked);
        self.nodes.iter().any(node) || self.edges.iter().any(|edge| edge.mark.is_some())
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
