//! Prints every resource type whose service's feature is on, a line each: its name and, after a tab each, the property that
//! carries its tags and in which form.
//!
//! ```text
//! cargo run -p synth-aws --all-features --example every_type
//! ```

fn main() {
    for facts in synth_aws::RESOURCES {
        match facts.tags() {
            Some((property, shape)) => println!("{}\t{property}\t{shape:?}", facts.type_name),
            None => println!("{}", facts.type_name),
        }
    }
}
