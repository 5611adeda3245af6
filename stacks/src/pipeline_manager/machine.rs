//! The state machine: from a webhook to a final status.
//!
//! ```text
//! verify → claim → deploy:    tests → report → environment → report
//!                  promote:   stage's environment → report → teardown of the pull request's
//!                  tear down: teardown → receipt
//!                  ignore
//! ```
//!
//! - Whatever fails after the claim ends in a final status: a task's own catch knows what to say, the rest is caught once for all.
//! - `Superseded` is no failure: a newer execution has the pull request now, and this one stops where it is.
//! - Every wait is bounded, see [`bound_minutes`].

use contract::{
    ApplyRequestExpr, ApplyStackError, CheckPipelineError, CheckStackError, ClaimError, ClaimRequestExpr, Claimed,
    Decision, FetchRequestExpr, FetchSourceError, Outcome, PipelineKind, Progress, ProgressExpr, Reported, Run,
    RunQueryExpr, RunState, Source, StackChange, StackProgress, StackProgressExpr, StackQueryExpr, StackState,
    StartPipelineError, StartRequestExpr, Step, StopPipelineError, StopRequestExpr, Target, TeardownError,
    TeardownProgress, TeardownRequestExpr, Trigger, Verified, VerifyWebhookError,
};
use synth::stepfunctions::{
    Definition, Expr, Flow, IntoExpr, Invoke, Never, Poll, Restarts, Retry, States, TRANSIENT, Var, Work, attempts,
    choice, choice_on, context, definition, fail, pass, poll, proceed, restarts, succeed, task, var,
};
use synth::{Duration, ErrorName, Handler, Shape, minutes, seconds, text};

use super::functions::Functions;
use super::reports::superseded;
use crate::project::Limits;

/// How the machine asks again and again: how it names its states, and how its waits grow.
#[derive(Debug, Clone, Copy)]
struct PollPlan {
    /// The prefix of its states.
    prefix: &'static str,
    /// The first wait.
    first: Duration,
    /// The longest wait.
    longest: Duration,
}

const UNIT_TESTS: PollPlan = PollPlan {
    prefix: "Unit tests",
    first: seconds(20),
    longest: seconds(60),
};
const PIPELINE_STACK: PollPlan = PollPlan {
    prefix: "Pipeline stack",
    first: seconds(10),
    longest: seconds(30),
};
const DEPLOYMENT: PollPlan = PollPlan {
    prefix: "Deployment",
    first: seconds(30),
    longest: seconds(60),
};
const TEARDOWN: PollPlan = PollPlan {
    prefix: "Teardown",
    first: seconds(15),
    longest: seconds(60),
};

/// How much longer each wait of a poll is than the one before.
const GROWTH: f64 = 1.5;

/// How often what AWS refuses is started again: an account builds as many commits at once as its quota says, and queues five
/// times as many, so what is refused now may be taken when some of those are done.
const RESTARTS: Restarts = restarts(5).waiting_from(minutes(1)).up_to(minutes(15));

/// How long the stack of a deploy pipeline may take to change.
const STACK_MINUTES: u64 = 30;
/// How long a stack may wait for a custom resource's function that never answers before it can be deleted without: CloudFormation's
/// default, and the longest that a `ServiceTimeout` may be. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>.
const SILENCE_MINUTES: u64 = 60;
/// What starting, reporting and retrying may take on top of the polls.
const SLACK_MINUTES: u64 = 60;

/// The longest that an execution may take, in minutes; then the reconciler gives the commit its final status.
///
/// It is the sum of what each step may take on the longest path: tests, environment and teardown, both pipelines refused at first
/// by CodePipeline itself and then by CodeBuild.
pub fn bound_minutes(limits: &Limits) -> u64 {
    let refused = 2 * RESTARTS.waiting().as_seconds().div_ceil(60);
    u64::from(limits.unit_test_minutes)
        + refused
        + STACK_MINUTES
        + u64::from(limits.deploy_minutes)
        + refused
        + u64::from(limits.teardown_minutes)
        + SILENCE_MINUTES
        + SLACK_MINUTES
}

