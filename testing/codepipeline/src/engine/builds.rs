//! Builds as CodeBuild's API shows them: `BatchGetBuilds`, `BatchGetReports`, `ListBuildsForProject`, and `StopBuild`.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::state::State;
use super::{ApiError, lock, page, seconds};
use crate::action::Stored;
use crate::build::{BuildProgress, BuildStatus, Ledger, Phase, PhaseKind, Report};
use crate::project::Project;

/// What is known of a build.
#[derive(Debug, Clone)]
pub struct BuildRecord {
    /// Its id.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The how many-th of its project.
    pub number: u64,
    /// Its project.
    pub project: Arc<Project>,
    /// How it stands.
    pub status: BuildStatus,
    /// Its phases so far.
    pub phases: Vec<Phase>,
    /// The variables that it exported.
    pub exported: Vec<(String, String)>,
    /// Its test reports.
    pub reports: Vec<Report>,
    /// The file with its log.
    pub log: Option<PathBuf>,
    /// Where people see it.
    pub url: String,
    pub(crate) stop_asked: bool,
    /// Orders builds by when CodeBuild took them.
    submitted: u64,
    /// Whether it has left the queue.
    admitted: bool,
    initiator: String,
    source: Option<String>,
    revision: Option<String>,
    start: SystemTime,
    end: Option<SystemTime>,
}

impl BuildRecord {
    pub(super) fn new(
        (id, arn, number, submitted): (&str, &str, u64, u64),
        project: &Arc<Project>,
        initiator: &str,
        source: Option<&Stored>,
        region: &str,
        now: SystemTime,
    ) -> Self {
        let mut ledger = Ledger::default();
        ledger.enter(PhaseKind::Submitted, now);
        let escaped = id.replace(':', "%3A");
        Self {
            id: id.to_owned(),
            arn: arn.to_owned(),
            number,
            project: Arc::clone(project),
            status: BuildStatus::InProgress,
            phases: ledger.phases,
            exported: Vec::new(),
            reports: Vec::new(),
            log: None,
            url: format!("https://console.aws.amazon.com/codebuild/home?region={region}#/builds/{escaped}/view/new"),
            stop_asked: false,
            submitted,
            admitted: false,
            initiator: initiator.to_owned(),
            source: source.map(|source| format!("arn:aws:s3:::{}/{}", source.bucket, source.key)),
            revision: source.and_then(|source| source.revision.clone()),
            start: now,
            end: None,
        }
    }

