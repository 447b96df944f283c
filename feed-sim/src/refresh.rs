//! Books that were asked for: answered between normal events, one after the other, so that many of them do not hold the
//! feed up.

use market::SymbolId;
use std::collections::VecDeque;

/// The distance between two answers: 5,000 books a second.
const SPACING: u64 = 200_000;

#[derive(Debug)]
pub(crate) struct Refreshes {
    queue: VecDeque<SymbolId>,
    /// Which symbols are in the queue: each at most once.
    asked: Vec<bool>,
    /// When the next answer may be given, in nanoseconds since the start.
    due: u64,
}

impl Refreshes {
    pub fn new(symbols: usize) -> Refreshes {
        Refreshes { queue: VecDeque::new(), asked: vec![false; symbols], due: 0 }
    }

    /// Asks for the book of `symbol`. One that does not exist is never answered.
    pub fn ask(&mut self, symbol: SymbolId, now: u64) {
        match self.asked.get_mut(symbol.index()) {
            Some(asked) if !*asked => {
                *asked = true;
                self.due = self.due.max(now);
                self.queue.push_back(symbol);
            }
            _ => {}
        }
    }

    /// When the next answer is due, if one is.
    pub fn due(&self) -> Option<u64> {
        (!self.queue.is_empty()).then_some(self.due)
    }

    /// Whose book is to be answered at `now`.
    pub fn take(&mut self, now: u64) -> Option<SymbolId> {
        let symbol = self.queue.pop_front()?;
        self.asked[symbol.index()] = false;
        self.due = now + SPACING;
        Some(symbol)
    }
}
