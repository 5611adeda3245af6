//! API Gateway's integrations with other services: mapping templates, the call, and the choice among the integration's responses, as
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html> has it.
//!
//! MiniStack finds the method, judges the caller and validates the request, and hands on what is left (`testing/tools/local_apigateway.py`).
//! What an integration uses beyond that is refused with API Gateway's own 500, and told to the test.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use regress::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Client;
use crate::velocity;

/// A request that has reached its integration.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Integrated {
    integration: Value,
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    path: BTreeMap<String, String>,
    body: String,
    stage_variables: BTreeMap<String, String>,
    context: Map<String, Value>,
}

/// What the client gets.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answered {
    status: u64,
    headers: BTreeMap<String, String>,
    body: String,
}

/// How the service answered.
#[derive(Debug)]
struct Backend {
    status: u16,
    body: String,
}

impl Answered {
    fn new(status: u64, body: String) -> Self {
        Self {
            status,
            headers: [("Content-Type".to_owned(), "application/json".to_owned())].into(),
            body,
        }
    }

    /// What API Gateway says when the integration itself is at fault.
    pub(super) fn broken() -> Self {
        Self::new(500, json!({ "message": "Internal server error" }).to_string())
    }
}

impl Integrated {
    /// Evaluates the integration; blocks. The client's calls are `apigateway`'s.
    ///
    /// # Errors
    /// What this does not do, or what the integration does wrong.
    pub(super) fn evaluate(&self, client: &Client) -> Result<Answered, String> {
        for unsupported in ["requestParameters", "cacheKeyParameters"] {
            let given = &self.integration[unsupported];
            if given.as_object().is_some_and(|given| !given.is_empty())
                || given.as_array().is_some_and(|given| !given.is_empty())
            {
                return Err(format!("an integration with {unsupported} is not evaluated here"));
            }
        }
        let templates = &self.integration["requestTemplates"];
        let body = match self.template(templates) {
            Some(template) => rendered(template, &self.request(&self.body))?.body,
            None => self.body.clone(),
        };
        let backend = self.call(client, body)?;
        self.respond(&backend)
    }

    /// The template for the request's content type.
    fn template<'a>(&self, templates: &'a Value) -> Option<&'a str> {
        let sent = self
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let sent = sent.map_or("application/json", |(_, value)| value);
        let sent = sent.split(';').next().unwrap_or_default().trim();
        templates[sent].as_str()
    }

    /// What a template sees: the names of headers as they came, whatever the method declares, see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>. The HTTP server before this one
    /// writes them as HTTP/2 does.
    fn request(&self, body: &str) -> velocity::Request {
        let mut request = velocity::Request::new(body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        for (name, value) in &self.query {
            request = request.query_parameter(name, value);
        }
        for (name, value) in &self.path {
            request = request.path_parameter(name, value);
        }
        for (name, value) in &self.stage_variables {
            request = request.stage_variable(name, value);
        }
        let mut context = self.context.clone();
        context.insert("requestId".to_owned(), json!("c6af9ac6-7b61-11e6-9a41-93e8deadbeef"));
        context.insert("identity".to_owned(), json!({ "sourceIp": "127.0.0.1" }));
        request.context(context)
    }

    fn call(&self, client: &Client, body: String) -> Result<Backend, String> {
        let uri = self.integration["uri"].as_str().unwrap_or_default();
        let action = uri.split_once(":states:action/").map(|(_, action)| action);
        let action = action.ok_or_else(|| format!("an integration with {uri} is not evaluated here"))?;
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AWSStepFunctions.{action}"))
            .body(Bytes::from(body))
            .map_err(|fault| fault.to_string())?;
        let answer = client.send("states", request).map_err(|fault| fault.to_string())?;
        Ok(Backend {
            status: answer.status().as_u16(),
            body: String::from_utf8_lossy(answer.body()).into_owned(),
        })
    }

    /// The response whose pattern the status matches, or the one without a pattern.
    fn respond(&self, backend: &Backend) -> Result<Answered, String> {
        let responses = &self.integration["integrationResponses"];
        let responses: Vec<&Value> = responses
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, value)| value)
            .collect();
        let pattern = |response: &Value| {
            response["selectionPattern"]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let matches = |response: &&&Value| {
            let pattern = pattern(response).and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok());
            pattern.is_some_and(|pattern| pattern.find(&backend.status.to_string()).is_some())
        };
        let chosen = responses.iter().find(matches);
        let chosen = chosen.or_else(|| responses.iter().find(|response| pattern(response).is_none()));
        let chosen = chosen.ok_or_else(|| format!("no integration response is for the status {}", backend.status))?;
        if chosen["responseParameters"]
            .as_object()
            .is_some_and(|given| !given.is_empty())
        {
            return Err("an integration response with responseParameters is not evaluated here".to_owned());
        }
        let status = chosen["statusCode"].as_str().and_then(|status| status.parse().ok());
        let mut answered = Answered::new(status.unwrap_or(200), backend.body.clone());
        if let Some(template) = chosen["responseTemplates"]["application/json"].as_str() {
            let rendering = rendered(template, &self.request(&backend.body))?;
            answered.status = rendering.status().unwrap_or(answered.status);
            answered.body = rendering.body;
        }
        Ok(answered)
    }
}

fn rendered(template: &str, request: &velocity::Request) -> Result<velocity::Rendering, String> {
    velocity::render_airspeed(template, request).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spelling::Spelling;

    fn integrated(responses: Value) -> Integrated {
        Integrated {
            integration: json!({ "integrationResponses": responses }),
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            path: BTreeMap::new(),
            body: String::new(),
            stage_variables: BTreeMap::new(),
            context: Map::new(),
        }
    }

    fn responded(responses: Value, status: u16) -> Result<u64, String> {
        let body = "{}".to_owned();
        integrated(responses)
            .respond(&Backend { status, body })
            .map(|answered| answered.status)
    }

    #[test]
    fn the_response_is_the_one_whose_pattern_the_whole_status_matches() {
        let responses = json!({
            "202": { "statusCode": "202", "selectionPattern": "200" },
            "400": { "statusCode": "400", "selectionPattern": "4\\d" },
            "502": { "statusCode": "502" },
        });
        assert_eq!(responded(responses.clone(), 200), Ok(202));
        assert_eq!(responded(responses.clone(), 400), Ok(502), "`4\\d` is not all of 400");
        assert_eq!(responded(responses, 500), Ok(502));
        assert!(
            responded(
                json!({ "202": { "statusCode": "202", "selectionPattern": "200" } }),
                500
            )
            .is_err()
        );
    }

    #[test]
    fn the_names_of_headers_reach_templates_as_they_came() {
        for spelling in Spelling::ALL {
            let mut asked = integrated(json!({}));
            let name = spelling.of("X-GitHub-Event");
            asked.headers.insert(name.clone(), "ping".to_owned());
            let literal = velocity::Request::new("").header(name, "ping");
            let context = asked.request("");
            let context = serde_json::to_value(context).unwrap();
            assert_eq!(context["params"], serde_json::to_value(literal).unwrap()["params"]);
        }
    }

    #[test]
    fn what_is_not_evaluated_is_refused() {
        let client = Client::new(([127, 0, 0, 1], 9).into(), "1", "test");
        let mut other = integrated(json!({}));
        other.integration["uri"] = json!("arn:aws:apigateway:eu-west-1:sns:action/Publish");
        assert!(other.evaluate(&client).unwrap_err().contains("sns:action/Publish"));
        other.integration["requestParameters"] = json!({ "integration.request.header.X": "'x'" });
        assert!(other.evaluate(&client).unwrap_err().contains("requestParameters"));
    }
}