    pub(crate) fn show(&mut self, progress: &BuildProgress, now: SystemTime) {
        self.phases.clone_from(&progress.phases);
        if let Some(result) = &progress.result {
            self.status = result.status;
            self.exported.clone_from(&result.exported);
            self.reports.clone_from(&result.reports);
            self.log.clone_from(&result.log);
            self.end = Some(now);
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it is in the queue.
    pub(super) const fn waits(&self) -> bool {
        !self.admitted && self.end.is_none()
    }

    pub(super) const fn submitted(&self) -> u64 {
        self.submitted
    }

    pub(super) const fn admit(&mut self) {
        self.admitted = true;
    }

    /// How the build stands while it is in the queue: at work, stopped, or there for too long. None once it has left it.
    pub(crate) fn queued(&mut self, now: SystemTime) -> Option<BuildStatus> {
        if self.admitted {
            return None;
        }
        let waited = now.duration_since(self.start).unwrap_or_default();
        let longest = Duration::from_secs(60 * u64::from(self.project.queued_timeout_minutes));
        let status = match waited {
            _ if self.stop_asked => BuildStatus::Stopped,
            waited if waited >= longest => BuildStatus::TimedOut,
            _ => BuildStatus::InProgress,
        };
        let mut ledger = Ledger::default();
        ledger.pass(&[PhaseKind::Submitted], self.start);
        ledger.enter(PhaseKind::Queued, self.start);
        if status != BuildStatus::InProgress {
            ledger.leave(status, Vec::new(), now);
            ledger.enter(PhaseKind::Completed, now);
            self.status = status;
            self.end = Some(now);
        }
        self.phases = ledger.phases;
        Some(status)
    }

    /// The build could not even start.
    pub(crate) fn fault(&mut self, now: SystemTime, message: &str) {
        let mut ledger = Ledger::default();
        ledger.pass(&[PhaseKind::Submitted, PhaseKind::Queued, PhaseKind::Provisioning], now);
        ledger.enter(PhaseKind::DownloadSource, now);
        let context = ("CLIENT_ERROR".to_owned(), message.to_owned());
        ledger.leave(BuildStatus::Failed, vec![context], now);
        ledger.enter(PhaseKind::Completed, now);
        self.phases = ledger.phases;
        self.status = BuildStatus::Failed;
        self.end = Some(now);
    }

    fn shown(&self) -> Value {
        let project = &self.project;
        let current = self.phases.last().map_or(PhaseKind::Submitted, |phase| phase.kind);
        let variables = project.variables.iter();
        let variables = variables.map(|(name, value)| json!({ "name": name, "value": value, "type": "PLAINTEXT" }));
        let exported = self.exported.iter();
        let exported = exported.map(|(name, value)| json!({ "name": name, "value": value }));
        let mut shown = json!({
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": seconds(self.start),
            "currentPhase": current.word(),
            "buildStatus": self.status.word(),
            "projectName": project.name,
            "phases": self.phases.iter().map(phase).collect::<Vec<_>>(),
            "source": { "type": "CODEPIPELINE", "buildspec": project.buildspec_text },
            "artifacts": { "location": "" },
            "cache": { "type": "NO_CACHE" },
            "environment": {
                "type": project.environment_type,
                "image": project.image,
                "computeType": project.compute_type,
                "environmentVariables": variables.collect::<Vec<_>>(),
            },
            "serviceRole": project.role,
            "logs": { "deepLink": self.url },
            "timeoutInMinutes": project.timeout_minutes,
            "queuedTimeoutInMinutes": project.queued_timeout_minutes,
            "buildComplete": self.end.is_some(),
            "initiator": self.initiator,
            "exportedEnvironmentVariables": exported.collect::<Vec<_>>(),
            "reportArns": self.reports.iter().map(|report| self.report_arn(report)).collect::<Vec<_>>(),
        });
        let optional = [
            ("endTime", self.end.map(seconds)),
            ("sourceVersion", self.source.as_ref().map(|source| json!(source))),
            (
                "resolvedSourceVersion",
                self.revision.as_ref().map(|revision| json!(revision)),
            ),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                shown[name] = value;
            }
        }
        if let Some(group) = &project.log_group {
            shown["logs"]["groupName"] = json!(group);
            shown["logs"]["streamName"] = json!(self.id.split(':').nth(1));
        }
        shown
    }

    fn report_group(&self, report: &Report) -> String {
        if report.name.starts_with("arn:") {
            return report.name.clone();
        }
        let (place, _) = self.arn.split_once(":build/").unwrap_or_default();
        format!("{place}:report-group/{}-{}", self.project.name, report.name)
    }

    fn report_arn(&self, report: &Report) -> String {
        let group = self.report_group(report).replace(":report-group/", ":report/");
        let id = self.id.split(':').nth(1).unwrap_or_default();
        format!("{group}:{id}")
    }

    fn report(&self, report: &Report) -> Value {
        let good = report.failed + report.errors == 0;
        let counts = [
            ("SUCCEEDED", report.succeeded),
            ("FAILED", report.failed),
            ("ERROR", report.errors),
            ("SKIPPED", report.skipped),
        ];
        let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), json!(count)));
        json!({
            "arn": self.report_arn(report),
            "type": "TEST",
            "name": self.id.split(':').nth(1),
            "reportGroupArn": self.report_group(report),
            "executionId": self.arn,
            "status": if good { "SUCCEEDED" } else { "FAILED" },
            "created": seconds(self.end.unwrap_or(self.start)),
            "testSummary": {
                "total": report.total(),
                "statusCounts": Value::Object(counts.collect()),
                "durationInNanoSeconds": u64::try_from(report.duration.as_nanos()).unwrap_or(u64::MAX),
            },
        })
    }
}

