//! [`MappingTemplate`]: documents, what decides between them, and the checks before they are rendered.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::panic::Location;

use synth_aws::Value;

use super::expression::{Condition, Expression, Header, Question};
use super::json::{IntoJson, Json, Object, Piece, Tree};
use super::render::{Writer, condition, headers};
use crate::Fault;

/// Templates of requests, which API Gateway sends to the integration.
#[derive(Debug, Clone)]
pub enum Request {}

/// Templates of responses, which API Gateway sends to the caller.
#[derive(Debug, Clone)]
pub enum Response {}

/// A template of a request.
pub type RequestTemplate = MappingTemplate<Request>;

/// A template of a response; it may decide the status.
pub type ResponseTemplate = MappingTemplate<Response>;

/// A mapping template: one document, or several of which conditions choose one.
#[derive(Debug, Clone)]
#[must_use]
pub struct MappingTemplate<Direction> {
    branches: Vec<(Condition, Block<Direction>)>,
    otherwise: Block<Direction>,
    at: &'static Location<'static>,
}

/// A document, and for a response its status.
#[derive(Debug, Clone)]
#[must_use]
pub struct Block<Direction> {
    status: Option<u16>,
    json: Json,
    direction: PhantomData<Direction>,
}

impl<Direction> From<Object> for Block<Direction> {
    fn from(object: Object) -> Self {
        object.into_json().into()
    }
}

impl<Direction> From<Json> for Block<Direction> {
    fn from(json: Json) -> Self {
        Self {
            status: None,
            json,
            direction: PhantomData,
        }
    }
}

/// The document as an answer with this status, whatever the integration response says.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html>
pub fn answer(status: u16, json: impl IntoJson) -> Block<Response> {
    Block {
        status: Some(status),
        json: json.into_json(),
        direction: PhantomData,
    }
}

/// A template that still lacks the document for when no condition holds.
#[derive(Debug, Clone)]
#[must_use = "a template ends with `.otherwise(…)`"]
pub struct Conditional<Direction> {
    branches: Vec<(Condition, Block<Direction>)>,
    at: &'static Location<'static>,
}

impl<Direction> Conditional<Direction> {
    /// This document where this condition holds and none before it does.
    pub fn or_when(mut self, condition: Condition, block: impl Into<Block<Direction>>) -> Self {
        self.branches.push((condition, block.into()));
        self
    }

    /// This document where no condition holds.
    pub fn otherwise(self, block: impl Into<Block<Direction>>) -> MappingTemplate<Direction> {
        MappingTemplate {
            branches: self.branches,
            otherwise: block.into(),
            at: self.at,
        }
    }
}

impl<Direction> MappingTemplate<Direction> {
    /// The same document whatever comes.
    #[track_caller]
    pub fn always(block: impl Into<Block<Direction>>) -> Self {
        Self {
            branches: Vec::new(),
            otherwise: block.into(),
            at: Location::caller(),
        }
    }

    /// This document where the condition holds.
    #[track_caller]
    pub fn when(condition: Condition, block: impl Into<Block<Direction>>) -> Conditional<Direction> {
        Conditional {
            branches: vec![(condition, block.into())],
            at: Location::caller(),
        }
    }

    fn blocks(&self) -> impl Iterator<Item = &Block<Direction>> {
        self.branches.iter().map(|(_, block)| block).chain([&self.otherwise])
    }

    /// Every expression of the template, those within others after them.
    fn expressions(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        for (condition, _) in &self.branches {
            questions(&condition.0, &mut |expression, _| found.extend(expression));
        }
        for block in self.blocks() {
            of_tree(&block.json.0, &mut found);
        }
        let mut index = 0;
        while index < found.len() {
            found.extend(found[index].inner());
            index += 1;
        }
        found
    }

    /// The headers that the template reads, each once.
    fn headers(&self) -> Vec<Header> {
        let mut headers: Vec<Header> = Vec::new();
        for expression in self.expressions() {
            if let Expression::Header(header) = expression
                && !headers.iter().any(|known| known.variable() == header.variable())
            {
                headers.push(*header);
            }
        }
        headers
    }

