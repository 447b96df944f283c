//! The native JSON dialect as a client sees it.

mod hostile;
mod messages;
mod requests;
mod values;

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

/// What `write` appends, as text.
fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("what is sent is UTF-8")
}
