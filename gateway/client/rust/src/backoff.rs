//! How long to wait before connecting again. It knows no clock and no randomness of its own.

use std::{ops::RangeInclusive, time::Duration};

/// Doubles from 100 ms to 10 s; the wait is drawn from the upper half, so that many clients do not return at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    asked: Option<Duration>,
}

impl Backoff {
    const FIRST_MS: u64 = 100;
    const LONGEST_MS: u64 = 10_000;
    /// Longer waits are not granted to a gateway that shuts down.
    const LONGEST_ASKED: Duration = Duration::from_secs(60);

    /// A connection proved good: the next wait is short again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The gateway said when to come back. It has spread that at random itself; the next wait is exactly this.
    pub fn ask(&mut self, wait: Duration) {
        self.asked = Some(wait.min(Backoff::LONGEST_ASKED));
    }

    /// The next wait lies in this range of milliseconds.
    pub fn next(&mut self) -> RangeInclusive<u64> {
        if let Some(asked) = self.asked.take() {
            let millis = asked.as_millis() as u64;
            return millis..=millis;
        }
        let longest = (Backoff::FIRST_MS << self.failures.min(16)).min(Backoff::LONGEST_MS);
        self.failures = self.failures.saturating_add(1);
        longest / 2..=longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_ten_seconds_and_begin_anew() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..9).map(|_| *backoff.next().end()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff.next(), 5_000..=10_000);
        backoff.reset();
        assert_eq!(backoff.next(), 50..=100);
    }

    #[test]
    fn does_what_a_gateway_asked_for_once_and_within_bounds() {
        let mut backoff = Backoff::default();
        backoff.ask(Duration::from_millis(1840));
        assert_eq!(backoff.next(), 1840..=1840);
        assert_eq!(backoff.next(), 50..=100);
        backoff.ask(Duration::from_secs(1 << 40));
        assert_eq!(backoff.next(), 60_000..=60_000);
    }
}
