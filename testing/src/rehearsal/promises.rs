//! What the system promises, checked at the end of a rehearsal.

use serde_json::{Value, json};
use stacks::names::Names;

use super::{
    End, Fault, Plan, RehearsalError, event::Happening, journey::Story, retained, summary::Promise, world::World,
};

/// Checks every promise; each is told at once.
pub(super) fn judge(world: &mut World, plan: &Plan, story: &Story) -> Result<Vec<Promise>, RehearsalError> {
    world.recorder.chapter("What was promised");
    let mut promises = vec![
        ("every commit has a final status", final_statuses(world, story)),
        ("at most one comment, with what was torn down", comment(world, plan)),
        ("every execution has ended", executions(world)),
    ];
    if !plan.faults.contains(&Fault::ClosedEarly) {
        promises.push(("the head commit's statuses are green", green(world, story)));
        promises.push((
            "the environment answers who has signed in, and nobody else",
            answers(story),
        ));
    }
    if plan.end == End::Merge {
        promises.push(("stage is deployed", stage(world)?));
    }
    promises.push(("nothing of the pull request is left", leftovers(world, plan)?));
    promises.push(("no secret is in any request, state or log", secrets(world)));
    promises.push(("AWS and GitHub would take every request", world.violations()));
    if !plan.keep {
        promises.push(("the account is empty again", world.demolish()?));
    }
    let judged = promises.into_iter().map(|(promise, faults)| Promise {
        promise: promise.to_owned(),
        faults,
    });
    let judged: Vec<Promise> = judged.collect();
    for promise in &judged {
        world.recorder.record(Happening::Checked {
            promise: promise.promise.clone(),
            faults: promise.faults.clone(),
        });
    }
    Ok(judged)
}

/// The last status of each commit and context must say how it ended, that of an overtaken commit and of a merge as well. A commit that
/// was superseded at once may have none.
fn final_statuses(world: &World, story: &Story) -> Vec<String> {
    let statuses = world.last_statuses();
    let pending = statuses.iter().filter(|status| status.state == "pending");
    let mut faults: Vec<String> = pending
        .map(|status| {
            format!(
                "{} of {} is still pending: {}",
                status.context, status.sha, status.description
            )
        })
        .collect();
    let head = story.pushed.last();
    if !statuses.iter().any(|status| Some(&status.sha) == head) {
        faults.push("the head commit has no status".to_owned());
    }
    faults
}

fn green(world: &World, story: &Story) -> Vec<String> {
    let statuses = world.last_statuses();
    let head = statuses
        .iter()
        .filter(|status| Some(&status.sha) == story.pushed.last());
    let bad = head.filter(|status| status.state != "success");
    bad.map(|status| format!("{} is {}: {}", status.context, status.state, status.description))
        .collect()
}

fn comment(world: &World, plan: &Plan) -> Vec<String> {
    let comments = world.repository().comments(plan.pull_request);
    match comments.as_slice() {
        [comment] if comment.body.contains("Teardown") => Vec::new(),
        [comment] => vec![format!("the comment has no receipt: {}", comment.body)],
        others => vec![format!("there are {} comments", others.len())],
    }
}

fn executions(world: &World) -> Vec<String> {
    let runs = world.runs.all();
    let open = runs.iter().filter(|run| run.is_running());
    open.map(|run| format!("{} still runs in {:?}", run.name, run.states.last()))
        .collect()
}

/// Applications without users are not asked, so there is nothing to be judged.
fn answers(story: &Story) -> Vec<String> {
    let mut faults = Vec::new();
    if !story.was_deployed {
        faults.push("the environment was never there".to_owned());
    }
    for (place, (request, status)) in story.answers.iter().enumerate() {
        let expected = if place == 0 { 401 } else { 200 };
        if *status != expected {
            faults.push(format!("{request} was answered {status}, expected {expected}"));
        }
    }
    faults
}

fn stage(world: &World) -> Result<Vec<String>, RehearsalError> {
    let stack = Names::of(&world.project)
        .environment(stacks::Environment::Stage)
        .app_stack();
    let there = world.stacks.names()?.contains(&stack);
    Ok(if there {
        Vec::new()
    } else {
        vec![format!("there is no stack {stack}")]
    })
}

/// Stacks, tagged resources, sources and deployments of the pull request.
fn leftovers(world: &World, plan: &Plan) -> Result<Vec<String>, RehearsalError> {
    let environment = world.environment.to_string();
    let own = Names::of(&world.project).environment(world.environment);
    let mut left: Vec<String> = world
        .stacks
        .names()?
        .into_iter()
        .filter(|name| *name == own.app_stack() || *name == own.deploy_stack())
        .map(|name| format!("the stack {name}"))
        .collect();
    let asker = world.cloud.client("rehearsal");
    let tagged = retained::tagged(&asker, "pipeline:environment", &environment)?;
    left.extend(tagged.into_iter().map(|arn| format!("{arn} is tagged")));
    let prefix = format!("source/{}/{}/", world.project.repository, plan.pull_request);
    left.extend(
        world
            .objects(&prefix)?
            .into_iter()
            .map(|key| format!("the object {key}")),
    );
    for deployment in world.repository().deployments(&environment) {
        let last = deployment.statuses.last().map(|status| status["state"].clone());
        if last != Some(json!("inactive")) {
            left.push(format!("GitHub's deployment {} is {last:?}", deployment.id));
        }
    }
    Ok(left)
}

/// Looks for the secrets' values in everything that was recorded, except where a secret was set.
fn secrets(world: &World) -> Vec<String> {
    let mut faults = Vec::new();
    let secrets = world.secrets();
    let mut look = |place: &str, text: &str| {
        let found = secrets.iter().find(|(_, value)| text.contains(value.as_str()));
        faults.extend(found.map(|(name, _)| format!("{name} is in {place}")));
    };
    for call in world
        .cloud
        .all_calls()
        .iter()
        .filter(|call| call.operation != "PutSecretValue")
    {
        look(
            &format!("{}:{}", call.service, call.operation),
            &call.parameters.to_string(),
        );
    }
    for request in world.github.requests() {
        look(
            &format!("{} {}", request.method, request.path),
            &format!("{} {}", request.path, request.body),
        );
    }
    for run in world.runs.all() {
        for event in &run.events {
            look(
                &format!("the execution {}", run.name),
                &Value::to_string(&event.to_json()),
            );
        }
    }
    for (name, log) in world.logs() {
        look(&name, &log);
    }
    faults.sort();
    faults.dedup();
    faults
}
