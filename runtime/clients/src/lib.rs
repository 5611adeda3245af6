//! How the programs of this system reach AWS and GitHub, the functions and the deployer alike: one HTTPS client, the SDK's requests
//! over it, what the SDK's errors say, what CloudFormation's statuses and refusals mean, and who they are to GitHub.
//!
//! It decides nothing: which calls are made, and what is done about a refusal, is up to its users.

pub mod aws;
pub mod cloudformation;
pub mod github;
pub mod https;
pub mod secret;
pub mod words;
