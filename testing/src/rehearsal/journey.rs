//! The story of a pull request: opened, pushed to, pushed to again while that is tested, and merged or closed.

use std::time::Duration;

use stacks::names::Names;

use super::{End, Fault, Plan, RehearsalError, environment, event::Happening, webhook::Delivery, world::World};

/// The branch that the pull request merges.
const BRANCH: &str = "change";

/// The longest that an execution may take on one machine.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How often an interruption is looked for.
const INTERVAL: Duration = Duration::from_millis(200);

/// What was seen on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Story {
    /// The commits that were pushed, the first one first.
    pub(super) pushed: Vec<String>,
    /// What the live environment answered to whom.
    pub(super) answers: Vec<(String, u16)>,
    /// Whether the environment of the pull request was there before its end.
    pub(super) was_deployed: bool,
}

/// Plays it.
pub(super) fn play(world: &mut World, plan: &Plan) -> Result<Story, RehearsalError> {
    let mut story = Story::default();
    for fault in &plan.faults {
        fault.prepare(world);
    }
    let early = plan.faults.contains(&Fault::ClosedEarly);
    open(world, plan, &mut story)?;
    if early {
        entered(world, "Start deployment")?;
    } else {
        quiet(world)?;
        look(world, &mut story)?;
        for number in 1..=plan.pushes {
            push(world, plan, &mut story, number)?;
            if number + 1 == plan.pushes {
                // The last push meets the tests of the one before.
                entered_after(world, "Unit tests: wait", story.pushed.len())?;
            } else {
                quiet(world)?;
            }
        }
        if plan.pushes > 0 {
            quiet(world)?;
            look(world, &mut story)?;
        }
    }
    end(world, plan)?;
    quiet(world)?;
    Ok(story)
}

fn open(world: &mut World, plan: &Plan, story: &mut Story) -> Result<(), RehearsalError> {
    let number = plan.pull_request;
    world.recorder.chapter(format!("Pull request {number} is opened"));
    world.source.branch(BRANCH)?;
    let sha = change(world, "A better place", "It's in the old town.\n")?;
    world.open(number, BRANCH, &sha);
    story.pushed.push(sha);
    deliver(world, plan, "opened", true)
}

fn push(world: &mut World, plan: &Plan, story: &mut Story, number: u32) -> Result<(), RehearsalError> {
    world
        .recorder
        .chapter(format!("A commit is pushed ({number} of {})", plan.pushes));
    let sha = change(
        world,
        "Second thoughts",
        &format!("On second thoughts, go there at {} o'clock.\n", 7 + number),
    )?;
    world.push(&sha);
    story.pushed.push(sha);
    let lost = number == 1 && plan.faults.contains(&Fault::LostWebhook);
    deliver(world, plan, "synchronize", !lost)?;
    if lost {
        world.recorder.record(Happening::Fault {
            what: "the webhook is lost; the reconciler is left".to_owned(),
        });
        world.reconcile()?;
    }
    Ok(())
}

fn end(world: &mut World, plan: &Plan) -> Result<(), RehearsalError> {
    let number = plan.pull_request;
    match plan.end {
        End::Merge => {
            world.recorder.chapter(format!("Pull request {number} is merged"));
            let base = world.project.stage_branch.clone();
            let merged = world.source.merge(BRANCH, &base)?;
            world.publish(&merged)?;
            world.merge(&merged);
        }
        End::Close => {
            world.recorder.chapter(format!("Pull request {number} is closed"));
            world.close();
        }
    }
    deliver(world, plan, "closed", true)
}

/// A commit that changes a file which no project has.
fn change(world: &mut World, message: &str, text: &str) -> Result<String, RehearsalError> {
    let sha = world.source.commit(message, &[("REHEARSAL.md", text)])?;
    world.publish(&sha)?;
    Ok(sha)
}

/// GitHub posts what happened, as often as it must.
fn deliver(world: &mut World, plan: &Plan, action: &str, arrives: bool) -> Result<(), RehearsalError> {
    let delivery = world.delivery(action);
    if !arrives {
        world.tell(&delivery, None);
        return Ok(());
    }
    if plan.faults.contains(&Fault::ForgedWebhook) {
        let mut forged = delivery.clone();
        for (_, value) in forged
            .headers
            .iter_mut()
            .filter(|(name, _)| *name == "x-hub-signature-256")
        {
            *value = format!("sha256={}", "0".repeat(64));
        }
        post(world, &forged)?;
    }
    post(world, &delivery)?;
    if plan.faults.contains(&Fault::RepeatedWebhooks) {
        post(world, &delivery)?;
    }
    Ok(())
}

fn post(world: &World, delivery: &Delivery) -> Result<(), RehearsalError> {
    let status = world.post(delivery)?;
    world.tell(delivery, Some(status));
    Ok(())
}

/// Looks at the environment, if it is there.
fn look(world: &World, story: &mut Story) -> Result<(), RehearsalError> {
    let stack = Names::of(&world.project).environment(world.environment).app_stack();
    story.was_deployed |= world.stacks.names()?.contains(&stack);
    story.answers = environment::visit(world, &stack)?;
    Ok(())
}

/// Waits until no execution runs, nor is about to.
fn quiet(world: &World) -> Result<(), RehearsalError> {
    wait(world, |runs| {
        !runs.is_empty() && runs.len() == world.started() && runs.iter().all(|run| !run.is_running())
    })
}

/// Waits until the last execution is in a state.
fn entered(world: &World, state: &str) -> Result<(), RehearsalError> {
    entered_after(world, state, 1)
}

/// Waits until an execution that began after so many others is in a state, or has ended.
fn entered_after(world: &World, state: &str, others: usize) -> Result<(), RehearsalError> {
    wait(world, |runs| {
        let last = runs.get(others - 1..).and_then(<[_]>::last);
        last.is_some_and(|run| !run.is_running() || run.states.iter().any(|entered| entered == state))
    })
}

fn wait(world: &World, mut holds: impl FnMut(&[super::executions::Run]) -> bool) -> Result<(), RehearsalError> {
    let until = world.recorder.elapsed() + PATIENCE;
    loop {
        if world.runs.wait_until(INTERVAL, &mut holds) {
            return Ok(());
        }
        if world.recorder.is_interrupted() {
            return Err(RehearsalError::Interrupted);
        }
        if world.recorder.elapsed() > until {
            // What is not final then is a promise that was broken, and is told as such.
            return Ok(());
        }
    }
}
