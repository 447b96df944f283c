//! Feed time, and when the ring has to be told of it.

use market::Nanos;

/// The buckets of feed time, in nanoseconds since 1970: whenever feed time enters the next one, a
/// [`Kind::Tick`](market::Kind::Tick) is sequenced before anything else, so an event lies in the bucket of the last tick
/// before it. Every interval that is offered is a multiple of it.
pub const TICK: u64 = 10_000_000;

/// The time that the feed has reached. It never goes back, unless a replay is moved.
#[derive(Debug, Default)]
pub(crate) struct FeedTime {
    reached: Nanos,
    bucket_end: Nanos,
}

impl FeedTime {
    pub fn reached(&self) -> Nanos {
        self.reached
    }

    /// Is `time` from here on, be it earlier.
    pub fn jump(&mut self, time: Nanos) {
        *self = FeedTime { reached: time, bucket_end: Nanos(time.floor(TICK).0 + TICK) };
    }

    /// Moves to `time`, or stays if it is earlier. Whether a tick is due.
    pub fn reach(&mut self, time: Nanos) -> bool {
        self.reached = self.reached.max(time);
        if self.reached < self.bucket_end {
            return false;
        }
        self.bucket_end = Nanos(self.reached.floor(TICK).0 + TICK);
        true
    }
}
