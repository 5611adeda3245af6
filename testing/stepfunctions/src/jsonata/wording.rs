//! What the engine says is wrong, in the words of JSONata's own implementation, which are those that Step Functions shows.

use std::collections::BTreeSet;

/// The message as Step Functions shows it, as far as the engine tells enough. `functions` are those that the expression calls: the engine does
/// not say which of them was called wrongly, so that one is named only if there is no other.
pub(super) fn of(message: &str, functions: &BTreeSet<String>) -> String {
    let Some((code, text)) = message.split_once(": ") else {
        return message.to_owned();
    };
    let only = functions.first().filter(|_| functions.len() == 1);
    let reworded = match code {
        "T1006" => Some("Attempted to invoke a non-function".to_owned()),
        "T2001" | "T2002" => operator(text),
        "T2003" => Some("The left side of the range operator (..) must evaluate to an integer".to_owned()),
        "T2004" => Some("The right side of the range operator (..) must evaluate to an integer".to_owned()),
        "D3030" => between(text, "Cannot convert '", "' to number")
            .map(|value| format!("Unable to cast value to a number: \"{value}\"")),
        "T0410" => only.and_then(|function| {
            let argument = between(text, "Argument ", " must be ")?;
            Some(format!(
                "Argument {argument} of function \"{function}\" does not match function signature"
            ))
        }),
        "T0412" => only.and_then(|function| {
            let (argument, of) = text.strip_prefix("Argument ")?.split_once(" must be an array of ")?;
            let kind = of.to_lowercase();
            Some(format!(
                "Argument {argument} of function \"{function}\" must be an array of \"{kind}s\""
            ))
        }),
        _ => None,
    };
    reworded.map_or_else(|| message.to_owned(), |text| format!("{code}: {text}"))
}

/// `the "+" operator` for `the + operator`.
fn operator(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(" of the ")?;
    let (symbol, after) = rest.split_once(' ')?;
    Some(format!("{before} of the \"{symbol}\" {after}"))
}

/// What stands between two marks, the second of which may be followed by more.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.strip_prefix(before)?.split_once(after).map(|(inner, _)| inner)
}
