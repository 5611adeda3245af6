//! `teardown`: one step nearer to nothing left of a pull request's environment.
//!
//! A call looks at what is there, does what can be done at once, and leaves the waiting to the state machine. So it may be
//! repeated at any point, also where nothing is left or never was. In this order:
//!
//! 1. the deploy pipeline's executions are stopped, since one of them could make the application anew;
//! 2. the application's stack is emptied and deleted, with the role that the pipeline's stack holds for it;
//! 3. the pipeline's stack is deleted, with the role that it was made with;
//! 4. the environment's objects are deleted: sources, packaged code, artifacts of the pipeline;
//! 5. whatever is left of it is looked for, among all that its stacks ever had, by tag and by name;
//! 6. the receipt is written.
//!
//! Nothing of this depends on code of the pull request: a custom resource whose function does not answer is left out of its stack's
//! deletion, and named in the receipt. No other resource that cannot be deleted is left behind to make a stack's deletion succeed: it is
//! named as stuck. `stage` and other pull requests are never touched.

mod leftovers;
mod objects;
mod stacks;

use std::fmt::Write as _;

use ::stacks::artifacts::SOURCES;
use ::stacks::names::{EnvironmentNames, Names};
use ::stacks::{Environment as Name, Project};
use aws_sdk_cloudformation::primitives::{DateTime, DateTimeFormat};
use aws_sdk_codepipeline::operation::list_pipeline_executions::ListPipelineExecutionsError;
use aws_sdk_codepipeline::types::PipelineExecutionStatus;
use contract::{Target, TeardownError, TeardownProgress, TeardownRequest};
use leftovers::Seen;
use tracing::{info, warn};

use super::{Environment, Function, Invocation, StartError};
use crate::clock::Clock;
use crate::cloudformation::Refusal;
use crate::records::{Ledger, Records, RecordsError};
use crate::{Failure, sdk};

/// How long what was deleted may stay in the tagging service's lists, and IAM's, before it counts as left, in seconds. What
/// CloudFormation says it has deleted is not waited for.
const SETTLING: u64 = 300;

/// Empties buckets, deletes stacks in order, looks for what is left, and writes the receipt.
#[derive(Debug)]
pub struct Teardown {
    records: Records,
    clock: Clock,
    pipelines: aws_sdk_codepipeline::Client,
    stacks: aws_sdk_cloudformation::Client,
    objects: aws_sdk_s3::Client,
    tags: aws_sdk_resourcegroupstagging::Client,
    iam: aws_sdk_iam::Client,
    bucket: String,
    project: Project,
}

impl Function for Teardown {
    type Contract = contract::Teardown;

    fn new(environment: &Environment) -> Result<Self, StartError> {
        use contract::Teardown as Variables;
        let aws = environment.aws();
        Ok(Self {
            records: Records::new(aws, environment.variable(Variables::TABLE)?),
            clock: environment.clock(),
            pipelines: aws_sdk_codepipeline::Client::new(aws),
            stacks: aws_sdk_cloudformation::Client::new(aws),
            objects: aws_sdk_s3::Client::new(aws),
            tags: aws_sdk_resourcegroupstagging::Client::new(aws),
            iam: aws_sdk_iam::Client::new(aws),
            bucket: environment.variable(Variables::BUCKET)?,
            project: environment.project(Variables::PROJECT)?,
        })
    }

    async fn call(
        &self,
        input: TeardownRequest,
        invocation: &Invocation,
    ) -> Result<TeardownProgress, Failure<TeardownError>> {
        let target = input.target;
        let names = match target.environment.parse() {
            Ok(Name::PullRequest(number)) if number.number() == target.number => {
                Names::of(&self.project).environment(Name::PullRequest(number))
            }
            _ => return Ok(not_ours(&target)),
        };
        self.records.require_current(&target).await?;
        let mut step = Step {
            teardown: self,
            ledger: self.records.ledger(&target).await?,
            target: &target,
            names,
            invocation,
            seen: Seen::default(),
        };
        let progress = match step.run().await? {
            Next::Again(summary) => TeardownProgress {
                done: false,
                summary,
                stuck: Vec::new(),
            },
            Next::Stuck { summary, stuck } => TeardownProgress {
                done: false,
                summary,
                stuck,
            },
            Next::Done => TeardownProgress {
                done: true,
                summary: step.finish().await?,
                stuck: Vec::new(),
            },
        };
        info!(
            done = progress.done,
            summary = progress.summary,
            stuck = progress.stuck.len(),
            "teardown"
        );
        Ok(progress)
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// To be called again, while this is going on.
    Again(String),
    /// Nothing, until a person has seen to these ARNs.
    Stuck { summary: String, stuck: Vec<String> },
    /// The part is over, and with the last part the whole.
    Done,
}

/// One call.
#[derive(Debug)]
struct Step<'a> {
    teardown: &'a Teardown,
    target: &'a Target,
    names: EnvironmentNames<'a>,
    ledger: Ledger,
    invocation: &'a Invocation,
    seen: Seen,
}

