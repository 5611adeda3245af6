//! What a caller has sent does not stand in JSON as it is.
use synth::apigateway::mapping::{Object, input};

fn main() {
    let _ = Object::new().with("title", input::path("$.title"));
}
