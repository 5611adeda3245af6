//! Text that others wrote, made harmless: a summary comes from a build's output, and a build runs what a pull request says.

/// The most characters of a commit status's and a deployment status's description.
pub const DESCRIPTION: usize = 140;

/// One line of at most so many characters: control characters and line breaks become spaces, and what is cut off an ellipsis.
pub fn one_line(text: &str, most: usize) -> String {
    let spaced: String = text
        .chars()
        .map(|character| if is_invisible(character) { ' ' } else { character })
        .collect();
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// The text as a code span of Markdown, in which nothing means anything: no mention, no reference, no link, no HTML. The two
/// characters that could end the span or the cell of a table are replaced by others that look alike.
pub(super) fn code(text: &str, most: usize) -> String {
    let line = one_line(text, most).replace('`', "'").replace('|', "¦");
    if line.is_empty() {
        "–".to_owned()
    } else {
        format!("`{line}`")
    }
}

/// An address as it can stand in a link of Markdown and in a table, or nothing if it is not one that leads to a page over HTTPS.
pub(super) fn link(url: &str) -> Option<String> {
    const MOST: usize = 2_000;
    let harmless = url.starts_with("https://") && url.len() <= MOST && url.bytes().all(|byte| byte.is_ascii_graphic());
    harmless.then(|| {
        url.chars()
            .map(|character| match character {
                '(' | ')' | '<' | '>' | '[' | ']' | '|' | '`' | '\\' | '"' | '\'' | '*' | '_' | '{' | '}' | '^' => {
                    format!("%{:02X}", u32::from(character))
                }
                _ => character.to_string(),
            })
            .collect()
    })
}

/// Control characters, and those that turn the direction of writing or take no room.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!(one_line("täst", 4), "täst");
        assert_eq!(one_line("täste", 4), "täs…");
        assert_eq!(one_line(&"ä".repeat(141), DESCRIPTION).chars().count(), 140);
        assert_eq!(one_line("one two", 5), "one…");
        assert_eq!(one_line("", 140), "");
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(one_line("a\r\n\tb\u{0}\u{202e}c\u{200b}\n", 140), "a b c");
    }

    #[test]
    fn nothing_ends_a_code_span() {
        assert_eq!(code("a`b|c\\|d\n\n# e", 140), "`a'b¦c\\¦d # e`");
        assert_eq!(code("\n", 140), "–");
    }

    #[test]
    fn only_pages_are_linked() {
        assert_eq!(
            link("https://example.com/a?b=c#d").as_deref(),
            Some("https://example.com/a?b=c#d")
        );
        assert_eq!(
            link("https://example.com/a)|<b>`").as_deref(),
            Some("https://example.com/a%29%7C%3Cb%3E%60")
        );
        for address in [
            "",
            "http://example.com",
            "javascript:alert(1)",
            "https://a b",
            "https://a\nb",
            "https://ä.example",
        ] {
            assert_eq!(link(address), None, "{address:?}");
        }
    }
}
