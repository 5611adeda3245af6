//! Runs that end in the middle: killed at each call that a full run makes, interrupted, and started twice.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use testing::aws::{Call, Cloud, Fault};
use testing::github;

use crate::world::{CALLER, Outcome, World};

/// How long a process may take to reach a call; it takes seconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// The points are shared out over so many tests, which run side by side.
const SHARES: usize = 4;

/// A call of a full run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Point {
    /// The nth call of an operation of AWS.
    Aws {
        service: String,
        operation: String,
        nth: u64,
    },
    /// The nth request to GitHub.
    GitHub { nth: usize },
}

/// Every call of a full run; none where nothing can run.
fn points() -> Option<&'static [Point]> {
    static POINTS: OnceLock<Option<Vec<Point>>> = OnceLock::new();
    let points = POINTS.get_or_init(|| {
        let world = World::new("a run is continued wherever it was killed")?;
        world.up(&[]).succeeds();
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut points: Vec<Point> = Vec::new();
        for Call { service, operation, .. } in world.cloud.calls(CALLER) {
            let nth = counts.entry((service.clone(), operation.clone())).or_default();
            *nth += 1;
            let nth = *nth;
            points.push(Point::Aws {
                service,
                operation,
                nth,
            });
        }
        points.extend((1..=world.github.requests().len()).map(|nth| Point::GitHub { nth }));
        println!("{} points at which a run is killed", points.len());
        Some(points)
    });
    points.as_deref()
}

impl Point {
    /// Has the call never be answered.
    fn hang(&self, world: &World) {
        match self {
            Self::Aws {
                service,
                operation,
                nth,
            } => world.cloud.fail(service, operation, *nth, Fault::Hang),
            Self::GitHub { nth } => {
                let before = std::iter::repeat_n(github::Fault::none(), nth - 1);
                world
                    .github
                    .faults()
                    .on("* /repos", before.chain([github::Fault::hang()]));
            }
        }
    }

    /// Whether the call was made.
    fn is_reached(&self, world: &World) -> bool {
        match self {
            Self::Aws {
                service,
                operation,
                nth,
            } => made(&world.cloud, service, operation) >= *nth,
            Self::GitHub { nth } => world.github.requests().len() >= *nth,
        }
    }
}

fn made(cloud: &Cloud, service: &str, operation: &str) -> u64 {
    let calls = cloud.calls(CALLER).into_iter();
    calls
        .filter(|call| call.service == service && call.operation == operation)
        .count() as u64
}

/// Kills a run when it makes the call, and runs it again.
fn kill_at(point: &Point) {
    let how = format!("killed at {point:?}");
    let world = World::new(&how).expect("another has run before");
    point.hang(&world);
    let mut process = world.begin_up(&[]);
    let begun = Instant::now();
    // A stack that is quicker this time is looked at less often: then the run is through.
    while !point.is_reached(&world) && process.try_wait().expect("it can be asked").is_none() {
        assert!(begun.elapsed() < PATIENCE, "{how}: the call never came");
        thread::sleep(Duration::from_millis(2));
    }
    drop(process.kill());
    drop(process.wait());
    // A run that was through before the call must not have left it for the next one to hang at.
    world.cloud.clear_faults();
    world.github.faults().clear();
    let again = world.up(&[]);
    assert!(again.status.success(), "{how}: {again}");
    world.assert_complete(&how);
    assert_eq!(world.objects("code/").len(), 1, "{how}");
    assert_eq!(world.objects("templates/").len(), 1, "{how}");
    assert_eq!(world.stacks(), 3, "{how}");
    assert!(world.memory()["lock"].is_null(), "{how}: the lock is given back");
}

fn kill_at_share(share: usize) {
    let Some(points) = points() else { return };
    assert!(points.len() >= 20, "only {} calls", points.len());
    for point in points.iter().skip(share).step_by(SHARES) {
        kill_at(point);
    }
}

#[test]
fn a_run_is_continued_wherever_it_was_killed_first_share() {
    kill_at_share(0);
}

#[test]
fn a_run_is_continued_wherever_it_was_killed_second_share() {
    kill_at_share(1);
}

#[test]
fn a_run_is_continued_wherever_it_was_killed_third_share() {
    kill_at_share(2);
}

#[test]
fn a_run_is_continued_wherever_it_was_killed_fourth_share() {
    kill_at_share(3);
}

#[test]
fn a_second_run_at_the_same_time_is_refused_and_told_who_is_at_work() {
    let Some(world) = World::new("two runs are kept apart") else {
        return;
    };
    world.up(&[]).succeeds();
    world.cloud.fail("cloudformation", "DescribeStacks", 1, Fault::Hang);
    let asked = made(&world.cloud, "cloudformation", "DescribeStacks");
    let mut first = world.begin_up(&[]);
    let begun = Instant::now();
    while made(&world.cloud, "cloudformation", "DescribeStacks") == asked {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        thread::sleep(Duration::from_millis(2));
    }
    let second = world.up(&[]).ends_with(5);
    assert!(
        second
            .stderr
            .contains(&format!("another run is at work on {}", world.project)),
        "{second}"
    );
    assert!(second.stderr.contains(&format!("process {}", first.id())), "{second}");
    drop(first.kill());
    drop(first.wait());
    world.up(&[]).succeeds();
}

#[test]
fn an_interrupted_run_gives_the_lock_back_and_says_what_to_run() {
    let Some(world) = World::new("an interrupted run is continued") else {
        return;
    };
    world.cloud.fail("cloudformation", "ExecuteChangeSet", 3, Fault::Hang);
    let process = world.begin_up(&[]);
    let begun = Instant::now();
    while made(&world.cloud, "cloudformation", "ExecuteChangeSet") < 3 {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        thread::sleep(Duration::from_millis(2));
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(process.id()).expect("it is small")).expect("it is not 0");
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is there");
    let outcome = Outcome::of(process).ends_with(130);
    assert!(outcome.stderr.contains("run the same command again"), "{outcome}");
    assert!(world.memory()["lock"].is_null());
    world.up(&[]).succeeds();
    world.assert_complete("interrupted");
}
