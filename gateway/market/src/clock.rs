//! The only place that reads a clock. Everything else takes time as a parameter, so that it can be simulated.

use crate::Nanos;
use std::{
    sync::OnceLock,
    time::{Duration, Instant, SystemTime},
};

/// Between the readings of the two clocks this thread may have to wait for the processor: the quickest of so many counts.
const READINGS: usize = 8;

struct Anchor {
    monotonic: Instant,
    wall: Nanos,
}

#[allow(clippy::disallowed_methods)]
fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| {
        let readings = (0..READINGS).map(|_| {
            let monotonic = Instant::now();
            let since_1970 =
                SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
            (monotonic.elapsed(), Anchor { monotonic, wall: Nanos::ZERO + since_1970 })
        });
        let (_, quickest) = readings.min_by_key(|&(took, _)| took).expect("there is at least one");
        quickest
    })
}

/// The present moment. Anchored to the system's clock at the first call and carried on by its monotonic clock: it never goes
/// back within a process, and goes at the same pace in all processes of a machine, so that a stamp of one can be compared
/// with a stamp of another. About 25 ns a call.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Nanos {
    let anchor = anchor();
    anchor.wall + anchor.monotonic.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_back_and_is_near_the_systems_clock() {
        let mut last = now();
        for _ in 0..10_000 {
            let next = now();
            assert!(next >= last);
            last = next;
        }
        #[allow(clippy::disallowed_methods)]
        let system = Nanos::ZERO + SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(system.since(last) < Duration::from_secs(5) && last.since(system) < Duration::from_secs(5));
    }
}
