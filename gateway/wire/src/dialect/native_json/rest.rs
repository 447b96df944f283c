//! The objects of the native REST endpoints.

use super::market_data::{push_book_entry, push_trade_list};
use crate::dialect::json::{push, push_levels, push_number, push_text};
use crate::message::{BookMessage, ErrorCode, Trade};
use book::Ladder;
use market::{Instrument, Instruments, Seq};

/// Appends the object of `/v1/book`: what a snapshot's `data[0]` holds.
pub fn push_book_object(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    push_book_entry(out, message);
}

/// Appends the object of `/v1/book/diff`: in absolute quantities, where zero removes.
pub fn push_difference(out: &mut Vec<u8>, instrument: &Instrument, from: Seq, to: Seq, changes: &Ladder) {
    push_text(out, "{\"symbol\":", &instrument.symbol);
    push_number(out, ",\"from_seq\":", from);
    push_number(out, ",\"to_seq\":", to);
    push_levels(out, ",\"bids\":[", &changes.bids, instrument);
    push_levels(out, "],\"asks\":[", &changes.asks, instrument);
    push(out, "]}");
}

/// Appends the object of `/v1/trades`.
pub fn push_trades(out: &mut Vec<u8>, instrument: &Instrument, trades: &[Trade]) {
    push(out, "{\"trades\":[");
    push_trade_list(out, trades, instrument);
    push(out, "]}");
}

/// Appends the object of `/v1/instruments`, in the feed's order.
pub fn push_instruments(out: &mut Vec<u8>, instruments: &Instruments) {
    push(out, "{\"instruments\":[");
    let mut opening = "{\"symbol\":";
    for (_, instrument) in instruments.iter() {
        push_text(out, opening, &instrument.symbol);
        push_text(out, ",\"venue_symbol\":", &instrument.venue_symbol);
        push_number(out, ",\"price_decimals\":", u64::from(instrument.price_decimals));
        push_number(out, ",\"qty_decimals\":", u64::from(instrument.qty_decimals));
        push_text(out, ",\"tick\":", &instrument.tick_text());
        push_text(out, ",\"lot\":", &instrument.lot_text());
        push_text(out, ",\"status\":", instrument.status.as_str());
        out.push(b'}');
        opening = ",{\"symbol\":";
    }
    push(out, "]}");
}

/// Appends the object that every HTTP error carries.
pub fn push_rest_error(out: &mut Vec<u8>, code: ErrorCode, text: &str) {
    push_text(out, "{\"error\":", text);
    push_text(out, ",\"code\":", code.as_str());
    out.push(b'}');
}
