//! MiniStack as a process of this test: started once, and gone when the test is.

use std::sync::{Mutex, PoisonError};

use crate::{
    Error,
    emulator::{Emulator, Recipe},
    tools::Packages,
};

/// How MiniStack is started. It takes two seconds on an idle machine.
pub(crate) const MINISTACK: Recipe = Recipe {
    tool: "ministack",
    packages: Packages::MiniStack,
    script: "local_aws.py",
    health: "/_ministack/health",
    variables: |port, _| {
        vec![
            ("BIND_HOST", "127.0.0.1".to_owned()),
            ("GATEWAY_PORT", port.to_string()),
            ("IOT_MTLS_ENABLED", "0".to_owned()),
            ("SFTP_ENABLED", "0".to_owned()),
        ]
    },
};

/// Whether MiniStack enforces IAM policies. It is decided when it starts, so there is at most one process of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enforcement {
    /// Whoever asks is answered.
    Off,
    /// Signatures are verified, and callers may do what their identity policies allow.
    Policies,
}

/// The MiniStack that all tests of this process share.
pub(super) fn shared(enforcement: Enforcement, region: &'static str) -> Result<&'static Emulator, Error> {
    static STARTED: [Mutex<Option<&'static Emulator>>; 2] = [Mutex::new(None), Mutex::new(None)];
    let policies = enforcement == Enforcement::Policies;
    let mut place = STARTED[usize::from(policies)]
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(started) = *place {
        return Ok(started);
    }
    let variables = [("AUTH", &*policies.to_string()), ("MINISTACK_REGION", region)];
    let started = Emulator::start(&MINISTACK, &variables)?;
    Ok(place.insert(Box::leak(Box::new(started))))
}
