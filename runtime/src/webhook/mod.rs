//! From a delivery's raw bytes to a decision.
//!
//! - [`verify`] proves that GitHub has signed the body. Until it has, nothing of the body is looked at.
//! - [`parse`] reads the event; [`Event::decide`] says what is to become of the pull request.
//! - [`wanted`] is the rule behind it: what the project wants of a pull request in this state. The reconciler applies the same
//!   rule to what GitHub's API says, so that a webhook and a repair never disagree.
//!
//! Only the body is signed. The event's name and the delivery's GUID are not: the name selects how the body is read, and a body of
//! another event is refused or ignored; the GUID is for logs alone.
//!
//! Nothing here asks anybody, and no message repeats any of the body or the secret.

mod decide;
mod payload;
mod signature;

pub use decide::{Event, Hint, Seen, Wanted, needs_files, parse, wanted};
pub use payload::{Branch, Head, Label, PayloadError, PullRequest, PullRequestState, Repository, is_commit};
pub use signature::{LARGEST_BODY, RawDelivery, SignatureError, unpack, verify};

/// Takes any bytes through all that is here, as a fuzzer does: the first line is the event, the rest the body. Must never panic.
pub fn survive(bytes: &[u8], project: &stacks::Project) {
    let (event, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[][..]),
    };
    let event = String::from_utf8_lossy(event);
    std::hint::black_box(verify([b"secret".as_slice()], body, event.as_bytes()).is_ok());
    if let Ok(Hint::PullRequest(read)) = parse(&event, body, project) {
        for files in [None, Some(&[event.to_string()][..])] {
            std::hint::black_box(read.decide(project, files, "fuzzed").is_ok());
        }
    }
}
