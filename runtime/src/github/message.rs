//! What is asked of GitHub, and what it answers.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Error;

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: Method,
    /// Path and query, after the base address.
    pub(super) path: String,
    pub(super) body: Option<Bytes>,
    /// What it asks for, in words for errors.
    pub(super) what: String,
}

/// An answer that has been read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) what: String,
}

impl Call {
    pub(super) fn get(path: String, what: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            what,
        }
    }

    pub(super) fn with_body(method: Method, path: String, what: String, body: &serde_json::Value) -> Self {
        Self {
            method,
            path,
            body: Some(Bytes::from(body.to_string())),
            what,
        }
    }

    pub(super) fn unavailable(&self, message: String) -> Error {
        Error::Unavailable {
            what: self.what.clone(),
            message,
        }
    }

    pub(super) fn refused(&self, status: StatusCode, message: impl Into<String>) -> Error {
        Error::Refused {
            what: self.what.clone(),
            status: status.as_u16(),
            message: message.into(),
        }
    }
}

impl Answer {
    /// What it holds.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|fault| Error::Unavailable {
            what: self.what.clone(),
            message: format!("its answer is not what its API promises: {fault}"),
        })
    }

    /// GitHub's words for a fault.
    pub(super) fn message(&self) -> String {
        #[derive(Deserialize)]
        struct Fault {
            message: String,
            #[serde(default)]
            errors: Option<serde_json::Value>,
        }
        let words = match serde_json::from_slice::<Fault>(&self.body) {
            Ok(Fault { message, errors: None }) => message,
            Ok(Fault {
                message,
                errors: Some(errors),
            }) => format!("{message} ({errors})"),
            Err(_) => self.status.canonical_reason().unwrap_or("no reason given").to_owned(),
        };
        words.chars().take(400).collect()
    }
}

/// What an answer that is not tried again means.
pub(super) fn fault_of(call: &Call, status: StatusCode, message: String) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::Missing {
            what: call.what.clone(),
        },
        StatusCode::UNAUTHORIZED => call.refused(
            status,
            format!(
                "{message}\n  help: enter a token, or a GitHub App as JSON, in the secret with GitHub's credentials"
            ),
        ),
        StatusCode::FORBIDDEN => call.refused(
            status,
            format!("{message}\n  help: give the token or the app the permission that this needs"),
        ),
        _ => call.refused(status, message),
    }
}
