//! The account of an export: what was written, and what the format has no place for.

use std::fmt;

/// What an export wrote and left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Whole books that were written.
    pub snapshots: u64,
    /// Exchange events that changed a book, as far as the format shows it.
    pub updates: u64,
    /// Trades that were written.
    pub trades: u64,
    /// What was left out, by reason, in the order of first appearance.
    pub left_out: Vec<LeftOut>,
}

/// What was left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
}

impl Tally {
    pub(super) fn leave_out(&mut self, reason: &'static str) {
        match self.left_out.iter_mut().find(|left_out| left_out.reason == reason) {
            Some(left_out) => left_out.count += 1,
            None => self.left_out.push(LeftOut { reason, count: 1 }),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { snapshots, updates, trades, left_out } = self;
        write!(f, "{snapshots} snapshots, {updates} book updates, {trades} trades")?;
        left_out.iter().try_for_each(|LeftOut { reason, count }| write!(f, "\nleft out {count} x {reason}"))
    }
}
