//! Step Functions matches an error by its name alone.

use synth::HandlerError;

#[derive(Clone, Copy, HandlerError)]
enum FetchError {
    SourceRejected(u16),
}

fn main() {}
