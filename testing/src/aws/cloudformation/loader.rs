//! What CloudFormation's loader refuses before it reads a single resource: sizes above its quotas, and nulls.
//!
//! The words are those of public reports: <https://github.com/aws/serverless-application-model/issues/1618>,
//! <https://github.com/aws/aws-cdk/issues/29164>, <https://github.com/aws-cloudformation/cfn-lint/issues/38> (a resource's properties
//! are told as `Type`), <https://github.com/aws-samples/aws-vpc-cidr-mgmt/issues/10>.

use serde_json::Value;

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const BYTES: usize = 1_000_000;
const MOST: [(&str, &str, usize); 4] = [
    ("Resources", "resources", 500),
    ("Parameters", "parameters", 200),
    ("Outputs", "outputs", 200),
    ("Mappings", "mappings", 200),
];

/// Why the loader refuses the text, which says `template`.
pub(super) fn fault(text: &str, template: &Value) -> Option<String> {
    if text.len() > BYTES {
        return Some(format!("Template may not exceed {BYTES} bytes in size."));
    }
    let counts = MOST.iter().find_map(|(section, what, most)| {
        let count = template[section].as_object().map_or(0, serde_json::Map::len);
        (count > *most).then(|| {
            format!("Template format error: Number of {what}, {count}, is greater than maximum allowed, {most}")
        })
    });
    counts.or_else(|| null(template, "").map(|place| format!("[{place}] 'null' values are not allowed in templates")))
}

/// The place of the first null, as CloudFormation tells it.
fn null(value: &Value, place: &str) -> Option<String> {
    let of_a_resource = place.starts_with("/Resources/") && place.matches('/').count() == 2;
    match value {
        Value::Null => Some(place.to_owned()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| null(item, &format!("{place}/{index}"))),
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let told = if of_a_resource && name == "Properties" {
                "Type"
            } else {
                name
            };
            null(value, &format!("{place}/{told}"))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(template: &Value) -> Option<String> {
        fault(&template.to_string(), template)
    }

    #[test]
    fn the_nulls_of_the_reports_are_told_in_their_words() {
        let table = [
            (
                json!({ "Resources": { "powerTuningStateMachine": { "Properties": {
                    "Definition": { "States": { "Cleaner": { "ResultPath": null } } } } } } }),
                "[/Resources/powerTuningStateMachine/Type/Definition/States/Cleaner/ResultPath]",
            ),
            (
                json!({ "Resources": { "CfTemplate747CB3D5": { "Properties": {
                    "DefinitionString": { "Fn::Join": ["", ["a", null]] } } } } }),
                "[/Resources/CfTemplate747CB3D5/Type/DefinitionString/Fn::Join/1/1]",
            ),
            (
                json!({ "Resources": { "myInstance": { "Properties": { "EbsOptimized": null } } } }),
                "[/Resources/myInstance/Type/EbsOptimized]",
            ),
            (json!({ "Resources": null }), "[/Resources]"),
            (json!({ "Outputs": { "It": { "Value": null } } }), "[/Outputs/It/Value]"),
        ];
        for (template, place) in table {
            let told = format!("{place} 'null' values are not allowed in templates");
            assert_eq!(of(&template), Some(told));
        }
    }

    #[test]
    fn a_null_within_text_is_text() {
        assert_eq!(
            of(&json!({ "Resources": { "A": { "Properties": { "X": "{\"a\":null}" } } } })),
            None
        );
    }

    #[test]
    fn what_is_above_a_quota_is_refused_and_what_reaches_it_is_not() {
        for (section, what, most) in MOST {
            let of_count = |count: usize| {
                let members: serde_json::Map<String, Value> =
                    (0..count).map(|n| (format!("M{n}"), json!({}))).collect();
                of(&json!({ section: members }))
            };
            assert_eq!(of_count(most), None);
            assert!(of_count(most + 1).is_some_and(|told| told.contains(&format!("Number of {what}, {}", most + 1))));
        }
        let told = of(&json!({ "Description": "x".repeat(BYTES) }));
        assert_eq!(told.as_deref(), Some("Template may not exceed 1000000 bytes in size."));
    }
}
