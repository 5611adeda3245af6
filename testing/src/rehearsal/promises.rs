//! What the system promises, checked at the end of a rehearsal. A check says how much it has looked at: one that found nothing to look at
//! has kept nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stacks::names::Names;

use super::{
    End, Fault, Plan, RehearsalError, event::Happening, journey::Story, retained, summary::Promise, world::World,
};

/// What a check came to.
struct Looked {
    /// How many things it has looked at.
    at: usize,
    /// What is wrong with them.
    faults: Vec<String>,
}

fn looked(at: usize, faults: impl IntoIterator<Item = String>) -> Looked {
    Looked {
        at,
        faults: faults.into_iter().collect(),
    }
}

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
    promises.push(("AWS and GitHub would take every request", violations(world)));
    if !plan.keep {
        promises.push(("the account is empty again", demolished(world)?));
    }
    let judged = promises.into_iter().map(|(promise, looked)| Promise {
        promise: promise.to_owned(),
        looked_at: looked.at,
        faults: looked.faults,
    });
    let judged: Vec<Promise> = judged.collect();
    for promise in &judged {
        world.recorder.record(Happening::Checked {
            promise: promise.promise.clone(),
            looked_at: promise.looked_at,
            faults: promise.faults.clone(),
        });
    }
    Ok(judged)
}

/// The last status of each commit and context must say how it ended, that of an overtaken commit and of a merge as well. A commit that
/// was superseded at once may have none.
fn final_statuses(world: &World, story: &Story) -> Looked {
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
    looked(statuses.len(), faults)
}

fn green(world: &World, story: &Story) -> Looked {
    let statuses = world.last_statuses();
    let head: Vec<_> = statuses
        .iter()
        .filter(|status| Some(&status.sha) == story.pushed.last())
        .collect();
    let bad = head.iter().filter(|status| status.state != "success");
    let faults = bad.map(|status| format!("{} is {}: {}", status.context, status.state, status.description));
    looked(head.len(), faults)
}

fn comment(world: &World, plan: &Plan) -> Looked {
    let comments = world.repository().comments(plan.pull_request);
    let fault = match comments.as_slice() {
        [comment] if comment.body.contains("Teardown") => None,
        [comment] => Some(format!("the comment has no receipt: {}", comment.body)),
        others => Some(format!("there are {} comments", others.len())),
    };
    looked(comments.len(), fault)
}

fn executions(world: &World) -> Looked {
    let runs = world.runs.all();
    let open = runs.iter().filter(|run| run.is_running());
    let faults = open.map(|run| format!("{} still runs in {:?}", run.name, run.states.last()));
    looked(runs.len(), faults)
}

/// Applications without users are not asked, so there is nothing to be looked at.
fn answers(story: &Story) -> Looked {
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
    looked(story.answers.len(), faults)
}

fn stage(world: &World) -> Result<Looked, RehearsalError> {
    let stack = Names::of(&world.project)
        .environment(stacks::Environment::Stage)
        .app_stack();
    let there = world.stacks.names()?.contains(&stack);
    let missing = (!there).then(|| format!("there is no stack {stack}"));
    Ok(looked(1, missing))
}

/// Stacks, tagged resources, sources and deployments of the pull request, of which there were so many.
fn leftovers(world: &World, plan: &Plan) -> Result<Looked, RehearsalError> {
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
    let deployments = world.repository().deployments(&environment);
    let mut there_were = made(world, &[own.app_stack(), own.deploy_stack()], &prefix);
    there_were += deployments.len();
    for deployment in deployments {
        let last = deployment.statuses.last().map(|status| status["state"].clone());
        if last != Some(json!("inactive")) {
            left.push(format!("GitHub's deployment {} is {last:?}", deployment.id));
        }
    }
    Ok(looked(there_were, left))
}

/// How many of these stacks, and objects with this prefix, were made.
fn made(world: &World, stacks: &[String], prefix: &str) -> usize {
    let calls = world.cloud.all_calls();
    let made = calls.iter().filter_map(|call| {
        let name = match call.operation.as_str() {
            "CreateStack" | "CreateChangeSet" => call.parameters["StackName"].as_str()?,
            "PutObject" | "CompleteMultipartUpload" => call.parameters["Key"].as_str()?,
            _ => return None,
        };
        (stacks.iter().any(|stack| stack == name) || name.starts_with(prefix)).then_some(name)
    });
    made.collect::<BTreeSet<_>>().len()
}

/// What AWS or GitHub would have refused of all that they were asked.
fn violations(world: &World) -> Looked {
    let asked = world.cloud.all_calls().len() + world.github.requests().len();
    looked(asked, world.violations())
}

/// Whether nothing is left of the stacks that there are now.
fn demolished(world: &mut World) -> Result<Looked, RehearsalError> {
    let stacks = world.stacks.names()?.len();
    Ok(looked(stacks, world.demolish()?))
}

/// Looks for the secrets' values in everything that was recorded, except where a secret was set.
fn secrets(world: &World) -> Looked {
    let mut faults = Vec::new();
    let secrets = world.secrets();
    let mut read = 0;
    let mut look = |place: &str, text: &str| {
        read += 1;
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
    looked(read, faults)
}
