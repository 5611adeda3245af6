//! [`poll`]: asking again and again, with growing waits, for a bounded time.

use std::panic::Location;
use std::sync::Arc;

use synth_aws::{Duration, minutes, seconds};

use super::basic::{pass, wait, wait_seconds};
use super::choice::choice;
use super::expr::Expr;
use super::flow::{Flow, IntoFlow};
use super::shape::Shape;
use super::state::{At, Chain, Link};
use super::variable::{Var, var};
use super::work::Task;
use crate::fault::Fault;
use crate::handler::Handler;

/// The events that one round of a poll adds to an execution's history: two for the wait, five for the task, two for the choice.
const EVENTS_PER_ROUND: u64 = 9;
/// The events that an execution's history may have.
const EVENTS: u64 = 25_000;

/// Asks `check` until its output says that it is done, at most for a bounded time.
///
/// A round waits, runs the check and looks at its output, so the check runs after a wait each time. Left alone, the first wait takes
/// 10 seconds, each is half as long again as the one before, none is longer than a minute, and all together take at most an hour.
///
/// - The *waits* together never take longer than [`for_at_most`](Poll::for_at_most); the checks' own time comes on top, each at most
///   as long as the task's time-out.
/// - A poll of `n` rounds makes at most `1 + 3n` state transitions: one to start, then a wait, a check and a choice each round.
///   Retries of the check come on top. [`bounds`](Poll::bounds) gives both numbers.
///
/// The states are named after the prefix (`Unit tests: wait`), its variables too (`unitTestsAttempts`). The check gets the poll's input
/// each round; the output of the last check is the poll's output.
///
/// ```
/// # use synth::stepfunctions::{Invocable, Flow, poll, task, fail};
/// # use synth::{ErrorName, Handler, Shape, minutes, seconds};
/// # use std::convert::Infallible;
/// #[derive(serde::Serialize, schemars::JsonSchema, Shape)]
/// struct Build { id: String, done: bool }
/// # struct CheckBuild;
/// # impl Handler for CheckBuild {
/// #     type Input = Build; type Output = Build; type Error = Infallible;
/// #     const NAME: &'static str = "check_build";
/// #     const ENVIRONMENT: &'static [synth::EnvironmentVariable] = &[];
/// # }
/// # struct Function;
/// # impl Invocable for Function {
/// #     type Handler = CheckBuild;
/// #     fn arn(&self) -> synth::Value<synth::Arn<synth::lambda::Function>> { synth::Value::from("arn:…").trusted() }
/// # }
/// # let check_build = Function;
/// let polling = poll("Build", task(check_build))
///     .first(seconds(10))
///     .growing_by(1.5)
///     .up_to(seconds(60))
///     .for_at_most(minutes(60));
///
/// let bounds = polling.bounds();
/// assert_eq!((bounds.rounds, bounds.waiting, bounds.transitions), (62, seconds(3_556), 187));
///
/// let finished: Flow<Build, Build> = polling
///     .until(|build| build.done.clone())
///     .otherwise(fail("Build: took too long", ErrorName("BuildTimedOut")));
/// ```
#[track_caller]
pub fn poll<H: Handler, In: Shape, Out: Shape, S>(
    prefix: impl Into<String>,
    check: Task<H, In, Out, S>,
) -> Poll<Task<H, In, Out, S>> {
    Poll {
        prefix: prefix.into(),
        check,
        first: seconds(10),
        growth: 1.5,
        ceiling: seconds(60),
        limit: minutes(60),
        at: Location::caller(),
    }
}

/// A [`poll`] that is not told yet what to wait for.
#[must_use = "a poll is no flow until `.until(…).otherwise(…)`"]
pub struct Poll<Check> {
    prefix: String,
    check: Check,
    first: Duration,
    growth: f64,
    ceiling: Duration,
    limit: Duration,
    at: At,
}

/// What a [`poll`] takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many times the check runs.
    pub rounds: u64,
    /// How long all the waits take together.
    pub waiting: Duration,
    /// How many state transitions are made, without retries of the check.
    pub transitions: u64,
}

