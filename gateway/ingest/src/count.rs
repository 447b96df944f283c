//! What the sequencer counts.

use crate::Fault;

/// What happened to events, apart from [`Fault`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tally {
    /// Numbered events sequenced.
    Events = 0,
    /// Exchange events sequenced; a reset that was cut counts once.
    ExchangeEvents = 1,
    /// Levels dropped because they changed nothing.
    Unchanged = 2,
    /// Exchange events of which nothing was left.
    Vanished = 3,
    /// Events dropped because they had been there before, by the feed's own numbers.
    Repeats = 4,
    /// Events dropped because their symbol waits for a reset.
    Stale = 5,
    /// Holes: how often the book of a symbol became stale.
    Gaps = 6,
    /// Exchange events at whose end the book was crossed.
    Crossed = 7,
}

impl Tally {
    /// All of them.
    pub const ALL: [Tally; 8] = [
        Tally::Events,
        Tally::ExchangeEvents,
        Tally::Unchanged,
        Tally::Vanished,
        Tally::Repeats,
        Tally::Stale,
        Tally::Gaps,
        Tally::Crossed,
    ];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Tally::Events => "events",
            Tally::ExchangeEvents => "exchange_events",
            Tally::Unchanged => "unchanged",
            Tally::Vanished => "vanished",
            Tally::Repeats => "repeats",
            Tally::Stale => "stale",
            Tally::Gaps => "gaps",
            Tally::Crossed => "crossed",
        }
    }
}

/// How often each [`Tally`] and each [`Fault`] happened since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub(crate) tallies: [u64; Tally::ALL.len()],
    pub(crate) faults: [u64; Fault::ALL.len()],
}

impl Counts {
    /// How often this happened.
    pub fn of(&self, tally: Tally) -> u64 {
        self.tallies[tally as usize]
    }

    /// How often the feed did this.
    pub fn faults(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    pub(crate) fn add(&mut self, tally: Tally, count: usize) {
        self.tallies[tally as usize] += count as u64;
    }
}
