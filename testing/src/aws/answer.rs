//! Answers that the front gives itself, in the form of the service's protocol.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::model::Protocol;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// A result of the JSON protocol.
    pub(super) fn json(result: &Value) -> Self {
        Self::new(200, "application/x-amz-json-1.1", result.to_string())
    }

    /// An error as the protocol writes it.
    pub(super) fn error(protocol: Protocol, status: u16, code: &str, message: &str) -> Self {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let (code_xml, message_xml) = (escaped(code), escaped(message));
        match protocol {
            Protocol::Json | Protocol::RestJson => {
                let body = json!({ "__type": code, "message": message }).to_string();
                let mut answer = Self::new(status, "application/x-amz-json-1.1", body);
                if let Ok(code) = HeaderValue::from_str(code) {
                    answer.headers.insert("x-amzn-errortype", code);
                }
                answer
            }
            Protocol::Query => {
                let whose = if status < 500 { "Sender" } else { "Receiver" };
                let body = format!(
                    "<ErrorResponse><Error><Type>{whose}</Type><Code>{code_xml}</Code><Message>{message_xml}</Message></Error>\
                     <RequestId>front</RequestId></ErrorResponse>"
                );
                Self::new(status, "text/xml", body)
            }
            Protocol::RestXml => {
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code_xml}</Code><Message>{message_xml}</Message>\
                     <RequestId>front</RequestId></Error>"
                );
                Self::new(status, "application/xml", body)
            }
        }
    }

    /// What API Gateway says itself to a client of an API.
    pub(super) fn told(status: u16, message: &str) -> Self {
        Self::new(status, "application/json", json!({ "message": message }).to_string())
    }

    /// A body that a test has written.
    pub(super) fn given(protocol: Protocol, status: u16, body: &str) -> Self {
        let content_type = match protocol {
            Protocol::Json | Protocol::RestJson => "application/x-amz-json-1.1",
            Protocol::Query | Protocol::RestXml => "text/xml",
        };
        Self::new(status, content_type, body.to_owned())
    }

    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert("x-amzn-requestid", HeaderValue::from_static("front"));
        Self {
            status,
            headers,
            body: body.into(),
        }
    }
}