impl<Check> Poll<Check> {
    /// The first wait, at least one second.
    pub const fn first(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// The factor by which each wait is longer than the one before, rounded up to whole seconds; 1 keeps them the same.
    pub const fn growing_by(mut self, factor: f64) -> Self {
        self.growth = factor;
        self
    }

    /// The longest wait.
    pub const fn up_to(mut self, wait: Duration) -> Self {
        self.ceiling = wait;
        self
    }

    /// The longest that all waits take together; a wait that would exceed it is not begun.
    pub const fn for_at_most(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How many rounds there are at most, how long they wait and how many transitions they make.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let (mut rounds, mut waiting, mut next) = (0, 0, self.first.as_seconds().max(1));
        while waiting + next <= self.limit.as_seconds() && rounds * EVENTS_PER_ROUND <= EVENTS {
            rounds += 1;
            waiting += next;
            next = self.after(next);
        }
        Bounds {
            rounds,
            waiting: seconds(waiting),
            transitions: 1 + 3 * rounds,
        }
    }

    /// The wait after a wait, computed as the state machine does.
    fn after(&self, wait: u64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "JSONata computes with the same floating-point numbers, and waits are far below 2^53 seconds"
        )]
        let grown = (wait as f64 * self.growth).ceil() as u64;
        grown.min(self.ceiling.as_seconds()).max(1)
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |message: String, help: &str| faults.push(Fault::new(message).at(self.at).help(help));
        let (first, ceiling, limit) = (
            self.first.as_seconds(),
            self.ceiling.as_seconds(),
            self.limit.as_seconds(),
        );
        if first == 0 {
            fault(
                "a poll's first wait of 0 seconds would never grow".to_owned(),
                "set `.first(seconds(10))`",
            );
        }
        if !self.growth.is_finite() || self.growth < 1.0 {
            fault(
                format!("a poll's waits grow by {}, less than 1", self.growth),
                "set `.growing_by(1.5)`, or 1 for equal waits",
            );
        }
        if ceiling < first {
            fault(
                format!("a poll's longest wait of {ceiling} seconds is less than its first of {first}"),
                "raise `.up_to(…)`",
            );
        }
        if limit < first {
            fault(
                format!("a poll for at most {limit} seconds never gets past its first wait of {first}"),
                "raise `.for_at_most(…)`",
            );
        }
        if self.bounds().rounds * EVENTS_PER_ROUND > EVENTS {
            fault(
                format!("a poll for {limit} seconds makes more than the {EVENTS} events that an execution may have"),
                "raise `.up_to(…)`, or lower `.for_at_most(…)`",
            );
        }
        faults
    }
}

impl<H: Handler, In: Shape, Out: Shape, S> Poll<Task<H, In, Out, S>> {
    /// The poll is done when this holds for the output of the check.
    pub fn until(self, done: impl FnOnce(Expr<Out>) -> Expr<bool> + 'static) -> Until<H, In, Out, S> {
        Until {
            poll: self,
            done: Box::new(done),
            again: None,
        }
    }
}

/// How often, and after which waits, a poll begins anew what it asks for, see [`Until::beginning_again`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Restarts {
    times: u64,
    first: Duration,
    ceiling: Duration,
}

/// At most `times` restarts, the first after a wait of a minute; each wait is twice the one before, and none is longer than an hour.
///
/// ```
/// use synth::minutes;
/// use synth::stepfunctions::restarts;
///
/// // 2, 4, 8 and twice 15 minutes.
/// let patient = restarts(5).waiting_from(minutes(2)).up_to(minutes(15));
/// assert_eq!(patient.waiting(), minutes(44));
/// ```
pub const fn restarts(times: u64) -> Restarts {
    Restarts {
        times,
        first: minutes(1),
        ceiling: minutes(60),
    }
}

impl Restarts {
    /// The wait before the first restart, at least one second.
    pub const fn waiting_from(mut self, wait: Duration) -> Self {
        self.first = wait;
        self
    }

    /// The longest wait.
    pub const fn up_to(mut self, wait: Duration) -> Self {
        self.ceiling = wait;
        self
    }

    /// How long all the waits take together.
    #[must_use]
    pub const fn waiting(&self) -> Duration {
        let (mut waiting, mut next, mut done) = (0, self.first.as_seconds(), 0);
        while done < self.times {
            waiting += next;
            next = self.after(next);
            done += 1;
        }
        seconds(waiting)
    }

    fn faults(self, at: &'static Location<'static>) -> Vec<Fault> {
        let (first, ceiling) = (self.first.as_seconds(), self.ceiling.as_seconds());
        let mut faults = Vec::new();
        if first == 0 {
            let message = "a restart's first wait of 0 seconds would never grow";
            faults.push(Fault::new(message).at(at).help("set `.waiting_from(minutes(1))`"));
        }
        if ceiling < first {
            let message = format!("a restart's longest wait of {ceiling} seconds is less than its first of {first}");
            faults.push(Fault::new(message).at(at).help("raise `.up_to(…)`"));
        }
        faults
    }

    const fn after(self, wait: u64) -> u64 {
        let ceiling = self.ceiling.as_seconds();
        if wait * 2 < ceiling { wait * 2 } else { ceiling }
    }
}

/// A condition on the output of a check.
type Condition<Out> = Box<dyn FnOnce(Expr<Out>) -> Expr<bool>>;

/// What is begun anew, when, and how often.
struct Again<Out: Shape> {
    when: Box<dyn Fn(Expr<Out>) -> Expr<bool>>,
    restarts: Restarts,
    /// The wait and what follows it, back to the poll.
    chain: Chain,
}

/// The variables of a poll that begins anew: how often it did, and how long it waits before it does the next time.
fn counters(prefix: &str) -> (Var<u64>, Var<u64>) {
    let name = |what: &str| format!("{}{what}", camel_case(prefix));
    (var(name("Restarts")), var(name("Pause")))
}

