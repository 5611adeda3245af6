//! A header's name is one of HTTP's; as a constant another one does not compile.
use synth::apigateway::mapping::Header;

const EVENT: Header = Header::new("X-GitHub'-Event");

fn main() {
    let _ = EVENT;
}
