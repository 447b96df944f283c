//! OKX's WebSocket API v5: channels `books`, `books-l2-tbt`, `books50-l2-tbt` and `trades`.
//!
//! Each book message carries a checksum of the 25 best levels a side, over the digits that were sent; later versions number
//! them too (`prevSeqId`, `seqId`).

use crate::import::{
    depth_book::Checksum,
    error::Refused,
    json::{list, millis, side, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, pair, tell_levels},
    naming::Pairs,
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use simd_json::{prelude::*, tape::Value};

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::AsWritten,
    snapshots: Snapshots::Pushed,
    holes: Holes::Shown,
    checksum: Some(Checksum::Pairs),
    pairs: Pairs::Separated('-'),
};

pub(in crate::import) struct Okx;

impl Venue for Okx {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Subscribed { channel, name, action, data } = match subscribed(message.value) {
            Ok(subscribed) => subscribed,
            Err(kind) => {
                pass.skip(kind, 1);
                return Ok(());
            }
        };
        let depth = match channel {
            "books" | "books-l2-tbt" => 400,
            "books50-l2-tbt" => 50,
            "trades" => return tell_trades(name, data, pass),
            other => {
                pass.skip(other, 1);
                return Ok(());
            }
        };
        tell_books(name, action, Some(depth), data, pass)
    }
}

/// What OKX and Bitget push: `{"arg":{"channel":..,"instId":..},"action":..,"data":[..]}`.
pub(super) struct Subscribed<'t, 'a> {
    pub channel: &'a str,
    pub name: &'a str,
    pub action: Option<&'a str>,
    pub data: Value<'t, 'a>,
}

/// Takes a message apart; the kind of one that is no push.
pub(super) fn subscribed<'t, 'a>(message: Value<'t, 'a>) -> Result<Subscribed<'t, 'a>, &'a str> {
    if let Some(event) = text(message, "event") {
        return Err(event);
    }
    let pushed = || {
        let arg = message.get("arg")?;
        let (channel, name) = (text(arg, "channel")?, text(arg, "instId")?);
        Some(Subscribed { channel, name, action: text(message, "action"), data: message.get("data")? })
    };
    pushed().ok_or("message without a kind")
}

/// Tells books of a market, which are whole or changes as `action` says.
pub(super) fn tell_books(
    name: &str,
    action: Option<&str>,
    depth: Option<usize>,
    data: Value<'_, '_>,
    pass: &mut dyn Pass,
) -> Result<(), Refused> {
    let books = data.as_array().ok_or("books that are no list")?;
    for book in books.iter() {
        let message = || {
            let number = whole(book, "seqId");
            let content = match (action?, number, whole(book, "prevSeqId")) {
                ("snapshot", number, _) => Content::Whole { number: number.unwrap_or(0), depth },
                ("update", Some(last), Some(previous)) => Content::Change(Link::Follows { previous, last }),
                ("update", _, _) => Content::Change(Link::Unnumbered),
                _ => return None,
            };
            let checksum = book.get("checksum").map(|checksum| checksum.as_i32().ok_or(()));
            let checksum = checksum.transpose().ok()?.map(i32::cast_unsigned);
            let message = BookMessage { content, time: Some(millis(book, "ts")?), checksum };
            Some((list(book, "bids")?, list(book, "asks")?, message))
        };
        let (bids, asks, message) = message().ok_or("a book message that is not whole")?;
        pass.market(name)?;
        tell_levels(pass, bids, asks, pair)?;
        pass.book(&message);
    }
    Ok(())
}

fn tell_trades(name: &str, data: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let trades = data.as_array().ok_or("trades that are no list")?;
    pass.market(name)?;
    trades.iter().try_for_each(|trade| {
        let read = || {
            Some(Trade {
                id: Some(whole(trade, "tradeId")?),
                time: millis(trade, "ts")?,
                price: Number::of(trade.get("px")?)?,
                qty: Number::of(trade.get("sz")?)?,
                aggressor: side(trade, "side")?,
            })
        };
        pass.trade(&read().ok_or("a trade that is not whole")?)
    })
}
