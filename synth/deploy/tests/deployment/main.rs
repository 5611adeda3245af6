//! The deployer as a process of its own, against a local AWS and a local GitHub that judge all that it asks.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

mod after;
mod app;
mod building;
mod checks;
mod data;
mod interruption;
mod reconcile;
mod rights;
mod secrets;
mod terminal;
mod up;
mod world;
