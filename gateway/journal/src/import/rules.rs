//! What differs between venues apart from how their messages are read.

use super::{depth_book::Checksum, naming::Pairs, number::Digits};

/// A venue's rules.
pub(super) struct Rules {
    /// Which digits of its numbers count.
    pub digits: Digits,
    /// How whole books come.
    pub snapshots: Snapshots,
    /// Whether a message that is missing shows.
    pub holes: Holes,
    /// What its checksums are of.
    pub checksum: Option<Checksum>,
    /// How its names of pairs are made.
    pub pairs: Pairs,
}

/// Whether a message that is missing shows in what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holes {
    /// By its number, its checksum or its ids.
    Shown,
    /// It does not: what a file's books missed while it was not connected is not known.
    Hidden,
}

/// How whole books come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Snapshots {
    /// On the same channel as the changes and in their order: each begins the book anew.
    Pushed,
    /// From REST, at any time: changes are kept for it, and one is taken only where a book is needed.
    Polled,
}
