//! References to variables in an action's configuration: `#{variables.NAME}`, `#{Namespace.NAME}`.
//!
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html>

/// The references in a text, as namespace and name, in order.
pub(crate) fn references(text: &str) -> Vec<(&str, &str)> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Reference { namespace, name } => Some((namespace, name)),
            Piece::Text(_) => None,
        })
        .collect()
}

/// The text with values in the place of references, or the first reference that has no value.
pub(crate) fn resolve(text: &str, value: impl Fn(&str, &str) -> Option<String>) -> Result<String, String> {
    let mut resolved = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => resolved.push_str(text),
            Piece::Reference { namespace, name } => {
                let value = value(namespace, name).ok_or_else(|| format!("#{{{namespace}.{name}}}"))?;
                resolved.push_str(&value);
            }
        }
    }
    Ok(resolved)
}

enum Piece<'a> {
    Text(&'a str),
    Reference { namespace: &'a str, name: &'a str },
}

/// What has not the form of a reference is text.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("#{") {
        let inside = &rest[start + 2..];
        let reference = inside.find('}').and_then(|end| Some((reference(&inside[..end])?, end)));
        let Some(((namespace, name), end)) = reference else {
            pieces.push(Piece::Text(&rest[..start + 2]));
            rest = inside;
            continue;
        };
        pieces.push(Piece::Text(&rest[..start]));
        pieces.push(Piece::Reference { namespace, name });
        rest = &inside[end + 1..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

fn reference(text: &str) -> Option<(&str, &str)> {
    let (namespace, name) = text.split_once('.')?;
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "@-_".contains(letter))
    };
    (plain(namespace) && plain(name)).then_some((namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_replaced_wherever_they_stand_and_only_once() {
        let value = |namespace: &str, name: &str| Some(format!("<{namespace}:{name}:#{{a.b}}>"));
        let table = [
            ("plain", "plain"),
            ("#{a.b}", "<a:b:#{a.b}>"),
            ("x#{a.b}y#{c.d}", "x<a:b:#{a.b}>y<c:d:#{a.b}>"),
            ("#{a} #{a.} #{.b} #{a b.c} #{", "#{a} #{a.} #{.b} #{a b.c} #{"),
            ("#{#{a.b}}", "#{<a:b:#{a.b}>}"),
            ("$ä#{a.b}ü", "$ä<a:b:#{a.b}>ü"),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text, value).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_value_is_named() {
        let value = |_: &str, name: &str| (name == "known").then(String::new);
        assert_eq!(
            resolve("#{a.known}#{Package.KEY}", value),
            Err("#{Package.KEY}".to_owned())
        );
    }
}
