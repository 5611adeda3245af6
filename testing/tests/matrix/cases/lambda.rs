//! What Lambda and Step Functions do on a bad day, at every state.

use super::{CLOSING, FORKED, Journey, MERGING, OPENING, PUSHING};
use crate::case::Case;
use crate::fault::{Break, Expect, Fault};
use crate::repository::Act;

/// What Lambda's documentation says to retry, see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html>.
const TRANSIENT: [(&str, &str); 4] = [
    ("service-exception", "Lambda.ServiceException"),
    ("lambda-exception", "Lambda.AWSLambdaException"),
    ("sdk-exception", "Lambda.SdkClientException"),
    ("throttled", "Lambda.TooManyRequestsException"),
];
/// More often than the patient retries are.
const LONGER_THAN_RETRIES: u32 = 7;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for journey in [OPENING, PUSHING, FORKED, CLOSING, MERGING] {
        for (place, state) in journey.states.iter().copied().enumerate() {
            cases.extend(at(journey, place, state));
        }
    }
    cases
}

/// The faults at one state. What the machine takes alike in all journeys is tried at each state of the first, and in turns at those of
/// others.
fn at(journey: Journey, place: usize, state: &'static str) -> Vec<Case> {
    let first = journey.during == Act::Open;
    let mut cases = Vec::new();
    for (turn, (name, error)) in TRANSIENT.into_iter().enumerate() {
        if first || journey.during == Act::Close && place % TRANSIENT.len() == turn {
            // Twice in a row, so that the back-off grows.
            let fault = Fault::Before(Break::Lambda(error));
            cases.push(journey.case(state, name, fault).times(2));
        }
    }
    let lost = Fault::After(Break::Lambda("Lambda.SdkClientException"));
    cases.push(journey.case(state, "answer-lost", lost));
    cases.push(journey.case(state, "crash-after-all-was-done", Fault::After(Break::Crash)));
    cases.push(journey.case(state, "executions-lost", Fault::Crashed));
    let others = [
        ("crash", Fault::Before(Break::Crash)),
        ("timeout", Fault::Before(Break::Timeout)),
        ("stopped", Fault::Stopped),
    ];
    for (turn, (name, fault)) in others.into_iter().enumerate() {
        if first || place % 3 == turn {
            cases.push(journey.case(state, name, fault));
        }
    }
    // `stop_pipeline` declares no other error, and whatever fails in it is caught alike.
    let outage = Fault::Before(Break::Own("Unavailable"));
    if first || journey.during == Act::Close {
        cases.push(journey.case(state, "outage", outage.clone()).times(LONGER_THAN_RETRIES));
    }
    // Who cannot even claim has nobody to report to.
    if first && !["Verify webhook", "Claim"].contains(&state) {
        let persistent = journey.case(state, "persistent", outage).times(u32::MAX);
        cases.push(persistent.expecting(Expect::FinalStatus));
    }
    cases
}
