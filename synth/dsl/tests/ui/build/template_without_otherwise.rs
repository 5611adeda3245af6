//! A template says what comes where no condition holds.
use synth::Value;
use synth::apigateway::mapping::{Object, RequestTemplate, input};

fn main() {
    let _: Value<String> = RequestTemplate::when(input::body().longer_than(10), Object::new()).into();
}
