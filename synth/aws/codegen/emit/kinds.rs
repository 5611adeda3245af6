//! The Rust type that a property's `Value` carries.

use serde_json::Value;

use super::enums::enum_values;
use super::{Emitter, format_target};
use crate::names;

impl Emitter<'_> {
    /// The Rust type that a property's `Value` carries.
    pub(super) fn kind(&mut self, shape: &Value, owner: &str, property: &str) -> String {
        let nested = if owner.is_empty() {
            format!("{}::", self.nested)
        } else {
            String::new()
        };
        if let Some(kind) = format_kind(shape) {
            return kind;
        }
        match shape.get("type").and_then(Value::as_str).unwrap_or_default() {
            "struct" => format!(
                "{nested}{}",
                names::type_name(shape["name"].as_str().unwrap_or_default())
            ),
            "list" => {
                let of = self.kind(&shape["of"], owner, &singular(property));
                format!("Vec<{of}>")
            }
            "map" => format!("crate::Map<{}>", self.kind(&shape["of"], owner, property)),
            "string" if enum_values(shape).is_some() => format!("{nested}{}", self.enum_name(shape, owner, property)),
            "string" if property.ends_with("Arn") || property.ends_with("ARN") => "crate::AnyArn".to_owned(),
            "string" => "String".to_owned(),
            "integer" => unit(shape, property).to_owned(),
            "number" => "f64".to_owned(),
            "boolean" => "bool".to_owned(),
            "scalar" => "crate::Scalar".to_owned(),
            _ => "crate::Json".to_owned(),
        }
    }
}

/// `Tags` → `Tag`: what an item of a list is called.
fn singular(property: &str) -> String {
    match property {
        _ if property.ends_with("ies") => format!("{}y", &property[..property.len() - 3]),
        _ if property.ends_with('s') && !property.ends_with("ss") => property[..property.len() - 1].to_owned(),
        _ => property.to_owned(),
    }
}

/// The typed reference that a `format` such as `AWS::EC2::Subnet.Ids` asks for.
pub(super) fn format_kind(shape: &Value) -> Option<String> {
    let format = shape.get("format")?.as_str()?;
    let (module, name) = format_target(format)?;
    let (_, what) = format.rsplit_once('.')?;
    let target = format!("crate::{module}::{name}");
    Some(match what {
        "Arn" => format!("crate::Arn<{target}>"),
        "Id" => format!("crate::Id<{target}>"),
        "Ids" => format!("Vec<crate::Id<{target}>>"),
        "Names" => format!("Vec<crate::Name<{target}>>"),
        _ => format!("crate::Name<{target}>"),
    })
}

/// The unit that an integer counts in: from a patch, or from how AWS ends the property's name.
fn unit(shape: &Value, property: &str) -> &'static str {
    let ends = |endings: &[&str]| endings.iter().any(|ending| property.ends_with(ending));
    match shape.get("unit").and_then(Value::as_str) {
        Some("seconds") => "crate::Seconds",
        Some("minutes") => "crate::Minutes",
        Some("hours") => "crate::Hours",
        Some("days") => "crate::Days",
        Some("mebibytes") => "crate::Mebibytes",
        Some("gibibytes") => "crate::Gibibytes",
        Some(_) => "i64",
        None if ends(&["Seconds"]) && !ends(&["Milliseconds", "MilliSeconds"]) => "crate::Seconds",
        None if ends(&["Minutes"]) => "crate::Minutes",
        None if ends(&["InHours"]) => "crate::Hours",
        None if ends(&["InDays"]) => "crate::Days",
        None if ends(&["InMB", "InMBs", "InMiB"]) => "crate::Mebibytes",
        None if ends(&["InGB", "InGBs", "InGiB"]) => "crate::Gibibytes",
        None => "i64",
    }
}
