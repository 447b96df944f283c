//! What a client keeps: for each symbol its book, its top, where its trades are; and what it counts.

use super::{cursor::Cursor, fault::FaultKind, number::Decimals};
use book::Ladder;
use market::{Epoch, Level, Nanos, Seq, Side};
use std::collections::BTreeMap;
use wire::message::{Depth, Interval};

/// A book as the client holds it, proven by the checksum of its last message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookState {
    /// The best levels of each side, [`BookState::depth`] at most.
    pub ladder: Ladder,
    /// As subscribed.
    pub depth: Depth,
    /// As subscribed.
    pub interval: Interval,
    /// The numbering that `seq` belongs to.
    pub epoch: Epoch,
    /// The last number of the last message.
    pub seq: Seq,
    /// The venue's own number of the last book change; 0 if it has none.
    pub venue_seq: u64,
    /// When the last message's newest event happened, by the venue's clock.
    pub timestamp: Nanos,
}

/// The top of a book as the bbo channel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BboState {
    /// The best bid; `None` if there are no bids.
    pub bid: Option<Level>,
    /// The best ask; `None` if there are no asks.
    pub ask: Option<Level>,
    /// The last number of the last message.
    pub seq: Seq,
    /// When the last message's newest event happened, by the venue's clock.
    pub timestamp: Nanos,
}

/// How many of what arrived since the tracker was made, over all connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages of every kind, answers too.
    pub messages: u64,
    /// Updates of books and their tops.
    pub updates: u64,
    /// Snapshots by their reason, of every channel.
    pub snapshots: BTreeMap<&'static str, u64>,
    /// Trades, without those that were known already.
    pub trades: u64,
    /// Merged updates.
    pub conflated: u64,
    /// Exchange events in merged updates.
    pub merged: u64,
    /// Gap messages.
    pub gaps: u64,
    /// Updates and trades that were known already, as after a resume with an older token.
    pub dropped: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Trades whose id does not follow the one before, though no gap was named; not every venue's ids are dense.
    pub trade_id_jumps: u64,
    /// Messages that were faulty.
    pub faults: u64,
}

/// One symbol: its channels as far as they were subscribed to.
#[derive(Debug)]
pub(super) struct Symbol {
    pub name: String,
    /// The numbering of the last acknowledgement or snapshot.
    epoch: Option<Epoch>,
    pub decimals: Decimals,
    pub book: BookTrack,
    pub bbo: BboTrack,
    pub trade: TradeTrack,
}

impl Symbol {
    pub fn new(name: &str) -> Symbol {
        Symbol {
            name: name.into(),
            epoch: None,
            decimals: Decimals::default(),
            book: BookTrack::default(),
            bbo: BboTrack::default(),
            trade: TradeTrack::default(),
        }
    }

    /// What belongs to a numbering ends with it: in the next one the instrument may be listed anew, in other decimals.
    pub fn enter(&mut self, epoch: Epoch) {
        if self.epoch.replace(epoch) != Some(epoch) {
            self.decimals = Decimals::default();
            self.trade.last_id = None;
        }
    }

    /// Where both the book and the bbo end at one number, they have one top. The book is proven, so the bbo is wrong.
    pub fn check_top(&mut self) -> Result<(), FaultKind> {
        let (Some(book), Some(bbo)) = (self.book.proven(), self.bbo.proven()) else { return Ok(()) };
        let (seq, top) = (book.seq, (book.ladder.bids.first().copied(), book.ladder.asks.first().copied()));
        if seq == bbo.seq && top != (bbo.bid, bbo.ask) {
            self.bbo.cursor.lose();
            return Err(FaultKind::TopMismatch { seq });
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct BookTrack {
    pub cursor: Cursor,
    pub depth: Depth,
    pub interval: Interval,
    pub state: Option<BookState>,
}

impl BookTrack {
    /// The book, unless what is held was found to be wrong.
    pub fn proven(&self) -> Option<&BookState> {
        self.state.as_ref().filter(|_| self.cursor.held().is_some())
    }
}

#[derive(Debug, Default)]
pub(super) struct BboTrack {
    pub cursor: Cursor,
    pub interval: Interval,
    pub state: Option<BboState>,
}

impl BboTrack {
    pub fn proven(&self) -> Option<&BboState> {
        self.state.as_ref().filter(|_| self.cursor.held().is_some())
    }
}

#[derive(Debug, Default)]
pub(super) struct TradeTrack {
    pub cursor: Cursor,
    /// The id of the last trade, unless trades are missing behind it.
    pub last_id: Option<u64>,
}

/// Whether levels stand best first, each price once.
pub(super) fn is_best_first(side: Side, levels: &[Level]) -> bool {
    levels.windows(2).all(|pair| side.is_better(pair[0].price, pair[1].price))
}
