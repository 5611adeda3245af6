//! The answer to CloudFormation, see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-responses.html>.

use std::time::Duration;

use bytes::Bytes;
use contract::CustomResourceRequest;
use http_body_util::Full;
use serde::Serialize;

use crate::functions::Invocation;
use crate::https::HttpsClient;

/// The largest body that CloudFormation takes.
const LARGEST: usize = 4_096;
/// The first wait before the answer is sent again; each one after is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest that one try may take.
const LONGEST_TRY: Duration = Duration::from_secs(5);
/// What is left of the invocation when no other try is begun.
const RESERVE: Duration = Duration::from_secs(1);

/// What became of a request.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What the resource is called from now on.
    pub(super) physical_id: String,
    /// Why it failed, if it did.
    pub(super) result: Result<(), String>,
}

/// The body of an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Reply<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

impl<'a> Reply<'a> {
    /// The answer to a request.
    pub(super) fn to(request: &'a CustomResourceRequest, outcome: &'a Outcome) -> Self {
        Self {
            status: if outcome.result.is_ok() { "SUCCESS" } else { "FAILED" },
            reason: outcome.result.as_ref().err().cloned(),
            physical_resource_id: &outcome.physical_id,
            stack_id: &request.stack_id,
            request_id: &request.request_id,
            logical_resource_id: &request.logical_resource_id,
        }
    }

    /// Sends it until it is taken, the address refuses it, or the invocation ends.
    ///
    /// # Errors
    /// In words that do not name the address, since whoever has it can answer.
    pub(super) async fn send(self, https: &HttpsClient, url: &str, invocation: &Invocation) -> Result<(), String> {
        let body = Bytes::from(self.body()?);
        let mut wait = FIRST_WAIT;
        loop {
            let problem = match tokio::time::timeout(LONGEST_TRY, put(https, url, body.clone())).await {
                Ok(Ok(status)) if status.is_success() => return Ok(()),
                Ok(Ok(status)) if status.is_client_error() => {
                    return Err(format!("CloudFormation refuses the answer with the status {status}"));
                }
                Ok(Ok(status)) => format!("the status {status}"),
                Ok(Err(error)) => error,
                Err(_) => format!("no answer within {} seconds", LONGEST_TRY.as_secs()),
            };
            if invocation.remaining() < wait + RESERVE {
                return Err(format!("CloudFormation does not take the answer: {problem}"));
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    /// The JSON, with as much of the reason as there is room for.
    fn body(mut self) -> Result<Vec<u8>, String> {
        loop {
            let body = serde_json::to_vec(&self).map_err(|error| error.to_string())?;
            match &mut self.reason {
                Some(reason) if body.len() > LARGEST && !reason.is_empty() => {
                    // A character takes one byte or more, escaped even six: what is left may have to be cut again.
                    let keep = reason.len().saturating_sub((body.len() - LARGEST).div_ceil(6).max(1));
                    reason.truncate(floor_of(reason, keep));
                }
                _ => return Ok(body),
            }
        }
    }
}

/// The last place at or before an index where a character begins.
fn floor_of(text: &str, index: usize) -> usize {
    (0..=index)
        .rev()
        .find(|index| text.is_char_boundary(*index))
        .unwrap_or(0)
}

/// One try. The address was signed for an empty content type, so that is what is sent.
async fn put(https: &HttpsClient, url: &str, body: Bytes) -> Result<http::StatusCode, String> {
    let request = http::Request::put(url)
        .header(http::header::CONTENT_TYPE, "")
        .body(Full::new(body))
        .map_err(|error| format!("the address of the answer is none: {error}"))?;
    match https.request(request).await {
        Ok(answer) => Ok(answer.status()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn body(result: Result<(), String>) -> Vec<u8> {
        let request = json!({
            "RequestType": "Update",
            "ResponseURL": "https://example.org",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/x/1",
            "RequestId": "r-1",
            "LogicalResourceId": "ApiStageDeployment",
        });
        let request: CustomResourceRequest = serde_json::from_value(request).expect("a request");
        let outcome = Outcome {
            physical_id: "a1/v1".to_owned(),
            result,
        };
        Reply::to(&request, &outcome).body().expect("a body")
    }

    #[test]
    fn an_answer_repeats_what_cloudformation_has_asked_with() {
        let answer: Value = serde_json::from_slice(&body(Ok(()))).expect("JSON");
        let expected = json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": "a1/v1",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/x/1",
            "RequestId": "r-1",
            "LogicalResourceId": "ApiStageDeployment",
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_reason_of_any_characters_is_cut_to_what_cloudformation_takes() {
        for piece in ["x", "\"", "\n", "ß", "€", "🦀", "\u{1}"] {
            let reason = piece.repeat(5_000);
            let body = body(Err(reason.clone()));
            assert!(body.len() <= LARGEST, "{piece:?}: {} bytes", body.len());
            assert!(body.len() > LARGEST - 16, "{piece:?}: no more is cut than must be");
            let answer: Value = serde_json::from_slice(&body).expect("JSON");
            let told = answer["Reason"].as_str().expect("a reason");
            assert!(reason.starts_with(told) && !told.is_empty());
            assert_eq!(answer["Status"], "FAILED");
        }
    }
}
