//! Small steps from what the worker knows to what goes on the wire.

use crate::trades;
use book::Mark;
use market::{Nanos, ResetReason};
use wire::message::{SnapshotReason, Stamps, Trade};

/// The stamps of a message whose newest event is at `mark`.
pub fn stamps(mark: &Mark, encode: Nanos) -> Stamps {
    Stamps { engine: mark.engine, ingest: mark.ingest, encode, engine_first: None }
}

/// A stored trade as a message tells it.
pub fn wire_trade(trade: &trades::Trade) -> Trade {
    Trade {
        side: trade.side,
        price: trade.price,
        qty: trade.qty,
        trade_id: trade.id,
        timestamp: trade.timestamp,
        seq: trade.seq,
    }
}

/// Why clients get a snapshot when the feed wrote a book anew.
pub fn snapshot_reason(reason: ResetReason) -> SnapshotReason {
    match reason {
        ResetReason::Feed => SnapshotReason::FeedReset,
        ResetReason::Gap | ResetReason::Recording => SnapshotReason::FeedGap,
        ResetReason::Loop => SnapshotReason::Loop,
        ResetReason::Seek => SnapshotReason::Seek,
    }
}
