//! Kraken Futures' WebSocket API v1: feeds `book` and `trade`.
//!
//! Each message changes one level; `seq` counts the messages of a product's book.

use crate::import::{
    error::Refused,
    json::{list, millis, side, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, tell_levels},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use simd_json::tape::Value;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Shown,
    checksum: None,
    pairs: Pairs::Joined(QUOTES),
};

pub(in crate::import) struct KrakenFutures;

impl Venue for KrakenFutures {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let message = message.value;
        match (text(message, "event"), text(message, "feed")) {
            (None, Some("book")) => tell_change(message, pass),
            (None, Some("book_snapshot")) => tell_whole(message, pass),
            (None, Some("trade")) => tell_trade(message, pass),
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

fn tell_change(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let seq = whole(message, "seq")?;
        let content = Content::Change(Link::Span { first: seq, last: seq });
        Some((text(message, "product_id")?, side(message, "side")?, level(message)?, book(message, content)?))
    };
    let (name, side, (price, qty), book) = read().ok_or("a book message that is not whole")?;
    pass.market(name)?;
    pass.level(side, price, qty)?;
    pass.book(&book);
    Ok(())
}

fn tell_whole(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let content = Content::Whole { number: whole(message, "seq")?, depth: None };
        let name = text(message, "product_id")?;
        Some((name, list(message, "bids")?, list(message, "asks")?, book(message, content)?))
    };
    let (name, bids, asks, book) = read().ok_or("a book snapshot that is not whole")?;
    pass.market(name)?;
    tell_levels(pass, bids, asks, level)?;
    pass.book(&book);
    Ok(())
}

fn tell_trade(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let (price, qty) = level(message)?;
        let (id, aggressor) = (Some(whole(message, "seq")?), side(message, "side")?);
        Some((
            text(message, "product_id")?,
            Trade { id, time: millis(message, "time")?, price, qty, aggressor },
        ))
    };
    let (name, trade) = read().ok_or("a trade that is not whole")?;
    pass.market(name)?;
    pass.trade(&trade)
}

fn book(message: Value<'_, '_>, content: Content) -> Option<BookMessage> {
    Some(BookMessage { content, time: Some(millis(message, "timestamp")?), checksum: None })
}

fn level<'a>(object: Value<'_, 'a>) -> Option<(Number<'a>, Number<'a>)> {
    Some((Number::of(object.get("price")?)?, Number::of(object.get("qty")?)?))
}