    /// The named expressions in the order in which they can be set: those that others are made of first.
    fn named(&self) -> Vec<(&str, &Expression, &'static Location<'static>)> {
        fn visit<'a>(
            expression: &'a Expression,
            named: &mut Vec<(&'a str, &'a Expression, &'static Location<'static>)>,
        ) {
            if let Some(inner) = expression.inner() {
                visit(inner, named);
            }
            if let Expression::Named(name, inner, at) = expression
                && !named
                    .iter()
                    .any(|(earlier, of, _)| earlier == name && of.velocity() == inner.velocity())
            {
                named.push((name, inner, at));
            }
        }
        let mut named = Vec::new();
        for expression in self.expressions() {
            visit(expression, &mut named);
        }
        named
    }

    /// All faults: names of variables, JSON paths, statuses, texts that a condition cannot hold.
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut messages: Vec<String> = self.expressions().into_iter().filter_map(Expression::fault).collect();
        for (condition, _) in &self.branches {
            questions(&condition.0, &mut |_, text| {
                if let Some(text) = text.filter(|text| text.contains(['\'', '\n'])) {
                    messages.push(format!(
                        "{text:?} holds a quote or a line break, which a condition cannot hold"
                    ));
                }
            });
        }
        for status in self
            .blocks()
            .filter_map(|block| block.status)
            .filter(|status| !(200..=599).contains(status))
        {
            messages.push(format!("{status} is no status of an answer, allowed are 200 to 599"));
        }
        let mut told = BTreeSet::new();
        messages.retain(|message| told.insert(message.clone()));
        faults.extend(messages.into_iter().map(|message| Fault::new(message).at(self.at)));
        let named = self.named();
        for (index, (name, _, at)) in named.iter().enumerate() {
            if let Some((_, _, first)) = named[..index].iter().find(|(earlier, _, _)| earlier == name) {
                let message = format!(
                    "the variable {name} is given another value, the first at {}:{}",
                    first.file(),
                    first.line()
                );
                faults.push(Fault::new(message).at(at).help("give it another name"));
            }
        }
        faults
    }

    /// The template as Velocity. If [`check`](Self::check) finds faults they are faults of the property that takes it.
    pub fn text(&self) -> Value<String> {
        let faults: Vec<String> = self.check().iter().map(ToString::to_string).collect();
        if !faults.is_empty() {
            return Value::invalid(faults.join("\n"));
        }
        let mut writer = Writer::default();
        writer.push(&headers(&self.headers()));
        for (name, expression, _) in self.named() {
            writer.push(&format!("#set(${name} = ${})\n", expression.velocity()));
        }
        for (index, (when, block)) in self.branches.iter().enumerate() {
            let directive = if index == 0 { "#if" } else { "#elseif" };
            writer.push(&format!("{directive}({})\n", condition(&when.0)));
            block.write(&mut writer);
        }
        if !self.branches.is_empty() {
            writer.push("#else\n");
        }
        self.otherwise.write(&mut writer);
        if !self.branches.is_empty() {
            writer.push("#end\n");
        }
        writer.finish()
    }
}

impl<Direction> Block<Direction> {
    fn write(&self, writer: &mut Writer) {
        if let Some(status) = self.status {
            writer.push(&format!("#set($context.responseOverride.status = {status})\n"));
        }
        writer.document(&self.json.0, 0);
        writer.push("\n");
    }
}

impl<Direction> From<MappingTemplate<Direction>> for Value<String> {
    fn from(template: MappingTemplate<Direction>) -> Self {
        template.text()
    }
}

/// Calls `visit` with every expression and every text of a condition.
fn questions<'a>(question: &'a Question, visit: &mut impl FnMut(Option<&'a Expression>, Option<&'a str>)) {
    match question {
        Question::LongerThan(expression, _) => visit(Some(expression), None),
        Question::Contains(expression, text) | Question::Is(expression, text) => visit(Some(expression), Some(text)),
        Question::Not(inner) => questions(inner, visit),
        Question::Both(left, right) | Question::Either(left, right) => {
            questions(left, visit);
            questions(right, visit);
        }
    }
}

fn of_tree<'a>(tree: &'a Tree, found: &mut Vec<&'a Expression>) {
    match tree {
        Tree::Object(entries) => entries.iter().for_each(|(_, value)| of_tree(value, found)),
        Tree::Array(items) => items.iter().for_each(|item| of_tree(item, found)),
        Tree::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Expression(expression) => Some(expression),
            _ => None,
        })),
        Tree::Plain(_) => {}
        Tree::Stringified(inner) => of_tree(inner, found),
        Tree::Input(expression) => found.push(expression),
    }
}
