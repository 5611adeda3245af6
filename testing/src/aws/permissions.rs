//! Which permissions of IAM a call needs: actions, resources and the condition keys that the call itself decides.
//!
//! An action is not always named as its operation. What differs is from the Service Authorization Reference,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>, and for
//! S3 from <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>. Says nothing of who has them;
//! [`Grants`](super::Grants) does.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Call, REGION};

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action: `s3:PutObject`.
    pub action: String,
    /// The resource's ARN; `*` where the action knows none.
    pub resource: String,
    /// The condition keys that the request decides: `s3:prefix`, `iam:PassedToService`.
    pub context: BTreeMap<&'static str, String>,
}

impl Permission {
    pub(super) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    pub(super) fn when(mut self, key: &'static str, value: Option<&str>) -> Self {
        self.context.extend(value.map(|value| (key, value.to_owned())));
        self
    }
}

impl Call {
    /// The permissions that the caller needs for this call, in this account.
    pub fn permissions(&self, account: &str) -> Vec<Permission> {
        let text = |name: &str| self.parameters[name].as_str().unwrap_or_default();
        let arn = |resource: &str| format!("arn:aws:{}:{REGION}:{account}:{resource}", self.service);
        let own = |resource: String| {
            vec![Permission::new(
                format!("{}:{}", self.service, self.operation),
                resource,
            )]
        };
        match self.service.as_str() {
            "apigateway" => {
                // Its actions are HTTP's methods, its resources their paths.
                let resource = format!("arn:aws:apigateway:{REGION}::{}", self.path);
                vec![Permission::new(format!("apigateway:{}", self.method), resource)]
            }
            "cloudformation" => self.cloudformation(account),
            "codebuild" => self.codebuild(account),
            "codepipeline" => own(arn(if text("name").is_empty() {
                text("pipelineName")
            } else {
                text("name")
            })),
            "dynamodb" => own(arn(&format!("table/{}", text("TableName")))),
            "s3" => self.s3(),
            "lambda" if self.operation == "Invoke" => {
                let function = match text("FunctionName") {
                    whole if whole.starts_with("arn:") => whole.to_owned(),
                    name => arn(&format!("function:{name}")),
                };
                vec![Permission::new("lambda:InvokeFunction", function)]
            }
            "secretsmanager" if self.operation == "ListSecrets" => own("*".to_owned()),
            "secretsmanager" => {
                let id = text("SecretId");
                own(if id.starts_with("arn:") {
                    id.to_owned()
                } else {
                    // Secrets Manager adds a hyphen and six characters to the name.
                    arn(&format!("secret:{id}-000000"))
                })
            }
            "states" => own(match text("stateMachineArn") {
                "" => text("executionArn").to_owned(),
                machine => machine.to_owned(),
            }),
            // Everybody may ask who they are.
            "sts" if self.operation == "GetCallerIdentity" => Vec::new(),
            // IAM calls the Resource Groups Tagging API by another name than its signatures do.
            "tagging" => vec![Permission::new(format!("tag:{}", self.operation), "*")],
            _ => own("*".to_owned()),
        }
    }

    /// A build is of a project, whose name its id begins with; the action is on the project.
    fn codebuild(&self, account: &str) -> Vec<Permission> {
        let one = self.parameters["id"].as_str().into_iter();
        let several = self.parameters["ids"].as_array().into_iter().flatten();
        let ids = one.chain(several.filter_map(Value::as_str));
        let needed = ids.map(|id| {
            let project = id.split(':').next().unwrap_or_default();
            let resource = format!("arn:aws:codebuild:{REGION}:{account}:project/{project}");
            Permission::new(format!("codebuild:{}", self.operation), resource)
        });
        needed.collect()
    }

