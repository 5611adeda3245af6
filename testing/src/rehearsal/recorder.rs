//! Keeps what happens, in order, and passes it on at once. Every thread of a rehearsal has a copy.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::event::{Event, Happening};

/// Is told what happens, by whichever thread it happens in.
pub type Show = dyn Fn(&Event) + Send + Sync;

/// A handle; copies are the same recorder.
#[derive(Clone)]
pub struct Recorder {
    began: Instant,
    events: Arc<Mutex<Vec<Event>>>,
    show: Arc<Show>,
    interrupted: Arc<AtomicBool>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Begins now. The flag is set by whoever wants the rehearsal to end early.
    #[must_use]
    pub fn new(show: Arc<Show>, interrupted: Arc<AtomicBool>) -> Self {
        Self {
            began: Instant::now(),
            events: Arc::default(),
            show,
            interrupted,
        }
    }

    /// Something happened.
    pub fn record(&self, happening: Happening) {
        let event = Event::new(self.began.elapsed(), happening);
        // Shown under the lock, so that what is shown is in the order of what is kept.
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        (self.show)(&event);
        events.push(event);
    }

    /// Something may have happened.
    pub fn extend(&self, happening: Option<Happening>) {
        if let Some(happening) = happening {
            self.record(happening);
        }
    }

    /// A part of the rehearsal begins.
    pub fn chapter(&self, title: impl Into<String>) {
        self.record(Happening::Chapter { title: title.into() });
    }

    /// Something was made ready.
    pub fn ready(&self, what: impl Into<String>, url: Option<String>) {
        self.record(Happening::Ready { what: what.into(), url });
    }

    /// All so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long it has been.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether it is to end early.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
