//! The metrics that functions publish, by name. Each is watched by an alarm: what nobody watches is a field of a log line instead, since
//! a metric costs money each month that it is published in, and a field costs none.
//!
//! What Lambda counts itself — invocations, errors, durations — is not among them.

/// How many pull requests have had a pending status for longer than the pipeline's bound. Published by each run of the reconciler.
pub const STUCK_PULL_REQUESTS: &str = "StuckPullRequests";

/// How many days the token for GitHub still lasts. Published by each run of the reconciler, if GitHub says when the token ends; the key
/// of a GitHub App does not end.
pub const CREDENTIAL_DAYS_LEFT: &str = "CredentialDaysLeft";

/// Each of them.
pub const ALL: [&str; 2] = [STUCK_PULL_REQUESTS, CREDENTIAL_DAYS_LEFT];
