//! JSON, piece by piece, into a buffer. What is written raw comes from an alphabet that needs no escaping: numbers,
//! names of ours, symbols of the table.

use crate::message::ReqId;
use market::{Epoch, Instrument, Level, Nanos, Price, Qty, push_digits, push_fixed, push_unsigned_fixed};

/// Appends `text` as it is.
pub(super) fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends `prefix` as it is and then the digits of `value`.
pub(super) fn push_number(out: &mut Vec<u8>, prefix: &str, value: u64) {
    push(out, prefix);
    push_digits(out, value);
}

/// Appends `prefix` as it is and then `text` in quotes, escaped.
pub(super) fn push_text(out: &mut Vec<u8>, prefix: &str, text: &str) {
    push(out, prefix);
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        push_escape(out, byte);
        plain = at + 1;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// The escapes that RFC 8259 section 7 demands.
fn push_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => push(out, "\\\""),
        b'\\' => push(out, "\\\\"),
        b'\n' => push(out, "\\n"),
        b'\r' => push(out, "\\r"),
        b'\t' => push(out, "\\t"),
        _ => {
            push(out, "\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0xF)]);
        }
    }
}

/// Appends `prefix` as it is and then a client's mark, as the client wrote it; nothing if there is none.
pub(super) fn push_id(out: &mut Vec<u8>, prefix: &str, id: Option<&ReqId>) {
    match id {
        Some(ReqId::Integer(number)) => {
            push(out, prefix);
            push(out, itoa::Buffer::new().format(*number));
        }
        Some(ReqId::Text(text)) => push_text(out, prefix, text),
        None => {}
    }
}

/// Appends `prefix` as it is and then the moment in quotes.
pub(super) fn push_time(out: &mut Vec<u8>, prefix: &str, time: Nanos) {
    push(out, prefix);
    out.push(b'"');
    time.push_rfc3339(out);
    out.push(b'"');
}

/// Appends `prefix` as it is and then the epoch in quotes.
pub(super) fn push_epoch(out: &mut Vec<u8>, prefix: &str, epoch: Epoch) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    push(out, prefix);
    let mut text = *b"\"0000000000000000\"";
    for (digit, byte) in text[1..17].as_chunks_mut::<2>().0.iter_mut().zip(epoch.0.to_be_bytes()) {
        *digit = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xF)]];
    }
    out.extend_from_slice(&text);
}

/// Appends `prefix` as it is and then the price in the instrument's decimals.
pub(super) fn push_price(out: &mut Vec<u8>, prefix: &str, price: Price, instrument: &Instrument) {
    push(out, prefix);
    push_fixed(out, price.0, instrument.price_decimals);
}

/// Appends `prefix` as it is and then the quantity in the instrument's decimals.
pub(super) fn push_qty(out: &mut Vec<u8>, prefix: &str, qty: Qty, instrument: &Instrument) {
    push(out, prefix);
    push_unsigned_fixed(out, qty.0, instrument.qty_decimals);
}

/// Appends `prefix` as it is and then levels as objects of `price` and `qty`, with commas between them.
pub(super) fn push_levels(out: &mut Vec<u8>, prefix: &str, levels: &[Level], instrument: &Instrument) {
    push(out, prefix);
    let mut opening = "{\"price\":";
    for level in levels {
        push_price(out, opening, level.price, instrument);
        push_qty(out, ",\"qty\":", level.qty, instrument);
        out.push(b'}');
        opening = ",{\"price\":";
    }
}