    fn cloudformation(&self, account: &str) -> Vec<Permission> {
        let text = |name: &str| self.parameters[name].as_str();
        let action = format!("cloudformation:{}", self.operation);
        let resource = match text("StackName") {
            Some(id) if id.starts_with("arn:") => id.to_owned(),
            // The id is made up by CloudFormation; no pattern may ask for more than that there is one.
            Some(name) => format!("arn:aws:cloudformation:{REGION}:{account}:stack/{name}/id"),
            None => "*".to_owned(),
        };
        let mut needed = vec![Permission::new(action, resource)];
        if let Some(role) = text("RoleARN") {
            let pass = Permission::new("iam:PassRole", role);
            needed.push(pass.when("iam:PassedToService", Some("cloudformation.amazonaws.com")));
        }
        // CloudFormation reads a template with the caller's permissions.
        if let Some(object) = text("TemplateURL").and_then(object_of) {
            let action = if text("TemplateURL").is_some_and(|url| url.contains("versionId=")) {
                "s3:GetObjectVersion"
            } else {
                "s3:GetObject"
            };
            needed.push(Permission::new(action, object));
        }
        needed
    }

    fn s3(&self) -> Vec<Permission> {
        let text = |name: &str| self.parameters[name].as_str();
        let bucket = format!("arn:aws:s3:::{}", text("Bucket").unwrap_or_default());
        let object = |key: &str| format!("{bucket}/{key}");
        let key = object(text("Key").unwrap_or_default());
        let versioned = |whole: &str, version: Option<&str>| match version {
            Some(_) => format!("s3:{whole}Version"),
            None => format!("s3:{whole}"),
        };
        match self.operation.as_str() {
            "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
                let mut needed = vec![Permission::new("s3:PutObject", key.clone())];
                if text("Tagging").is_some() {
                    needed.push(Permission::new("s3:PutObjectTagging", key));
                }
                needed
            }
            "GetObject" | "HeadObject" => vec![Permission::new(versioned("GetObject", text("VersionId")), key)],
            "DeleteObject" => vec![Permission::new(versioned("DeleteObject", text("VersionId")), key)],
            "DeleteObjects" => {
                let objects = self.parameters["Delete"]["Objects"].as_array();
                let needed = objects.into_iter().flatten().flat_map(|each| {
                    let key = object(each["Key"].as_str().unwrap_or_default());
                    // The batch always takes `s3:DeleteObject`, and for a version the other on top; see
                    // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>.
                    let version = each["VersionId"].is_string();
                    let version = version.then(|| Permission::new("s3:DeleteObjectVersion", key.clone()));
                    [Permission::new("s3:DeleteObject", key)].into_iter().chain(version)
                });
                needed.collect()
            }
            "ListObjectsV2" | "ListObjects" | "HeadBucket" => {
                vec![Permission::new("s3:ListBucket", bucket).when("s3:prefix", text("Prefix"))]
            }
            "ListObjectVersions" => {
                vec![Permission::new("s3:ListBucketVersions", bucket).when("s3:prefix", text("Prefix"))]
            }
            "ListMultipartUploads" => vec![Permission::new("s3:ListBucketMultipartUploads", bucket)],
            "ListParts" => vec![Permission::new("s3:ListMultipartUploadParts", key)],
            "AbortMultipartUpload" => vec![Permission::new("s3:AbortMultipartUpload", key)],
            other if self.parameters["Key"] == Value::Null => vec![Permission::new(format!("s3:{other}"), bucket)],
            other => vec![Permission::new(format!("s3:{other}"), key)],
        }
    }
}

/// The ARN of the object at a URL, whichever of S3's two forms it has:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>.
fn object_of(url: &str) -> Option<String> {
    let (host, path) = url.split_once("://")?.1.split_once('/')?;
    let path = path.split('?').next()?;
    let (bucket, key) = match host.split_once(".s3.").or_else(|| host.split_once(".s3-")) {
        Some((bucket, _)) => (bucket, path),
        None => path.split_once('/')?,
    };
    Some(format!("arn:aws:s3:::{bucket}/{key}"))
}
