//! An event as one line of JSON, numbers in the instrument's decimals.

use market::{Event, Instrument, Kind, ResetReason, Side, push_digits, push_fixed, push_unsigned_fixed};

/// Appends the line of a numbered event.
pub(super) fn push_line(out: &mut Vec<u8>, event: &Event, instrument: &Instrument) {
    out.extend_from_slice(match event.kind {
        Kind::Trade => b"{\"kind\":\"trade\",\"symbol\":\"",
        Kind::Reset => b"{\"kind\":\"reset\",\"symbol\":\"",
        _ => b"{\"kind\":\"level\",\"symbol\":\"",
    });
    out.extend_from_slice(instrument.symbol.as_bytes());
    out.extend_from_slice(b"\",\"seq\":");
    push_digits(out, event.seq);
    match event.kind {
        Kind::Reset => push_reason(out, event.reset_reason()),
        _ => push_quote(out, event, instrument),
    }
    if event.kind == Kind::Trade {
        out.extend_from_slice(b",\"trade_id\":");
        push_digits(out, event.number);
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    event.timestamp.push_rfc3339(out);
    out.extend_from_slice(if event.last { b"\",\"last\":true}\n" } else { b"\",\"last\":false}\n" });
}

fn push_reason(out: &mut Vec<u8>, reason: ResetReason) {
    out.extend_from_slice(b",\"reason\":\"");
    out.extend_from_slice(reason.as_str().as_bytes());
    out.push(b'"');
}

/// The words of a level or a trade: a level stands on a side, a trade has an aggressor.
fn push_quote(out: &mut Vec<u8>, event: &Event, instrument: &Instrument) {
    out.extend_from_slice(match (event.kind, event.side) {
        (Kind::Trade, Side::Bid) => b",\"side\":\"buy\",\"price\":".as_slice(),
        (Kind::Trade, Side::Ask) => b",\"side\":\"sell\",\"price\":",
        (_, Side::Bid) => b",\"side\":\"bid\",\"price\":",
        (_, Side::Ask) => b",\"side\":\"ask\",\"price\":",
    });
    push_fixed(out, event.price.0, instrument.price_decimals);
    out.extend_from_slice(b",\"qty\":");
    push_unsigned_fixed(out, event.qty.0, instrument.qty_decimals);
}
