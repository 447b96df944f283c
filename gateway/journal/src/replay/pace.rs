//! The clock of a replay: maps feed time to the real time at which it is due. Reads no clock itself.

use feed::PauseHandle;
use market::{Nanos, Speed};
use std::time::Duration;

/// Where a replay stands in its recording's time.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    hold: PauseHandle,
    /// The real time and the feed time from which it runs; no real time while it is held or before it began.
    real: Option<Nanos>,
    feed: Nanos,
    /// The feed time reached at the last poll.
    reached: Nanos,
}

impl Pace {
    /// A clock that begins at the feed time `begin`, at the first poll at which it is not held.
    pub fn new(speed: Speed, hold: PauseHandle, begin: Nanos) -> Pace {
        Pace { speed, hold, real: None, feed: begin, reached: begin }
    }

    /// Moves to `now`. Whether it runs.
    pub fn advance(&mut self, now: Nanos) -> bool {
        if self.hold.is_paused() {
            self.rest();
            return false;
        }
        let real = *self.real.get_or_insert(now);
        self.reached = match self.speed.factor() {
            Some(factor) => Nanos(self.feed.0.saturating_add((nanos_between(real, now) * factor) as u64)),
            None => Nanos::MAX,
        };
        true
    }

    /// Stops where it stands, until the next time it is to move.
    pub fn rest(&mut self) {
        self.real = None;
        self.feed = self.reached;
    }

    /// Goes on at another speed from where it stands; `last` is the feed time of the last event, which is where it stands at full
    /// speed.
    pub fn set_speed(&mut self, speed: Speed, last: Nanos) {
        if self.speed == Speed::MAX {
            self.reached = last;
        }
        self.speed = speed;
        (self.real, self.feed) = (None, self.reached);
    }

    /// Goes on from another feed time.
    pub fn jump(&mut self, feed_time: Nanos) {
        (self.real, self.feed, self.reached) = (None, feed_time, feed_time);
    }

    /// Feed time jumps ahead by so much.
    pub fn skip(&mut self, time: Duration) {
        self.feed = self.feed + time;
        self.reached = self.reached + time;
    }

    /// The feed time reached at the last poll.
    pub fn reached(&self) -> Nanos {
        self.reached
    }

    /// The real time at which `feed_time` is due; `None` while that is open. At full speed everything is due at once.
    pub fn due(&self, feed_time: Nanos) -> Option<Nanos> {
        let wait = self.speed.factor().map_or(0.0, |factor| nanos_between(self.feed, feed_time) / factor);
        self.real.map(|real| Nanos(real.0.saturating_add(wait as u64)))
    }
}

/// Exact up to 104 days.
fn nanos_between(from: Nanos, to: Nanos) -> f64 {
    to.0.saturating_sub(from.0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_takes_no_feed_time() {
        let hold = PauseHandle::default();
        let mut pace = Pace::new(Speed::times(10.0).unwrap(), hold.clone(), Nanos(1_000));
        assert!(pace.advance(Nanos(5)));
        assert!(pace.advance(Nanos(25)));
        assert_eq!(pace.reached(), Nanos(1_200));
        assert_eq!(pace.due(Nanos(1_300)), Some(Nanos(35)));
        hold.pause();
        assert!(!pace.advance(Nanos(500)));
        assert_eq!((pace.reached(), pace.due(Nanos(1_300))), (Nanos(1_200), None));
        hold.resume();
        assert!(pace.advance(Nanos(900)));
        assert_eq!((pace.reached(), pace.due(Nanos(1_300))), (Nanos(1_200), Some(Nanos(910))));
    }
}
