//! Books, trades and the top of the book: the messages that are encoded once an exchange event.

use crate::dialect::json::{push, push_epoch, push_levels, push_number, push_price, push_qty, push_time};
use crate::message::{BboMessage, BookKind, BookMessage, Stamps, Trade, TradeKind, TradeMessage};
use book::Mark;
use market::{Epoch, Instrument, Level, Side};

/// Appends a book message.
pub fn push_book(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    match message.kind {
        BookKind::Snapshot(_) => push(out, "{\"channel\":\"book\",\"type\":\"snapshot\",\"data\":["),
        BookKind::Update { .. } => push(out, "{\"channel\":\"book\",\"type\":\"update\",\"data\":["),
    }
    push_book_entry(out, message);
    push(out, "]}");
}

/// Appends the one entry of a book message's `data`.
pub(super) fn push_book_entry(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    let instrument = message.instrument;
    push(out, "{\"symbol\":\"");
    push(out, &instrument.symbol);
    push_levels(out, "\",\"bids\":[", &message.levels.bids, instrument);
    push_levels(out, "],\"asks\":[", &message.levels.asks, instrument);
    push_number(out, "],\"checksum\":", u64::from(message.checksum));
    push_range(out, message.kind, message.ids.epoch, &message.mark);
    push_number(out, ",\"venue_seq\":", message.mark.venue_seq);
    match message.kind {
        BookKind::Snapshot(reason) => push_word(out, ",\"reason\":\"", reason.as_str()),
        BookKind::Update { merged: None, .. } => push(out, ",\"conflated\":false"),
        BookKind::Update { merged: Some(events), .. } => push_merged(out, events),
    }
    push_stamps(out, message.stamps);
    out.push(b'}');
}

/// Appends when it happened and which numbers it covers.
fn push_range(out: &mut Vec<u8>, kind: BookKind, epoch: Epoch, mark: &Mark) {
    push_time(out, ",\"timestamp\":", mark.timestamp);
    push_epoch(out, ",\"epoch\":", epoch);
    match kind {
        BookKind::Snapshot(_) => push_number(out, ",\"seq\":", mark.seq),
        BookKind::Update { first_seq, .. } => {
            push_number(out, ",\"first_seq\":", first_seq);
            push_number(out, ",\"seq\":", mark.seq);
        }
    }
}

/// Appends `prefix`, a word of ours and the closing quote.
fn push_word(out: &mut Vec<u8>, prefix: &str, word: &str) {
    push(out, prefix);
    push(out, word);
    out.push(b'"');
}

fn push_merged(out: &mut Vec<u8>, events: u64) {
    push_number(out, ",\"conflated\":true,\"merged\":", events);
}

fn push_stamps(out: &mut Vec<u8>, stamps: Option<Stamps>) {
    let Some(stamps) = stamps else { return };
    push_number(out, ",\"ts\":{\"engine\":", stamps.engine.0);
    push_number(out, ",\"ingest\":", stamps.ingest.0);
    push_number(out, ",\"encode\":", stamps.encode.0);
    if let Some(first) = stamps.engine_first {
        push_number(out, ",\"engine_first\":", first.0);
    }
    out.push(b'}');
}

/// Appends a message of the best bid and offer.
pub fn push_bbo(out: &mut Vec<u8>, message: &BboMessage<'_>) {
    push(
        out,
        match message.kind {
            BookKind::Snapshot(_) => "{\"channel\":\"bbo\",\"type\":\"snapshot\",\"data\":[{\"symbol\":\"",
            BookKind::Update { .. } => "{\"channel\":\"bbo\",\"type\":\"update\",\"data\":[{\"symbol\":\"",
        },
    );
    push(out, &message.instrument.symbol);
    push_best(out, ["\",\"bid\":", ",\"bid_qty\":"], message.bid, message.instrument);
    push_best(out, [",\"ask\":", ",\"ask_qty\":"], message.ask, message.instrument);
    push_range(out, message.kind, message.ids.epoch, &message.mark);
    match message.kind {
        BookKind::Snapshot(reason) => push_word(out, ",\"reason\":\"", reason.as_str()),
        BookKind::Update { merged: None, .. } => {}
        BookKind::Update { merged: Some(events), .. } => push_merged(out, events),
    }
    push_stamps(out, message.stamps);
    push(out, "}]}");
}

fn push_best(out: &mut Vec<u8>, prefixes: [&str; 2], best: Option<Level>, instrument: &Instrument) {
    match best {
        Some(level) => {
            push_price(out, prefixes[0], level.price, instrument);
            push_qty(out, prefixes[1], level.qty, instrument);
        }
        None => prefixes.into_iter().for_each(|prefix| {
            push(out, prefix);
            push(out, "null");
        }),
    }
}

/// Appends a message of trades.
pub fn push_trade(out: &mut Vec<u8>, message: &TradeMessage<'_>) {
    match message.kind {
        TradeKind::Snapshot(reason) => {
            // It may hold no trade that would name it.
            push(out, "{\"channel\":\"trade\",\"type\":\"snapshot\",\"symbol\":\"");
            push(out, &message.instrument.symbol);
            push_epoch(out, "\",\"epoch\":", message.ids.epoch);
            push_number(out, ",\"seq\":", message.seq);
            push_word(out, ",\"reason\":\"", reason.as_str());
        }
        TradeKind::Update { first_seq } => {
            push_epoch(out, "{\"channel\":\"trade\",\"type\":\"update\",\"epoch\":", message.ids.epoch);
            push_number(out, ",\"first_seq\":", first_seq);
            push_number(out, ",\"seq\":", message.seq);
        }
    }
    push(out, ",\"data\":[");
    push_trade_list(out, message.trades, message.instrument);
    out.push(b']');
    push_stamps(out, message.stamps);
    out.push(b'}');
}

/// Appends trades, with commas between them.
pub(super) fn push_trade_list(out: &mut Vec<u8>, trades: &[Trade], instrument: &Instrument) {
    let mut opening = "{\"symbol\":\"";
    for trade in trades {
        push(out, opening);
        push(out, &instrument.symbol);
        push(
            out,
            match trade.side {
                Side::Bid => "\",\"side\":\"buy\"",
                Side::Ask => "\",\"side\":\"sell\"",
            },
        );
        push_price(out, ",\"price\":", trade.price, instrument);
        push_qty(out, ",\"qty\":", trade.qty, instrument);
        push_number(out, ",\"trade_id\":", trade.trade_id);
        push_time(out, ",\"timestamp\":", trade.timestamp);
        push_number(out, ",\"seq\":", trade.seq);
        out.push(b'}');
        opening = ",{\"symbol\":\"";
    }
}
