//! A name is no ARN, and a bucket is no role.
use synth::{Handle, lambda, s3};

fn function(bucket: Handle<s3::Bucket>) -> lambda::Function {
    lambda::Function::new(lambda::function::Code::new(), bucket.name())
}

fn main() {}
