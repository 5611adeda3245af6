//! Service Quotas, of which MiniStack knows nothing: what CodeBuild lets an account build at a time.
//!
//! The values are CodeBuild's defaults for every region, <https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html>. A test
//! that wants others asks for them as a [`Fault::Answer`](super::Fault::Answer).

use serde_json::{Value, json};

/// How many builds of a kind of machine run at a time.
const BUILDS: [(&str, f64); 6] = [
    ("ARM/Small", 1.0),
    ("ARM/Medium", 1.0),
    ("ARM/Large", 1.0),
    ("Linux/Small", 1.0),
    ("Linux/Medium", 1.0),
    ("Linux/Large", 1.0),
];

/// The answer to `ListServiceQuotas`, on one page.
pub(super) fn listed(parameters: &Value) -> Value {
    let quotas = BUILDS.iter().filter(|_| parameters["ServiceCode"] == "codebuild");
    let quotas = quotas.map(|(machine, value)| {
        json!({
            "ServiceCode": "codebuild",
            "ServiceName": "AWS CodeBuild",
            "QuotaName": format!("Concurrently running builds for {machine} environment"),
            "Value": value,
            "Adjustable": true,
        })
    });
    json!({ "Quotas": quotas.collect::<Vec<_>>() })
}
