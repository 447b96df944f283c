//! Binary messages, read by a decoder that knows their schema's file and nothing else.

mod as_json;
mod binance;
mod decoder;
mod layout;
mod native;

use market::{Instrument, Price, Qty, Status};

fn bitcoin() -> Instrument {
    Instrument {
        symbol: "BTC/USDT".into(),
        venue_symbol: "BTCUSDT".into(),
        price_decimals: 2,
        qty_decimals: 5,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    }
}

/// What `write` appends.
fn bytes(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
