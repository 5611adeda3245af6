//! Text is no value of an enum.
use synth::dynamodb::{Table, table::KeySchemaProperties};

fn main() {
    let _ = Table::new([KeySchemaProperties::new("user", "HASH")]);
}
