//! What CloudFormation says of a template before it makes anything of it: names that stand for nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::facts::Facts;

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
const PSEUDO: [&str; 8] = [
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

/// Where a template names something.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Reference(String),
    Attribute(String, String),
    Substituted(String, String),
}

/// A template's text as data, whether it is JSON or YAML; none if it is neither.
pub(super) fn read(text: &str) -> Option<Value> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    Some(untagged(serde_yaml::from_str(text).ok()?))
}

/// What is wrong, in CloudFormation's words.
pub(super) fn fault(template: &Value) -> Option<String> {
    let nothing = Map::new();
    let section = |name: &str| template[name].as_object().unwrap_or(&nothing);
    let (parameters, resources) = (section("Parameters"), section("Resources"));
    let known = |name: &str| parameters.contains_key(name) || resources.contains_key(name) || PSEUDO.contains(&name);
    let kind = |id: &str| resources.get(id).and_then(|resource| resource["Type"].as_str());
    ["Resources", "Outputs"].into_iter().find_map(|block| {
        let mut named = BTreeSet::new();
        collect(&template[block], &mut named);
        let dependencies = section(block).values().flat_map(|member| match &member["DependsOn"] {
            Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect::<Vec<_>>(),
        });
        named.extend(dependencies.map(|id| Named::Reference(id.to_owned())));
        let unresolved: Vec<&str> = named
            .iter()
            .filter_map(|named| match named {
                Named::Reference(name) if !known(name) => Some(name.as_str()),
                _ => None,
            })
            .collect();
        if !unresolved.is_empty() {
            let names = unresolved.join(", ");
            return Some(format!(
                "Template format error: Unresolved resource dependencies [{names}] in the {block} block of the template"
            ));
        }
        named.iter().find_map(|named| attribute_fault(named, kind))
    })
}

fn attribute_fault<'a>(named: &Named, kind: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let supported = |id: &str, attribute: &str| {
        kind(id).map(|kind| Facts::of(kind).is_none_or(|facts| facts.has_attribute(attribute)))
    };
    match named {
        Named::Reference(_) => None,
        Named::Attribute(id, attribute) => match supported(id, attribute) {
            None => Some(format!(
                "Template error: instance of Fn::GetAtt references undefined resource {id}"
            )),
            Some(false) => Some(format!(
                "Template error: resource {id} does not support attribute type {attribute} in Fn::GetAtt"
            )),
            Some(true) => None,
        },
        Named::Substituted(id, attribute) => (supported(id, attribute) != Some(true)).then(|| {
            format!("Template error: instance of Fn::Sub references invalid resource attribute {id}.{attribute}")
        }),
    }
}

fn collect(value: &Value, named: &mut BTreeSet<Named>) {
    let members = match value {
        Value::Array(items) => return items.iter().for_each(|item| collect(item, named)),
        Value::Object(members) => members,
        _ => return,
    };
    for (name, argument) in members {
        match (name.as_str(), argument) {
            ("Ref", Value::String(id)) => drop(named.insert(Named::Reference(id.clone()))),
            ("Fn::GetAtt", Value::Array(path)) => {
                if let [Value::String(id), Value::String(attribute)] = path.as_slice() {
                    named.insert(Named::Attribute(id.clone(), attribute.clone()));
                }
            }
            ("Fn::GetAtt", Value::String(path)) => {
                let (id, attribute) = path.split_once('.').unwrap_or((path, ""));
                named.insert(Named::Attribute(id.to_owned(), attribute.to_owned()));
            }
            ("Fn::Sub", Value::String(text)) => substituted(text, &Value::Null, named),
            ("Fn::Sub", Value::Array(parts)) => {
                if let [Value::String(text), values] = parts.as_slice() {
                    substituted(text, values, named);
                    collect(values, named);
                }
            }
            // What is in there is no reference of the template's.
            ("Condition", Value::String(_)) => {}
            (_, argument) => collect(argument, named),
        }
    }
}

