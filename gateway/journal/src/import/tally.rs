//! The account of an import: what was taken, what was left out and why.

use super::{at::At, error::Place};
use std::fmt;

/// How many reasons are kept apart; further ones are counted together.
const MAX_REASONS: usize = 64;
/// The longest reason that is kept: some are names out of the captures.
const MAX_REASON: usize = 80;
const OTHERS: &str = "message of some other kind";

/// What an import took and left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Whole books that were taken.
    pub snapshots: u64,
    /// Messages of book changes that were applied.
    pub updates: u64,
    /// Trades that were taken.
    pub trades: u64,
    /// Times that the venue's own account (its numbering, its checksum) showed that something is missing.
    pub gaps: u64,
    /// What was left out, by reason, in the order of first appearance.
    pub skipped: Vec<Skipped>,
}

/// Messages that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Why, or the kind of message that is not imported.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first one.
    pub first: Place,
}

impl Tally {
    /// For a person, what was left out: a line for each reason.
    pub(super) fn reasons(&self) -> String {
        let line = |Skipped { reason, count, first }: &Skipped| {
            format!("\nleft out {count} x {reason}, first at {first}")
        };
        self.skipped.iter().map(line).collect()
    }

    pub(super) fn skip(&mut self, reason: &str, at: At<'_>) {
        self.skip_many(reason, 1, || at.place());
    }

    pub(super) fn skip_many(&mut self, reason: &str, count: u64, first: impl FnOnce() -> Place) {
        if let Some(skipped) = self.skipped.iter_mut().find(|skipped| skipped.reason == reason) {
            skipped.count += count;
        } else if reason == OTHERS || (self.skipped.len() < MAX_REASONS && is_plain(reason)) {
            self.skipped.push(Skipped { reason: reason.to_owned(), count, first: first() });
        } else {
            self.skip_many(OTHERS, count, first);
        }
    }
}

/// Whether a person's terminal can show it.
fn is_plain(reason: &str) -> bool {
    reason.len() <= MAX_REASON && !reason.chars().any(char::is_control)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { snapshots, updates, trades, gaps, .. } = self;
        write!(
            f,
            "{snapshots} snapshots, {updates} book updates, {trades} trades, {gaps} gaps{}",
            self.reasons()
        )
    }
}
