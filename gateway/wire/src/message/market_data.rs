//! Messages of market data: books, trades, the top of the book.

use super::SnapshotReason;
use book::{Ladder, Mark};
use market::{Ids, Instrument, Level, Nanos, Price, Qty, Seq, Side};
use stats::SymbolStats;

/// Whether a message of a book starts it over or continues it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookKind {
    /// All of it: start over from here.
    Snapshot(SnapshotReason),
    /// What changed since the message before, in absolute quantities.
    Update {
        /// The first number that it covers.
        first_seq: Seq,
        /// `Some` if it was merged because the subscriber was slow: the number of exchange events in it.
        merged: Option<u64>,
    },
}

/// A book, or a change of it.
#[derive(Debug, Clone, Copy)]
pub struct BookMessage<'a> {
    /// What is traded; says how numbers are written.
    pub instrument: &'a Instrument,
    /// The numbering that `mark.seq` belongs to.
    pub ids: Ids,
    /// Snapshot or update.
    pub kind: BookKind,
    /// Best first. In an update, the levels that changed; a quantity of zero removes.
    pub levels: &'a Ladder,
    /// Of the book after this message, at the subscribed depth.
    pub checksum: u32,
    /// Where the feed stands after this message.
    pub mark: Mark,
    /// If the subscriber asked for them.
    pub stamps: Option<Stamps>,
}

/// Best bid and offer.
#[derive(Debug, Clone, Copy)]
pub struct BboMessage<'a> {
    /// What is traded; says how numbers are written.
    pub instrument: &'a Instrument,
    /// The numbering that `mark.seq` belongs to.
    pub ids: Ids,
    /// Snapshot or update.
    pub kind: BookKind,
    /// The best bid; `None` if there are no bids.
    pub bid: Option<Level>,
    /// The best ask; `None` if there are no asks.
    pub ask: Option<Level>,
    /// Where the feed stands after this message.
    pub mark: Mark,
    /// If the subscriber asked for them.
    pub stamps: Option<Stamps>,
}

/// Whether a message of trades shows past ones or continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeKind {
    /// The last trades before the stream begins.
    Snapshot(SnapshotReason),
    /// The trades of one exchange event.
    Update {
        /// The first number that it covers.
        first_seq: Seq,
    },
}

/// Trades, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct TradeMessage<'a> {
    /// What is traded; says how numbers are written.
    pub instrument: &'a Instrument,
    /// The numbering that the seqs belong to.
    pub ids: Ids,
    /// Snapshot or update.
    pub kind: TradeKind,
    /// The last number that it covers.
    pub seq: Seq,
    /// The trades, oldest first.
    pub trades: &'a [Trade],
    /// If the subscriber asked for them.
    pub stamps: Option<Stamps>,
}

/// What the trades of a symbol add up to.
#[derive(Clone, Copy)]
pub struct Summary<'a> {
    /// What is traded; says how numbers are written.
    pub instrument: &'a Instrument,
    /// Its trades.
    pub stats: &'a SymbolStats,
    /// When the subscribers were told last; zero if they were not yet.
    pub since: Nanos,
    /// As of when: feed time.
    pub now: Nanos,
    /// The best bid; `None` if there are no bids.
    pub bid: Option<Level>,
    /// The best ask; `None` if there are no asks.
    pub ask: Option<Level>,
}

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// The aggressor's side.
    pub side: Side,
    /// At which price.
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// The venue's id of the trade.
    pub trade_id: u64,
    /// When it happened, by the venue's clock.
    pub timestamp: Nanos,
    /// Its number.
    pub seq: Seq,
}

/// When the newest event of a message passed each stage, in real time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    /// When it was meant to happen at the exchange; in a replay, when it was due.
    pub engine: Nanos,
    /// When ingest took it.
    pub ingest: Nanos,
    /// When the message was encoded.
    pub encode: Nanos,
    /// In a merge, the `engine` of the oldest event.
    pub engine_first: Option<Nanos>,
}
