//! The policy of whoever deploys.

use serde_json::Value;

use crate::Workplace;

#[test]
fn the_deployers_policy_is_json_of_the_projects_own_names() {
    let run = Workplace::new().run("policy");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let policy: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    for statement in policy["Statement"].as_array().unwrap() {
        let actions = statement["Action"].as_array().unwrap();
        assert!(
            actions.iter().all(|action| !action.as_str().unwrap().contains('*')),
            "{statement}"
        );
        let any = statement["Resource"] == serde_json::json!(["*"]);
        assert!(!any || actions == &["cloudformation:ListStacks"], "{statement}");
    }
}
