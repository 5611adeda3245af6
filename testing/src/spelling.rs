//! The letters' cases in which the name of a header comes: HTTP compares names without regard to case, API Gateway hands them on as
//! they are.

/// A way to write a header's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As GitHub documents it: `X-GitHub-Event`.
    Documented,
    /// As HTTP/2 has every name: `x-github-event`, see <https://www.rfc-editor.org/rfc/rfc9113#section-8.2>.
    LowerCase,
    /// As Go's `net/http` and other libraries write names, each word with one capital: `X-Github-Event`.
    Canonical,
}

impl Spelling {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Documented, Self::LowerCase, Self::Canonical];

    /// The name, which is given as it is documented.
    #[must_use]
    pub fn of(self, name: &str) -> String {
        let word = |word: &str| match word.split_at_checked(1) {
            Some((first, rest)) => first.to_ascii_uppercase() + &rest.to_ascii_lowercase(),
            None => word.to_owned(),
        };
        match self {
            Self::Documented => name.to_owned(),
            Self::LowerCase => name.to_ascii_lowercase(),
            Self::Canonical => name.split('-').map(word).collect::<Vec<_>>().join("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_in_three_ways() {
        let all = |name| Spelling::ALL.map(|spelling| spelling.of(name));
        assert_eq!(
            all("X-GitHub-Event"),
            ["X-GitHub-Event", "x-github-event", "X-Github-Event"]
        );
        assert_eq!(
            all("X-Hub-Signature-256")[1..],
            ["x-hub-signature-256", "X-Hub-Signature-256"]
        );
    }
}
