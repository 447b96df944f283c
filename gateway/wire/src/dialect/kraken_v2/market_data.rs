//! Books and trades.

use crate::{
    dialect::json::{push, push_levels, push_number, push_price, push_qty, push_time},
    message::{BookKind, BookMessage, TradeKind, TradeMessage},
};
use market::Side;

/// Appends a message of a book.
pub fn push_book(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    let instrument = message.instrument;
    push(
        out,
        match message.kind {
            BookKind::Snapshot(_) => "{\"channel\":\"book\",\"type\":\"snapshot\",\"data\":[{\"symbol\":\"",
            BookKind::Update { .. } => "{\"channel\":\"book\",\"type\":\"update\",\"data\":[{\"symbol\":\"",
        },
    );
    push(out, &instrument.symbol);
    push_levels(out, "\",\"bids\":[", &message.levels.bids, instrument);
    push_levels(out, "],\"asks\":[", &message.levels.asks, instrument);
    push_number(out, "],\"checksum\":", u64::from(message.checksum));
    push_time(out, ",\"timestamp\":", message.mark.timestamp);
    push(out, "}]}");
}

/// Appends a message of trades.
pub fn push_trades(out: &mut Vec<u8>, message: &TradeMessage<'_>) {
    let instrument = message.instrument;
    push(
        out,
        match message.kind {
            TradeKind::Snapshot(_) => "{\"channel\":\"trade\",\"type\":\"snapshot\",\"data\":[",
            TradeKind::Update { .. } => "{\"channel\":\"trade\",\"type\":\"update\",\"data\":[",
        },
    );
    let mut opening = "{\"symbol\":\"";
    for trade in message.trades {
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
        push_number(out, ",\"ord_type\":\"market\",\"trade_id\":", trade.trade_id);
        push_time(out, ",\"timestamp\":", trade.timestamp);
        out.push(b'}');
        opening = ",{\"symbol\":\"";
    }
    push(out, "]}");
}
