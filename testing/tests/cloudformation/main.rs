//! CloudFormation on the local AWS: the emitted templates live through it, and what AWS refuses is refused.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot read what it judges has failed"
)]

mod account;
mod acting;
mod apis;
mod emitted;
mod executed;
mod failures;
mod pipelines;
mod refusals;
mod tags;
