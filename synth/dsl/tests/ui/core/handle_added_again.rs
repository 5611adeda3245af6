//! A handle is of a resource that was added; it is none itself.
use synth::{Stack, s3};

fn twice(stack: &mut Stack) {
    let bucket = stack.add("Sources", s3::Bucket::new());
    stack.add("Again", bucket);
}

fn main() {}
