//! Every bound on what one worker keeps and what one client may do, stated once.

use market::Nanos;
use std::time::Duration;

/// Bounds of one worker and of each of its subscribers. Zero switches a rate limit off.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest inbound message, in bytes.
    pub inbound_message: usize,
    /// Requests a second of one connection, after a burst.
    pub requests_per_second: u32,
    /// Requests that may come at once.
    pub request_burst: u32,
    /// `ping` and `verify` requests a second of one connection: a budget of their own.
    pub probes_per_second: u32,
    /// Refused requests in a row after which the connection is closed with 4029.
    pub refusals: u32,
    /// Subscriptions of one connection.
    pub topics_per_connection: usize,
    /// Replays of one connection at a time.
    pub replays_per_connection: usize,
    /// Bytes in one write; a larger message goes alone.
    pub batch_bytes: usize,
    /// How far a `lossless` subscriber may be behind, in bytes over all its topics.
    pub lossless_bytes: usize,
    /// Bytes of frames held for one topic.
    pub log_bytes: usize,
    /// Bytes of frames held for all topics of a worker.
    pub logs_bytes: usize,
    /// Bytes of book history of a worker.
    pub history_bytes: usize,
    /// Bytes of the last trades of a worker, all symbols together.
    pub trades_bytes: usize,
    /// Closed candles of each interval that are held of each symbol: 300 to 1,000. A symbol takes at most 640 bytes for each,
    /// and 57 KiB besides. 0 for a worker that nobody asks for them: it keeps none.
    pub candles: usize,
    /// Bytes of large private messages (snapshots) that may wait in sockets at a time; beyond it they wait their turn.
    pub private_bytes: usize,
    /// Bytes of answers that may wait for one connection before its requests are no longer read.
    pub answer_bytes: usize,
    /// The gateway pings so often, unless the client asked otherwise.
    pub ping: Duration,
    /// A client without a pong for this many pings is closed.
    pub missed_pings: u32,
    /// Heartbeats come so often, unless the client asked otherwise.
    pub heartbeat: Duration,
    /// A connection that is being closed and does not drain is reset after this.
    pub drain: Duration,
    /// Whether clients may have faults done to what they are sent.
    pub allow_chaos: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            inbound_message: 64 << 10,
            requests_per_second: 5,
            request_burst: 50,
            probes_per_second: 100,
            refusals: 10,
            topics_per_connection: 1024,
            replays_per_connection: 16,
            batch_bytes: 64 << 10,
            lossless_bytes: 1 << 20,
            log_bytes: 1 << 20,
            logs_bytes: 256 << 20,
            history_bytes: 256 << 20,
            trades_bytes: 32 << 20,
            candles: 500,
            private_bytes: 64 << 20,
            answer_bytes: 64 << 10,
            ping: Duration::from_secs(20),
            missed_pings: 3,
            heartbeat: Duration::from_secs(1),
            drain: Duration::from_secs(5),
            allow_chaos: false,
        }
    }
}

impl Limits {
    /// How far a `lossless` subscriber may be behind, wherever its bytes are: of one topic no more is held than a log holds.
    pub(crate) fn least_of_lossless(&self) -> usize {
        self.lossless_bytes.min(self.log_bytes)
    }

    /// Whether so many bytes of answers wait for a client that it is not to ask for more.
    pub(crate) fn are_too_many(&self, answers: usize) -> bool {
        answers > self.answer_bytes.max(self.inbound_message)
    }

    /// How long nothing may be heard of a client, or be taken by it, until it counts as gone.
    pub fn silence(&self) -> Duration {
        self.ping * self.missed_pings
    }
}

/// A token bucket: `rate` a second on average, `burst` at once. Holds no clock.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// The moment at which the bucket would be full if nothing more were taken.
    full_at: Nanos,
}

impl Bucket {
    /// A full bucket.
    pub fn full() -> Bucket {
        Bucket { full_at: Nanos::ZERO }
    }

    /// Takes one token.
    ///
    /// # Errors
    /// How long to wait for the next one, if there is none now. A rate of 0 never refuses.
    pub fn take(&mut self, now: Nanos, rate: u32, burst: u32) -> Result<(), Duration> {
        if rate == 0 {
            return Ok(());
        }
        let each = Duration::from_secs(1) / rate;
        let full_at = self.full_at.max(now) + each;
        let debt = full_at.since(now);
        let allowed = each * burst.max(1);
        if debt > allowed {
            return Err(debt - allowed);
        }
        self.full_at = full_at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::full();
        let now = Nanos(1_000_000_000_000);
        for _ in 0..50 {
            assert_eq!(bucket.take(now, 5, 50), Ok(()));
        }
        assert_eq!(bucket.take(now, 5, 50), Err(Duration::from_millis(200)));
        let later = now + Duration::from_millis(200);
        assert_eq!(bucket.take(later, 5, 50), Ok(()));
        assert!(bucket.take(later, 5, 50).is_err());
    }

    #[test]
    fn a_rate_of_zero_never_refuses() {
        let mut bucket = Bucket::full();
        assert!((0..1000).all(|_| bucket.take(Nanos(1), 0, 1).is_ok()));
    }
}
