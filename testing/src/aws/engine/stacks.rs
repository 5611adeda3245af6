//! The account's CloudFormation, for the engine.

use bytes::Bytes;
use codepipeline_local::{
    CallError, ChangeSet, ChangeSetKind, ChangeSetRequest, Stack, StackEvent, StackRequest, Stacks,
};
use http::Method;
use roxmltree::{Document, Node};

use super::{
    super::{Client, Failure},
    call_error, make_bucket,
};

/// The largest template that goes into a request: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const INLINE: usize = 51_200;

/// What CodePipeline shows of a failure is its own affair: no role is documented to need it.
const NOBODYS: &str = "";

#[derive(Debug)]
pub(super) struct AccountStacks(pub(super) Client);

type Parameters = Vec<(String, String)>;

impl AccountStacks {
    fn ask(&self, role: &str, action: &str, parameters: &[(&str, &str)]) -> Result<String, Failure> {
        self.0.acting(role).query("cloudformation", action, parameters)
    }

    /// A call with a template, which goes through a bucket that is there for this call alone if it is large.
    fn change(
        &self,
        role: &str,
        action: &str,
        request: &StackRequest,
        mut parameters: Parameters,
    ) -> Result<(), CallError> {
        parameters.extend(given(request));
        if request.template.len() <= INLINE {
            parameters.push(("TemplateBody".to_owned(), request.template.clone()));
            return self.send(role, action, &parameters);
        }
        let bucket = format!("{}-{}", super::CALLER, self.0.account());
        let path = format!("/{bucket}/template");
        make_bucket(&self.0, &bucket).map_err(call_error)?;
        let put = |method, path: &str, body| self.0.rest("s3", method, path, body).map(drop).map_err(call_error);
        put(Method::PUT, &path, Bytes::from(request.template.clone()))?;
        parameters.push(("TemplateURL".to_owned(), format!("{}{path}", self.0.endpoint())));
        let sent = self.send(role, action, &parameters);
        put(Method::DELETE, &path, Bytes::new())?;
        put(Method::DELETE, &format!("/{bucket}"), Bytes::new())?;
        sent
    }

    fn send(&self, role: &str, action: &str, parameters: &Parameters) -> Result<(), CallError> {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.ask(role, action, &parameters).map(drop).map_err(call_error)
    }
}

/// What a stack is made of, but for the template.
fn given(request: &StackRequest) -> Parameters {
    let pairs = |list: &'static str, name: &'static str, value: &'static str, pairs: &[(String, String)]| {
        let pairs = (1..).zip(pairs.to_vec());
        pairs.flat_map(move |(place, (key, text))| {
            let at = format!("{list}.member.{place}");
            [(format!("{at}.{name}"), key), (format!("{at}.{value}"), text)]
        })
    };
    let capabilities = (1..).zip(&request.capabilities);
    let capabilities = capabilities.map(|(place, name)| (format!("Capabilities.member.{place}"), name.clone()));
    let role = request.role.iter().map(|role| ("RoleARN".to_owned(), role.clone()));
    [("StackName".to_owned(), request.stack.clone())]
        .into_iter()
        .chain(pairs(
            "Parameters",
            "ParameterKey",
            "ParameterValue",
            &request.parameters,
        ))
        .chain(pairs("Tags", "Key", "Value", &request.tags))
        .chain(capabilities)
        .chain(role)
        .collect()
}

fn child(node: Node<'_, '_>, name: &str) -> Option<String> {
    let found = node.children().find(|child| child.tag_name().name() == name)?;
    Some(found.text().unwrap_or_default().to_owned())
}

fn filled(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).filter(|text| !text.is_empty())
}

fn parsed(answer: &str) -> Result<Document<'_>, CallError> {
    Document::parse(answer).map_err(|fault| CallError::new("InternalFailure", fault.to_string()))
}

fn elements<'a, 'b>(document: &'a Document<'b>, name: &'static str) -> impl Iterator<Item = Node<'a, 'b>> {
    document
        .descendants()
        .filter(move |node| node.tag_name().name() == name)
}

