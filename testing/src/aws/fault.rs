//! Faults that a test asks for: what AWS and the network do on a bad day.

use super::{
    answer::Answer,
    model::{Protocol, Service},
};

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// AWS asks for patience, in the service's own words; nothing happens.
    Throttled,
    /// AWS answers 503; nothing happens.
    Unavailable,
    /// AWS answers this error; nothing happens.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error's name.
        code: String,
        /// Its words.
        message: String,
    },
    /// AWS gives this answer; nothing happens. For what an emulator's stacks never come to.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body, in the service's protocol.
        body: String,
    },
    /// The connection is cut before the request has any effect.
    Lost,
    /// The request has its effect, and the connection is cut before the answer.
    AnswerLost,
    /// No answer ever comes; nothing happens.
    Hang,
}

impl Fault {
    /// The answer, for faults that are one.
    pub(super) fn answer(&self, service: &Service) -> Option<Answer> {
        let (status, code, message) = match self {
            // https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html lists the codes that mean throttling.
            Self::Throttled => match (service.name.as_str(), service.protocol) {
                ("s3", _) => (503, "SlowDown", "Please reduce your request rate."),
                ("apigateway", _) => (429, "TooManyRequestsException", "Too Many Requests"),
                (_, Protocol::Query) => (400, "Throttling", "Rate exceeded"),
                _ => (400, "ThrottlingException", "Rate exceeded"),
            },
            Self::Unavailable => (503, "ServiceUnavailable", "Service Unavailable"),
            Self::Error { status, code, message } => (*status, code.as_str(), message.as_str()),
            Self::Answer { status, body } => return Some(Answer::given(service.protocol, *status, body)),
            Self::Lost | Self::AnswerLost | Self::Hang => return None,
        };
        Some(Answer::error(service.protocol, status, code, message))
    }
}
