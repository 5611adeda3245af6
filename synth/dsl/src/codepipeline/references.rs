//! References to variables in configuration values, `#{namespace.key}`.

/// A reference, or what should have been one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    /// `#{namespace.key}`.
    To(String, String),
    /// `#{` without a namespace, a key or an end.
    Malformed(String),
}

/// The references in a text, in order.
pub(super) fn references(text: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("#{") {
        let tail = &rest[start..];
        let Some(end) = tail.find('}') else {
            found.push(Reference::Malformed(tail.to_owned()));
            break;
        };
        let inside = &tail[2..end];
        found.push(match inside.split_once('.') {
            Some((namespace, key)) if !namespace.is_empty() && !key.is_empty() => {
                Reference::To(namespace.to_owned(), key.to_owned())
            }
            _ => Reference::Malformed(tail[..=end].to_owned()),
        });
        rest = &tail[end + 1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Reference, references};

    #[test]
    fn references_are_found_and_what_is_none_is_named() {
        assert_eq!(
            references("a #{Source.VersionId}-#{b} #{c.} #{d.e"),
            [
                Reference::To("Source".into(), "VersionId".into()),
                Reference::Malformed("#{b}".into()),
                Reference::Malformed("#{c.}".into()),
                Reference::Malformed("#{d.e".into()),
            ]
        );
        assert_eq!(references("${HOME} # {x}"), []);
    }
}
