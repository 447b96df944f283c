//! Bitget's WebSocket API v1: channels `books` and `trade`.
//!
//! Each book message carries a checksum of the 25 best levels a side, over the digits that were sent. Trades have no id.

use super::okx::{Subscribed, subscribed, tell_books};
use crate::import::{
    depth_book::Checksum,
    error::Refused,
    json::{side_of, text, time},
    message::{Message, Pass, Trade, Venue},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use simd_json::tape::Value;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::AsWritten,
    snapshots: Snapshots::Pushed,
    holes: Holes::Shown,
    checksum: Some(Checksum::Pairs),
    pairs: Pairs::Joined(QUOTES),
};

#[derive(Default)]
pub(in crate::import) struct Bitget {
    /// Which kind of product the captures are of: one name may stand for a market of each.
    product: Option<String>,
}

impl Venue for Bitget {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Subscribed { channel, name, action, data } = match subscribed(message.value) {
            Ok(subscribed) => subscribed,
            Err(kind) => {
                pass.skip(kind, 1);
                return Ok(());
            }
        };
        if !matches!(channel, "books" | "trade") {
            pass.skip(channel, 1);
            return Ok(());
        }
        self.check_product(message.value)?;
        if channel == "books" {
            return tell_books(name, action, None, data, pass);
        }
        tell_trades(name, action == Some("snapshot"), data, pass)
    }
}

impl Bitget {
    fn check_product(&mut self, message: Value<'_, '_>) -> Result<(), Refused> {
        let product = message.get("arg").and_then(|arg| text(arg, "instType"));
        let product = product.ok_or("a message that does not say of which instType it is")?;
        match &self.product {
            None => self.product = Some(product.to_owned()),
            Some(known) if !known.eq_ignore_ascii_case(product) => {
                return Err(
                    "a market of another instType than those before: import each instType by itself".into()
                );
            }
            Some(_) => {}
        }
        Ok(())
    }
}

/// `[time, price, quantity, side]`, the newest first.
fn tell_trades(
    name: &str,
    is_history: bool,
    data: Value<'_, '_>,
    pass: &mut dyn Pass,
) -> Result<(), Refused> {
    let trades = data.as_array().ok_or("trades that are no list")?;
    if is_history {
        pass.skip("trade of before the capture", trades.len());
        return Ok(());
    }
    pass.market(name)?;
    let trades: Vec<_> = trades.iter().collect();
    trades.into_iter().rev().try_for_each(|trade| {
        let read = || {
            Some(Trade {
                id: None,
                time: time(trade.get_idx(0)?, 1_000_000)?,
                price: Number::of(trade.get_idx(1)?)?,
                qty: Number::of(trade.get_idx(2)?)?,
                aggressor: side_of(trade.get_idx(3)?)?,
            })
        };
        pass.trade(&read().ok_or("a trade that is not whole")?)
    })
}
