//! What can be asked for to go wrong in a rehearsal.

use std::{fmt, str::FromStr, time::Duration};

use super::world::World;
use crate::{aws, github};

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The webhook of the first push never arrives.
    LostWebhook,
    /// Each webhook is delivered twice.
    RepeatedWebhooks,
    /// A webhook with a wrong signature arrives before the right one.
    ForgedWebhook,
    /// GitHub answers the first statuses with 502.
    GithubUnavailable,
    /// DynamoDB and S3 ask for patience.
    AwsThrottled,
    /// Each function's first invocation is refused by Lambda, which is busy.
    LambdaBusy,
    /// Each function's first answer is lost on its way back: it is invoked again.
    AnswersLost,
    /// The pull request is closed while its first commit is deployed.
    ClosedEarly,
}

/// All of them, with their names and a line about each.
pub const FAULTS: [(Fault, &str, &str); 8] = [
    (
        Fault::LostWebhook,
        "lost-webhook",
        "the webhook of the first push never arrives",
    ),
    (
        Fault::RepeatedWebhooks,
        "repeated-webhooks",
        "each webhook is delivered twice",
    ),
    (
        Fault::ForgedWebhook,
        "forged-webhook",
        "a webhook with a wrong signature arrives first",
    ),
    (
        Fault::GithubUnavailable,
        "github-unavailable",
        "GitHub answers the first statuses with 502",
    ),
    (Fault::AwsThrottled, "aws-throttled", "DynamoDB and S3 ask for patience"),
    (
        Fault::LambdaBusy,
        "lambda-busy",
        "each function's first invocation is refused",
    ),
    (
        Fault::AnswersLost,
        "answers-lost",
        "each function's first answer is lost",
    ),
    (
        Fault::ClosedEarly,
        "closed-early",
        "the pull request is closed while it is deployed",
    ),
];

impl Fault {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        FAULTS
            .iter()
            .find(|(fault, ..)| *fault == self)
            .map_or("", |(_, name, _)| name)
    }

    /// Prepares what is outside of functions.
    pub(super) fn prepare(self, world: &World) {
        match self {
            Self::GithubUnavailable => {
                let faults = [
                    github::Fault::status(502),
                    github::Fault::cut(),
                    github::Fault::too_many_requests(Duration::from_secs(1)),
                ];
                world.github.faults().on("POST /statuses", faults);
            }
            Self::AwsThrottled => {
                for (service, operation) in [("dynamodb", "UpdateItem"), ("dynamodb", "GetItem"), ("s3", "PutObject")] {
                    world.cloud.fail(service, operation, 1, aws::Fault::Throttled);
                }
            }
            _ => {}
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// There is no such fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault {0:?}, there are {names}", names = names())]
pub struct NoSuchFault(String);

fn names() -> String {
    FAULTS.map(|(_, name, _)| name).join(", ")
}

impl FromStr for Fault {
    type Err = NoSuchFault;

    fn from_str(text: &str) -> Result<Self, NoSuchFault> {
        let found = FAULTS.iter().find(|(_, name, _)| *name == text);
        found
            .map(|(fault, ..)| *fault)
            .ok_or_else(|| NoSuchFault(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        for (fault, name, _) in FAULTS {
            assert_eq!(name.parse(), Ok(fault));
        }
        let none = "sabotage".parse::<Fault>().unwrap_err().to_string();
        assert!(none.contains("\"sabotage\"") && none.contains("lost-webhook"), "{none}");
    }
}
