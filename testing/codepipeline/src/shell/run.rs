//! One build, from its source to its artifacts, phase by phase.
//!
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html>: a failed `INSTALL` or `PRE_BUILD` ends the
//! build, a failed `BUILD` is followed by `POST_BUILD` and `UPLOAD_ARTIFACTS`, and `on-failure` says otherwise. The documentation leaves
//! open what a build comes to whose failed phase says `CONTINUE`: here a build in which any phase failed has failed.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Instant, SystemTime},
};

use tempfile::TempDir;

use super::artifacts;
use super::environment::{self, Environment};
use super::log::Log;
use super::processes;
use super::reports;
use super::session::{Interrupt, Outcome, Session, Watch};
use crate::archive;
use crate::build::{BuildProgress, BuildRequest, BuildResult, BuildStatus, Ledger, PhaseKind, Report};
use crate::buildspec::{OnFailure, PhaseSpec};
use crate::engine::lock;

pub(super) struct Run {
    pub(super) request: BuildRequest,
    pub(super) environment: Environment,
    pub(super) log: Log,
    /// Removed when the build has ended.
    pub(super) folder: TempDir,
    /// The same folder's true path.
    pub(super) at: PathBuf,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) ledger: Ledger,
    pub(super) shared: Arc<Mutex<BuildProgress>>,
}

/// What a phase's commands came to: a status, and what is to be said of it.
type Verdict = (BuildStatus, Vec<(String, String)>);

/// What is next after a phase.
enum Next {
    Phase,
    Upload,
    Nothing,
}

impl Run {
    pub(super) fn go(mut self) {
        let watch = Watch {
            deadline: Instant::now() + self.request.timeout,
            stop: Arc::clone(&self.stop),
        };
        let control = self.at.join("control");
        let source = environment::source(&self.at, 0);
        let shell = self.request.project.buildspec.shell;
        let environment = std::mem::take(&mut self.environment);
        let mut session = Session::new(shell, control, environment, source.clone());
        let (mut status, upload) = self.phases(&mut session, &watch);
        let exported = self.exported(&session.environment);
        let mut artifacts = BTreeMap::new();
        let mut reports = Vec::new();
        if upload {
            self.enter(PhaseKind::UploadArtifacts);
            let verdict = self.upload(&mut artifacts, &mut reports);
            status = worse(status, verdict.0);
            self.leave(verdict);
        }
        let inherited = format!("CODEBUILD_SRC_DIR={}", source.display());
        processes::end(&session.groups, &inherited);
        session.close();
        self.enter(PhaseKind::Finalizing);
        self.leave((BuildStatus::Succeeded, Vec::new()));
        self.enter(PhaseKind::Completed);
        let result = BuildResult {
            status,
            artifacts: if status == BuildStatus::Succeeded {
                artifacts
            } else {
                BTreeMap::new()
            },
            exported,
            reports,
            log: Some(self.log.path.clone()),
        };
        let Self { folder, shared, .. } = self;
        // Gone before the build shows as ended. What cannot be removed is left to the next cleaning of the folder around it.
        drop(folder);
        lock(&shared).result = Some(result);
    }

    /// Whether the build succeeded so far, and whether anything is to be uploaded.
    fn phases(&mut self, session: &mut Session, watch: &Watch) -> (BuildStatus, bool) {
        let now = SystemTime::now();
        self.ledger
            .pass(&[PhaseKind::Submitted, PhaseKind::Queued, PhaseKind::Provisioning], now);
        self.enter(PhaseKind::DownloadSource);
        let verdict = self.download();
        let unpacked = verdict.0;
        self.leave(verdict);
        if unpacked != BuildStatus::Succeeded {
            return (unpacked, false);
        }
        let mut status = BuildStatus::Succeeded;
        for kind in [
            PhaseKind::Install,
            PhaseKind::PreBuild,
            PhaseKind::Build,
            PhaseKind::PostBuild,
        ] {
            let specs = &self.request.project.buildspec.phases;
            let spec = specs.iter().find(|spec| spec.kind == kind).cloned();
            self.enter(kind);
            let verdict = match &spec {
                Some(spec) => self.phase(spec, session, watch),
                None => (BuildStatus::Succeeded, Vec::new()),
            };
            let own = verdict.0;
            status = worse(status, own);
            self.leave(verdict);
            match next(kind, own, spec.and_then(|spec| spec.on_failure)) {
                Next::Phase => {}
                Next::Upload => break,
                Next::Nothing => return (status, false),
            }
        }
        (status, true)
    }

    fn enter(&mut self, kind: PhaseKind) {
        self.ledger.enter(kind, SystemTime::now());
        self.show();
        if kind != PhaseKind::Completed {
            self.log.say(&format!("Entering phase {}", kind.word()));
        }
    }

    fn leave(&mut self, (status, contexts): Verdict) {
        if let Some(phase) = self.ledger.phases.last() {
            let (code, message) = contexts.first().cloned().unwrap_or_default();
            self.log.say(&format!(
                "Phase complete: {} State: {}",
                phase.kind.word(),
                status.word()
            ));
            self.log
                .say(&format!("Phase context status code: {code} Message: {message}"));
        }
        self.ledger.leave(status, contexts, SystemTime::now());
        self.show();
    }

    fn show(&self) {
        lock(&self.shared).phases.clone_from(&self.ledger.phases);
    }