/// What flows between the states besides their input.
pub(super) struct Data {
    /// What this execution has claimed.
    claimed: Var<Claimed>,
    /// The environment at work: the pull request's own, or `stage`.
    pub(super) target: Var<Target>,
    /// What is at work, for the report of a failure.
    pub(super) step: Var<Step>,
    source: Var<Source>,
    /// The execution of a pipeline that is waited for.
    run: Var<Run>,
}

pub(super) struct Machine<'a> {
    pub(super) functions: &'a Functions,
    limits: &'a Limits,
    pub(super) data: Data,
}

/// A task with its handler, from its input to its output.
type Task<H, In, Out, S> = Work<Invoke<H, In>, <H as Handler>::Output, Out, S>;

impl PollPlan {
    /// The poll of a check, whose waits take at most `limit` minutes together.
    #[track_caller]
    fn of<H: Handler, In: Shape, Out: Shape, S>(
        &self,
        check: Task<H, In, Out, S>,
        limit: u64,
    ) -> Poll<Task<H, In, Out, S>> {
        poll(self.prefix, check)
            .first(self.first)
            .growing_by(GROWTH)
            .up_to(self.longest)
            .for_at_most(minutes(limit))
    }
}

/// The definition.
pub(super) fn definition_of(functions: &Functions, limits: &Limits) -> Definition {
    let data = Data {
        claimed: var("claimed"),
        target: var("target"),
        step: var("step"),
        source: var("source"),
        run: var("run"),
    };
    let machine = Machine {
        functions,
        limits,
        data,
    };
    definition(machine.verify())
        .comment("Gives a pull request its tests, its environment and its status.")
        .timeout(minutes(bound_minutes(limits)))
}

/// For what passes by itself within minutes: throttling, an outage of GitHub, a secondary rate limit.
#[track_caller]
pub(super) fn patiently() -> Retry {
    attempts(6)
        .backing_off_from(seconds(10))
        .up_to(minutes(5))
        .full_jitter()
}

/// For what passes when others are done: as long as [`RESTARTS`] wait.
#[track_caller]
fn at_length() -> Retry {
    attempts(5).backing_off_from(minutes(1)).up_to(minutes(15))
}

/// For hiccups of Lambda itself.
#[track_caller]
fn quickly() -> Retry {
    attempts(4).backing_off_from(seconds(2)).full_jitter()
}

