//! One case: a journey of a pull request, a state, a fault at it; run to its end, and judged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use stacks::pipeline_manager::bound_minutes;
use stepfunctions_runner::{Machine, Time};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

use crate::account::Account;
use crate::builds::Plan;
use crate::fault::{Expect, Fault, Webhook};
use crate::inject::{Armed, Found};
use crate::promises::Promises;
use crate::repository::Act;
use crate::timeline::{Running, Timeline};

/// How long an execution may take in which nothing goes wrong: what a repair takes once it was started.
const HEALTHY: Duration = Duration::from_secs(45 * 60);

/// One case of the matrix.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What happens to the pull request before the fault, each to its end.
    pub(crate) before: &'static [Act],
    /// In what follows this, the fault comes.
    pub(crate) during: Act,
    /// What becomes of the webhook of that.
    pub(crate) webhook: Webhook,
    /// What the reconciler finds besides.
    pub(crate) found: Found,
    /// The state that the fault comes at, or [`RECONCILER`](crate::timeline::RECONCILER).
    pub(crate) state: &'static str,
    /// Its name within the state.
    pub(crate) name: String,
    pub(crate) fault: Fault,
    /// How many attempts of the state pass before.
    pub(crate) later: u32,
    /// How many attempts of the state it breaks.
    pub(crate) times: u32,
    pub(crate) expect: Expect,
    /// How builds go from the beginning.
    pub(crate) plan: Plan,
}

/// How a case ended.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) case: Case,
    /// What is wrong; nothing if it ended well.
    pub(crate) wrong: Vec<String>,
    /// What happened.
    pub(crate) trail: Vec<String>,
    pub(crate) took: Duration,
}

impl Case {
    /// `during/state/fault`.
    pub(crate) fn full_name(&self) -> String {
        format!("{:?}/{}/{}", self.during, self.state, self.name).replace(' ', "-")
    }

    /// Runs it in the account that is at hand, if any, else in a new one; leaves there what the next case may have. None without
    /// the tools.
    pub(crate) fn run(self, machine: &Machine, at_hand: &mut Option<Account>) -> Option<Verdict> {
        let begun = std::time::Instant::now();
        let logs = Logs::default();
        let levels = Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("runtime", LevelFilter::INFO);
        let lines = tracing_subscriber::fmt::layer().with_writer(logs.clone());
        let subscriber = tracing_subscriber::registry().with(levels).with(lines);
        let mut account = match at_hand.take() {
            Some(account) => account,
            None => Account::prepare()?,
        };
        let (mut trail, mut wrong) = (Vec::new(), Vec::new());
        let promotes = self.promotes();
        let ran = tracing::subscriber::with_default(subscriber, || {
            catch_unwind(AssertUnwindSafe(|| {
                self.judged(machine, &mut account, &logs, (&mut trail, &mut wrong))
            }))
        });
        if let Err(panic) = ran {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned()));
            wrong.push(format!("it panicked: {}", words.unwrap_or_default()));
            // What broke a rule of AWS's or GitHub's is in the verdict, if it came that far; it is not to panic again.
            wrong.extend(account.cloud.take_violations());
            wrong.extend(account.github.violations());
        } else if wrong.is_empty() && self.leaves_nothing() && account.is_fresh() {
            if promotes {
                account.clear_stage();
            }
            *at_hand = Some(account);
        }
        Some(Verdict {
            case: self,
            wrong,
            trail,
            took: begun.elapsed(),
        })
    }

    /// Whether it leaves something on `stage`.
    fn promotes(&self) -> bool {
        self.during == Act::Merge || matches!(self.fault, Fault::Happens { acts: [Act::Merge], .. })
    }

    /// Whether an account is as it was before: MiniStack keeps the change sets of stacks that are gone, as CloudFormation does not.
    fn leaves_nothing(&self) -> bool {
        !matches!(
            self.fault,
            Fault::Aws {
                service: "cloudformation",
                ..
            } | Fault::Crowded { .. }
        )
    }

    /// The executions that it comes to in this account.
    pub(crate) fn executions(&self, machine: &Machine, account: &mut Account) -> Vec<Running> {
        account.build(&self.plan);
        let mut timeline = Timeline::new(account, machine);
        let mut wrong = Vec::new();
        self.live_through(&mut timeline, &mut wrong);
        assert_eq!(wrong, [""; 0], "{}", self.full_name());
        timeline.executions
    }

    fn judged(
        &self,
        machine: &Machine,
        account: &mut Account,
        logs: &Logs,
        (trail, wrong): (&mut Vec<String>, &mut Vec<String>),
    ) {
        account.build(&self.plan);
        let mut timeline = Timeline::new(account, machine);
        self.live_through(&mut timeline, wrong);
        let mut promises = Promises::of(&timeline);
        promises.no_secret(&logs.text());
        promises.no_violation();
        wrong.append(&mut promises.broken);
        trail.append(&mut timeline.trail);
        trail.extend(timeline.outcomes());
        if !wrong.is_empty() {
            trail.push(logs.text());
        }
    }

    fn live_through(&self, timeline: &mut Timeline<'_>, wrong: &mut Vec<String>) {
        for act in self.before {
            timeline.happens(&[*act], Webhook::Arrives);
            run(timeline);
        }
        timeline.fault = Some(Armed::new(
            self.state,
            self.fault.clone(),
            self.later..self.later + self.times,
        ));
        timeline.happens(&[self.during], self.webhook);
        self.found.make(timeline);
        run(timeline);
        let armed = timeline.fault.take().expect("it was armed");
        if armed.came == 0 {
            wrong.push(format!("the state {} was never entered", self.state));
        }
        wrong.extend(armed.amiss);
        // What was at fault is mended, and people go on.
        self.look(timeline, wrong);
        if timeline.pull.open {
            *timeline.account.builds.plan() = Plan::default();
            timeline.account.unlimited();
            timeline.happens(&[Act::Close], Webhook::Arrives);
            run(timeline);
            self.look(timeline, wrong);
        }
    }

    fn look(&self, timeline: &Timeline<'_>, wrong: &mut Vec<String>) {
        let mut promises = Promises::of(timeline);
        if timeline.pull.open {
            promises.while_open(self.expect, self.during != Act::OpenFork);
        } else {
            promises.after_close();
            if !matches!(self.fault, Fault::Crowded { others: 2.., .. }) {
                promises.no_build_goes_on();
            }
            promises.on_stage(self.expect);
        }
        promises.only_what_ran_has_failed();
        wrong.append(&mut promises.broken);
    }
}

/// Lets time pass until nothing happens any more, but not longer than the bound allows.
fn run(timeline: &mut Timeline<'_>) {
    let deadline = bound(timeline.now());
    let mut looked = 0;
    loop {
        let late = timeline.now() > deadline;
        if timeline.is_quiet() {
            // The schedule fires once more, and must find nothing to do.
            if late || (looked > 0 && Promises::of(timeline).is_good()) {
                return;
            }
            looked += 1;
            if looked > 2 {
                timeline.skip_schedule();
            }
            timeline.step(true);
        } else {
            looked = 0;
            timeline.step(!late);
        }
    }
}

/// When the commit of what happens now has its final status.
fn bound(now: Time) -> Time {
    let limits = testing::emission::project().limits;
    let minutes = bound_minutes(&limits) + 2 * u64::from(limits.reconcile_minutes);
    now + Duration::from_secs(60 * minutes) + HEALTHY
}

/// The log lines of a case.
#[derive(Clone, Debug, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