    fn download(&self) -> Verdict {
        for (place, input) in self.request.inputs.iter().enumerate() {
            let folder = environment::source(&self.at, place);
            let unpacked = std::fs::create_dir_all(&folder)
                .map_err(|fault| fault.to_string())
                .and_then(|()| archive::unpack(&input.archive, &folder).map_err(|fault| fault.to_string()));
            if let Err(fault) = unpacked {
                let words = format!("the source {} cannot be unpacked: {fault}", input.name);
                return (BuildStatus::Failed, vec![("CLIENT_ERROR".to_owned(), words)]);
            }
        }
        (BuildStatus::Succeeded, Vec::new())
    }

    /// Runs the commands up to the first that fails, and then those of `finally` in any case.
    fn phase(&mut self, spec: &PhaseSpec, session: &mut Session, watch: &Watch) -> Verdict {
        let mut verdict = (BuildStatus::Succeeded, Vec::new());
        for commands in [&spec.commands, &spec.finally] {
            for command in commands {
                let (status, context) = self.command(command, session, watch);
                let Some(context) = context else { continue };
                verdict.1.push(context);
                verdict.0 = worse(verdict.0, status);
                if status != BuildStatus::Failed {
                    return verdict;
                }
                break;
            }
        }
        verdict
    }

    fn command(
        &mut self,
        command: &str,
        session: &mut Session,
        watch: &Watch,
    ) -> (BuildStatus, Option<(String, String)>) {
        self.log.say(&format!("Running command {command}"));
        let log = &mut self.log;
        let outcome = session.run(command, watch, &mut |line| log.line(line));
        let context = |code: &str, message: String| Some((code.to_owned(), message));
        match outcome {
            Ok(Outcome::Exit(0)) => (BuildStatus::Succeeded, None),
            Ok(Outcome::Exit(code)) => {
                log.say(&format!(
                    "Command did not exit successfully {command} exit status {code}"
                ));
                let told = session.export("CODEBUILD_BUILD_SUCCEEDING", "0", watch);
                let words = format!("Error while executing command: {command}. Reason: exit status {code}");
                told.map_or_else(
                    |fault| broken(&fault),
                    |()| (BuildStatus::Failed, context("COMMAND_EXECUTION_ERROR", words)),
                )
            }
            Ok(Outcome::Interrupted(Interrupt::TimedOut)) => (
                BuildStatus::TimedOut,
                context("BUILD_TIMED_OUT", "Build has timed out.".to_owned()),
            ),
            Ok(Outcome::Interrupted(Interrupt::Stopped)) => (BuildStatus::Stopped, context("", String::new())),
            Err(fault) => broken(&fault),
        }
    }

    fn exported(&self, environment: &Environment) -> Vec<(String, String)> {
        let names = self.request.project.buildspec.exported.iter();
        let found = names.filter_map(|name| {
            let value = environment.get(std::ffi::OsStr::new(name))?;
            Some((name.clone(), value.to_string_lossy().into_owned()))
        });
        found.collect()
    }

    fn upload(&mut self, packed: &mut BTreeMap<String, Vec<u8>>, reports: &mut Vec<Report>) -> Verdict {
        let source = environment::source(&self.at, 0);
        let spec = &self.request.project.buildspec;
        for report in &spec.reports {
            self.log.say(&format!("Preparing to copy TEST report {}", report.name));
            reports.extend(reports::collect(report, &source, &mut self.log));
        }
        for output in &self.request.outputs {
            let chosen = if self.request.outputs.len() == 1 {
                spec.artifacts.as_ref()
            } else {
                spec.secondary
                    .iter()
                    .find(|(name, _)| name == output)
                    .map(|(_, spec)| spec)
            };
            let archive = match chosen {
                Some(chosen) => artifacts::pack(chosen, &source, &mut self.log),
                None => Err(format!("the buildspec has no artifacts for the output {output}")),
            };
            match archive {
                Ok(archive) => drop(packed.insert(output.clone(), archive)),
                Err(words) => return (BuildStatus::Failed, vec![("CLIENT_ERROR".to_owned(), words)]),
            }
        }
        (BuildStatus::Succeeded, Vec::new())
    }
}

/// The machine failed, not the command.
fn broken(fault: &io::Error) -> (BuildStatus, Option<(String, String)>) {
    let words = format!("the shell cannot be used: {fault}");
    (BuildStatus::Fault, Some(("INTERNAL_SERVICE_ERROR".to_owned(), words)))
}

/// The first status that is no success stays, but for an interruption, which is the last word.
const fn worse(before: BuildStatus, after: BuildStatus) -> BuildStatus {
    match (before, after) {
        (before, BuildStatus::Succeeded) => before,
        (BuildStatus::Failed, BuildStatus::Failed) => before,
        (_, after) => after,
    }
}

/// Which phase follows one that ended so.
const fn next(kind: PhaseKind, status: BuildStatus, on_failure: Option<OnFailure>) -> Next {
    match (status, on_failure, kind) {
        (BuildStatus::Succeeded, ..) | (BuildStatus::Failed, Some(OnFailure::Continue), _) => Next::Phase,
        (BuildStatus::Failed, Some(OnFailure::Abort), _) => Next::Nothing,
        (BuildStatus::Failed, None, PhaseKind::Build) => Next::Phase,
        (BuildStatus::Failed, None, PhaseKind::PostBuild) => Next::Upload,
        _ => Next::Nothing,
    }
}
