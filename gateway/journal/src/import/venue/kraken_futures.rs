//! Kraken Futures' WebSocket API v1: feeds `book` and `trade`.
//!
//! Each message changes one level; `seq` counts the messages of a product's book.

use crate::import::{
    error::Refused,
    json::{list, millis, side, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Rules, Snapshots},
};
use market::Side;
use simd_json::tape::Value;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    checksum: None,
    pairs: Pairs::Joined(QUOTES),
};

pub(in crate::import) struct KrakenFutures;

impl Venue for KrakenFutures {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let message = message.value;
        match (text(message, "event"), text(message, "feed")) {
            (None, Some("book")) => tell_change(message, pass).ok_or("a book message that is not whole")?,
            (None, Some("book_snapshot")) => tell_whole(message, pass),
            (None, Some("trade")) => tell_trade(message, pass).ok_or("a trade that is not whole")?,
            (None, Some("trade_snapshot")) => {
                let trades = list(message, "trades").ok_or("trades that are no list")?;
                pass.skip("trade of before the capture", trades.len());
                Ok(())
            }
            (event, feed) => {
                pass.skip(event.or(feed).unwrap_or("message without a kind"), 1);
                Ok(())
            }
        }
    }
}

/// The answer of a pass, if the message is whole.
type Told = Option<Result<(), Refused>>;

fn tell_change(message: Value<'_, '_>, pass: &mut dyn Pass) -> Told {
    let (name, side) = (text(message, "product_id")?, side(message, "side")?);
    let (price, qty) = level(message)?;
    let seq = whole(message, "seq")?;
    let content = Content::Change(Link::Span { first: seq, last: seq });
    let message = BookMessage { content, time: Some(millis(message, "timestamp")?), checksum: None };
    Some(pass.market(name).and_then(|()| pass.level(side, price, qty)).map(|()| pass.book(&message)))
}

fn tell_whole(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let content = Content::Whole { number: whole(message, "seq")?, depth: None };
        let book = BookMessage { content, time: Some(millis(message, "timestamp")?), checksum: None };
        Some((text(message, "product_id")?, list(message, "bids")?, list(message, "asks")?, book))
    };
    let (name, bids, asks, book) = read().ok_or("a book snapshot that is not whole")?;
    pass.market(name)?;
    for (side, levels) in [(Side::Bid, bids), (Side::Ask, asks)] {
        for entry in levels.iter() {
            let (price, qty) = level(entry).ok_or("a level without price or qty")?;
            pass.level(side, price, qty)?;
        }
    }
    pass.book(&book);
    Ok(())
}

fn tell_trade(message: Value<'_, '_>, pass: &mut dyn Pass) -> Told {
    let (price, qty) = level(message)?;
    let trade = Trade {
        id: Some(whole(message, "seq")?),
        time: millis(message, "time")?,
        price,
        qty,
        aggressor: side(message, "side")?,
    };
    let name = text(message, "product_id")?;
    Some(pass.market(name).and_then(|()| pass.trade(&trade)))
}

fn level<'a>(object: Value<'_, 'a>) -> Option<(Number<'a>, Number<'a>)> {
    Some((Number::of(object.get("price")?)?, Number::of(object.get("qty")?)?))
}