type Stepped = Result<Next, Failure<TeardownError>>;

impl Step<'_> {
    /// Goes on until something has to be waited for.
    async fn run(&mut self) -> Stepped {
        match self.stop_executions().await? {
            Next::Done => {}
            waiting => return Ok(waiting),
        }
        match self.delete_stack(&self.names.app_stack()).await? {
            Next::Done => {}
            waiting => return Ok(waiting),
        }
        match self.delete_retained_stacks().await? {
            Next::Done => {}
            waiting => return Ok(waiting),
        }
        match self.delete_stack(&self.names.deploy_stack()).await? {
            Next::Done => {}
            waiting => return Ok(waiting),
        }
        match self.delete_objects().await? {
            Next::Done => self.look_for_leftovers().await,
            waiting => Ok(waiting),
        }
    }

    /// Stops the deploy pipeline, and waits until the actions at work have finished: a change of the application's stack is not
    /// abandoned half-way.
    async fn stop_executions(&self) -> Stepped {
        let pipeline = self.names.deploy_pipeline();
        let answer = self
            .teardown
            .pipelines
            .list_pipeline_executions()
            .pipeline_name(&pipeline)
            .max_results(100)
            .send()
            .await;
        let executions = match answer {
            Ok(answer) => answer.pipeline_execution_summaries.unwrap_or_default(),
            Err(error) => match error.as_service_error() {
                Some(ListPipelineExecutionsError::PipelineNotFoundException(_)) => return Ok(Next::Done),
                _ => {
                    return Err(unavailable(format!(
                        "the executions of {pipeline} are not shown: {}",
                        sdk::words(&error)
                    )));
                }
            },
        };
        let mut running: usize = 0;
        for execution in executions {
            match execution.status {
                Some(PipelineExecutionStatus::InProgress) => {
                    self.stop(
                        &pipeline,
                        execution.pipeline_execution_id.as_deref().unwrap_or_default(),
                    )
                    .await;
                }
                Some(PipelineExecutionStatus::Stopping) => {}
                _ => continue,
            }
            running += 1;
        }
        if running == 0 {
            return Ok(Next::Done);
        }
        Ok(Next::Again(format!("The pipeline {pipeline} is stopping.")))
    }

    async fn stop(&self, pipeline: &str, execution: &str) {
        let stopped = self
            .teardown
            .pipelines
            .stop_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_id(execution)
            .abandon(false)
            .reason("the pull request's environment is torn down")
            .send()
            .await;
        if let Err(error) = stopped {
            // It may have ended or been stopped in between; if not, the next call tries again.
            warn!(
                pipeline,
                execution,
                error = sdk::words(&error),
                "execution was not stopped"
            );
        }
    }

    /// Deletes the environment's objects in the artifacts bucket, with all their versions: the bucket outlives the environment.
    async fn delete_objects(&mut self) -> Stepped {
        let Target { repository, number, .. } = self.target;
        let prefixes = [
            format!("{SOURCES}{repository}/{number}/"),
            self.names.packages(),
            self.names.artifacts(),
        ];
        for prefix in prefixes {
            match self.empty(&self.teardown.bucket, &prefix).await? {
                Next::Done => {}
                waiting => return Ok(waiting),
            }
        }
        Ok(Next::Done)
    }

    async fn save(&self) -> Result<(), Failure<TeardownError>> {
        Ok(self.teardown.records.save_ledger(self.target, &self.ledger).await?)
    }

    /// Writes the receipt. If there is one already, it tells more than another would.
    async fn finish(&self) -> Result<String, Failure<TeardownError>> {
        let record = self.teardown.records.require_current(self.target).await?;
        if let Some(receipt) = record
            .receipt
            .filter(|_| record.finished == Some(self.target.generation))
        {
            return Ok(receipt);
        }
        let receipt = receipt(&self.ledger, &self.seen, self.target, self.teardown.clock.now());
        self.teardown.records.finish_teardown(self.target, &receipt).await?;
        Ok(receipt)
    }
}

