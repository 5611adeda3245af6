//! Every document that AWS would receive for the shared stacks, for `stage` and for a pull request, as it was last reviewed.
//!
//! The folder holds the `.snap` files and the one test that compares them. After a change of infrastructure
//! `cargo insta review` shows each document's diff; what is accepted there is what the next deployment does.
