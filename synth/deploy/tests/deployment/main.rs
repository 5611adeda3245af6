//! The deployer as a process of its own, against a local AWS and a local GitHub that judge all that it asks.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

mod after;
mod app;
mod data;
mod interruption;
mod rights;
mod secrets;
mod up;
mod world;
