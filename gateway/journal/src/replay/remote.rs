//! Steers a replay from another thread. Knows nothing of what it is asked to do.

use market::{Nanos, Speed};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Steers a replay. All clones steer the same one; it does what is wished at its next poll.
#[derive(Debug, Clone)]
pub struct Remote(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    changed: AtomicBool,
    /// Readers of the ring ask for it in each turn.
    is_unpaced: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    speed: Speed,
    seek: Option<Nanos>,
}

impl Remote {
    /// For a replay at this speed.
    pub fn new(speed: Speed) -> Remote {
        let state = Mutex::new(State { speed, seek: None });
        let is_unpaced = AtomicBool::new(speed == Speed::MAX);
        Remote(Arc::new(Inner { changed: AtomicBool::new(false), is_unpaced, state }))
    }

    /// How fast it is to be.
    pub fn speed(&self) -> Speed {
        self.state().speed
    }

    /// Whether it is to go as fast as it is taken. Takes no lock.
    pub fn is_unpaced(&self) -> bool {
        self.0.is_unpaced.load(Ordering::Acquire)
    }

    /// Has it go on at another speed.
    pub fn set_speed(&self, speed: Speed) {
        self.state().speed = speed;
        self.0.is_unpaced.store(speed == Speed::MAX, Ordering::Release);
        self.0.changed.store(true, Ordering::Release);
    }

    /// Has it go on from another feed time, with the books as they stood then.
    pub fn seek(&self, to: Nanos) {
        self.state().seek = Some(to);
        self.0.changed.store(true, Ordering::Release);
    }

    /// What was wished since the last time: the speed, and where to go on.
    pub(super) fn take(&self) -> Option<(Speed, Option<Nanos>)> {
        if !self.0.changed.swap(false, Ordering::AcqRel) {
            return None;
        }
        let mut state = self.state();
        Some((state.speed, state.seek.take()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Remote {
    /// For a replay in real time.
    fn default() -> Remote {
        Remote::new(Speed::REAL_TIME)
    }
}