fn substituted(text: &str, values: &Value, named: &mut BTreeSet<Named>) {
    for part in text.split("${").skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            continue;
        };
        // `${!Literal}` stands for itself.
        if name.starts_with('!') || !values[name].is_null() {
            continue;
        }
        named.insert(match name.split_once('.') {
            Some((id, attribute)) => Named::Substituted(id.to_owned(), attribute.to_owned()),
            None => Named::Reference(name.to_owned()),
        });
    }
}

/// CloudFormation's short forms of functions as their long ones.
fn untagged(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let argument = untagged(tagged.value);
            match (name, argument.as_str().and_then(|path| path.split_once('.'))) {
                ("Ref" | "Condition", _) => json!({ name: argument }),
                ("GetAtt", Some((id, attribute))) => json!({ "Fn::GetAtt": [id, attribute] }),
                (other, _) => json!({ format!("Fn::{other}"): argument }),
            }
        }
        serde_yaml::Value::Sequence(items) => items.into_iter().map(untagged).collect(),
        serde_yaml::Value::Mapping(members) => members
            .into_iter()
            .map(|(name, value)| {
                let name = name
                    .as_str()
                    .map_or_else(|| untagged(name.clone()).to_string(), str::to_owned);
                (name, untagged(value))
            })
            .collect::<Map<String, Value>>()
            .into(),
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(resources: Value) -> Option<String> {
        fault(&json!({
            "Parameters": { "Given": { "Type": "String" } },
            "Resources": resources,
        }))
    }

    fn topic(name: Value) -> Option<String> {
        of(json!({ "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": name } } }))
    }

    #[test]
    fn a_name_that_stands_for_nothing_is_found_in_each_function() {
        let unresolved =
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template";
        assert_eq!(topic(json!({ "Ref": "Nobody" })).unwrap(), unresolved);
        assert_eq!(topic(json!({ "Fn::Sub": "x-${Nobody}" })).unwrap(), unresolved);
        let depends = json!({ "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": "Nobody" } });
        assert_eq!(of(depends).unwrap(), unresolved);
        assert_eq!(
            topic(json!({ "Fn::GetAtt": ["Nobody", "Arn"] })).unwrap(),
            "Template error: instance of Fn::GetAtt references undefined resource Nobody"
        );
        assert_eq!(
            topic(json!({ "Fn::GetAtt": ["Topic", "Size"] })).unwrap(),
            "Template error: resource Topic does not support attribute type Size in Fn::GetAtt"
        );
        assert_eq!(
            topic(json!({ "Fn::Sub": "${Nobody.Arn}" })).unwrap(),
            "Template error: instance of Fn::Sub references invalid resource attribute Nobody.Arn"
        );
    }

    #[test]
    fn what_stands_for_something_is_no_fault() {
        for name in [
            json!({ "Ref": "Given" }),
            json!({ "Ref": "AWS::StackName" }),
            json!({ "Fn::Sub": ["${A}-${!Literal}-${AWS::Region}-${Given}", { "A": { "Ref": "Given" } }] }),
        ] {
            assert_eq!(topic(name), None);
        }
    }

    #[test]
    fn yaml_with_short_forms_is_read_like_json() {
        let text = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties:\n      TopicName: !Sub ${Nobody}\n      Tags:\n      - !GetAtt T.TopicArn\n";
        let template = read(text).unwrap();
        assert_eq!(
            template["Resources"]["T"]["Properties"]["Tags"][0]["Fn::GetAtt"][1],
            "TopicArn"
        );
        assert!(fault(&template).unwrap().contains("[Nobody]"));
    }

    #[test]
    fn no_emitted_template_has_a_fault() {
        for emission in crate::emission::everything() {
            assert_eq!(fault(&emission.template), None, "{}", emission.stack.name);
            let yaml = emission.stack.template.to_yaml().unwrap();
            assert_eq!(read(&yaml).unwrap(), emission.template, "{}", emission.stack.name);
        }
    }
}