fn is_missing(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { code, message, .. }
        if code.starts_with("ChangeSetNotFound") || message.ends_with("does not exist"))
}

impl Stacks for AccountStacks {
    fn describe(&self, role: &str, stack: &str) -> Result<Option<Stack>, CallError> {
        let answer = match self.ask(role, "DescribeStacks", &[("StackName", stack)]) {
            Err(failure) if is_missing(&failure) => return Ok(None),
            other => other.map_err(call_error)?,
        };
        let document = parsed(&answer)?;
        let outputs = elements(&document, "member");
        let outputs = outputs.filter_map(|output| child(output, "OutputKey").zip(child(output, "OutputValue")));
        let stack = elements(&document, "StackId").next().and_then(|id| id.parent());
        Ok(stack.and_then(|stack| {
            Some(Stack {
                id: child(stack, "StackId")?,
                status: child(stack, "StackStatus")?,
                reason: filled(stack, "StackStatusReason"),
                outputs: outputs.collect(),
            })
        }))
    }

    fn events(&self, _role: &str, stack: &str) -> Result<Vec<StackEvent>, CallError> {
        let answer = match self.ask(NOBODYS, "DescribeStackEvents", &[("StackName", stack)]) {
            Err(failure) if is_missing(&failure) => return Ok(Vec::new()),
            other => other.map_err(call_error)?,
        };
        let document = parsed(&answer)?;
        let events = elements(&document, "member").filter_map(|event| {
            Some(StackEvent {
                resource: child(event, "LogicalResourceId")?,
                status: child(event, "ResourceStatus")?,
                reason: filled(event, "ResourceStatusReason"),
            })
        });
        Ok(events.collect())
    }

    fn create_change_set(&self, role: &str, request: &ChangeSetRequest) -> Result<(), CallError> {
        let kind = match request.kind {
            ChangeSetKind::Create => "CREATE",
            ChangeSetKind::Update => "UPDATE",
        };
        let more = [("ChangeSetName", request.name.as_str()), ("ChangeSetType", kind)];
        let more = more.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.change(role, "CreateChangeSet", &request.request, more.into())
    }

    fn describe_change_set(&self, role: &str, stack: &str, name: &str) -> Result<Option<ChangeSet>, CallError> {
        let answer = match self.ask(
            role,
            "DescribeChangeSet",
            &[("StackName", stack), ("ChangeSetName", name)],
        ) {
            Err(failure) if is_missing(&failure) => return Ok(None),
            other => other.map_err(call_error)?,
        };
        let document = parsed(&answer)?;
        let result = document.root_element().first_element_child();
        Ok(result.and_then(|result| {
            Some(ChangeSet {
                status: child(result, "Status")?,
                reason: filled(result, "StatusReason"),
            })
        }))
    }

    fn delete_change_set(&self, role: &str, stack: &str, name: &str) -> Result<(), CallError> {
        let parameters = [("StackName", stack), ("ChangeSetName", name)];
        self.ask(role, "DeleteChangeSet", &parameters)
            .map(drop)
            .map_err(call_error)
    }

    fn execute_change_set(&self, role: &str, stack: &str, name: &str) -> Result<(), CallError> {
        let parameters = [("StackName", stack), ("ChangeSetName", name)];
        self.ask(role, "ExecuteChangeSet", &parameters)
            .map(drop)
            .map_err(call_error)
    }

    fn create(&self, role: &str, request: &StackRequest) -> Result<(), CallError> {
        self.change(role, "CreateStack", request, Vec::new())
    }

    fn update(&self, role: &str, request: &StackRequest) -> Result<(), CallError> {
        self.change(role, "UpdateStack", request, Vec::new())
    }

    fn delete(&self, role: &str, stack: &str, stack_role: Option<&str>) -> Result<(), CallError> {
        let given = stack_role.map(|role| ("RoleARN", role));
        let parameters: Vec<(&str, &str)> = [("StackName", stack)].into_iter().chain(given).collect();
        self.ask(role, "DeleteStack", &parameters).map(drop).map_err(call_error)
    }
}
