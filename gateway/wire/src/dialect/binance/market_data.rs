//! Events: what changed in a book, its best levels, trades.

use super::{
    number::{push_price, push_qty},
    rest::is_buyer_maker,
    stream::Stream,
    symbol::push_symbol,
};
use crate::{
    dialect::json::{push, push_number},
    message::{BboMessage, BookKind, BookMessage, Trade},
};
use book::Ladder;
use market::{Instrument, Level, Nanos, Price, Qty};

/// What stands for the price and the quantity of an empty side.
pub(super) const NOTHING: Level = Level { price: Price(0), qty: Qty(0) };

/// Appends an event of a stream of the book. What is in the message are changes for [`Stream::Depth`], and all levels in view
/// for [`Stream::Partial`].
pub fn push_event_of_book(out: &mut Vec<u8>, stream: Stream, message: &BookMessage<'_>) {
    let last = message.ids.of(message.mark.seq);
    if let Stream::Partial(..) = stream {
        push_view(out, message.instrument, last, message.levels);
    } else {
        push_head(out, "depthUpdate", message.mark.timestamp, message.instrument);
        push_number(out, ",\"U\":", first_id(message));
        push_number(out, ",\"u\":", last);
        push_levels(out, ",\"b\":[", &message.levels.bids, message.instrument);
        push_levels(out, ",\"a\":[", &message.levels.asks, message.instrument);
        out.push(b'}');
    }
}

/// The first id of an event of [`Stream::Depth`].
pub fn first_id(message: &BookMessage<'_>) -> u64 {
    message.ids.of(match message.kind {
        BookKind::Update { first_seq, .. } => first_seq,
        // The book begins: it is a change from an empty one.
        BookKind::Snapshot(_) => 1,
    })
}

/// Appends levels of a book as of an id.
pub(super) fn push_view(out: &mut Vec<u8>, instrument: &Instrument, last_update_id: u64, levels: &Ladder) {
    push_number(out, "{\"lastUpdateId\":", last_update_id);
    push_levels(out, ",\"bids\":[", &levels.bids, instrument);
    push_levels(out, ",\"asks\":[", &levels.asks, instrument);
    out.push(b'}');
}

/// Appends an event of [`Stream::Depth`] that nothing changes by, and before which one id is left out: the chain is broken,
/// as a client that checks `U` sees. The last event that it was sent ended with the id `sent`.
pub fn push_break(out: &mut Vec<u8>, instrument: &Instrument, time: Nanos, sent: u64) {
    push_head(out, "depthUpdate", time, instrument);
    push_number(out, ",\"U\":", sent + 2);
    push_number(out, ",\"u\":", sent + 2);
    push(out, ",\"b\":[],\"a\":[]}");
}

/// Appends an event of [`Stream::BookTicker`].
pub fn push_event_of_top(out: &mut Vec<u8>, message: &BboMessage<'_>) {
    push_number(out, "{\"u\":", message.ids.of(message.mark.seq));
    push(out, ",\"s\":\"");
    push_symbol(out, message.instrument);
    push_best(out, ["\",\"b\":\"", "\",\"B\":\""], message.bid, message.instrument);
    push_best(out, ["\",\"a\":\"", "\",\"A\":\""], message.ask, message.instrument);
    push(out, "\"}");
}

pub(super) fn push_best(
    out: &mut Vec<u8>,
    prefixes: [&str; 2],
    best: Option<Level>,
    instrument: &Instrument,
) {
    let best = best.unwrap_or(NOTHING);
    push(out, prefixes[0]);
    push_price(out, best.price, instrument);
    push(out, prefixes[1]);
    push_qty(out, best.qty, instrument);
}

/// Appends an event of [`Stream::Trade`] or [`Stream::AggTrade`].
pub fn push_event_of_trade(out: &mut Vec<u8>, stream: Stream, trade: &Trade, instrument: &Instrument) {
    let is_aggregate = stream == Stream::AggTrade;
    let (event, id) = if is_aggregate { ("aggTrade", ",\"a\":") } else { ("trade", ",\"t\":") };
    push_head(out, event, trade.timestamp, instrument);
    push_number(out, id, trade.trade_id);
    push(out, ",\"p\":\"");
    push_price(out, trade.price, instrument);
    push(out, "\",\"q\":\"");
    push_qty(out, trade.qty, instrument);
    if is_aggregate {
        push_number(out, "\",\"f\":", trade.trade_id);
        push_number(out, ",\"l\":", trade.trade_id);
        push_number(out, ",\"T\":", millis(trade.timestamp));
    } else {
        push_number(out, "\",\"T\":", millis(trade.timestamp));
    }
    push(out, ",\"m\":");
    push(out, is_buyer_maker(trade));
    push(out, ",\"M\":true}");
}

pub(super) fn push_head(out: &mut Vec<u8>, event: &str, time: Nanos, instrument: &Instrument) {
    push(out, "{\"e\":\"");
    push(out, event);
    push_number(out, "\",\"E\":", millis(time));
    push(out, ",\"s\":\"");
    push_symbol(out, instrument);
    out.push(b'"');
}

fn push_levels(out: &mut Vec<u8>, prefix: &str, levels: &[Level], instrument: &Instrument) {
    push(out, prefix);
    let mut opening = "[\"";
    for level in levels {
        push(out, opening);
        push_price(out, level.price, instrument);
        push(out, "\",\"");
        push_qty(out, level.qty, instrument);
        push(out, "\"]");
        opening = ",[\"";
    }
    out.push(b']');
}

pub(super) fn millis(time: Nanos) -> u64 {
    time.0 / 1_000_000
}