fn phase(phase: &Phase) -> Value {
    let contexts = phase.contexts.iter();
    let contexts = contexts.map(|(code, message)| json!({ "statusCode": code, "message": message }));
    let mut shown = json!({ "phaseType": phase.kind.word(), "startTime": seconds(phase.start) });
    // The phase COMPLETED is a moment and has no status.
    if phase.kind != PhaseKind::Completed {
        shown["phaseStatus"] = json!(phase.status.word());
    }
    if let Some(end) = phase.end {
        let duration: Duration = end.duration_since(phase.start).unwrap_or_default();
        shown["endTime"] = seconds(end);
        shown["durationInSeconds"] = json!(duration.as_secs());
        shown["contexts"] = json!(contexts.collect::<Vec<_>>());
    }
    shown
}

impl State {
    pub(super) fn codebuild(&mut self, operation: &str, parameters: &Value) -> Result<Value, ApiError> {
        match operation {
            "BatchGetBuilds" => Ok(self.batch("builds", "ids", parameters, |state, id| {
                state.builds.get(id).map(|record| lock(record).shown())
            })),
            "BatchGetReports" => Ok(self.batch("reports", "reportArns", parameters, Self::report)),
            "ListBuildsForProject" => self.list_builds(parameters),
            "StopBuild" => {
                let id = parameters["id"].as_str().unwrap_or_default();
                let record = self.builds.get(id).ok_or_else(|| {
                    ApiError::new("ResourceNotFoundException", format!("Build cannot be found: {id}"))
                })?;
                let mut record = lock(record);
                record.stop_asked = true;
                Ok(json!({ "build": record.shown() }))
            }
            other => Err(ApiError::new(
                "UnknownOperationException",
                format!("the local CodeBuild has no {other}"),
            )),
        }
    }

    fn batch(&self, name: &str, ids: &str, parameters: &Value, find: impl Fn(&Self, &str) -> Option<Value>) -> Value {
        let ids = parameters[ids]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for id in ids {
            match find(self, id) {
                Some(shown) => found.push(shown),
                None => missing.push(json!(id)),
            }
        }
        // The models want these lists to have an item if they are there.
        let mut answer = json!({});
        for (name, list) in [(name.to_owned(), found), (format!("{name}NotFound"), missing)] {
            if !list.is_empty() {
                answer[name] = Value::Array(list);
            }
        }
        answer
    }

    fn report(&self, arn: &str) -> Option<Value> {
        self.builds.values().find_map(|record| {
            let record = lock(record);
            let report = record.reports.iter().find(|report| record.report_arn(report) == arn)?;
            Some(record.report(report))
        })
    }

    fn list_builds(&self, parameters: &Value) -> Result<Value, ApiError> {
        let name = parameters["projectName"].as_str().unwrap_or_default();
        if !self.projects.contains_key(name) {
            let message = format!("Project cannot be found: {name}");
            return Err(ApiError::new("ResourceNotFoundException", message));
        }
        let mut builds: Vec<(u64, String)> = self
            .builds
            .values()
            .map(|record| lock(record))
            .filter(|record| record.project.name == name)
            .map(|record| (record.number, record.id.clone()))
            .collect();
        builds.sort();
        if parameters["sortOrder"] != "ASCENDING" {
            builds.reverse();
        }
        let ids = builds.into_iter().map(|(_, id)| json!(id)).collect();
        page("ids", ids, parameters, 100)
    }
}
