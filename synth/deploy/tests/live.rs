//! A deployment on real AWS and GitHub. **Never run here**: it takes an account that may be changed, costs money and about a quarter of
//! an hour. It is ignored unless asked for:
//!
//! ```sh
//! LIVE_CONFIG=project.yaml LIVE_TOKEN=token LIVE_BOOTSTRAP=bootstrap \
//!     cargo test -p deploy --test live -- --ignored
//! ```
//!
//! The project of `LIVE_CONFIG` must not be deployed before, and is removed with its data afterwards.

#![expect(clippy::expect_used, reason = "a test that cannot set up what it tests has failed")]

use std::env;
use std::process::{Command, Output};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set; see the head of this file"))
}

/// The deployer with the environment's own credentials.
fn deploy(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_deploy"))
        .args(arguments)
        .args(["--config", &variable("LIVE_CONFIG")])
        .output()
        .expect("it starts");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
#[ignore = "never run here: it changes a real account, and costs money"]
fn a_real_account_is_deployed_to_looked_at_and_left_empty() {
    let (token, bootstrap) = (variable("LIVE_TOKEN"), variable("LIVE_BOOTSTRAP"));
    let up = ["up", "--yes", "--bootstrap", &bootstrap, "--credentials", &token];
    let first = deploy(&up);
    assert!(first.status.success());
    assert!(String::from_utf8_lossy(&first.stdout).contains("answered GitHub's ping with 202"));
    let again = deploy(&up);
    assert_eq!(
        String::from_utf8_lossy(&again.stdout).matches("nothing to do").count(),
        4,
        "three stacks and the webhook"
    );
    assert!(deploy(&["status"]).status.success());
    assert!(deploy(&["diff"]).status.success());
    let data = ["PullRequests", "WebhookSecret", "GitHubCredentials", "Artifacts"];
    let mut down = vec!["down", "--everything", "--yes"];
    down.extend(data.iter().flat_map(|name| ["--allow-loss", name]));
    assert!(deploy(&down).status.success());
    assert_eq!(deploy(&["status"]).status.code(), Some(1), "nothing is left");
}
