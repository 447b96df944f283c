//! What a surge did to those who were connected: how much came through, and how soon it was as before.

use crate::load::{SLICES_PER_SECOND, Slice, sum};
use hdrhistogram::Histogram;

/// How long `sim:surge` surges, in slices.
const SURGE: usize = 5 * SLICES_PER_SECOND;
/// So many slices in a row have to be normal.
const STEADY: usize = 3;
/// Up to so many times the p99 from before the surge is normal again.
const NORMAL: u64 = 2;

/// What a surge did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Surge {
    /// Messages a second that were read while it lasted.
    pub updates_per_second: f64,
    /// Events a second that these cover.
    pub events_per_second: f64,
    /// How long after its end p99 was normal again, in milliseconds; all that was measured of it if it never was.
    pub recovered_after_ms: f64,
}

/// Looks for the surge in the slices of a window, in which `calm` events a second are meant to happen without one. `None` if it does
/// not lie in the window as a whole, with calm before it.
pub fn find(slices: &[Slice], calm: f64) -> Option<Surge> {
    let per_slice = calm / SLICES_PER_SECOND as f64;
    let begin = slices.iter().position(|slice| slice.meant as f64 > 2.0 * per_slice)?;
    let end = begin + SURGE;
    if begin == 0 || end >= slices.len() {
        return None;
    }
    let during = &slices[begin..end];
    let normal = NORMAL * p99(&slices[..begin]);
    let after = &slices[end..];
    let is_normal = |slices: &[Slice]| slices.iter().all(|slice| p99(std::slice::from_ref(slice)) <= normal);
    let recovered = after.windows(STEADY.min(after.len())).position(is_normal).unwrap_or(after.len());
    let seconds = SURGE as f64 / SLICES_PER_SECOND as f64;
    Some(Surge {
        updates_per_second: during.iter().map(|slice| slice.latencies.len()).sum::<u64>() as f64 / seconds,
        events_per_second: during.iter().map(|slice| slice.events).sum::<u64>() as f64 / seconds,
        recovered_after_ms: recovered as f64 * 1e3 / SLICES_PER_SECOND as f64,
    })
}

fn p99(slices: &[Slice]) -> u64 {
    let all: Histogram<u64> = sum(slices);
    all.value_at_quantile(0.99)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many slices of such a latency, with so many updates of so many events each.
    fn slices(parts: &[(usize, u64, u64, u64)]) -> Vec<Slice> {
        let slice = |nanos, updates, events| {
            let mut slice = Slice { events: updates * events, meant: updates * events, ..Slice::default() };
            slice.latencies.record_n(nanos, updates).unwrap();
            slice
        };
        parts
            .iter()
            .flat_map(|&(count, nanos, updates, events)| {
                (0..count).map(move |_| slice(nanos, updates, events))
            })
            .collect()
    }

    #[test]
    fn recovery_counts_from_the_end_of_the_surge() {
        let slices =
            slices(&[(20, 1_000, 10, 1), (50, 90_000, 20, 2), (4, 9_000, 10, 1), (30, 1_100, 10, 1)]);
        let surge = find(&slices, 100.0).unwrap();
        assert_eq!((surge.updates_per_second, surge.events_per_second), (200.0, 400.0));
        assert_eq!(surge.recovered_after_ms, 400.0);
    }

    #[test]
    fn who_never_recovers_is_given_all_that_was_measured() {
        let slices = slices(&[(20, 1_000, 10, 1), (50, 90_000, 40, 1), (20, 9_000, 10, 1)]);
        assert_eq!(find(&slices, 100.0).unwrap().recovered_after_ms, 2_000.0);
    }

    #[test]
    fn a_surge_without_calm_before_it_or_an_end_tells_nothing() {
        assert_eq!(find(&slices(&[(60, 1_000, 40, 1)]), 100.0), None);
        assert_eq!(find(&slices(&[(20, 1_000, 10, 1), (30, 1_000, 40, 1)]), 100.0), None);
        assert_eq!(find(&slices(&[(90, 1_000, 10, 1)]), 100.0), None);
    }
}
