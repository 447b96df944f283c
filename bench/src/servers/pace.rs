//! When messages are meant to happen: at even distances from a start, whatever becomes of them.

use market::Nanos;
use std::time::Duration;

/// So many messages at once, again and again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    start: Nanos,
    /// So many messages in so much time.
    messages: u64,
    period: Duration,
    burst: u32,
    /// How many bursts there were so far.
    bursts: u64,
}

impl Pace {
    /// From `start` on, so many messages in so much time, `burst` of them at once.
    pub fn new(start: Nanos, (messages, period): (u64, Duration), burst: u32) -> Pace {
        Pace { start, messages, period, burst, bursts: 0 }
    }

    /// How many come at once.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// When the next burst is due.
    pub fn due(&self) -> Nanos {
        let messages = u128::from(self.bursts) * u128::from(self.burst);
        let after = messages * self.period.as_nanos() / u128::from(self.messages);
        self.start + Duration::from_nanos(after as u64)
    }

    /// The next burst has come; returns which it was, from 0.
    pub fn came(&mut self) -> u64 {
        self.bursts += 1;
        self.bursts - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_do_not_drift() {
        let mut pace = Pace::new(Nanos(500), (7, Duration::from_secs(1)), 3);
        for burst in 0..10_000 {
            assert_eq!(pace.due(), Nanos(500 + burst * 3 * 1_000_000_000 / 7));
            assert_eq!(pace.came(), burst);
        }
    }
}
