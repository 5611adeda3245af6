//! Actions have no text form to write `s3:*` in.
use synth::iam::Grant;
use synth::{Handle, s3};

fn grant(bucket: Handle<s3::Bucket>) -> Grant {
    Grant::on(["s3:*"], bucket.arn())
}

fn main() {}
