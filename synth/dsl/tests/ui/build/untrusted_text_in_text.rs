//! What a caller has sent does not stand in a string as it is.
use synth::apigateway::mapping::{Header, Text, input};

const EVENT: Header = Header::new("X-GitHub-Event");

fn main() {
    let _ = Text::of("event ").then(input::header(EVENT));
}
