//! The exchange's clock against real time: how far the simulation has to be at a given moment, and in which moment
//! something was meant to happen.

use crate::Pace;
use feed::PauseHandle;
use market::Nanos;

#[derive(Debug)]
pub(crate) struct Clock {
    pace: Pace,
    hold: PauseHandle,
    /// The exchange time at which the simulation starts, once that is known.
    start: Option<Nanos>,
    running: Option<Running>,
}

/// Exchange time goes on with real time from here: nanoseconds since the start, and the real time that it was then.
#[derive(Debug, Clone, Copy)]
struct Running {
    elapsed: u64,
    real: Nanos,
    now: Nanos,
}

impl Clock {
    pub fn new(start: Option<Nanos>) -> Clock {
        Clock { pace: Pace::RealTime, hold: PauseHandle::default(), start, running: None }
    }

    pub fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    pub fn hold(&self) -> PauseHandle {
        self.hold.clone()
    }

    /// How many nanoseconds since the start have passed at `now`; `None` while held. What has been `reached` is where the
    /// clock stands while held, and where it goes on.
    pub fn advance(&mut self, now: Nanos, reached: u64) -> Option<u64> {
        if self.hold.is_paused() {
            self.running = None;
            return None;
        }
        self.start.get_or_insert(now);
        let running = self.running.get_or_insert(Running { elapsed: reached, real: now, now });
        running.now = running.now.max(now);
        match self.pace {
            Pace::RealTime => Some(running.elapsed + (running.now.0 - running.real.0)),
            Pace::Max => Some(u64::MAX),
        }
    }

    /// The exchange time so long after the start; zero before the first poll.
    pub fn timestamp(&self, elapsed: u64) -> Nanos {
        self.start.map_or(Nanos::ZERO, |start| Nanos(start.0 + elapsed))
    }

    /// The real time at which something so long after the start was meant to happen: without a pace, now. `None` while
    /// held, and before the first poll.
    pub fn due(&self, elapsed: u64) -> Option<Nanos> {
        let running = self.running?;
        match self.pace {
            Pace::RealTime => Some(Nanos(running.real.0 + elapsed.saturating_sub(running.elapsed))),
            Pace::Max => Some(running.now),
        }
    }
}
