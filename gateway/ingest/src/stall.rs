//! Notices that a feed gives neither event nor watermark.

use market::Nanos;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct StallWatch {
    after: Duration,
    /// When the feed last showed life; `None` before the first turn.
    alive: Option<Nanos>,
    stalled: bool,
}

impl StallWatch {
    pub fn new(after: Duration) -> StallWatch {
        StallWatch { after, alive: None, stalled: false }
    }

    /// What the feed did at `now`. Whether it has just come to be stalled.
    pub fn observe(&mut self, now: Nanos, shows_life: bool) -> bool {
        let alive = *self.alive.get_or_insert(now);
        if shows_life {
            self.alive = Some(now);
            self.stalled = false;
            return false;
        }
        let stalled_before = self.stalled;
        self.stalled = now.since(alive) >= self.after;
        self.stalled && !stalled_before
    }

    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// When the feed will be stalled if it gives nothing till then.
    pub fn deadline(&self) -> Option<Nanos> {
        self.alive.filter(|_| !self.stalled).map(|alive| alive + self.after)
    }
}
