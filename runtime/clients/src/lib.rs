//! How the programs of this system reach AWS and GitHub, the functions and the deployer alike: one HTTPS client, the SDK's requests
//! over it, what the SDK's errors say, and what CloudFormation's statuses and refusals mean.
//!
//! It decides nothing: which calls are made, and what is done about a refusal, is up to its users.

pub mod aws;
pub mod cloudformation;
pub mod https;
pub mod words;
