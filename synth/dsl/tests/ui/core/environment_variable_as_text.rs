//! An environment variable is the constant that its handler declares, not its name.
use synth::lambda::{Artifacts, HandlerFunction, handling};
use synth::{EnvironmentVariable, Handle, Handler, s3};

struct FetchSource;

impl Handler for FetchSource {
    type Input = String;
    type Output = String;
    type Error = std::convert::Infallible;
    const NAME: &'static str = "fetch_source";
    const ENVIRONMENT: &'static [EnvironmentVariable] = &[EnvironmentVariable::named("BUCKET")];
}

fn function(code: &Artifacts, bucket: Handle<s3::Bucket>) -> HandlerFunction<FetchSource> {
    handling::<FetchSource>(code, "fetch-source").environment("BUCKET", bucket.name())
}

fn main() {}
