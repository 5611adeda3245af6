//! The values that the registry knows are variants.
use synth::dynamodb::table::BillingMode;

fn main() {
    let _ = BillingMode::PayPerRequests;
}
