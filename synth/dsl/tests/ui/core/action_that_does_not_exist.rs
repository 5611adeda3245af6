//! Actions are the ones that IAM knows; a wildcard is none of them.
use synth::actions::S3;
use synth::iam::Grant;
use synth::{Handle, s3};

fn grant(bucket: Handle<s3::Bucket>) -> Grant {
    Grant::on([S3::GetObjects], bucket.arn())
}

fn main() {}
