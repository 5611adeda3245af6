//! What CloudFormation refuses before a stack's operation begins.

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Uri, header};
use serde_json::Value;

use super::{acting, loader, template};
use crate::aws::backstage::Backstage;

/// What a new account may have, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
pub(in crate::aws) const ACCOUNT_LIMITS: &str = concat!(
    "<DescribeAccountLimitsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">",
    "<DescribeAccountLimitsResult><AccountLimits>",
    "<member><Name>StackLimit</Name><Value>2000</Value></member>",
    "<member><Name>StackOutputsLimit</Name><Value>200</Value></member>",
    "</AccountLimits></DescribeAccountLimitsResult></DescribeAccountLimitsResponse>"
);

/// An error's name and words.
pub(in crate::aws) type Refusal = (&'static str, String);

/// A stack that there is.
#[derive(Debug)]
struct Stack {
    id: String,
    name: String,
    status: String,
}

/// Why CloudFormation refuses the call; none if it does not, or if MiniStack will say it.
pub(in crate::aws) async fn refusal(operation: &str, parameters: &Value, backstage: &Backstage) -> Option<Refusal> {
    if let Some(role) = parameters["RoleARN"].as_str()
        && let Some(unusable) = acting::unusable(role, backstage).await
    {
        return Some(("ValidationError", unusable));
    }
    if !matches!(
        operation,
        "CreateStack" | "UpdateStack" | "CreateChangeSet" | "ValidateTemplate"
    ) {
        return None;
    }
    if let Some(refused) = state(operation, parameters, backstage).await {
        return Some(refused);
    }
    let text = match (parameters["TemplateBody"].as_str(), parameters["TemplateURL"].as_str()) {
        (Some(body), _) => body.to_owned(),
        (None, Some(url)) => object(url, backstage).await?,
        (None, None) => return None,
    };
    let read = template::read(&text)?;
    let fault = loader::fault(&text, &read).or_else(|| template::fault(&read))?;
    Some(("ValidationError", fault))
}

/// The refusal for what the stack is at.
async fn state(operation: &str, parameters: &Value, backstage: &Backstage) -> Option<Refusal> {
    let asked = parameters["StackName"].as_str()?;
    let stack = described(asked, backstage).await?;
    let Stack { id, name, status } = &stack;
    let creates = operation == "CreateStack" || parameters["ChangeSetType"] == "CREATE";
    if operation == "CreateStack" {
        return Some(("AlreadyExistsException", format!("Stack [{name}] already exists")));
    }
    if creates && status != "REVIEW_IN_PROGRESS" {
        let set = parameters["ChangeSetName"].as_str().unwrap_or_default();
        let message = format!("Stack [{name}] already exists and cannot be created again with the changeSet [{set}].");
        return Some(("ValidationError", message));
    }
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#stack-status-codes
    let updatable = [
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    ];
    if !creates && !updatable.contains(&status.as_str()) {
        let message = format!("Stack:{id} is in {status} state and can not be updated.");
        return Some(("ValidationError", message));
    }
    None
}

async fn described(name: &str, backstage: &Backstage) -> Option<Stack> {
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(format!("Action=DescribeStacks&StackName={name}")))
        .ok()?;
    let answer = backstage.ask("cloudformation", request).await.ok()?;
    let text = std::str::from_utf8(answer.body()).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let of = |name: &str| {
        let found = document.descendants().find(|node| node.tag_name().name() == name);
        found.and_then(|node| node.text()).map(str::to_owned)
    };
    let (id, name, status) = (of("StackId")?, of("StackName")?, of("StackStatus")?);
    (status != "DELETE_COMPLETE").then_some(Stack { id, name, status })
}

/// The request with the URL of a template in the only form that MiniStack reads, `https://s3.region.amazonaws.com/bucket/key`; AWS
/// takes that and `https://bucket.s3.region.amazonaws.com/key`, see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>.
pub(in crate::aws) fn in_path_form(mut head: Parts, body: Bytes) -> (Parts, Bytes) {
    let mut changed = false;
    let parameters = form_urlencoded::parse(&body).map(|(name, value)| {
        let path = (name == "TemplateURL").then(|| path_form(&value)).flatten();
        changed |= path.is_some();
        (name.into_owned(), path.unwrap_or_else(|| value.into_owned()))
    });
    let text = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    if !changed {
        return (head, body);
    }
    head.headers.insert(header::CONTENT_LENGTH, text.len().into());
    (head, text.into())
}

fn path_form(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, key) = rest.split_once('/')?;
    let (bucket, place) = host.split_once(".s3.")?;
    Some(format!("{scheme}://s3.{place}/{bucket}/{key}"))
}

/// The object at a URL, whichever of S3's two forms it has.
async fn object(url: &str, backstage: &Backstage) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let bucket = url.host()?.split_once(".s3").map(|(bucket, _)| format!("/{bucket}"));
    let path = format!("{}{}", bucket.unwrap_or_default(), url.path_and_query()?);
    let answer = backstage
        .ask("s3", Request::get(path).body(Bytes::new()).ok()?)
        .await
        .ok()?;
    let found = answer.status().is_success();
    found.then(|| String::from_utf8_lossy(answer.body()).into_owned())
}
