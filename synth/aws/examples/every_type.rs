//! Prints every resource type whose service's feature is on, a line each.
//!
//! ```text
//! cargo run -p synth-aws --all-features --example every_type
//! ```

fn main() {
    for facts in synth_aws::RESOURCES {
        println!("{}", facts.type_name);
    }
}
