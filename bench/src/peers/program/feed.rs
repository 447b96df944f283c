//! The feed of a peer: gives each message to whoever sends it when it is meant to happen. It goes on whatever becomes of it (open
//! loop), and it knows no server.

use crate::{messages::FIRST, servers::FeedOptions};
use market::{Nanos, Seq, clock};
use std::{ops::RangeInclusive, thread};

/// Messages of one topic that are meant to happen at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// Which topic, from 0.
    pub topic: usize,
    /// When.
    pub due: Nanos,
    /// Their numbers, dense in each topic.
    pub seqs: RangeInclusive<Seq>,
}

/// Gives each burst to `publish` when it is due, the first one at once. Whoever takes too long gets the next ones late, with
/// the times at which they were meant to be.
///
/// # Errors
/// The first one of `publish`; it ends with nothing else.
pub fn run(
    options: FeedOptions,
    mut publish: impl FnMut(&Burst) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for burst in bursts(options, clock::now()) {
        thread::sleep(burst.due.since(clock::now()));
        publish(&burst)?;
    }
    unreachable!("there is always another burst")
}

/// All bursts from `start` on, topics in turn.
fn bursts(options: FeedOptions, start: Nanos) -> impl Iterator<Item = Burst> {
    let topics = u64::from(options.topics);
    let mut pace = options.pace(start);
    std::iter::repeat_with(move || {
        let (due, place) = (pace.due(), pace.came());
        let before = FIRST + place / topics * u64::from(pace.burst());
        let seqs = before + 1..=before + u64::from(pace.burst());
        Burst { topic: (place % topics) as usize, due, seqs }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::{Flow, Offer};
    use anyhow::ensure;

    fn options(rate: u64) -> FeedOptions {
        FeedOptions::of(&Offer { flow: Flow::Even { burst: 2 }, rate, topics: 2 }).unwrap()
    }

    #[test]
    fn topics_take_turns_and_number_densely() {
        let burst = |topic, due, seqs: RangeInclusive<u64>| Burst {
            topic,
            due: Nanos(due),
            seqs: FIRST + seqs.start()..=FIRST + seqs.end(),
        };
        assert_eq!(
            bursts(options(1_000), Nanos(0)).take(4).collect::<Vec<_>>(),
            [
                burst(0, 0, 1..=2),
                burst(1, 2_000_000, 1..=2),
                burst(0, 4_000_000, 3..=4),
                burst(1, 6_000_000, 3..=4),
            ]
        );
    }

    #[test]
    fn nothing_comes_before_it_is_due() {
        let mut left = 5;
        let ended = run(options(2_000), |burst| {
            assert!(clock::now() >= burst.due);
            left -= 1;
            ensure!(left > 0, "enough");
            Ok(())
        });
        assert_eq!((left, ended.unwrap_err().to_string()), (0, "enough".into()));
    }
}
