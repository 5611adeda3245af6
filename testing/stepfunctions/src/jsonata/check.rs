//! What an expression may not contain, judged on its syntax tree. Never evaluates anything.

use std::collections::BTreeSet;

use jsonata_core::{
    ast::{AstNode, BinaryOp, PathStep, Stage},
    evaluator::Evaluator,
    value::JValue,
};

use super::Place;

/// What the walk over a syntax tree has found.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) faults: Vec<String>,
    /// The names of all variables that are read anywhere, those that the expression binds itself included.
    pub(super) variables: BTreeSet<String>,
    /// The names of all functions that are called.
    pub(super) functions: BTreeSet<String>,
}

/// Whether a name is looked up in the expression's own context, which Step Functions leaves empty.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Inner,
}

pub(super) fn check(program: &AstNode, place: Place, findings: &mut Findings) {
    Walk { place, findings }.node(program, Level::Top);
}

struct Walk<'a> {
    place: Place,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    fn fault(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.findings.faults.contains(&text) {
            self.findings.faults.push(text);
        }
    }

    fn nodes<'n>(&mut self, nodes: impl IntoIterator<Item = &'n AstNode>, level: Level) {
        for node in nodes {
            self.node(node, level);
        }
    }

    fn pairs(&mut self, pairs: &[(AstNode, AstNode)], level: Level) {
        self.nodes(pairs.iter().flat_map(|(key, value)| [key, value]), level);
    }

    fn node(&mut self, node: &AstNode, level: Level) {
        match node {
            AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Placeholder
            | AstNode::Parent(_) => {}
            AstNode::Regex { pattern, .. } => self.pattern(pattern, node),
            AstNode::Name(_) | AstNode::Undefined | AstNode::Wildcard | AstNode::Descendant => {
                self.context(node, level)
            }
            AstNode::Variable(name) => self.variable(name, level),
            AstNode::ParentVariable(_) => self.fault("`$$` is not supported by Step Functions; use $states.input"),
            AstNode::Path { steps } => self.path(steps, level),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs, level),
            AstNode::Unary { operand, .. } => self.node(operand, level),
            AstNode::Function { name, args, is_builtin } => self.function(name, args, *is_builtin, level),
            AstNode::Call { procedure, args } => {
                self.node(procedure, level);
                self.nodes(args, level);
            }
            AstNode::Lambda { body, .. } => self.node(body, level),
            AstNode::Array(nodes) | AstNode::ArrayGroup(nodes) | AstNode::Block(nodes) => self.nodes(nodes, level),
            AstNode::Object(pairs) => self.pairs(pairs, level),
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input, level);
                self.pairs(pattern, Level::Inner);
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                self.node(condition, level);
                self.node(then_branch, level);
                self.nodes(else_branch.as_deref(), level);
            }
            AstNode::FunctionApplication(inner) => self.node(inner, level),
            AstNode::Sort { input, terms } => {
                self.node(input, level);
                self.nodes(terms.iter().map(|(term, _)| term), Level::Inner);
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                self.node(location, Level::Inner);
                self.node(update, Level::Inner);
                self.nodes(delete.as_deref(), Level::Inner);
            }
        }
    }

    /// A node that reads the context it stands in.
    fn context(&mut self, node: &AstNode, level: Level) {
        if level == Level::Inner {
            return;
        }
        let what = match node {
            AstNode::Name(name) => name.as_str(),
            AstNode::Wildcard => "*",
            AstNode::Descendant => "**",
            _ => "undefined",
        };
        self.fault(format!(
            "`{what}` at the top level refers to nothing; use $states.input for the input, ${what} for a variable"
        ));
    }

    fn variable(&mut self, name: &str, level: Level) {
        if !name.is_empty() {
            self.findings.variables.insert(name.to_owned());
        } else if level == Level::Top {
            self.fault("`$` at the top level refers to nothing; use $states.input");
        }
    }

    /// The engine's regular expressions know less than JavaScript's: no look-around, no back references.
    fn pattern(&mut self, pattern: &str, node: &AstNode) {
        let trial = AstNode::Function {
            name: "contains".to_owned(),
            args: vec![AstNode::String(String::new()), node.clone()],
            is_builtin: true,
        };
        if Evaluator::new().evaluate(&trial, &JValue::Undefined).is_err() {
            self.fault(format!("the regular expression /{pattern}/ is not supported"));
        }
    }

    fn path(&mut self, steps: &[PathStep], level: Level) {
        let mut names = steps.iter().map(|step| &step.node);
        if let (Some(AstNode::Variable(variable)), Some(AstNode::Name(field))) = (names.next(), names.next())
            && variable == "states"
        {
            self.states_field(field);
        }
        for (index, step) in steps.iter().enumerate() {
            self.node(&step.node, if index == 0 { level } else { Level::Inner });
            for stage in &step.stages {
                if let Stage::Filter(filter) = stage {
                    self.node(filter, Level::Inner);
                }
            }
        }
    }

    fn states_field(&mut self, field: &str) {
        match field {
            "input" | "result" | "context" => {}
            "errorOutput" if self.place == Place::Catcher => {}
            "errorOutput" => self.fault("`$states.errorOutput` is there only in the Output and Assign of a catcher"),
            _ => self.fault(format!(
                "`$states.{field}` is not there; allowed are input, result, errorOutput and context"
            )),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: &AstNode, right: &AstNode, level: Level) {
        match op {
            BinaryOp::Coalesce => self.fault("`??` is newer than JSONata 2.0.6, which Step Functions evaluates"),
            BinaryOp::Default => self.fault("`?:` is newer than JSONata 2.0.6, which Step Functions evaluates"),
            _ => {}
        }
        if matches!(op, BinaryOp::ColonEqual) {
            if matches!(left, AstNode::Variable(name) if name == "states") {
                self.fault("`$states` is reserved and cannot be bound");
            }
        } else {
            self.node(left, level);
        }
        self.node(right, level);
    }

    fn function(&mut self, name: &str, arguments: &[AstNode], dollar: bool, level: Level) {
        self.findings.functions.insert(name.to_owned());
        if dollar {
            self.variable(name, level);
        } else if level == Level::Top {
            self.fault(format!(
                "`{name}` at the top level refers to nothing; functions are called as ${name}(…)"
            ));
        }
        self.nodes(arguments, level);
    }
}
