//! JSON within the text of a configuration value, with CloudFormation's values in it.

use synth_aws::{Intrinsic, Node, Part, Value};

/// The parts of a JSON string of the value, for a concatenation. Literal text is escaped; what CloudFormation puts in when it deploys is taken as it is,
/// as names, ARNs and ids need no escaping.
pub(super) fn string(value: &Value<String>) -> Vec<Value<String>> {
    let mut parts = vec![Value::from("\"")];
    match value.node() {
        Node::Text(text) => parts.push(Value::from(escaped(text))),
        Node::Intrinsic(intrinsic) => match intrinsic.as_ref() {
            Intrinsic::Sub(inner) => parts.extend(inner.iter().map(|part| match part {
                Part::Literal(text) => Value::from(escaped(text)),
                Part::Value(node) => Value::from_node(node.clone()),
            })),
            _ => parts.push(value.clone()),
        },
        _ => parts.push(value.clone()),
    }
    parts.push(Value::from("\""));
    parts
}

/// The text as it stands between the quotes of a JSON string.
pub(super) fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Calls `visit` with every piece of literal text in a value.
pub(super) fn literals(node: &Node, visit: &mut impl FnMut(&str)) {
    node.walk(&mut |inner| match inner {
        Node::Text(text) => visit(text),
        Node::Intrinsic(intrinsic) => {
            if let Intrinsic::Sub(parts) = intrinsic.as_ref() {
                for part in parts {
                    if let Part::Literal(text) = part {
                        visit(text);
                    }
                }
            }
        }
        _ => {}
    });
}
