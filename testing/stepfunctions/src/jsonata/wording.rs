//! What the engine says is wrong, in the words of JSONata's own implementation, which are those that Step Functions shows.

use std::collections::BTreeSet;

use super::memory::EXCEEDED;

/// The message as Step Functions shows it, as far as the engine tells enough. `functions` are those that the expression calls: the engine does
/// not say which of them was called wrongly, so that one is named only if there is no other.
pub(super) fn of(message: &str, functions: &BTreeSet<String>) -> String {
    let Some((code, text)) = message.split_once(": ") else {
        return message.to_owned();
    };
    if let Some(bare) = bounded(code) {
        return bare.to_owned();
    }
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
        code => picture(code).map(str::to_owned),
    };
    reworded.map_or_else(|| message.to_owned(), |text| format!("{code}: {text}"))
}

/// What is said of an expression that goes beyond a bound; it has no code.
fn bounded(code: &str) -> Option<&'static str> {
    Some(match code {
        "D1011" | "U1001" => {
            "Stack overflow error: Check for non-terminating recursive function.  Consider rewriting as tail-recursive"
        }
        "D1012" => "Expression evaluation timeout: Check for infinite loop",
        "D2015" => EXCEEDED,
        _ => return None,
    })
}

/// What is wrong with a picture of `$formatNumber`, see <https://github.com/jsonata-js/jsonata/blob/master/src/jsonata.js>.
fn picture(code: &str) -> Option<&'static str> {
    Some(match code {
        "D3080" => "The picture string must only contain a maximum of two sub-pictures",
        "D3081" => "The sub-picture must not contain more than one instance of the 'decimal-separator' character",
        "D3082" => "The sub-picture must not contain more than one instance of the 'percent' character",
        "D3083" => "The sub-picture must not contain more than one instance of the 'per-mille' character",
        "D3084" => "The sub-picture must not contain both a 'percent' and a 'per-mille' character",
        "D3085" => {
            "The mantissa part of a sub-picture must contain at least one character that is either an 'optional digit character' or a member of the 'decimal digit family'"
        }
        "D3086" => {
            "The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character"
        }
        "D3087" => {
            "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a 'decimal-separator' character"
        }
        "D3088" => "The sub-picture must not contain a 'grouping-separator' at the end of the integer part",
        "D3089" => "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character",
        "D3090" => {
            "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is followed by an instance of the 'optional digit character'"
        }
        "D3091" => {
            "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' that is followed by a member of the 'decimal digit family'"
        }
        "D3092" => {
            "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as an 'exponent-separator'"
        }
        "D3093" => {
            "The exponent part of the sub-picture must comprise only of one or more characters that are members of the 'decimal digit family'"
        }
        _ => return None,
    })
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
