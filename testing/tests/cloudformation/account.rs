//! An account whose stacks are changed as the system changes them: through change sets.

use std::{
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use testing::aws::{Client, Cloud, Failure};

/// What no stack of this system takes on this machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// The largest template that goes into a request.
const INLINE: usize = 51_200;

/// Where buckets are made.
const LOCATION: &str = "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";

pub(crate) struct Account {
    pub(crate) cloud: Cloud,
    pub(crate) client: Client,
    code: (String, String),
}

/// A stack as CloudFormation describes it.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    text: String,
}

impl Account {
    /// An account with a bucket that holds the stand-in of the functions' code.
    pub(crate) fn start(what: &str) -> Option<Self> {
        let cloud = testing::or_skip(what, Cloud::start())?;
        let client = cloud.client("test");
        let bucket = format!("tests-{}", cloud.account());
        let account = Self {
            client,
            code: (bucket.clone(), "code.zip".to_owned()),
            cloud,
        };
        account.put(&format!("/{bucket}"), LOCATION);
        account.put(&format!("/{bucket}/code.zip"), zipped());
        Some(account)
    }

    /// From now on stacks are given this binary as their functions' code.
    pub(crate) fn run(&self, bootstrap: &[u8]) {
        self.put(&format!("/{}/{}", self.code.0, self.code.1), packed(bootstrap));
    }

