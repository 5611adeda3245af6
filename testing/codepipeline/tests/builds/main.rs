//! Builds whose commands run for real.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bench;
mod outputs;
mod phases;
mod processes;
