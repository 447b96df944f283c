//! Where a recording is played as fast as it is taken, the ring is left alone as long as `lossless` clients are far behind. Knows nothing
//! of how far that is: the worker does.

use crate::control::Control;
use market::{Nanos, clock};
use session::Worker;
use std::{mem::replace, time::Duration};

/// Events between two looks at how full the logs are.
const CHUNK: u64 = 256;
/// The same where `lossless` clients are waited for: what so many append is little beside what one may be behind.
const SMALL_CHUNK: u64 = 32;

/// Whether this worker waits for clients.
#[derive(Default)]
pub(super) struct Pacing {
    /// It reads no more until then, or until they have caught up.
    until: Option<Nanos>,
    /// When it last looked and had to wait.
    waited_at: Option<Nanos>,
}

impl Pacing {
    /// Looks who is behind.
    pub(super) fn look(&mut self, control: &Control, worker: &mut Worker) {
        let now = clock::now();
        self.until = control.patience().and_then(|patience| worker.waits_until(now, patience));
        let before = replace(&mut self.waited_at, self.until.map(|_| now));
        worker.counters.waited += before.map_or(Duration::ZERO, |before| now.since(before));
    }

    /// The moment at which nobody is waited for any longer, if somebody is now.
    pub(super) fn until(&self) -> Option<Nanos> {
        self.until
    }

    /// How many events may be read until the next look at how full the logs are.
    pub(super) fn chunk(&self, control: &Control) -> u64 {
        if control.patience().is_some() { SMALL_CHUNK } else { CHUNK }
    }

    /// Whether clients are to have their go before more is read.
    pub(super) fn is_full(&self, control: &Control, worker: &Worker) -> bool {
        let waits = control.patience().is_some();
        self.until.is_some() || worker.wants_flush() || (waits && worker.wants_flush_for_lossless())
    }
}
