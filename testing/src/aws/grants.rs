//! What a function's role may do as its template says it, and how that compares with what the function did.
//!
//! Judges identity policies only, which all have `Allow` and name their actions (`testing/tests/policies.rs` proves it).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Permission,
    resolve::{self, Resolver},
};
use crate::emission::Emission;

/// What is asked of builds by their ids, and allowed on their projects.
pub(super) const BUILDS_BY_ID: [&str; 2] = ["codebuild:BatchGetBuilds", "codebuild:StopBuild"];

/// What Lambda itself does in a function's name: its logs and traces.
const LAMBDA: [&str; 2] = ["logs:", "xray:"];

/// A role's permissions.
#[derive(Clone, Debug, PartialEq)]
pub struct Grants {
    /// The role's name.
    pub role: String,
    /// Its policies' statements.
    pub statements: Vec<Statement>,
}

/// One statement that allows something.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The actions.
    pub actions: Vec<String>,
    /// The resources: ARNs and patterns of them.
    pub resources: Vec<String>,
    /// Operator, key and values, all of which must hold.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

/// How grants and needs differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What was needed and is not granted.
    pub missing: BTreeSet<Permission>,
    /// Actions that are granted and were not needed.
    pub unused: BTreeSet<String>,
}

impl Grants {
    /// The grants of the function with this handler in the owner's stacks; none if it is in none.
    pub fn of(emissions: &[Emission], owner: &str, handler: &str, account: &str) -> Option<Self> {
        let (resolver, function) = resolve::function(emissions, owner, handler, account)?;
        let id = function.properties["Role"]["Fn::GetAtt"][0].as_str()?;
        let role = resolver.emission.resources().find(|resource| resource.id == id)?;
        let policies = role.properties["Policies"].as_array();
        let statements = policies.into_iter().flatten().flat_map(|policy| {
            let statements = policy["PolicyDocument"]["Statement"].as_array();
            statements.into_iter().flatten()
        });
        Some(Self {
            role: role.properties["RoleName"].as_str().unwrap_or(id).to_owned(),
            statements: statements.map(|statement| Statement::of(statement, resolver)).collect(),
        })
    }

    /// The actions that the function itself may need; what Lambda does with its role is not among them.
    pub fn actions(&self) -> BTreeSet<&str> {
        let all = self.statements.iter().flat_map(|statement| &statement.actions);
        all.map(String::as_str)
            .filter(|action| !LAMBDA.iter().any(|prefix| action.starts_with(prefix)))
            .collect()
    }

    /// Whether a statement allows it. A condition on what the request does not decide, such as a tag, is taken to hold.
    pub fn allow(&self, needed: &Permission) -> bool {
        self.statements.iter().any(|statement| statement.allows(needed))
    }

    /// How these grants differ from what was needed.
    pub fn compare<'a>(&self, needed: impl IntoIterator<Item = &'a Permission>) -> Difference {
        let mut difference = Difference {
            unused: self.actions().into_iter().map(str::to_owned).collect(),
            ..Difference::default()
        };
        for permission in needed {
            if self.allow(permission) {
                difference.unused.remove(&permission.action);
            } else {
                difference.missing.insert(permission.clone());
            }
        }
        difference
    }

    /// The policy as IAM takes it.
    pub fn document(&self) -> Value {
        self.written(|statement| statement.resources.clone())
    }

    /// The same for MiniStack, which does not find a build's project in its id: the front judges those calls.
    pub(super) fn document_for_ministack(&self) -> Value {
        self.written(|statement| {
            let mut actions = statement.actions.iter();
            if actions.all(|action| BUILDS_BY_ID.contains(&action.as_str())) {
                vec!["*".to_owned()]
            } else {
                statement.resources.clone()
            }
        })
    }

    fn written(&self, resources: impl Fn(&Statement) -> Vec<String>) -> Value {
        let statements = self.statements.iter().map(|statement| {
            let mut conditions: BTreeMap<&str, BTreeMap<&str, &[String]>> = BTreeMap::new();
            for (operator, key, values) in &statement.conditions {
                conditions.entry(operator).or_default().insert(key, values);
            }
            let mut document = serde_json::json!({
                "Effect": "Allow",
                "Action": statement.actions,
                "Resource": resources(statement),
            });
            if !conditions.is_empty() {
                document["Condition"] = serde_json::json!(conditions);
            }
            document
        });
        serde_json::json!({ "Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>() })
    }
}

/// The environment variables that the template gives the function with this handler in the owner's stacks, under the physical
/// names that its resources have in this account; none if it is in no stack.
///
/// The ARN of a secret ends in characters that Secrets Manager makes up: they are `??????`.
///
/// # Panics
/// On an intrinsic function that no variable of this system uses.
pub fn variables(
    emissions: &[Emission],
    owner: &str,
    handler: &str,
    account: &str,
) -> Option<BTreeMap<String, String>> {
    let (resolver, function) = resolve::function(emissions, owner, handler, account)?;
    let variables = function.properties["Environment"]["Variables"].as_object();
    let variables = variables.into_iter().flatten();
    Some(
        variables
            .map(|(name, value)| (name.clone(), resolver.text(value)))
            .collect(),
    )
}

impl Statement {
    fn of(statement: &Value, resolver: Resolver<'_>) -> Self {
        let list = |value: &Value| match value {
            Value::Array(items) => items.iter().map(|item| resolver.text(item)).collect(),
            Value::Null => Vec::new(),
            one => vec![resolver.text(one)],
        };
        let operators = statement["Condition"].as_object().into_iter().flatten();
        let conditions = operators.flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| (operator.clone(), key.clone(), list(values)))
        });
        Self {
            actions: list(&statement["Action"]),
            resources: list(&statement["Resource"]),
            conditions: conditions.collect(),
        }
    }

    fn allows(&self, needed: &Permission) -> bool {
        self.actions.contains(&needed.action)
            && self.resources.iter().any(|pattern| matches(pattern, &needed.resource))
            && self.conditions.iter().all(|(operator, key, values)| {
                let undecided = !["s3:prefix", "iam:PassedToService"].contains(&key.as_str());
                let given = needed.context.get(key.as_str());
                undecided
                    || given.is_some_and(|given| {
                        values.iter().any(|value| match operator.as_str() {
                            "StringEquals" => value == given,
                            "StringLike" => matches(value, given),
                            _ => false,
                        })
                    })
            })
    }
}

