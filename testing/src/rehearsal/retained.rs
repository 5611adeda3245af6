//! What stays when the shared stacks are deleted, since data is in it: removed as an administrator would, by the project's tag.

use bytes::Bytes;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::RehearsalError;
use crate::aws::Client;

/// Removes every table, secret and bucket that carries the project's tag, and returns the ARNs of what still does.
pub(super) fn remove(client: &Client, project: &str) -> Result<Vec<String>, RehearsalError> {
    for arn in tagged(client, "pipeline:project", project)? {
        let service = arn.split(':').nth(2).unwrap_or_default();
        match service {
            "dynamodb" => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                client.json(
                    "dynamodb",
                    "DynamoDB_20120810.DeleteTable",
                    &json!({ "TableName": name }),
                )?;
            }
            "secretsmanager" => {
                let parameters = json!({ "SecretId": arn, "ForceDeleteWithoutRecovery": true });
                client.json(service, "secretsmanager.DeleteSecret", &parameters)?;
            }
            "s3" => bucket(client, arn.rsplit(':').next().unwrap_or_default())?,
            // Nothing else is meant to stay: it is told.
            _ => {}
        }
    }
    tagged(client, "pipeline:project", project)
}

/// The ARNs of what carries a tag.
pub(super) fn tagged(client: &Client, key: &str, value: &str) -> Result<Vec<String>, RehearsalError> {
    let answer = client.json(
        "tagging",
        "ResourceGroupsTaggingAPI_20170126.GetResources",
        &json!({ "TagFilters": [{ "Key": key, "Values": [value] }] }),
    )?;
    let found = answer["ResourceTagMappingList"].as_array().into_iter().flatten();
    Ok(found
        .filter_map(|resource| resource["ResourceARN"].as_str().map(str::to_owned))
        .collect())
}

/// The keys and versions in a bucket under a prefix, delete markers included.
pub(super) fn versions(client: &Client, bucket: &str, prefix: &str) -> Result<Vec<(String, String)>, RehearsalError> {
    let path = format!("/{bucket}?versions&prefix={}", encoded(prefix));
    let listed = client.rest("s3", Method::GET, &path, Bytes::new())?;
    let text = String::from_utf8_lossy(listed.body()).into_owned();
    let document = roxmltree::Document::parse(&text).map_err(|fault| RehearsalError::Unreadable(fault.to_string()))?;
    let entries = document
        .descendants()
        .filter(|node| ["Version", "DeleteMarker"].contains(&node.tag_name().name()));
    let of = |entry: roxmltree::Node<'_, '_>, name: &str| {
        let child = entry.children().find(|child| child.tag_name().name() == name)?;
        child.text().map(str::to_owned)
    };
    Ok(entries
        .filter_map(|entry| Some((of(entry, "Key")?, of(entry, "VersionId")?)))
        .collect())
}

fn bucket(client: &Client, bucket: &str) -> Result<(), RehearsalError> {
    for (key, version) in versions(client, bucket, "")? {
        let key: Vec<String> = key.split('/').map(encoded).collect();
        let path = format!("/{bucket}/{}?versionId={}", key.join("/"), encoded(&version));
        client.rest("s3", Method::DELETE, &path, Bytes::new())?;
    }
    client.rest("s3", Method::DELETE, &format!("/{bucket}"), Bytes::new())?;
    Ok(())
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
