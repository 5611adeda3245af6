//! Executions of pipelines over S3 and CloudFormation in memory, with scripted builds, in virtual time.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod approvals;
mod declarations;
mod deployments;
mod driving;
mod emitted;
mod modes;
mod queues;
mod shell;
mod sources;
mod wire;
mod world;