impl Machine<'_> {
    /// A delivery that cannot be trusted fails the execution and touches nothing.
    fn verify(&self) -> Flow<Trigger, Never> {
        task(self.functions.verify_webhook)
            .comment("Nothing before this state has looked at the signature.")
            .retry(VerifyWebhookError::Unavailable, patiently())
            .then(
                choice_on("What does the event ask for?", |verified: Expr<Verified>| {
                    verified.decision.clone()
                })
                .case(Decision::Ignore, succeed("Nothing to do"))
                .otherwise(self.claim()),
            )
            .retry_each(TRANSIENT, quickly())
    }

    fn claim(&self) -> Flow<Verified, Never> {
        let data = &self.data;
        task(self.functions.claim)
            .arguments(|verified: Expr<Verified>| ClaimRequestExpr {
                verified,
                execution: context::execution_id(),
            })
            .retry(ClaimError::Unavailable, patiently())
            .assign(&data.claimed, |claimed| claimed)
            .assign(&data.target, |claimed| claimed.target.clone())
            .assign(&data.step, |_| Expr::from(Step::UnitTest))
            .then(self.work().catch_each(States::All, self.report_error()))
    }

    /// Everything after the claim: whatever fails in it is reported.
    fn work(&self) -> Flow<Claimed, Never> {
        self.stop_superseded().then(
            choice_on("What is to be done?", |claimed: Expr<Claimed>| claimed.decision.clone())
                .case(Decision::Deploy, self.deploy())
                .case(Decision::Promote, self.promote())
                .case(Decision::TearDown, self.tear_down())
                .case(Decision::Ignore, succeed("Claimed by another"))
                .exhaustive(),
        )
    }

    /// Earlier commits' builds are of no use to anybody any more.
    fn stop_superseded(&self) -> Flow<Claimed, Claimed> {
        let claimed = self.data.claimed.clone();
        choice("Does an older execution still run?")
            .when(
                |claimed: Expr<Claimed>| claimed.superseded.len().more_than(0),
                task(self.functions.stop_pipeline)
                    .arguments(|claimed: Expr<Claimed>| StopRequestExpr {
                        runs: claimed.superseded.clone(),
                        reason: text!["superseded by ", claimed.target.sha.clone()],
                    })
                    .retry(StopPipelineError::Unavailable, patiently())
                    .output(move |_| claimed.get()),
            )
            .otherwise(proceed())
    }

    /// Tests for every commit, an environment for those that may have one.
    fn deploy(&self) -> Flow<Claimed, Never> {
        let claimed = self.data.claimed.clone();
        self.reports("Tests are pending", Step::UnitTest, Outcome::Pending, |_| {
            "The unit tests are starting.".into()
        })
        .then(self.fetch("Fetch source"))
        .then(self.run("Start unit tests", PipelineKind::UnitTest, 0, at_length()))
        .then(self.await_run(&UNIT_TESTS, PipelineKind::UnitTest, self.limits.unit_test_minutes))
        .then(
            choice_on("Did the tests pass?", |progress: Expr<Progress>| progress.state.clone())
                .case(
                    RunState::Succeeded,
                    self.outcome("Tests passed", Step::UnitTest, Outcome::Success).then(
                        choice("May it be deployed?")
                            .when(
                                move |_: Expr<Reported>| claimed.get().deployable.clone(),
                                self.environment(),
                            )
                            .otherwise(self.not_deployed()),
                    ),
                )
                .case(
                    RunState::Failed,
                    self.outcome("Tests failed", Step::UnitTest, Outcome::Failure).end(),
                )
                .case(
                    RunState::Stopped,
                    self.outcome("Tests were stopped", Step::UnitTest, Outcome::Error).end(),
                )
                .otherwise(
                    self.not_run("Tests could not run", Step::UnitTest, "The tests could not run: ")
                        .end(),
                ),
        )
    }

    fn not_deployed(&self) -> Flow<Reported, Never> {
        let claimed = self.data.claimed.clone();
        self.reports("Not deployed", Step::Deploy, Outcome::Skipped, move |_| {
            claimed.get().reason.clone()
        })
        .end()
    }

    /// A merge into the stage branch goes to `stage` first; its tests have passed as a pull request.
    fn promote(&self) -> Flow<Claimed, Never> {
        pass("On to stage", |claimed: Expr<Claimed>| claimed)
            .assign(&self.data.target, |claimed| claimed.stage.clone())
            .then(self.fetch("Fetch source for stage"))
            .then(self.environment())
    }

    /// Brings the target's pipeline stack up to date and deploys through it; on `stage` the teardown follows.
    fn environment<In: Shape>(&self) -> Flow<In, Never> {
        self.reports("Deployment is pending", Step::Deploy, Outcome::Pending, |_| {
            "The environment is being prepared.".into()
        })
        .then(self.apply_stack())
        .then(
            choice_on("Is the pipeline there?", |stack: Expr<StackProgress>| {
                stack.state.clone()
            })
            .case(StackState::Complete, self.deployment())
            .otherwise(self.stack_outcome().then(self.after_deployment())),
        )
    }

    fn deployment(&self) -> Flow<StackProgress, Never> {
        self.run("Start deployment", PipelineKind::Deploy, 0, at_length())
            .then(self.await_run(&DEPLOYMENT, PipelineKind::Deploy, self.limits.deploy_minutes))
            .then(
                choice_on("Was it deployed?", |progress: Expr<Progress>| progress.state.clone())
                    .case(
                        RunState::Succeeded,
                        self.outcome("Deployed", Step::Deploy, Outcome::Success)
                            .then(self.after_deployment()),
                    )
                    .case(
                        RunState::Failed,
                        self.outcome("Deployment failed", Step::Deploy, Outcome::Failure)
                            .then(self.after_deployment()),
                    )
                    .case(
                        RunState::Stopped,
                        self.outcome("Deployment was stopped", Step::Deploy, Outcome::Error)
                            .then(self.after_deployment()),
                    )
                    .otherwise(
                        self.not_run(
                            "Deployment could not run",
                            Step::Deploy,
                            "The deployment could not run: ",
                        )
                        .then(self.after_deployment()),
                    ),
            )
    }

    /// The stack with the deploy pipeline, created or updated, and awaited if CloudFormation is at work.
    fn apply_stack<In: Shape>(&self) -> Flow<In, StackProgress> {
        let target = self.data.target.clone();
        let query = self.data.target.clone();
        let apply = task(self.functions.apply_stack)
            .arguments(move |_: Expr<In>| ApplyRequestExpr { target: target.get() })
            .retry(
                ApplyStackError::StackBusy,
                attempts(20).backing_off_from(seconds(15)).up_to(minutes(2)),
            )
            .retry(ApplyStackError::Unavailable, patiently())
            .catch(ApplyStackError::Superseded, superseded());
        let check = task(self.functions.check_stack)
            .arguments(move |change: Expr<StackChange>| StackQueryExpr {
                target: query.get(),
                stack_id: change.stack_id.clone(),
            })
            .retry(CheckStackError::Unavailable, patiently())
            .catch(CheckStackError::Superseded, superseded());
        let awaited = PIPELINE_STACK
            .of(check, STACK_MINUTES)
            .until(|stack| !stack.state.equals(StackState::Changing))
            .otherwise(pass("Pipeline stack: took too long", |stack: Expr<StackProgress>| {
                StackProgressExpr {
                    state: StackState::Failed.into(),
                    summary: text!["It took longer than ", STACK_MINUTES.to_string(), " minutes."],
                    url: stack.url.clone(),
                }
            }));
        apply.then(
            choice("Does the stack change?")
                .when(|change: Expr<StackChange>| change.changing.clone(), awaited)
                .otherwise(pass("Pipeline stack is current", |_: Expr<StackChange>| {
                    StackProgressExpr {
                        state: StackState::Complete.into(),
                        summary: "".into(),
                        url: "".into(),
                    }
                })),
        )
    }

    fn fetch<In: Shape>(&self, name: &str) -> Flow<In, Source> {
        let target = self.data.target.clone();
        task(self.functions.fetch_source)
            .named(name)
            .arguments(move |_: Expr<In>| FetchRequestExpr { target: target.get() })
            .retry(FetchSourceError::Unavailable, patiently())
            .assign(&self.data.source, |source| source)
            .catch(
                FetchSourceError::SourceRejected,
                self.reports_caught(
                    "Source was rejected",
                    Outcome::Failure,
                    "The commit's archive was refused: ",
                ),
            )
            .catch(
                FetchSourceError::SourceMissing,
                self.reports_caught(
                    "Source is missing",
                    Outcome::Failure,
                    "GitHub does not show the commit: ",
                ),
            )
            .catch(FetchSourceError::Superseded, superseded())
            .into_flow()
    }

    /// Starts a pipeline; each attempt is an execution of its own. `patience` is for a CodePipeline that takes no more executions.
    #[track_caller]
    fn run<In: Shape>(
        &self,
        name: &str,
        kind: PipelineKind,
        attempt: impl IntoExpr<u64>,
        patience: Retry,
    ) -> Flow<In, Run> {
        let (target, source) = (self.data.target.clone(), self.data.source.clone());
        let (refused, words) = match kind {
            PipelineKind::UnitTest => ("Start unit tests: refused", "The tests could not run: "),
            PipelineKind::Deploy => ("Start deployment: refused", "The deployment could not run: "),
        };
        task(self.functions.start_pipeline)
            .named(name)
            .arguments(move |_: Expr<In>| StartRequestExpr {
                target: target.get(),
                kind: kind.into(),
                source: source.get(),
                attempt: attempt.into_expr(),
            })
            .retry(StartPipelineError::LimitExceeded, patience)
            .retry(StartPipelineError::Unavailable, patiently())
            .assign(&self.data.run, |run| run)
            .catch(
                StartPipelineError::LimitExceeded,
                self.reports_caught(refused, Outcome::Error, words),
            )
            .catch(StartPipelineError::Superseded, superseded())
            .into_flow()
    }

    /// Waits for a pipeline's execution, and starts it again where AWS refused it. One that takes too long is an error of the
    /// pipeline, not of the commit: it is stopped, so that nothing queues behind it.
    fn await_run(&self, plan: &PollPlan, kind: PipelineKind, limit: u32) -> Flow<Run, Progress> {
        let (target, run) = (self.data.target.clone(), self.data.run.clone());
        let check = task(self.functions.check_pipeline)
            .arguments(move |_: Expr<Run>| RunQueryExpr {
                target: target.get(),
                run: run.get(),
            })
            .retry(CheckPipelineError::Unavailable, patiently())
            .catch(CheckPipelineError::Superseded, superseded());
        plan.of(check, limit.into())
            .until(|progress| !progress.state.is_one_of([RunState::Running, RunState::Refused]))
            .beginning_again(
                RESTARTS,
                |progress: Expr<Progress>| progress.state.equals(RunState::Refused),
                |attempt| self.run(&format!("{}: start again", plan.prefix), kind, attempt, patiently()),
            )
            .otherwise(self.give_up(plan, limit))
    }

    /// Stops the execution that is waited for.
    fn give_up(&self, plan: &PollPlan, limit: u32) -> Flow<Progress, Progress> {
        let run = self.data.run.clone();
        let progress: Var<Progress> = var("late");
        let late = pass(format!("{}: took too long", plan.prefix), |progress: Expr<Progress>| {
            progress
        })
        .assign(&progress, move |progress| ProgressExpr {
            state: RunState::Stopped.into(),
            summary: text!["It took longer than ", limit.to_string(), " minutes."],
            url: progress.url.clone(),
        });
        let stop = task(self.functions.stop_pipeline)
            .named(format!("{}: stop", plan.prefix))
            .arguments(move |_: Expr<Progress>| StopRequestExpr {
                runs: [run.get()].into_expr(),
                reason: text!["it took longer than ", limit.to_string(), " minutes"],
            })
            .retry(StopPipelineError::Unavailable, patiently())
            .output(move |_| progress.get());
        late.then(stop)
    }

    /// After `stage` the pull request's own environment goes; after any other there is nothing left to do.
    fn after_deployment(&self) -> Flow<Reported, Never> {
        let (target, claimed) = (self.data.target.clone(), self.data.claimed.clone());
        let own = claimed.get().target.clone();
        let back =
            pass("Back to the pull request", move |_: Expr<Reported>| claimed.get()).assign(&self.data.target, |_| own);
        choice("Was it stage?")
            .when(
                move |_: Expr<Reported>| target.get().environment.equals("stage"),
                back.then(self.tear_down()),
            )
            .otherwise(succeed("Done"))
    }

    /// Asks `teardown` again and again, each time one step further, until nothing is left or something cannot be deleted.
    fn tear_down(&self) -> Flow<Claimed, Never> {
        let target = self.data.target.clone();
        let step = task(self.functions.teardown)
            .arguments(move |_: Expr<Reported>| TeardownRequestExpr { target: target.get() })
            .retry(TeardownError::Unavailable, patiently())
            .catch(TeardownError::Superseded, superseded());
        let all = TEARDOWN
            .of(step, u64::from(self.limits.teardown_minutes) + SILENCE_MINUTES)
            .until(|teardown| teardown.done.or(teardown.stuck.len().more_than(0)))
            .otherwise(proceed());
        self.reports("Teardown is pending", Step::Teardown, Outcome::Pending, |_| {
            "The environment is being deleted.".into()
        })
        .then(all)
        .then(
            choice("Is anything left?")
                .when(
                    |teardown: Expr<TeardownProgress>| teardown.done.clone(),
                    self.reports(
                        "Torn down",
                        Step::Teardown,
                        Outcome::Success,
                        |teardown: &Expr<TeardownProgress>| teardown.summary.clone(),
                    )
                    .then(succeed("Nothing is left")),
                )
                .otherwise(
                    self.reports(
                        "Something is left",
                        Step::Teardown,
                        Outcome::Error,
                        |teardown: &Expr<TeardownProgress>| teardown.summary.clone(),
                    )
                    .then(fail("Teardown is incomplete", ErrorName("TeardownIncomplete"))),
                ),
        )
    }
}
