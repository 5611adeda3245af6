//! The handlers on a local AWS and a local GitHub: one module a handler, in one program, so that all share one MiniStack and the
//! SDK is linked once.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

mod app;
mod bootstrap;
mod claim;
mod cloud;
mod environments;
mod fetch_source;
mod front;
mod github;
mod permissions;
mod pipelines;
mod receipt;
mod reconcile;
mod report;
mod stacks;
mod stage_deployer;
mod teardown;
mod verify_webhook;
mod ways_out;
