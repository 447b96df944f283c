//! Answers over REST: books, trades, prices. What is wrong is told by [`super::push_fault`].

use super::{
    answer::Fault,
    market_data::{millis, push_best, push_view},
    number::{push_price, push_product, push_qty},
    symbol::push_symbol,
};
use crate::{
    dialect::json::{push, push_number},
    message::Trade,
};
use book::Ladder;
use market::{Instrument, Level, Nanos, Price, Side};
use simd_json::prelude::*;

/// Appends the time.
pub fn push_time(out: &mut Vec<u8>, time: Nanos) {
    push_number(out, "{\"serverTime\":", millis(time));
    out.push(b'}');
}

/// Appends a book: these levels, as of an id.
pub fn push_depth(out: &mut Vec<u8>, instrument: &Instrument, last_update_id: u64, levels: &Ladder) {
    push_view(out, instrument, last_update_id, levels);
}

/// Appends a list of what each of `items` appends.
pub fn push_list_of<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut push_item: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        push_item(out, item);
    }
    out.push(b']');
}

/// Appends a trade.
pub fn push_trade(out: &mut Vec<u8>, trade: &Trade, instrument: &Instrument) {
    push_number(out, "{\"id\":", trade.trade_id);
    push(out, ",\"price\":\"");
    push_price(out, trade.price, instrument);
    push(out, "\",\"qty\":\"");
    push_qty(out, trade.qty, instrument);
    push(out, "\",\"quoteQty\":\"");
    push_product(out, trade.price, trade.qty, instrument);
    push_number(out, "\",\"time\":", millis(trade.timestamp));
    push(out, ",\"isBuyerMaker\":");
    push(out, is_buyer_maker(trade));
    push(out, ",\"isBestMatch\":true}");
}

/// Appends a trade as an aggregate of that one.
pub fn push_aggregate(out: &mut Vec<u8>, trade: &Trade, instrument: &Instrument) {
    push_number(out, "{\"a\":", trade.trade_id);
    push(out, ",\"p\":\"");
    push_price(out, trade.price, instrument);
    push(out, "\",\"q\":\"");
    push_qty(out, trade.qty, instrument);
    push_number(out, "\",\"f\":", trade.trade_id);
    push_number(out, ",\"l\":", trade.trade_id);
    push_number(out, ",\"T\":", millis(trade.timestamp));
    push(out, ",\"m\":");
    push(out, is_buyer_maker(trade));
    push(out, ",\"M\":true}");
}

/// Appends the price of the last trade of a symbol.
pub fn push_last_price(out: &mut Vec<u8>, instrument: &Instrument, price: Price) {
    push(out, "{\"symbol\":\"");
    push_symbol(out, instrument);
    push(out, "\",\"price\":\"");
    push_price(out, price, instrument);
    push(out, "\"}");
}

/// Appends the best of each side of a symbol's book.
pub fn push_top(out: &mut Vec<u8>, instrument: &Instrument, [bid, ask]: [Option<Level>; 2]) {
    push(out, "{\"symbol\":\"");
    push_symbol(out, instrument);
    push_best(out, ["\",\"bidPrice\":\"", "\",\"bidQty\":\""], bid, instrument);
    push_best(out, ["\",\"askPrice\":\"", "\",\"askQty\":\""], ask, instrument);
    push(out, "\"}");
}

/// Reads a list of symbols: `["BTCUSDT","ETHUSDT"]`.
///
/// # Errors
/// If it is none.
pub fn parse_symbols(text: &str) -> Result<Vec<String>, Fault> {
    let mut text = text.to_owned().into_bytes();
    let names = simd_json::to_tape(&mut text).ok().and_then(|tape| {
        let names = tape.as_value().as_array()?;
        names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<Vec<String>>>()
    });
    let names = names.filter(|names| !names.is_empty());
    names.ok_or_else(|| Fault::illegal("symbols", r#"["SYMBOL","SYMBOL",...]"#))
}

/// Whether the buyer's order stood in the book when the seller came.
pub(super) fn is_buyer_maker(trade: &Trade) -> &'static str {
    if trade.side == Side::Ask { "true" } else { "false" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_symbols_are_read() {
        assert_eq!(parse_symbols(r#"["BTCUSDT","ETHUSDT"]"#), Ok(vec!["BTCUSDT".into(), "ETHUSDT".into()]));
        for text in ["", "BTCUSDT", "[]", "[1]", r#"{"a":"b"}"#, r#"["BTCUSDT""#] {
            assert_eq!(parse_symbols(text).unwrap_err().code(), -1100, "{text}");
        }
    }
}