/// A [`poll`] that lacks what to do when its time is over.
#[must_use = "a poll is no flow until `.otherwise(…)` says what happens when its time is over"]
pub struct Until<H: Handler, In: Shape, Out: Shape, S> {
    poll: Poll<Task<H, In, Out, S>>,
    done: Condition<Out>,
    again: Option<Again<Out>>,
}

impl<H: Handler, In: Shape, Out: Shape, S> Until<H, In, Out, S> {
    /// Where `when` holds for the output of the check, waits, goes through `flow`, and polls on; left out, nothing is begun anew.
    ///
    /// `flow` is given how many restarts there were, itself included. The poll's own waits are not begun anew: together they still
    /// take at most as long as [`for_at_most`](Poll::for_at_most) says, and the waits before the restarts come on top, see
    /// [`Restarts::waiting`]. After the last restart an output for which `when` holds is the poll's output.
    pub fn beginning_again<F: IntoFlow<In = Out>>(
        mut self,
        restarts: Restarts,
        when: impl Fn(Expr<Out>) -> Expr<bool> + 'static,
        flow: impl FnOnce(Expr<u64>) -> F,
    ) -> Self {
        let names = |part: &str| format!("{}: {part}", self.poll.prefix);
        let (count, pause) = counters(&self.poll.prefix);
        let ceiling = restarts.ceiling.as_seconds();
        let waits = wait_seconds(names("wait to begin again"), |_: Expr<Out>| pause.get())
            .assign(&pause, |_| pause.get().scaled_up(2.0).min(ceiling))
            .assign(&count, |_| count.get() + 1);
        let flow = waits.then(flow(count.get())).chain;
        let back = Chain {
            links: vec![Link::To(names("wait"))],
        };
        self.again = Some(Again {
            when: Box::new(when),
            restarts,
            chain: flow.followed_by(back),
        });
        self
    }
}

impl<H: Handler, In: Shape, Out: Shape, S> Until<H, In, Out, S>
where
    Task<H, In, Out, S>: IntoFlow<In = In, Out = Out>,
{
    /// Where to go when the time is over: a flow that gets the last output of the check, and gives one in its place or ends.
    #[track_caller]
    pub fn otherwise<F: IntoFlow<In = Out, Out = Out>>(self, flow: F) -> Flow<In, Out> {
        let Self { poll, done, again } = self;
        let names = |part: &str| format!("{}: {part}", poll.prefix);
        let variable = |what: &str| format!("{}{what}", camel_case(&poll.prefix));
        let input: Var<In> = var(variable("Input"));
        let attempts: Var<u64> = var(variable("Attempts"));
        let next_wait: Var<u64> = var(variable("Wait"));
        let mut faults = poll.faults();
        if let Some(again) = &again {
            faults.extend(again.restarts.faults(poll.at));
        }
        let (rounds, grows) = (poll.bounds().rounds, poll.after(poll.first.as_seconds()));
        let grows = grows > poll.first.as_seconds();

        let mut start = pass(names("start"), |input: Expr<In>| input)
            .assign(&input, |input| input)
            .assign(&attempts, |_| 0);
        start.state_mut().faults = faults;
        let (restarts, pause) = counters(&poll.prefix);
        if let Some(again) = &again {
            start = start
                .assign(&restarts, |_| 0)
                .assign(&pause, |_| again.restarts.first.as_seconds());
        }
        let mut wait = if grows {
            start = start.assign(&next_wait, |_| poll.first.as_seconds());
            let ceiling = poll.ceiling.as_seconds();
            wait_seconds(names("wait"), |_: Expr<In>| next_wait.get())
                .assign(&next_wait, |_| next_wait.get().scaled_up(poll.growth).min(ceiling))
        } else {
            wait(names("wait"), poll.first)
        };
        wait = wait.assign(&attempts, |_| attempts.get() + 1);
        let wait = wait.with_output(&input.get());

        let check = poll.check.named(names("check"));
        let on = Flow::<Out, Out>::of(Chain {
            links: vec![Link::To(names("wait"))],
        });
        let mut decide = choice(names("done?")).when(done, super::basic::proceed());
        if let Some(again) = again {
            let may = restarts.get().less_than(again.restarts.times);
            let may = may.and(attempts.get().less_than(rounds));
            decide = decide
                .when(|out| (again.when)(out).and(may), Flow::of(again.chain))
                .when(|out| (again.when)(out), super::basic::proceed());
        }
        let decide = decide.when(|_| attempts.get().at_least(rounds), flow).otherwise(on);
        start.then(wait).then(check).then(decide)
    }
}

/// `Unit tests` as `unitTests`.
fn camel_case(prefix: &str) -> Arc<str> {
    let words = prefix
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let name: String = words
        .enumerate()
        .map(|(index, word)| {
            let (first, rest) = word.split_at(1);
            if index == 0 {
                word.to_ascii_lowercase()
            } else {
                first.to_ascii_uppercase() + rest
            }
        })
        .collect();
    name.into()
}
