//! The shared stacks on the local AWS: from the emitted templates, through change sets, in the order of their dependencies.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    thread,
    time::{Duration, Instant},
};

use http::Method;
use roxmltree::Document;
use synth::{Assembly, SynthesizedStack};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::RehearsalError;
use crate::aws::{Client, Failure, REGION};

/// The longest template that a request takes inline, see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
const LONGEST_INLINE: usize = 51_200;

/// What no stack of this system takes on one machine.
const PATIENCE: Duration = Duration::from_secs(180);

const SERVICE: &str = "cloudformation";

/// CloudFormation as whoever deploys the system asks it.
#[derive(Debug)]
pub(super) struct Stacks {
    client: Client,
    /// The address that templates are read from.
    endpoint: String,
    /// The bucket for what is uploaded.
    bucket: String,
}

impl Stacks {
    /// Makes the bucket that assets and large templates go into.
    ///
    /// # Errors
    /// Where S3 refuses it.
    pub(super) fn new(client: Client, endpoint: String, account: &str) -> Result<Self, RehearsalError> {
        let bucket = format!("rehearsal-{account}");
        let location = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        client.rest("s3", Method::PUT, &format!("/{bucket}"), location.into())?;
        Ok(Self {
            client,
            endpoint,
            bucket,
        })
    }

    /// Deploys the stacks with the program as the code of their functions. Each is told of when it is complete.
    ///
    /// # Errors
    /// What CloudFormation refuses, with the first event that failed.
    pub(super) fn deploy(
        &self,
        assembly: &Assembly,
        program: &[u8],
        mut complete: impl FnMut(&str, Duration),
    ) -> Result<(), RehearsalError> {
        self.upload("bootstrap.zip", zipped(program)?)?;
        for stack in &assembly.stacks {
            let begun = Instant::now();
            self.create(stack)?;
            complete(&stack.name, begun.elapsed());
        }
        Ok(())
    }

