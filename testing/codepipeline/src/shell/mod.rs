//! Builds that run for real: the buildspec's commands, on this machine, in a clean folder, with the environment that CodeBuild would give
//! them and no other.
//!
//! What differs from CodeBuild: there is no image and no container. Commands find this machine's programs (and those of the [`Toolbox`]
//! before them), its network and its `/tmp`; `HOME` and `TMPDIR` are folders of the build's own. Everything that a build has started dies
//! with it, daemons included: by its process groups, and on Linux by the environment that it inherited.

mod artifacts;
mod environment;
mod log;
mod processes;
mod reports;
mod run;
mod session;

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::SystemTime,
};

use crate::build::{BuildProgress, BuildRequest, BuildResult, BuildStatus, Builder, Ledger, PhaseKind, RunningBuild};
use crate::engine::lock;

/// What a build finds besides what its declaration gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// Folders that come first on `PATH`.
    pub path: Vec<PathBuf>,
    /// Environment variables with the lowest precedence, such as `AWS_ENDPOINT_URL`. `HOME` and `PATH` may be among them: without,
    /// `HOME` is an empty folder, so that tools which keep something there (`RUSTUP_HOME`, `CARGO_HOME`) need to be told.
    pub variables: Vec<(String, String)>,
}

/// Says what each build finds. Commands themselves are never changed.
pub trait Toolbox: Send + Sync {
    /// The tools of this build.
    fn tools(&self, request: &BuildRequest) -> Tools;
}

impl Toolbox for Tools {
    fn tools(&self, _: &BuildRequest) -> Tools {
        self.clone()
    }
}

impl<F: Fn(&BuildRequest) -> Tools + Send + Sync> Toolbox for F {
    fn tools(&self, request: &BuildRequest) -> Tools {
        self(request)
    }
}

/// Runs builds on this machine.
pub struct ShellBuilder {
    root: PathBuf,
    toolbox: Box<dyn Toolbox>,
    keep: bool,
}

impl fmt::Debug for ShellBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShellBuilder")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl ShellBuilder {
    /// Builds get folders of their own under `root`, and their logs stay in its folder `logs`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            toolbox: Box::new(Tools::default()),
            keep: false,
        }
    }

    /// Gives builds tools besides those of this machine. Leaving it out gives them none.
    #[must_use]
    pub fn toolbox(mut self, toolbox: impl Toolbox + 'static) -> Self {
        self.toolbox = Box::new(toolbox);
        self
    }

    /// Keeps the folders of builds that have ended, for people to look into. Leaving it out removes them.
    #[must_use]
    pub const fn keep_folders(mut self) -> Self {
        self.keep = true;
        self
    }

    fn prepare(&self, request: BuildRequest, stop: &Arc<AtomicBool>) -> io::Result<run::Run> {
        let logs = self.root.join("logs");
        fs::create_dir_all(&logs)?;
        let prefix = format!("{}-{}-", request.project.name, request.number);
        let mut folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(&self.root)?;
        folder.disable_cleanup(self.keep);
        // Programs compare paths with what the system says of them.
        let at = folder.path().canonicalize()?;
        for name in ["src", "home", "tmp", "control"] {
            fs::create_dir(at.join(name))?;
        }
        let log = logs.join(format!("{}.log", request.id.replace(':', "-")));
        let tools = self.toolbox.tools(&request);
        Ok(run::Run {
            environment: environment::of(&request, &tools, &at, SystemTime::now()),
            log: log::Log::create(log, Arc::clone(&request.log))?,
            request,
            folder,
            at,
            stop: Arc::clone(stop),
            ledger: Ledger::default(),
            shared: Arc::default(),
        })
    }
}

impl Builder for ShellBuilder {
    fn start(&self, request: BuildRequest) -> Box<dyn RunningBuild> {
        let stop = Arc::new(AtomicBool::new(false));
        let begun = self.prepare(request, &stop).and_then(|run| {
            let shared = Arc::clone(&run.shared);
            let thread = thread::Builder::new().name("build".to_owned()).spawn(|| run.go())?;
            Ok((shared, thread))
        });
        let (shared, thread) = match begun {
            Ok((shared, thread)) => (shared, Some(thread)),
            Err(fault) => (Arc::new(Mutex::new(not_begun(&self.root, &fault))), None),
        };
        Box::new(Running { shared, stop, thread })
    }
}

/// A build that the machine had no place for.
fn not_begun(root: &Path, fault: &io::Error) -> BuildProgress {
    let now = SystemTime::now();
    let mut ledger = Ledger::default();
    ledger.pass(&[PhaseKind::Submitted, PhaseKind::Queued], now);
    ledger.enter(PhaseKind::Provisioning, now);
    let words = format!("cannot make a folder for the build in {}: {fault}", root.display());
    ledger.leave(
        BuildStatus::Fault,
        vec![("INTERNAL_SERVICE_ERROR".to_owned(), words)],
        now,
    );
    BuildProgress {
        phases: ledger.phases,
        result: Some(BuildResult {
            status: BuildStatus::Fault,
            artifacts: BTreeMap::new(),
            exported: Vec::new(),
            reports: Vec::new(),
            log: None,
        }),
    }
}

struct Running {
    shared: Arc<Mutex<BuildProgress>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RunningBuild for Running {
    fn poll(&mut self, _: SystemTime) -> BuildProgress {
        lock(&self.shared).clone()
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A build's thread that panicked has said so already.
            drop(thread.join());
        }
    }
}
