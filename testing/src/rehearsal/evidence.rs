//! What there is to be seen of a rehearsal: on GitHub, in the artifacts bucket, in logs, and counted. It changes neither.

use std::{collections::BTreeMap, fs, path::PathBuf};

use stacks::names::Names;

use super::{
    Plan, RehearsalError, builds, retained,
    summary::{Execution, Promise, Status, Summary},
    world::World,
};

impl World {
    /// The last status of each commit and context.
    pub(super) fn last_statuses(&self) -> Vec<Status> {
        let mut last: Vec<Status> = Vec::new();
        for status in self.repository().all_statuses() {
            last.retain(|other| other.sha != status.sha || other.context != status.context);
            last.push(Status {
                sha: status.sha,
                context: status.context,
                state: status.state,
                description: status.description,
            });
        }
        last
    }

    /// The keys in the artifacts bucket under a prefix, those of old versions included.
    pub(super) fn objects(&self, prefix: &str) -> Result<Vec<String>, RehearsalError> {
        let artifacts = Names::of(&self.project).shared("artifacts");
        let Some(outputs) = self.stacks.outputs(&artifacts)? else {
            return Ok(Vec::new());
        };
        let bucket = outputs.get("ArtifactsBucket").cloned().unwrap_or_default();
        let found = retained::versions(&self.cloud.client("rehearsal"), &bucket, prefix)?;
        Ok(found.into_iter().map(|(key, _)| key).collect())
    }

    /// The secrets' values, by what they are.
    pub(super) fn secrets(&self) -> Vec<(&'static str, String)> {
        vec![
            ("GitHub's token", self.github.token()),
            ("the webhook's secret", self.webhook_secret.clone()),
        ]
    }

    /// What was logged, by whom.
    pub(super) fn logs(&self) -> Vec<(String, String)> {
        let builds = fs::read_dir(builds::logs(self.folder.path()));
        let builds = builds.into_iter().flatten().flatten().map(|entry| entry.path());
        // What cannot be read was not written.
        let read = |path: PathBuf| {
            let log = fs::read(&path).unwrap_or_default();
            (path.display().to_string(), String::from_utf8_lossy(&log).into_owned())
        };
        builds.chain([self.cloud.log().to_owned()]).map(read).collect()
    }

    /// What AWS or GitHub would have refused.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut all = self.cloud.take_violations();
        all.extend(self.github.violations());
        all
    }

    /// Counts what happened.
    pub(super) fn summary(&mut self, plan: &Plan, promises: Vec<Promise>) -> Summary {
        // It looks once more.
        drop(self.watch.take());
        let runs = self.runs.all().into_iter().map(|run| Execution {
            name: run.name,
            status: run.status.to_owned(),
            error: run.error,
            states: run.states,
            failed: run.failed,
            transitions: run.transitions,
            seconds: (run.took.as_secs_f64() * 10.0).round() / 10.0,
        });
        let mut calls = BTreeMap::new();
        // What the rehearsal itself asks is no call of the system's.
        let own = ["rehearsal", "deployer", "user"];
        for call in self
            .cloud
            .all_calls()
            .iter()
            .filter(|call| !own.contains(&call.caller.as_str()))
        {
            *calls.entry(call.service.clone()).or_insert(0) += 1;
        }
        let comments = self.repository().comments(plan.pull_request);
        Summary {
            repository: self.project.repository.clone(),
            pull_request: plan.pull_request,
            seconds: (self.recorder.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            executions: runs.collect(),
            invocations: self.invocations.all(),
            calls,
            github_calls: self.github.requests().len() as u64,
            statuses: self.last_statuses(),
            comment: comments.into_iter().next().map(|comment| comment.body),
            promises,
        }
    }
}
