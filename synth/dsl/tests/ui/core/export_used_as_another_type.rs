//! An import has the type of what was exported.
use synth::{Arn, Stack, Value, dynamodb, s3};

fn exports(stack: &mut Stack) -> Value<Arn<dynamodb::Table>> {
    let bucket = stack.add("Sources", s3::Bucket::new());
    stack.export("SourcesArn", bucket.arn())
}

fn main() {}
