//! Builds that run no command: the caller decides how each ends, and after how long.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

use super::{BuildProgress, BuildRequest, BuildResult, BuildStatus, Builder, Ledger, PhaseKind, Report, RunningBuild};

/// How a build is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    after: Option<Duration>,
    failure: Option<(BuildStatus, PhaseKind, String, String)>,
    artifacts: BTreeMap<String, Vec<u8>>,
    exported: Vec<(String, String)>,
    reports: Vec<Report>,
    lines: Vec<String>,
}

impl Script {
    /// A build that succeeds at once and hands nothing on.
    #[must_use]
    pub const fn succeeds() -> Self {
        Self {
            after: Some(Duration::ZERO),
            failure: None,
            artifacts: BTreeMap::new(),
            exported: Vec::new(),
            reports: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// A build whose command fails in the phase `BUILD` with this exit code.
    #[must_use]
    pub fn fails(command: &str, exit_code: i32) -> Self {
        let words = format!("Error while executing command: {command}. Reason: exit status {exit_code}");
        Self::succeeds().ending(BuildStatus::Failed, PhaseKind::Build, "COMMAND_EXECUTION_ERROR", &words)
    }

    /// A build that never ends by itself; at its project's timeout it times out.
    #[must_use]
    pub const fn hangs() -> Self {
        let mut script = Self::succeeds();
        script.after = None;
        script
    }

    /// The same, ending otherwise: with this status, in this phase, for this reason.
    #[must_use]
    pub fn ending(mut self, status: BuildStatus, phase: PhaseKind, code: &str, words: &str) -> Self {
        self.failure = Some((status, phase, code.to_owned(), words.to_owned()));
        self
    }

    /// The same, ending only after this time of the engine's clock.
    #[must_use]
    pub const fn after(mut self, time: Duration) -> Self {
        self.after = Some(time);
        self
    }

    /// The same, handing on this archive as the artifact of that name; [`archive`](crate::archive) makes one of files.
    #[must_use]
    pub fn artifact(mut self, name: &str, archive: Vec<u8>) -> Self {
        self.artifacts.insert(name.to_owned(), archive);
        self
    }

    /// The same, exporting a variable.
    #[must_use]
    pub fn export(mut self, name: &str, value: &str) -> Self {
        self.exported.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with a test report.
    #[must_use]
    pub fn report(mut self, report: Report) -> Self {
        self.reports.push(report);
        self
    }

    /// The same, writing a line to its log as it starts.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }
}

/// Asks a function how each build goes.
pub struct ScriptedBuilder<F> {
    decide: F,
}

impl<F> fmt::Debug for ScriptedBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedBuilder").finish_non_exhaustive()
    }
}

impl<F: Fn(&BuildRequest) -> Script + Send + Sync> ScriptedBuilder<F> {
    /// Builds go as the function says when they start.
    pub const fn new(decide: F) -> Self {
        Self { decide }
    }
}

impl<F: Fn(&BuildRequest) -> Script + Send + Sync> Builder for ScriptedBuilder<F> {
    fn start(&self, request: BuildRequest) -> Box<dyn RunningBuild> {
        let script = (self.decide)(&request);
        for line in &script.lines {
            (request.log)(line);
        }
        Box::new(Scripted {
            script,
            timeout: request.timeout,
            started: None,
            stopped: false,
        })
    }
}

struct Scripted {
    script: Script,
    timeout: Duration,
    started: Option<SystemTime>,
    stopped: bool,
}

impl RunningBuild for Scripted {
    fn poll(&mut self, now: SystemTime) -> BuildProgress {
        let started = *self.started.get_or_insert(now);
        let passed = now.duration_since(started).unwrap_or_default();
        let script = &self.script;
        let ends = script.after.filter(|after| *after < self.timeout);
        let failure = match ends {
            _ if self.stopped => Some((BuildStatus::Stopped, PhaseKind::Build, String::new(), String::new())),
            Some(after) if passed >= after => script.failure.clone(),
            None if passed >= self.timeout => {
                let words = "Build has timed out.".to_owned();
                Some((
                    BuildStatus::TimedOut,
                    PhaseKind::Build,
                    "BUILD_TIMED_OUT".to_owned(),
                    words,
                ))
            }
            _ => {
                let mut ledger = before(started, PhaseKind::Build);
                ledger.enter(PhaseKind::Build, started);
                return BuildProgress {
                    phases: ledger.phases,
                    result: None,
                };
            }
        };
        let status = failure.as_ref().map_or(BuildStatus::Succeeded, |(status, ..)| *status);
        let handed_on = status == BuildStatus::Succeeded;
        BuildProgress {
            phases: phases(started, now, failure),
            result: Some(BuildResult {
                status,
                artifacts: if handed_on {
                    script.artifacts.clone()
                } else {
                    BTreeMap::new()
                },
                exported: script.exported.clone(),
                reports: script.reports.clone(),
                log: None,
            }),
        }
    }

    fn stop(&mut self) {
        self.stopped = true;
    }
}

const ORDER: [PhaseKind; 10] = [
    PhaseKind::Submitted,
    PhaseKind::Queued,
    PhaseKind::Provisioning,
    PhaseKind::DownloadSource,
    PhaseKind::Install,
    PhaseKind::PreBuild,
    PhaseKind::Build,
    PhaseKind::PostBuild,
    PhaseKind::UploadArtifacts,
    PhaseKind::Finalizing,
];

fn before(now: SystemTime, kind: PhaseKind) -> Ledger {
    let mut ledger = Ledger::default();
    let passed: Vec<PhaseKind> = ORDER.into_iter().filter(|before| *before < kind).collect();
    ledger.pass(&passed, now);
    ledger
}

fn phases(
    started: SystemTime,
    now: SystemTime,
    failure: Option<(BuildStatus, PhaseKind, String, String)>,
) -> Vec<super::Phase> {
    let last = failure.as_ref().map_or(PhaseKind::Build, |(_, kind, ..)| *kind);
    let mut ledger = before(started, last);
    ledger.enter(last, started);
    match failure {
        Some((status, _, code, words)) => ledger.leave(status, vec![(code, words)], now),
        None => {
            ledger.leave(BuildStatus::Succeeded, Vec::new(), now);
            ledger.pass(&[PhaseKind::PostBuild, PhaseKind::UploadArtifacts], now);
        }
    }
    ledger.pass(&[PhaseKind::Finalizing], now);
    ledger.enter(PhaseKind::Completed, now);
    ledger.phases
}
