//! The names that serde gives to fields, as far as its `rename` and `rename_all` attributes are simple.

use syn::{Attribute, LitStr, Token};

/// What the `#[serde(…)]` attributes of a struct or field say about names.
#[derive(Default)]
pub(crate) struct Attributes {
    /// `rename = "…"`.
    pub(crate) rename: Option<String>,
    /// `rename_all = "…"`.
    pub(crate) rename_all: Option<String>,
    /// An attribute that leaves no field of that name: `flatten`, `skip`, `transparent` and the like.
    pub(crate) hides: Option<String>,
}

impl Attributes {
    pub(crate) fn of(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match name.as_str() {
                    "rename" if meta.input.peek(Token![=]) => {
                        found.rename = Some(meta.value()?.parse::<LitStr>()?.value());
                    }
                    "rename_all" if meta.input.peek(Token![=]) => {
                        found.rename_all = Some(meta.value()?.parse::<LitStr>()?.value());
                    }
                    "flatten" | "skip" | "skip_serializing" | "transparent" | "tag" | "untagged" => {
                        found.hides = Some(name);
                        ignore_value(&meta)?;
                    }
                    _ => ignore_value(&meta)?,
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}

/// Steps over what follows an attribute's name: ` = value`, `(…)` or nothing.
fn ignore_value(meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

/// A field's name under `rename_all`; a rule that is not known leaves it as it is, for the schema check to find.
pub(crate) fn renamed(field: &str, rule: Option<&str>) -> String {
    let words = || field.split('_').filter(|word| !word.is_empty());
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    match rule {
        Some("PascalCase") => words().map(capitalised).collect(),
        Some("camelCase") => words()
            .enumerate()
            .map(|(index, word)| if index == 0 { word.to_owned() } else { capitalised(word) })
            .collect(),
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => field.to_uppercase(),
        Some("kebab-case") => field.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => field.to_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn names_follow_serdes_rules() {
        assert_eq!(renamed("head_sha", None), "head_sha");
        assert_eq!(renamed("head_sha", Some("camelCase")), "headSha");
        assert_eq!(renamed("head_sha", Some("PascalCase")), "HeadSha");
        assert_eq!(renamed("head_sha", Some("kebab-case")), "head-sha");
        assert_eq!(renamed("head_sha", Some("SCREAMING_SNAKE_CASE")), "HEAD_SHA");
    }
}
