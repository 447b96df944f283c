//! Books, trades and the top of the book.

use super::{
    schema::{self, bbo, book, trade},
    words::{boolean, message_type, side, snapshot_reason},
};
use crate::{
    dialect::mantissa::exponent,
    message::{BboMessage, BookKind, BookMessage, SnapshotReason, Stamps, TradeKind, TradeMessage},
};
use market::Seq;

/// What a message says of its kind.
struct Kind {
    word: u8,
    first_seq: Option<Seq>,
    reason: u8,
    conflated: u8,
    merged: u64,
}

impl Kind {
    fn snapshot(reason: SnapshotReason) -> Kind {
        let (word, reason) = (message_type::SNAPSHOT, snapshot_reason(Some(reason)));
        Kind { word, first_seq: None, reason, conflated: boolean(false), merged: 0 }
    }

    fn update(first_seq: Seq, merged: Option<u64>) -> Kind {
        Kind {
            word: message_type::UPDATE,
            first_seq: Some(first_seq),
            reason: snapshot_reason(None),
            conflated: boolean(merged.is_some()),
            merged: merged.unwrap_or_default(),
        }
    }
}

impl From<BookKind> for Kind {
    fn from(kind: BookKind) -> Kind {
        match kind {
            BookKind::Snapshot(reason) => Kind::snapshot(reason),
            BookKind::Update { first_seq, merged } => Kind::update(first_seq, merged),
        }
    }
}

impl From<TradeKind> for Kind {
    fn from(kind: TradeKind) -> Kind {
        match kind {
            TradeKind::Snapshot(reason) => Kind::snapshot(reason),
            TradeKind::Update { first_seq } => Kind::update(first_seq, None),
        }
    }
}

impl From<Option<Stamps>> for schema::Stamps {
    fn from(stamps: Option<Stamps>) -> schema::Stamps {
        schema::Stamps {
            engine: stamps.map(|stamps| stamps.engine.0),
            ingest: stamps.map(|stamps| stamps.ingest.0),
            encode: stamps.map(|stamps| stamps.encode.0),
            engine_first: stamps.and_then(|stamps| stamps.engine_first).map(|first| first.0),
        }
    }
}

/// Appends a book message.
pub fn push_book(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    let BookMessage { instrument, ids, kind, levels, checksum, mark, stamps } = *message;
    let kind = Kind::from(kind);
    let block = book::Block {
        symbol: &instrument.symbol,
        epoch: ids.epoch.0,
        first_seq: kind.first_seq,
        seq: mark.seq,
        venue_seq: mark.venue_seq,
        timestamp: mark.timestamp.0,
        merged: kind.merged,
        ts: stamps.into(),
        checksum,
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
        kind: kind.word,
        reason: kind.reason,
        conflated: kind.conflated,
    };
    let bids = levels.bids.iter().map(|level| book::Bids { price: level.price.0, qty: level.qty.0 });
    let asks = levels.asks.iter().map(|level| book::Asks { price: level.price.0, qty: level.qty.0 });
    book::push(out, &block, bids, asks);
}

/// Appends a message of the best bid and offer.
pub fn push_bbo(out: &mut Vec<u8>, message: &BboMessage<'_>) {
    let BboMessage { instrument, ids, kind, bid, ask, mark, stamps } = *message;
    let kind = Kind::from(kind);
    let block = bbo::Block {
        symbol: &instrument.symbol,
        epoch: ids.epoch.0,
        first_seq: kind.first_seq,
        seq: mark.seq,
        timestamp: mark.timestamp.0,
        merged: kind.merged,
        ts: stamps.into(),
        bid: bid.map(|level| level.price.0),
        bid_qty: bid.map(|level| level.qty.0),
        ask: ask.map(|level| level.price.0),
        ask_qty: ask.map(|level| level.qty.0),
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
        kind: kind.word,
        reason: kind.reason,
        conflated: kind.conflated,
    };
    bbo::push(out, &block);
}

/// Appends a message of trades.
pub fn push_trade(out: &mut Vec<u8>, message: &TradeMessage<'_>) {
    let TradeMessage { instrument, ids, kind, seq, trades, stamps } = *message;
    let kind = Kind::from(kind);
    let block = trade::Block {
        symbol: &instrument.symbol,
        epoch: ids.epoch.0,
        first_seq: kind.first_seq,
        seq,
        ts: stamps.into(),
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
        kind: kind.word,
        reason: kind.reason,
    };
    let trades = trades.iter().map(|trade| trade::Trades {
        price: trade.price.0,
        qty: trade.qty.0,
        trade_id: trade.trade_id,
        timestamp: trade.timestamp.0,
        seq: trade.seq,
        side: side(trade.side),
    });
    trade::push(out, &block, trades);
}
