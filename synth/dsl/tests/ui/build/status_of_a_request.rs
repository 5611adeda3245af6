//! Only answers have a status.
use synth::apigateway::mapping::{Object, RequestTemplate, answer};

fn main() {
    let _ = RequestTemplate::always(answer(413, Object::new()));
}
