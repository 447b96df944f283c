//! Deribit's JSON-RPC over WebSocket v2: channels `book.*.raw`, `book.*.100ms` and `trades.*`.
//!
//! Each change names the one before it (`prev_change_id`).

use crate::import::{
    error::Refused,
    json::{list, millis, side, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, tell_levels},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use simd_json::{prelude::*, tape::Value};

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Shown,
    checksum: None,
    pairs: Pairs::Joined(QUOTES),
};

pub(in crate::import) struct Deribit;

impl Venue for Deribit {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let params = message.value.get("params");
        let pushed = params.and_then(|params| Some((text(params, "channel")?, params.get("data")?)));
        let Some((channel, data)) = pushed else {
            let kind = text(message.value, "method");
            pass.skip(kind.unwrap_or("answer to a request"), 1);
            return Ok(());
        };
        let mut parts = channel.splitn(3, '.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("book"), Some(name), Some("raw" | "100ms")) => tell_book(name, data, pass),
            (Some("trades"), Some(_), Some(_)) => tell_trades(data, pass),
            (Some("book"), ..) => {
                pass.skip("book of a fixed depth", 1);
                Ok(())
            }
            (kind, ..) => {
                pass.skip(kind.unwrap_or("message without a kind"), 1);
                Ok(())
            }
        }
    }
}

fn tell_book(name: &str, book: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let last = whole(book, "change_id")?;
        let content = match text(book, "type")? {
            "snapshot" => Content::Whole { number: last, depth: None },
            "change" => Content::Change(Link::Follows { previous: whole(book, "prev_change_id")?, last }),
            _ => return None,
        };
        let message = BookMessage { content, time: Some(millis(book, "timestamp")?), checksum: None };
        Some((list(book, "bids")?, list(book, "asks")?, message))
    };
    let (bids, asks, message) = read().ok_or("a book message that is not whole")?;
    pass.market(name)?;
    tell_levels(pass, bids, asks, level)?;
    pass.book(&message);
    Ok(())
}

/// `[new | change | delete, price, amount]`.
fn level<'a>(entry: Value<'_, 'a>) -> Option<(Number<'a>, Number<'a>)> {
    let amount = match entry.get_idx(0)?.into_string()? {
        "new" | "change" => Number::of(entry.get_idx(2)?)?,
        "delete" => Number::Whole(0),
        _ => return None,
    };
    Some((Number::of(entry.get_idx(1)?)?, amount))
}

/// The id is `trade_seq`, which counts the trades of an instrument; `trade_id` is not a number everywhere.
fn tell_trades(data: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let trades = data.as_array().ok_or("trades that are no list")?;
    trades.iter().try_for_each(|trade| {
        let read = || {
            let taken = Trade {
                id: Some(whole(trade, "trade_seq")?),
                time: millis(trade, "timestamp")?,
                price: Number::of(trade.get("price")?)?,
                qty: Number::of(trade.get("amount")?)?,
                aggressor: side(trade, "direction")?,
            };
            Some((text(trade, "instrument_name")?, taken))
        };
        let (name, trade) = read().ok_or("a trade that is not whole")?;
        pass.market(name)?;
        pass.trade(&trade)
    })
}