impl From<RecordsError> for Failure<TeardownError> {
    fn from(error: RecordsError) -> Self {
        let name = match error {
            RecordsError::Superseded { .. } => TeardownError::Superseded,
            RecordsError::Unavailable(_) => TeardownError::Unavailable,
        };
        Self::new(name, error)
    }
}

impl From<Refusal> for Failure<TeardownError> {
    fn from(refusal: Refusal) -> Self {
        unavailable(refusal)
    }
}

fn unavailable(words: impl std::fmt::Display) -> Failure<TeardownError> {
    Failure::new(TeardownError::Unavailable, words)
}

/// What is not a pull request's own environment is not torn down, whoever asks for it.
fn not_ours(target: &Target) -> TeardownProgress {
    let Target {
        number, environment, ..
    } = target;
    TeardownProgress {
        done: false,
        summary: format!(
            "{environment:?} is not the environment of pull request {number}, only `pr-{number}` is torn down."
        ),
        stuck: vec![environment.clone()],
    }
}

/// What was deleted, how much of it, what was left and when, and what that was seen by.
fn receipt(ledger: &Ledger, seen: &Seen, target: &Target, now: u64) -> String {
    let names: Vec<&str> = ledger.stacks.iter().map(|id| stack_name(id)).collect();
    let mut text = match names.as_slice() {
        [] => "No stack was there".to_owned(),
        [one] => format!("Deleted the stack {one}"),
        several => format!("Deleted the stacks {}", several.join(", ")),
    };
    let objects = ledger.objects;
    // Writing to a text does not fail.
    let _ = write!(
        text,
        " and {objects} version{} of objects; ",
        if objects == 1 { "" } else { "s" }
    );
    let time = i64::try_from(now)
        .ok()
        .and_then(|now| DateTime::from_secs(now).fmt(DateTimeFormat::DateTime).ok())
        .unwrap_or_default();
    let environment = &target.environment;
    let _ = match seen.left.as_slice() {
        [] => write!(text, "nothing tagged {environment} was left at {time}."),
        left => write!(
            text,
            "left at {time}, since CloudFormation did not delete it: {}.",
            left.join(", ")
        ),
    };
    let Seen { resources, named, .. } = seen;
    let _ = write!(
        text,
        " Looked at: {resources} resources of the stacks, the tag {environment}, the names of {named} roles and policies."
    );
    text
}

/// The name in a stack's id, `arn:…:stack/<name>/<guid>`.
fn stack_name(id: &str) -> &str {
    id.split('/').nth(1).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            repository: "octo/app".to_owned(),
            number: 17,
            sha: "0".repeat(40),
            environment: "pr-17".to_owned(),
            generation: 3,
        }
    }

    #[test]
    fn the_receipt_says_what_was_deleted_how_much_and_when() {
        let stacks =
            ["pr-17-app", "deploy-pr-17"].map(|name| format!("arn:aws:cloudformation:eu-west-1:1:stack/x-{name}/1"));
        let ledger = Ledger {
            generation: 3,
            stacks: stacks.to_vec(),
            objects: 12,
            settling_since: None,
            retaining: Vec::new(),
        };
        let seen = Seen {
            resources: 63,
            named: 212,
            left: Vec::new(),
        };
        assert_eq!(
            receipt(&ledger, &seen, &target(), 1_750_000_000),
            "Deleted the stacks x-pr-17-app, x-deploy-pr-17 and 12 versions of objects; nothing tagged pr-17 was left at 2025-06-15T15:06:40Z. Looked at: 63 resources of the stacks, the tag pr-17, the names of 212 roles and policies."
        );
        assert_eq!(
            receipt(&Ledger::default(), &Seen::default(), &target(), 0),
            "No stack was there and 0 versions of objects; nothing tagged pr-17 was left at 1970-01-01T00:00:00Z. Looked at: 0 resources of the stacks, the tag pr-17, the names of 0 roles and policies."
        );
    }

    #[test]
    fn what_cloudformation_left_behind_is_named_and_then_the_receipt_never_says_that_nothing_is_left() {
        let seen = Seen {
            resources: 2,
            named: 9,
            left: vec!["Seed (Custom::Seed), which holds nothing by itself".to_owned()],
        };
        let text = receipt(&Ledger::default(), &seen, &target(), 0);
        assert!(
            text.contains("left at 1970-01-01T00:00:00Z, since CloudFormation did not delete it: Seed (Custom::Seed)")
        );
        assert!(!text.contains("nothing tagged"), "{text}");
    }
}