/// IAM's patterns: `*` is any text, `?` any character, slashes and colons included; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>.
fn matches(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => text
            .char_indices()
            .map(|(place, _)| place)
            .chain([text.len()])
            .any(|from| matches(rest, &text[from..])),
        '?' => text
            .chars()
            .next()
            .is_some_and(|one| matches(rest, &text[one.len_utf8()..])),
        exact => text.strip_prefix(exact).is_some_and(|text| matches(rest, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emission;

    #[test]
    fn what_every_function_may_and_knows_is_resolved() {
        let emissions = emission::everything();
        let mut functions = 0;
        for emission in &emissions {
            for function in emission
                .resources()
                .filter(|resource| resource.kind == "AWS::Lambda::Function")
            {
                let handler = function.properties["Handler"].as_str().unwrap();
                let grants = Grants::of(&emissions, &emission.owner, handler, "123456789012").unwrap();
                let known = variables(&emissions, &emission.owner, handler, "123456789012").unwrap();
                let text = format!("{grants:?} {known:?}");
                assert!(!text.contains("${") && !text.contains("Fn::"), "{handler}: {text}");
                functions += 1;
            }
        }
        assert!(functions > 20, "only {functions} functions were found");
        let claim = variables(&emissions, "shared", "claim", "123456789012").unwrap();
        assert_eq!(claim["TABLE"], "thebestest-pull-requests");
        let fetch = Grants::of(&emissions, "shared", "fetch_source", "123456789012").unwrap();
        let put = |key: &str| {
            let bucket = "arn:aws:s3:::thebestest-artifacts-123456789012-eu-west-1";
            Permission::new("s3:PutObject", format!("{bucket}/{key}"))
        };
        assert!(fetch.allow(&put("source/a/b/17/c.zip")) && !fetch.allow(&put("templates/a")));
    }

    #[test]
    fn a_condition_that_the_request_decides_must_hold() {
        let teardown = Grants::of(&emission::everything(), "shared", "teardown", "123456789012").unwrap();
        let list = Permission::new(
            "s3:ListBucketVersions",
            "arn:aws:s3:::thebestest-artifacts-123456789012-eu-west-1",
        );
        assert!(teardown.allow(&list.clone().when("s3:prefix", Some("packages/pr-17/"))));
        assert!(!teardown.allow(&list.clone().when("s3:prefix", Some("templates/"))));
        assert!(!teardown.allow(&list), "a listing of everything");
    }

    #[test]
    fn patterns_match_as_iam_says() {
        assert!(matches("arn:aws:s3:::b-*", "arn:aws:s3:::b-1/key/with/slashes"));
        assert!(matches("a?c", "abc") && !matches("a?c", "ac") && !matches("a", "ab") && !matches("ab", "a"));
        assert!(matches("*", "") && matches("a*b*c", "a--b--b-c") && !matches("a*b*c", "a--b--b-"));
    }
}
