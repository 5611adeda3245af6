//! What the intrinsic functions of a template come to once it is deployed under its physical names.

use serde_json::Value;

use super::REGION;
use crate::emission::{Emission, Resource};

/// Resolves the values of one emission; what it imports is in the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver<'a> {
    pub(super) emissions: &'a [Emission],
    pub(super) emission: &'a Emission,
    pub(super) account: &'a str,
}

/// The text that a value of one of the emissions becomes once its stack is deployed in this account. A name that CloudFormation
/// makes up is a pattern.
///
/// # Panics
/// On a function, an attribute or a type that policies of this system do not use.
pub fn resolved(emissions: &[Emission], emission: &Emission, account: &str, value: &Value) -> String {
    Resolver {
        emissions,
        emission,
        account,
    }
    .text(value)
}

/// The function with this handler in the owner's stacks, and what resolves its values.
pub(super) fn function<'a>(
    emissions: &'a [Emission],
    owner: &str,
    handler: &str,
    account: &'a str,
) -> Option<(Resolver<'a>, Resource<'a>)> {
    let own = emissions.iter().filter(|emission| emission.owner == owner);
    let mut found = own.flat_map(|emission| emission.resources().map(move |resource| (emission, resource)));
    let (emission, function) = found
        .find(|(_, resource)| resource.kind == "AWS::Lambda::Function" && resource.properties["Handler"] == handler)?;
    let resolver = Resolver {
        emissions,
        emission,
        account,
    };
    Some((resolver, function))
}

impl Resolver<'_> {
    /// The text that the value becomes.
    ///
    /// # Panics
    /// On a function or an attribute that policies of this system do not use.
    pub(super) fn text(self, value: &Value) -> String {
        if let Some(text) = value.as_str() {
            return text.to_owned();
        }
        let Some((function, argument)) = value.as_object().and_then(|object| object.iter().next()) else {
            return value.to_string();
        };
        match (function.as_str(), argument) {
            ("Ref", Value::String(name)) => self.reference(name),
            ("Fn::GetAtt", Value::Array(path)) => {
                let [id, attribute] = path.as_slice() else {
                    panic!("{argument} is no attribute")
                };
                self.attribute(&self.text(id), &self.text(attribute))
            }
            ("Fn::Sub", Value::String(text)) => self.substituted(text, &Value::Null),
            ("Fn::Sub", Value::Array(parts)) => self.substituted(&self.text(&parts[0]), &parts[1]),
            ("Fn::ImportValue", name) => self.imported(&self.text(name)),
            (other, argument) => panic!("{other} of {argument} is not resolved here"),
        }
    }

    fn substituted(self, text: &str, values: &Value) -> String {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let Some((name, rest)) = part.split_once('}') else {
                panic!("`{text}` is not closed")
            };
            whole += &match (values.get(name), name.split_once('.')) {
                (Some(value), _) => self.text(value),
                (None, Some((id, attribute))) => self.attribute(id, attribute),
                (None, None) => self.reference(name),
            };
            whole += rest;
        }
        whole
    }

    fn imported(self, name: &str) -> String {
        let exported = self.emissions.iter().find_map(|emission| {
            let own = Self { emission, ..self };
            let mut outputs = emission.template["Outputs"].as_object()?.values();
            let output =
                outputs.find(|output| !output["Export"].is_null() && own.text(&output["Export"]["Name"]) == name)?;
            Some(own.text(&output["Value"]))
        });
        exported.unwrap_or_else(|| panic!("no stack exports {name}"))
    }

    fn reference(self, name: &str) -> String {
        match name {
            "AWS::AccountId" => self.account.to_owned(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::Region" => REGION.to_owned(),
            id => {
                let resource = self.resource(id);
                match resource.kind {
                    "AWS::IAM::ManagedPolicy"
                    | "AWS::SNS::Topic"
                    | "AWS::SecretsManager::Secret"
                    | "AWS::StepFunctions::StateMachine" => self.arn(resource),
                    _ => self.name(resource),
                }
            }
        }
    }

    fn attribute(self, id: &str, attribute: &str) -> String {
        assert_eq!(attribute, "Arn", "of {id} only the ARN is resolved here");
        self.arn(self.resource(id))
    }

    fn resource(&self, id: &str) -> Resource<'_> {
        let found = self.emission.resources().find(|resource| resource.id == id);
        found.unwrap_or_else(|| panic!("{} has no resource {id}", self.emission.stack.name))
    }

    /// The physical name; one that CloudFormation makes up is a pattern.
    fn name(self, resource: Resource<'_>) -> String {
        let property = match resource.kind {
            "AWS::CodeBuild::Project" | "AWS::CodePipeline::Pipeline" => "Name",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::Lambda::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::SecretsManager::Secret" => "Name",
            "AWS::StepFunctions::StateMachine" => "StateMachineName",
            other => panic!("names of {other} are not resolved here"),
        };
        match &resource.properties[property] {
            Value::Null => format!("{}-{}-*", self.emission.stack.name, resource.id),
            name => self.text(name),
        }
    }

    fn arn(self, resource: Resource<'_>) -> String {
        let name = self.name(resource);
        let here = format!("{REGION}:{}", self.account);
        match resource.kind {
            "AWS::CodeBuild::Project" => format!("arn:aws:codebuild:{here}:project/{name}"),
            "AWS::CodePipeline::Pipeline" => format!("arn:aws:codepipeline:{here}:{name}"),
            "AWS::DynamoDB::Table" => format!("arn:aws:dynamodb:{here}:table/{name}"),
            "AWS::IAM::ManagedPolicy" => format!("arn:aws:iam::{}:policy/{name}", self.account),
            "AWS::IAM::Role" => format!("arn:aws:iam::{}:role/{name}", self.account),
            "AWS::Lambda::Function" => format!("arn:aws:lambda:{here}:function:{name}"),
            "AWS::Logs::LogGroup" => format!("arn:aws:logs:{here}:log-group:{name}:*"),
            "AWS::S3::Bucket" => format!("arn:aws:s3:::{name}"),
            "AWS::SNS::Topic" => format!("arn:aws:sns:{here}:{name}"),
            // Secrets Manager adds a hyphen and six characters.
            "AWS::SecretsManager::Secret" => format!("arn:aws:secretsmanager:{here}:secret:{name}-??????"),
            "AWS::StepFunctions::StateMachine" => format!("arn:aws:states:{here}:stateMachine:{name}"),
            other => panic!("ARNs of {other} are not resolved here"),
        }
    }
}
