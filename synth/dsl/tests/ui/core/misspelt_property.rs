//! A property that the type does not have is no setter.
use synth::s3;

fn main() {
    let _ = s3::Bucket::new().versioning_config(true);
}
