//! Objects are in buckets: a grant on them is a method of a bucket's handle or ARN alone.
use synth::prelude::*;
use synth::{Handle, dynamodb, iam::Grant};

fn grant(table: Handle<dynamodb::Table>) -> Grant {
    table.put_objects("source/*")
}

fn main() {}
