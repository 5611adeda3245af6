//! Executions of pipelines over S3 and CloudFormation in memory, with scripted builds, in virtual time.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod modes;
mod world;
