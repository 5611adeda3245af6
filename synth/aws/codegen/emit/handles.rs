//! What `Ref` and `Fn::GetAtt` return, as methods of handles.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::Emitter;
use super::kinds::format_kind;
use crate::names;

impl Emitter<'_> {
    /// What `Ref` and `Fn::GetAtt` return, as methods of the handle.
    pub(super) fn handle_impl(&self, source: &mut String) {
        let mut taken: BTreeSet<String> = ["element", "of", "reference", "attribute"].map(str::to_owned).into();
        let mut methods = String::new();
        if let Some(property) = &self.resource.reference {
            let leaf = property.rsplit('/').next().unwrap_or(property);
            let (method, kind) = self.own_reference(leaf);
            if taken.insert(method.clone()) {
                let _ = writeln!(
                    methods,
                    "/// `Ref`: the resource's `{leaf}`.\npub fn {method}(self) -> crate::Value<{kind}> {{ self.reference() }}"
                );
            }
        }
        for (attribute, shape) in &self.resource.attributes {
            let leaf = attribute.trim_start_matches("*.");
            if leaf.contains('*') {
                continue;
            }
            let (method, mut kind) = self.own_reference(leaf);
            match shape.get("type").and_then(Value::as_str) {
                Some("integer") => kind = "i64".to_owned(),
                Some("number") => kind = "f64".to_owned(),
                Some("boolean") => kind = "bool".to_owned(),
                Some("list") => kind = "Vec<String>".to_owned(),
                Some("json") => kind = "crate::Json".to_owned(),
                _ => {
                    if let Some(typed) = format_kind(shape) {
                        kind = typed;
                    }
                }
            }
            if taken.insert(method.clone()) {
                let _ = writeln!(
                    methods,
                    "/// `Fn::GetAtt` of `{attribute}`.\npub fn {method}(self) -> crate::Value<{kind}> {{ self.attribute({attribute:?}) }}"
                );
            }
        }
        if !methods.is_empty() {
            let _ = writeln!(source, "impl crate::Handle<{}> {{\n{methods}}}", self.name);
        }
    }

    /// The method and type for the resource's own reference: `TableArn` of a table is `arn()`, a `Arn<Table>`.
    fn own_reference(&self, property: &str) -> (String, String) {
        let own = match property.strip_prefix(self.resource.name.as_str()) {
            Some(rest) if matches!(rest, "Arn" | "Name" | "Id") => rest,
            _ => property,
        };
        let kind = match own {
            "Arn" => format!("crate::Arn<{}>", self.name),
            "Name" => format!("crate::Name<{}>", self.name),
            "Id" => format!("crate::Id<{}>", self.name),
            other if other.ends_with("Arn") => "crate::AnyArn".to_owned(),
            _ => "String".to_owned(),
        };
        (names::method(own), kind)
    }
}