    /// Makes a role that a service takes on, with these statements as its only policy, and returns its ARN.
    pub(crate) fn role(&self, name: &str, service: &str, statements: &Value, more: &[(&str, &str)]) -> String {
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }] });
        let trust = trust.to_string();
        let mut asked = vec![("RoleName", name), ("AssumeRolePolicyDocument", trust.as_str())];
        asked.extend(more);
        let made = self.client.query("iam", "CreateRole", &asked);
        made.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        self.allow(name, "grants", statements);
        format!("arn:aws:iam::{}:role/{name}", self.cloud.account())
    }

    /// The answer of IAM to a call that succeeds.
    pub(crate) fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let answer = self.client.query("iam", action, parameters);
        answer.unwrap_or_else(|fault| panic!("{action}: {fault}"))
    }

    /// From now on a policy of the role has these statements.
    pub(crate) fn allow(&self, role: &str, policy: &str, statements: &Value) {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let asked = [
            ("RoleName", role),
            ("PolicyName", policy),
            ("PolicyDocument", document.as_str()),
        ];
        let put = self.client.query("iam", "PutRolePolicy", &asked);
        put.unwrap_or_else(|fault| panic!("{role}: {fault}"));
    }

    /// From now on stacks are told that their functions' code is there.
    pub(crate) fn code_is_at(&mut self, bucket: &str, key: &str) {
        self.code = (bucket.to_owned(), key.to_owned());
        self.put(&format!("/{bucket}/{key}"), zipped());
    }

    /// Puts something into S3.
    pub(crate) fn put(&self, path: &str, body: impl Into<Bytes>) {
        let put = self.client.rest("s3", Method::PUT, path, body.into());
        put.expect("S3 takes it");
    }

    /// What CloudFormation is given: the template in the request if it fits, else through S3; and the code that it asks for.
    fn given(&self, name: &str, template: &Value) -> Vec<(String, String)> {
        let text = template.to_string();
        let mut given = Vec::new();
        if text.len() <= INLINE {
            given.push(("TemplateBody".to_owned(), text));
        } else {
            let path = format!("/tests-{}/{name}.json", self.cloud.account());
            self.put(&path, text);
            given.push(("TemplateURL".to_owned(), format!("{}{path}", self.cloud.endpoint())));
        }
        let known = [("CodeBucket", &self.code.0), ("CodeKey", &self.code.1)];
        let parameters = template["Parameters"].as_object().into_iter().flatten();
        for (place, (parameter, _)) in (1..).zip(parameters) {
            let (_, value) = known.iter().find(|(name, _)| name == parameter).expect("it is known");
            let at = format!("Parameters.member.{place}");
            given.push((format!("{at}.ParameterKey"), parameter.clone()));
            given.push((format!("{at}.ParameterValue"), (*value).clone()));
        }
        given
    }

    /// One call with a template. Each of `more` is a parameter as the query protocol writes it.
    pub(crate) fn call(
        &self,
        action: &str,
        name: &str,
        template: &Value,
        more: &[(&str, &str)],
    ) -> Result<String, Failure> {
        let given = self.given(name, template);
        let mut parameters = vec![("StackName", name)];
        parameters.extend(given.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        parameters.extend(more);
        self.client.query("cloudformation", action, &parameters)
    }

    /// Creates a change set and returns its status and the reason.
    pub(crate) fn change_set(
        &self,
        name: &str,
        kind: &str,
        template: &Value,
        more: &[(&str, &str)],
    ) -> (String, String) {
        let mut all = vec![
            ("ChangeSetName", "change"),
            ("ChangeSetType", kind),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
        ];
        all.extend(more);
        self.call("CreateChangeSet", name, template, &all)
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let described = self.ask("DescribeChangeSet", &[("StackName", name), ("ChangeSetName", "change")]);
        (text(&described, "Status"), text(&described, "StatusReason"))
    }

    /// Applies a template through a change set and waits until CloudFormation is done.
    pub(crate) fn apply(&self, name: &str, kind: &str, template: &Value, more: &[(&str, &str)]) -> Stack {
        let (status, reason) = self.change_set(name, kind, template, more);
        assert_eq!(status, "CREATE_COMPLETE", "{name}: {reason}");
        self.ask("ExecuteChangeSet", &[("StackName", name), ("ChangeSetName", "change")]);
        let stack = self.settled(name);
        self.ask("DeleteChangeSet", &[("StackName", name), ("ChangeSetName", "change")]);
        stack
    }

    /// Deletes a stack, waits, and returns what is left of it.
    pub(crate) fn delete(&self, name: &str) -> Stack {
        let id = self.stack(name).expect("it is there").id;
        self.ask("DeleteStack", &[("StackName", name)]);
        self.settled(&id)
    }

    pub(crate) fn stack(&self, name: &str) -> Option<Stack> {
        let described = self
            .client
            .query("cloudformation", "DescribeStacks", &[("StackName", name)]);
        let text_of = described.ok()?;
        Some(Stack {
            id: text(&text_of, "StackId"),
            status: text(&text_of, "StackStatus"),
            reason: text(&text_of, "StackStatusReason"),
            text: text_of,
        })
    }

    /// The stack as soon as nothing is in progress.
    pub(crate) fn settled(&self, name: &str) -> Stack {
        let begun = Instant::now();
        loop {
            let stack = self.stack(name).expect("it is there");
            if !stack.status.ends_with("_IN_PROGRESS") {
                return stack;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{name} is still {}: {}",
                stack.status,
                self.events(name)
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The answer to a call that succeeds.
    pub(crate) fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let answer = self.client.query("cloudformation", action, parameters);
        answer.unwrap_or_else(|fault| panic!("{action}: {fault}"))
    }

    pub(crate) fn events(&self, name: &str) -> String {
        self.ask("DescribeStackEvents", &[("StackName", name)])
    }

    /// What failed, and why.
    pub(crate) fn failures(&self, name: &str) -> String {
        let events = self.events(name);
        let document = roxmltree::Document::parse(&events).expect("it is XML");
        let of = |event: roxmltree::Node<'_, '_>, name: &str| {
            let found = event.children().find(|child| child.tag_name().name() == name);
            found.and_then(|node| node.text()).unwrap_or_default().to_owned()
        };
        let failed = document
            .descendants()
            .filter(|node| of(*node, "ResourceStatus").ends_with("_FAILED"));
        let told = failed.map(|event| {
            let [id, status, reason] =
                ["LogicalResourceId", "ResourceStatus", "ResourceStatusReason"].map(|name| of(event, name));
            format!("{id} {status}: {reason}")
        });
        told.collect::<Vec<_>>().join("\n")
    }

    /// The status and the reason of the newest event of a resource with this status.
    pub(crate) fn reason(&self, name: &str, id: &str, status: &str) -> String {
        let events = self.events(name);
        let document = roxmltree::Document::parse(&events).expect("it is XML");
        let found = document.descendants().find(|node| {
            let of = |name: &str| node.children().find(|child| child.tag_name().name() == name);
            let is = |name: &str, value: &str| of(name).and_then(|node| node.text()) == Some(value);
            is("LogicalResourceId", id) && is("ResourceStatus", status)
        });
        let event = found.unwrap_or_else(|| panic!("{id} never was {status}: {events}"));
        let reason = event
            .children()
            .find(|child| child.tag_name().name() == "ResourceStatusReason");
        reason.and_then(|node| node.text()).unwrap_or_default().to_owned()
    }
}

impl Stack {
    pub(crate) fn text(&self, name: &str) -> String {
        text(&self.text, name)
    }
}

/// The error's name and words.
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Failure>) -> (String, String) {
    match answer {
        Err(Failure::Refused { code, message, .. }) => (code, message),
        other => panic!("it is not refused: {other:?}"),
    }
}

/// The text of the first element of this name.
pub(crate) fn text(xml: &str, name: &str) -> String {
    let document = roxmltree::Document::parse(xml).expect("it is XML");
    let found = document.descendants().find(|node| node.tag_name().name() == name);
    found.and_then(|node| node.text()).unwrap_or_default().to_owned()
}

/// The texts of all elements of this name.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).expect("it is XML");
    let found = document.descendants().filter(|node| node.tag_name().name() == name);
    found.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// A template of these resources.
pub(crate) fn template(resources: Value) -> Value {
    json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": resources })
}

/// The functions' stand-in, packed.
pub(crate) fn zipped() -> Vec<u8> {
    packed(include_bytes!("bootstrap.py"))
}

/// A binary of functions, packed as Lambda takes it.
pub(crate) fn packed(bootstrap: &[u8]) -> Vec<u8> {
    use std::io::{Cursor, Write};
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    archive.start_file("bootstrap", options).expect("it is begun");
    archive.write_all(bootstrap).expect("it is written");
    archive.finish().expect("it is finished").into_inner()
}