    /// The outputs of a stack; none if it is not there.
    ///
    /// # Errors
    /// Where CloudFormation gives no answer that can be read.
    pub(super) fn outputs(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, RehearsalError> {
        let described = match self.client.query(SERVICE, "DescribeStacks", &[("StackName", name)]) {
            Ok(described) => described,
            Err(Failure::Refused { message, .. }) if message.contains("does not exist") => return Ok(None),
            Err(fault) => return Err(fault.into()),
        };
        let document = read(&described)?;
        let outputs = document.descendants().filter(|node| node.has_tag_name("member"));
        let of = |node: roxmltree::Node<'_, '_>, name: &str| {
            let child = node.children().find(|child| child.tag_name().name() == name)?;
            Some(child.text().unwrap_or_default().to_owned())
        };
        Ok(Some(
            outputs
                .filter_map(|node| Some((of(node, "OutputKey")?, of(node, "OutputValue")?)))
                .collect(),
        ))
    }

    /// The names of the stacks that are there, in order.
    ///
    /// # Errors
    /// As [`Stacks::outputs`].
    pub(super) fn names(&self) -> Result<Vec<String>, RehearsalError> {
        let described = self.client.query(SERVICE, "DescribeStacks", &[])?;
        let mut names = texts(&described, "StackName")?;
        names.sort();
        Ok(names)
    }

    /// Deletes all stacks that are there, those first that others do not need, as often as it gets on. Returns what cannot be deleted.
    ///
    /// # Errors
    /// As [`Stacks::outputs`].
    pub(super) fn demolish(&self) -> Result<Vec<String>, RehearsalError> {
        // An application is deleted with a role of its environment's other stack.
        let first = |mut names: Vec<String>| {
            names.sort_by_key(|name| (!name.ends_with("-app"), name.clone()));
            names
        };
        let mut names = first(self.names()?);
        let mut faults = Vec::new();
        loop {
            let before = names.len();
            faults.clear();
            for name in &names {
                if let Err(fault) = self.delete(name) {
                    faults.push(fault.to_string());
                }
            }
            names = first(self.names()?);
            if names.is_empty() || names.len() == before {
                return Ok(if names.is_empty() { Vec::new() } else { faults });
            }
        }
    }

    /// Deletes a stack and waits until it is gone.
    fn delete(&self, name: &str) -> Result<(), RehearsalError> {
        let described = self.client.query(SERVICE, "DescribeStacks", &[("StackName", name)])?;
        // One that is gone is found only by its id.
        let id = texts(&described, "StackId")?.into_iter().next().unwrap_or_default();
        self.client.query(SERVICE, "DeleteStack", &[("StackName", name)])?;
        self.settled(
            name,
            "DescribeStacks",
            &[("StackName", &id)],
            "StackStatus",
            "DELETE_COMPLETE",
        )
    }

    fn create(&self, stack: &SynthesizedStack) -> Result<(), RehearsalError> {
        let template = stack
            .template
            .to_json()
            .map_err(|fault| RehearsalError::Synthesis(fault.to_string()))?;
        let mut given: Vec<(String, String)> = vec![
            ("StackName".to_owned(), stack.name.clone()),
            ("ChangeSetName".to_owned(), "rehearsal".to_owned()),
            ("ChangeSetType".to_owned(), "CREATE".to_owned()),
        ];
        if template.len() <= LONGEST_INLINE {
            given.push(("TemplateBody".to_owned(), template));
        } else {
            let key = format!("{}.json", stack.name);
            self.upload(&key, template.into_bytes())?;
            given.push((
                "TemplateURL".to_owned(),
                format!("{}/{}/{key}", self.endpoint, self.bucket),
            ));
        }
        for (place, capability) in (1..).zip(&stack.capabilities) {
            given.push((format!("Capabilities.member.{place}"), (*capability).to_owned()));
        }
        for (place, (key, value)) in (1..).zip(&stack.tags) {
            given.push((format!("Tags.member.{place}.Key"), key.clone()));
            given.push((format!("Tags.member.{place}.Value"), value.clone()));
        }
        let assets = stack.assets.iter().flat_map(|asset| {
            [
                (&asset.bucket_parameter, self.bucket.as_str()),
                (&asset.key_parameter, "bootstrap.zip"),
            ]
        });
        for (place, (parameter, value)) in (1..).zip(assets) {
            given.push((format!("Parameters.member.{place}.ParameterKey"), parameter.clone()));
            given.push((format!("Parameters.member.{place}.ParameterValue"), value.to_owned()));
        }
        let given: Vec<(&str, &str)> = given
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.client.query(SERVICE, "CreateChangeSet", &given)?;
        let change_set = [("StackName", stack.name.as_str()), ("ChangeSetName", "rehearsal")];
        self.settled(
            &stack.name,
            "DescribeChangeSet",
            &change_set,
            "Status",
            "CREATE_COMPLETE",
        )?;
        self.client.query(SERVICE, "ExecuteChangeSet", &change_set)?;
        let own = [("StackName", stack.name.as_str())];
        self.settled(&stack.name, "DescribeStacks", &own, "StackStatus", "CREATE_COMPLETE")
    }

    /// Asks until something is no longer in progress; it must then be as wanted.
    fn settled(
        &self,
        stack: &str,
        action: &str,
        parameters: &[(&str, &str)],
        field: &str,
        wanted: &str,
    ) -> Result<(), RehearsalError> {
        let begun = Instant::now();
        loop {
            let described = self.client.query(SERVICE, action, parameters)?;
            let status = texts(&described, field)?.into_iter().next().unwrap_or_default();
            if status == wanted {
                return Ok(());
            }
            let pending = status.ends_with("_IN_PROGRESS") || status.ends_with("_PENDING");
            if !pending || begun.elapsed() > PATIENCE {
                return Err(RehearsalError::Stack {
                    stack: stack.to_owned(),
                    reason: self
                        .root_cause(stack)?
                        .unwrap_or_else(|| texts(&described, "StatusReason").unwrap_or_default().join(" ")),
                    status,
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The first event that failed.
    fn root_cause(&self, stack: &str) -> Result<Option<String>, RehearsalError> {
        let events = self
            .client
            .query(SERVICE, "DescribeStackEvents", &[("StackName", stack)])?;
        let document = read(&events)?;
        let mut failed = document
            .descendants()
            .filter(|node| node.has_tag_name("member"))
            .filter(|event| {
                let status = event
                    .children()
                    .find(|child| child.tag_name().name() == "ResourceStatus");
                status
                    .and_then(|node| node.text())
                    .is_some_and(|status| status.ends_with("_FAILED"))
            });
        // They come newest first.
        let texts = |event: roxmltree::Node<'_, '_>| {
            let children = event
                .children()
                .filter(|child| ["LogicalResourceId", "ResourceStatusReason"].contains(&child.tag_name().name()));
            children.filter_map(|child| child.text()).collect::<Vec<_>>().join(": ")
        };
        Ok(failed.next_back().map(texts))
    }

    fn upload(&self, key: &str, bytes: Vec<u8>) -> Result<(), RehearsalError> {
        let path = format!("/{}/{key}", self.bucket);
        self.client.rest("s3", Method::PUT, &path, bytes.into())?;
        Ok(())
    }
}

/// What Lambda takes as a function's code.
fn zipped(program: &[u8]) -> Result<Vec<u8>, RehearsalError> {
    let packed =
        |fault: zip::result::ZipError| RehearsalError::Synthesis(format!("the functions cannot be packed: {fault}"));
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().unix_permissions(0o755);
    archive.start_file("bootstrap", options).map_err(packed)?;
    archive.write_all(program).map_err(|fault| packed(fault.into()))?;
    Ok(archive.finish().map_err(packed)?.into_inner())
}

/// The texts of all elements of this name.
fn texts(xml: &str, name: &str) -> Result<Vec<String>, RehearsalError> {
    let document = read(xml)?;
    let found = document.descendants().filter(|node| node.tag_name().name() == name);
    Ok(found.map(|node| node.text().unwrap_or_default().to_owned()).collect())
}

fn read(xml: &str) -> Result<Document<'_>, RehearsalError> {
    Document::parse(xml).map_err(|fault| RehearsalError::Unreadable(fault.to_string()))
}
