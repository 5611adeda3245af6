//! How much an expression may hold at once, as it was measured on AWS: a list of 873,782 numbers is taken and one more is not, a text of 2^22
//! characters is and one of 2^23 is not. See <https://github.com/floci-io/floci/issues/2737>.
//!
//! The engine bounds lists by itself. Texts grow by `&`, so each of them becomes a call of a function that counts.

use jsonata_core::{
    ast::AstNode,
    evaluator::{Context, Evaluator, EvaluatorError},
    parser,
    value::JValue,
};
use serde_json::{Value, json};

/// The bytes of a value: eight for a number, one for a character.
pub(super) const MOST_BYTES: usize = 6_990_256;
/// The numbers of a list that holds as much.
pub(super) const MOST_NUMBERS: usize = MOST_BYTES / 8;
/// What Step Functions says of more.
pub(super) const EXCEEDED: &str = "Expression evaluation memory limit exceeded: Check for excessive memory usage";

/// The function that stands for `&`. No expression can call it: a name has no space.
const JOINED: &str = "joined texts";

/// The same program, which counts what its `&` make. One that cannot be rewritten stays as it is.
pub(super) fn counted(program: AstNode) -> AstNode {
    match serde_json::to_value(&program) {
        Ok(tree) => serde_json::from_value(rewritten(tree)).unwrap_or(program),
        Err(_) => program,
    }
}

/// `{"Binary": {"op": "Concatenate", …}}` becomes a call, everything else stays.
fn rewritten(tree: Value) -> Value {
    match tree {
        Value::Array(items) => items.into_iter().map(rewritten).collect(),
        Value::Object(fields) => {
            let node = fields
                .into_iter()
                .map(|(name, value)| (name, rewritten(value)))
                .collect();
            let node = Value::Object(node);
            let binary = &node["Binary"];
            if binary["op"] == "Concatenate" {
                let arguments = [&binary["lhs"], &binary["rhs"]];
                return json!({ "Function": { "name": JOINED, "args": arguments, "is_builtin": true } });
            }
            node
        }
        other => other,
    }
}

pub(super) fn register(evaluator: &mut Evaluator) -> Result<(), EvaluatorError> {
    evaluator.register_fn_override(JOINED, |arguments: &[JValue]| {
        let mut joined = String::new();
        for argument in arguments {
            match argument {
                JValue::Undefined => {}
                JValue::String(text) => joined.push_str(text),
                other => joined.push_str(&written(other)?),
            }
        }
        if joined.chars().count() > MOST_BYTES {
            return Err(EvaluatorError::EvaluationError(EXCEEDED.to_owned()));
        }
        Ok(JValue::string(joined))
    })
}

/// As `$string` writes it.
fn written(value: &JValue) -> Result<String, EvaluatorError> {
    let mut context = Context::new();
    context.bind("value".to_owned(), value.clone());
    let program =
        parser::parse("$string($value)").map_err(|error| EvaluatorError::EvaluationError(error.to_string()))?;
    let text = Evaluator::with_context(context).evaluate(&program, &JValue::Undefined)?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// What a value holds.
pub(super) fn size(value: &JValue) -> usize {
    match value {
        JValue::String(text) => text.chars().count(),
        JValue::Array(items) => items.iter().map(size).sum(),
        JValue::Object(fields) => fields.iter().map(|(name, value)| name.len() + size(value)).sum(),
        _ => 8,
    }
}
