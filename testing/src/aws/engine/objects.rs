//! The account's S3, for the engine.

use bytes::Bytes;
use codepipeline_local::{CallError, Object, Objects};
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{super::Client, call_error};

/// What is encoded in a key; slashes stay.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[derive(Debug)]
pub(super) struct AccountObjects(pub(super) Client);

fn path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", utf8_percent_encode(key, KEY))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

impl Objects for AccountObjects {
    fn get(&self, role: &str, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, CallError> {
        let mut path = path(bucket, key);
        if let Some(version) = version {
            let version = utf8_percent_encode(version, NON_ALPHANUMERIC);
            path = format!("{path}?versionId={version}");
        }
        let answer = self
            .0
            .acting(role)
            .rest("s3", Method::GET, &path, Bytes::new())
            .map_err(call_error)?;
        Ok(Object {
            version: text(answer.headers(), "x-amz-version-id"),
            e_tag: text(answer.headers(), "etag").map(|tag| tag.trim_matches('"').to_owned()),
            body: answer.into_body().into(),
        })
    }

    fn put(&self, role: &str, bucket: &str, key: &str, body: &[u8]) -> Result<Option<String>, CallError> {
        let body = Bytes::copy_from_slice(body);
        let answer = self
            .0
            .acting(role)
            .rest("s3", Method::PUT, &path(bucket, key), body)
            .map_err(call_error)?;
        Ok(text(answer.headers(), "x-amz-version-id"))
    }
}
