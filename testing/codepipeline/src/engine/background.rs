//! A thread that drives an engine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::Engine;

/// Drives an engine until it is dropped, which waits for the call that is under way.
#[derive(Debug)]
pub struct Background {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(super) fn start(engine: Engine, interval: Duration) -> std::io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ended);
        let drive = move || {
            while !told.load(Ordering::Relaxed) {
                if !engine.tick() {
                    thread::park_timeout(interval);
                }
            }
        };
        let thread = thread::Builder::new().name("codepipeline".to_owned()).spawn(drive)?;
        Ok(Self {
            ended,
            thread: Some(thread),
        })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A driver that panicked has said so already.
            drop(thread.join());
        }
    }
}
