//! Looks at the local GitHub and tells what is new there: statuses of commits, states of deployments.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{event::Happening, recorder::Recorder};
use crate::github::Repository;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// A thread that looks until this is dropped; before it ends it looks once more.
#[derive(Debug)]
pub(super) struct Watch {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches a repository's commits, and its deployments to these environments.
    #[must_use]
    pub(super) fn of(repository: Repository, environments: Vec<String>, recorder: Recorder) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut seen = Seen::default();
            loop {
                let last = until.load(Ordering::Relaxed);
                seen.look(&repository, &environments, &recorder);
                if last {
                    return;
                }
                thread::sleep(INTERVAL);
            }
        });
        Self {
            over,
            thread: Some(thread),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // A panic in it was printed already.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// How much was told.
#[derive(Debug, Default)]
struct Seen {
    statuses: usize,
    /// Of each deployment, by its id.
    deployments: BTreeMap<u64, usize>,
}

impl Seen {
    fn look(&mut self, repository: &Repository, environments: &[String], recorder: &Recorder) {
        let statuses = repository.all_statuses();
        for status in statuses.iter().skip(self.statuses) {
            recorder.record(Happening::CommitStatus {
                sha: status.sha.clone(),
                context: status.context.clone(),
                state: status.state.clone(),
                description: status.description.clone(),
            });
        }
        self.statuses = statuses.len();
        for environment in environments {
            for deployment in repository.deployments(environment) {
                let told = self.deployments.entry(deployment.id).or_insert(0);
                for status in deployment.statuses.iter().skip(*told) {
                    let text = |name: &str| status[name].as_str().map(str::to_owned);
                    recorder.record(Happening::Deployment {
                        environment: environment.clone(),
                        state: text("state").unwrap_or_default(),
                        url: text("environment_url").filter(|url| !url.is_empty()),
                    });
                }
                *told = deployment.statuses.len();
            }
        }
    }
}
