//! AWS's names → Rust's names.

/// `DBInstanceClass` → `db_instance_class`, `S3Key` → `s3_key`.
pub(crate) fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (index, character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            if !snake.ends_with('_') && !snake.is_empty() {
                snake.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(index + 1);
        let starts_word = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase()
                        && after.is_some_and(|after| after.is_ascii_lowercase() && !plural(&characters[index + 1..])))
            });
        if starts_word && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake.trim_end_matches('_').to_owned()
}

/// Whether what follows an acronym is only its plural: the `s` of `ARNs`.
fn plural(rest: &[char]) -> bool {
    rest.first() == Some(&'s') && rest.get(1).is_none_or(|next| next.is_ascii_uppercase())
}

/// A method's name: snake case, escaped where Rust has other plans for the word.
pub(crate) fn method(name: &str) -> String {
    escaped(snake(name))
}

/// A module's name.
pub(crate) fn module(name: &str) -> String {
    escaped(snake(name))
}

fn escaped(name: String) -> String {
    const KEYWORDS: [&str; 46] = [
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
        "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
        "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type",
        "typeof", "unsafe", "use", "virtual", "where", "while",
    ];
    match name.as_str() {
        "self" | "super" | "crate" | "new" => format!("{name}_"),
        _ if KEYWORDS.contains(&name.as_str()) => format!("r#{name}"),
        _ if name.starts_with(|first: char| first.is_ascii_digit()) => format!("n{name}"),
        _ => name,
    }
}

/// A type's name: the registry's own, with what Rust does not allow taken out and the first letter raised.
pub(crate) fn type_name(name: &str) -> String {
    let mut clean: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if let Some(first) = clean.get(..1) {
        clean = first.to_uppercase() + &clean[1..];
    }
    match clean.as_str() {
        "Self" => "SelfProperty".to_owned(),
        _ if clean.starts_with(|first: char| first.is_ascii_digit()) => format!("N{clean}"),
        _ => clean,
    }
}

/// An enum's variant: `PAY_PER_REQUEST` → `PayPerRequest`, `aws:kms` → `AwsKms`, `3.8` → `V3_8`.
pub(crate) fn variant(value: &str) -> String {
    let mut variant = String::new();
    for word in value
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let shouted = word.len() > 1 && !word.chars().any(|character| character.is_ascii_lowercase());
        if variant.ends_with(|last: char| last.is_ascii_digit())
            && word.starts_with(|first: char| first.is_ascii_digit())
        {
            variant.push('_');
        }
        variant.push_str(&word[..1].to_uppercase());
        variant.push_str(&if shouted {
            word[1..].to_lowercase()
        } else {
            word[1..].to_owned()
        });
    }
    match variant.as_str() {
        "" if value == "*" => "Any".to_owned(),
        "" => "Empty".to_owned(),
        "Self" => "SelfValue".to_owned(),
        _ if variant.starts_with(|first: char| first.is_ascii_digit()) => format!("V{variant}"),
        _ => variant,
    }
}
