//! What the state machine tells GitHub, and how it ends when something fails.

use contract::{Outcome, Progress, ReportError, ReportRequestExpr, Reported, StackProgress, Step};
use synth::stepfunctions::{Caught, Expr, Flow, Never, States, fail, succeed, task};
use synth::{ErrorName, Shape, text};

use super::machine::{Machine, patiently};

/// A newer execution has the pull request: this one ends where it is, and that is no failure.
pub(super) fn superseded<Any: Shape>() -> Flow<Caught, Any> {
    succeed("Superseded")
}

impl Machine<'_> {
    /// Reports how a step stands, in the words that the closure makes of the state's input.
    pub(super) fn reports<In: Shape>(
        &self,
        name: &str,
        step: Step,
        outcome: Outcome,
        summary: impl FnOnce(&Expr<In>) -> Expr<String>,
    ) -> Flow<In, Reported> {
        self.report(name, step.into(), outcome, |input| (summary(input), Expr::none()))
    }

    /// Reports how an execution of a pipeline ended, with the link to its log.
    pub(super) fn outcome(&self, name: &str, step: Step, outcome: Outcome) -> Flow<Progress, Reported> {
        self.report(name, step.into(), outcome, |progress: &Expr<Progress>| {
            (progress.summary.clone(), progress.url.clone().some())
        })
    }

    /// Reports that a pipeline could not do what it is for, which says nothing of the commit; with the link to what shows why.
    pub(super) fn not_run(&self, name: &str, step: Step, words: &'static str) -> Flow<Progress, Reported> {
        self.report(name, step.into(), Outcome::Error, |progress: &Expr<Progress>| {
            (text![words, progress.summary.clone()], progress.url.clone().some())
        })
    }

    /// Reports why the pipeline's own stack is not there.
    pub(super) fn stack_outcome(&self) -> Flow<StackProgress, Reported> {
        let words = |stack: &Expr<StackProgress>| (stack.summary.clone(), stack.url.clone().some());
        self.report("Pipeline stack failed", Expr::from(Step::Deploy), Outcome::Error, words)
    }

    fn report<In: Shape>(
        &self,
        name: &str,
        step: Expr<Step>,
        outcome: Outcome,
        words: impl FnOnce(&Expr<In>) -> (Expr<String>, Expr<Option<String>>),
    ) -> Flow<In, Reported> {
        let target = self.data.target.get();
        task(self.functions.report)
            .named(name)
            .arguments(|input: Expr<In>| {
                let (summary, url) = words(&input);
                ReportRequestExpr {
                    target,
                    step: step.clone(),
                    outcome: outcome.into(),
                    summary,
                    url,
                }
            })
            .retry(ReportError::Unavailable, patiently())
            .assign(&self.data.step, |_| step.clone())
            .catch(ReportError::Superseded, superseded())
            .into_flow()
    }

    /// Reports what was caught, in words and with the cause, and that it is the commit's fault or the pipeline's.
    pub(super) fn reports_caught<Any: Shape>(
        &self,
        name: &str,
        outcome: Outcome,
        words: &'static str,
    ) -> Flow<Caught, Any> {
        self.failure(name, outcome, words)
            .then(succeed(format!("{name}, reported")))
    }

    /// Whatever else fails: the step at work gets its final status, and the execution fails so that the alarm sees it.
    pub(super) fn report_error(&self) -> Flow<Caught, Never> {
        self.failure("Report the error", Outcome::Error, "The pipeline failed: ")
            .then(fail("Failed", ErrorName("PipelineFailed")))
    }

    /// A report that cannot be made ends the execution; the reconciler then finds the status that stayed pending.
    fn failure(&self, name: &str, outcome: Outcome, words: &'static str) -> Flow<Caught, Reported> {
        let (target, step) = (self.data.target.get(), self.data.step.get());
        task(self.functions.report)
            .named(name)
            .arguments(|caught: Expr<Caught>| ReportRequestExpr {
                target,
                step,
                outcome: outcome.into(),
                summary: text![words, caught.error.clone()],
                url: Expr::none(),
            })
            .retry(ReportError::Unavailable, patiently())
            .catch(ReportError::Superseded, superseded())
            .catch(
                States::All,
                fail(format!("{name}: not reported"), ErrorName("NotReported")),
            )
            .into_flow()
    }
}
