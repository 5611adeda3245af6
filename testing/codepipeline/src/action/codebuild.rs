//! A build: hands the input artifacts to the builder, and stores what the build hands on.
//!
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html>

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use super::{External, Failure, Finished, Order, Outside, Progress};
use crate::build::{BuildInput, BuildRequest, BuildResult, BuildStatus, Phase, RunningBuild};
use crate::engine::{BuildRecord, lock};
use crate::pipeline;
use crate::project::Project;

/// What identifies the build that an action is to start.
pub(crate) struct BuildOrder {
    pub(crate) project: Arc<Project>,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) number: u64,
    pub(crate) initiator: String,
    pub(crate) execution: String,
    pub(crate) action: String,
    pub(crate) record: Arc<Mutex<BuildRecord>>,
    pub(crate) log: Arc<dyn Fn(&str) + Send + Sync>,
}

pub(crate) struct BuildTask {
    pub(crate) order: Order,
    pub(crate) build: BuildOrder,
    pub(crate) running: Option<Box<dyn RunningBuild>>,
}

impl BuildTask {
    pub(crate) fn poll(&mut self, outside: &Outside, now: SystemTime) -> Progress {
        let result = self.advance(outside, now).transpose();
        let record = lock(&self.build.record);
        Progress {
            external: External {
                id: Some(self.build.id.clone()),
                url: Some(record.url.clone()),
                summary: None,
            },
            result,
        }
    }

    /// Asks the build to end, which a later poll shows.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = &mut self.running {
            running.stop();
        }
    }

    fn advance(&mut self, outside: &Outside, now: SystemTime) -> Result<Option<Finished>, Failure> {
        let queued = lock(&self.build.record).queued(now);
        match queued {
            Some(BuildStatus::InProgress) => return Ok(None),
            Some(ended) => {
                let phases = lock(&self.build.record).phases.clone();
                return Err(Failure::job(terminated(ended, &phases)));
            }
            None => {}
        }
        if self.running.is_none() {
            let request = match self.request(outside) {
                Ok(request) => request,
                Err(failure) => {
                    lock(&self.build.record).fault(now, &failure.message);
                    return Err(failure);
                }
            };
            if let Some(url) = outside.builder.url(&request) {
                lock(&self.build.record).url = url;
            }
            self.running = Some(outside.builder.start(request));
        }
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        if lock(&self.build.record).stop_asked {
            running.stop();
        }
        let progress = running.poll(now);
        lock(&self.build.record).show(&progress, now);
        let Some(result) = progress.result else {
            return Ok(None);
        };
        if result.status != BuildStatus::Succeeded {
            return Err(Failure::job(terminated(result.status, &progress.phases)));
        }
        self.finish(outside, result).map(Some)
    }

    fn request(&self, outside: &Outside) -> Result<BuildRequest, Failure> {
        let (order, build) = (&self.order, &self.build);
        let variables = match order.setting("EnvironmentVariables") {
            Some(text) => pipeline::environment(text)
                .map_err(|fault| Failure::configuration(format!("EnvironmentVariables {fault}")))?,
            None => Vec::new(),
        };
        let primary = order.setting("PrimarySource");
        let mut inputs = Vec::new();
        for stored in &order.inputs {
            // It is CodeBuild that reads it, so it is the project's role that must be allowed to.
            let object = outside.objects.get(
                &build.project.role,
                &stored.bucket,
                &stored.key,
                stored.version.as_deref(),
            )?;
            let input = BuildInput {
                name: stored.name.clone(),
                archive: Arc::new(object.body),
                location: format!("{}/{}", stored.bucket, stored.key),
                revision: stored.revision.clone(),
            };
            if primary == Some(&stored.name) {
                inputs.insert(0, input);
            } else {
                inputs.push(input);
            }
        }
        Ok(BuildRequest {
            id: build.id.clone(),
            arn: build.arn.clone(),
            number: build.number,
            project: Arc::clone(&build.project),
            initiator: build.initiator.clone(),
            region: order.region.clone(),
            execution: build.execution.clone(),
            action: build.action.clone(),
            variables,
            inputs,
            outputs: order.outputs.iter().map(|(name, _)| name.clone()).collect(),
            timeout: Duration::from_secs(60 * u64::from(build.project.timeout_minutes)),
            log: Arc::clone(&build.log),
        })
    }

    fn finish(&self, outside: &Outside, result: BuildResult) -> Result<Finished, Failure> {
        let mut outputs = Vec::new();
        for (name, _) in &self.order.outputs {
            let archive = result.artifacts.get(name).ok_or_else(|| {
                Failure::job(format!(
                    "the build has not made the artifact {name}, which the action hands on"
                ))
            })?;
            outputs.push(self.order.store(outside, &self.build.project.role, name, archive)?);
        }
        Ok(Finished {
            outputs,
            variables: result.exported,
        })
    }
}

/// CodePipeline's words for a build that did not succeed.
fn terminated(status: BuildStatus, phases: &[Phase]) -> String {
    let mut words = format!("Build terminated with state: {}", status.word());
    let bad = |phase: &&Phase| !matches!(phase.status, BuildStatus::Succeeded | BuildStatus::InProgress);
    if let Some(phase) = phases.iter().find(bad) {
        words.push_str(&format!(". Phase: {}", phase.kind.word()));
        let context = phase.contexts.iter().find(|(_, message)| !message.is_empty());
        if let Some((code, message)) = context {
            words.push_str(&format!(", Code: {code}, Message: {message}"));
        }
    }
    words
}
