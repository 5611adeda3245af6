//! Structured logs: JSON, one line an event, each with what it belongs to.
//!
//! A span around each invocation carries the correlation: delivery, repository, pull request, commit and generation, as far as
//! the input holds them. A handler that learns one of them later records it in the current span.

use serde_json::Value;
use tracing::field::Empty;
use tracing::{Span, info_span};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

/// Where an input keeps what identifies a pull request: a target, a change, or the change of a repair.
const PLACES: [&str; 3] = ["/target", "/verified/change", "/repair/change"];

/// Sends logs to standard output. This crate's from the level `info`, everybody else's from `warn`: what libraries say below
/// that may hold headers and bodies.
pub fn begin() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("runtime", LevelFilter::INFO);
    // Only a second call in the same process finds one that is set; it logs as the first does.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(levels).with(lines)).ok();
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(place = ?panic.location().map(ToString::to_string), "panicked"),
    ));
}

/// The span of an invocation.
pub(super) fn span(handler: &'static str, request_id: &str, input: &Value) -> Span {
    let span = info_span!(
        "invocation",
        handler,
        request_id,
        delivery = Empty,
        repository = Empty,
        number = Empty,
        sha = Empty,
        environment = Empty,
        generation = Empty,
    );
    for place in PLACES {
        let Some(found) = input.pointer(place) else { continue };
        for name in ["delivery", "repository", "sha", "environment"] {
            if let Some(text) = found[name].as_str() {
                span.record(name, text);
            }
        }
        for name in ["number", "generation"] {
            if let Some(number) = found[name].as_u64() {
                span.record(name, number);
            }
        }
    }
    span
}
