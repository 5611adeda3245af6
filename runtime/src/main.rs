//! The Lambda bootstrap.

fn main() {}
