//! Mapping templates: JSON documents with values of the request in them, rendered to API Gateway's Velocity templates.
//!
//! What a caller sent is [`Untrusted`] and cannot stand in JSON; encoding it makes it [`Encoded`], which can. A request
//! for an execution of a state machine, and the answer to the caller:
//!
//! ```
//! use synth::apigateway::mapping::{
//!     Header, Object, RequestTemplate, ResponseTemplate, answer, input,
//! };
//! # use synth::{Arn, Element, Handle, Value, stepfunctions::StateMachineResource};
//! # let machine: Handle<StateMachineResource> = Handle::of(Element { stack: 0, index: 0 });
//!
//! const EVENT: Header = Header::new("X-GitHub-Event");
//!
//! let body = input::body().base64().named("body");
//! let request = RequestTemplate::when(
//!     body.longer_than(200_000),
//!     // A name with a space in it is refused as `InvalidName`, so nothing starts.
//!     Object::new().with("stateMachineArn", machine.arn()).with("name", "body too large"),
//! )
//! .otherwise(Object::new().with("stateMachineArn", machine.arn()).with(
//!     "input",
//!     Object::new().with("body", &body).with("event", input::header(EVENT).base64()).stringified(),
//! ));
//! let template: Value<String> = request.into();
//!
//! let error = input::path("$.__type").named("type");
//! let response = ResponseTemplate::when(
//!     error.contains("InvalidName"),
//!     answer(413, Object::new().with("message", "the body is too large")),
//! )
//! .otherwise(answer(502, Object::new().with("message", "the execution was not started")));
//! assert_eq!(response.check(), []);
//! # let _ = template;
//! ```
//!
//! Text that the author writes is escaped so that Velocity takes nothing in it for its own; a `$` becomes `\u0024`. A value
//! that [`named`](Untrusted::named) names is set once, before everything else, so that it is always there.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>
//!
//! # Headers
//!
//! "Header names and query parameters are processed in a case-sensitive way"
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>): `$input.params('X-GitHub-Event')`
//! is empty where the request says `x-github-event`, as every request over HTTP/2 does
//! (<https://www.rfc-editor.org/rfc/rfc9113#section-8.2>). So a template that uses [`input::header`] goes through all headers first and
//! compares names without regard to case. A request that has the header in two spellings has none: which of them is meant is nobody's to guess.
//!
//! This module never parses templates that others wrote and never evaluates one.

mod expression;
mod json;
mod render;
mod template;

pub use expression::{Condition, Encoded, Header, Trusted, Untrusted, context, input};
pub use json::{IntoJson, IntoText, Json, Object, Text};
pub use template::{Block, Conditional, MappingTemplate, Request, RequestTemplate, Response, ResponseTemplate, answer};
