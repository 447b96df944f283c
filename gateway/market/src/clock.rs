//! The only place that reads a clock. Everything else takes time as a parameter, so that it can be simulated.

use crate::Nanos;
use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

struct Anchor {
    clock: quanta::Clock,
    raw: u64,
    wall: Nanos,
}

fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    #[allow(clippy::disallowed_methods)]
    ANCHOR.get_or_init(|| {
        let clock = quanta::Clock::new();
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Anchor { raw: clock.raw(), wall: Nanos::ZERO + since_1970, clock }
    })
}

/// The present moment. Anchored to the system's clock at the first call and carried on by the processor's counter,
/// so it never goes back within a process; about 10 ns a call.
pub fn now() -> Nanos {
    let anchor = anchor();
    #[allow(clippy::disallowed_methods)]
    let raw = anchor.clock.raw();
    Nanos(anchor.wall.0 + anchor.clock.delta_as_nanos(anchor.raw, raw))
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
