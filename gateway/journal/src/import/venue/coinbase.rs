//! Coinbase's WebSocket feed (Pro, now Exchange): channels `level2` and `matches`.
//!
//! The venue numbers nothing on `level2` and sends no checksum: a message that is missing cannot be seen.

use crate::import::{
    error::Refused,
    json::{list, rfc3339, side, side_of, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, pair, tell_levels},
    naming::Pairs,
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use simd_json::tape::Value;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Separated('-'),
};

pub(in crate::import) struct Coinbase;

impl Venue for Coinbase {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let message = message.value;
        match text(message, "type") {
            Some("l2update") => tell_change(message, pass),
            Some("snapshot") => tell_whole(message, pass),
            Some("match") => {
                let (name, trade) = read_match(message).ok_or("a match that is not whole")?;
                pass.market(name)?;
                pass.trade(&trade)
            }
            Some("last_match") => {
                pass.skip("trade of before the capture", 1);
                Ok(())
            }
            kind => {
                pass.skip(kind.unwrap_or("message without a kind"), 1);
                Ok(())
            }
        }
    }
}

fn tell_whole(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || Some((text(message, "product_id")?, list(message, "bids")?, list(message, "asks")?));
    let (name, bids, asks) = read().ok_or("a book snapshot that is not whole")?;
    pass.market(name)?;
    tell_levels(pass, bids, asks, pair)?;
    let content = Content::Whole { number: 0, depth: None };
    pass.book(&BookMessage { content, time: rfc3339(message, "time"), checksum: None });
    Ok(())
}

/// Each change is `[side, price, size]`.
fn tell_change(message: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || Some((text(message, "product_id")?, list(message, "changes")?, rfc3339(message, "time")?));
    let (name, changes, time) = read().ok_or("a book update that is not whole")?;
    pass.market(name)?;
    for change in changes.iter() {
        let part = |place| change.get_idx(place);
        let read = || Some((side_of(part(0)?)?, Number::of(part(1)?)?, Number::of(part(2)?)?));
        let (side, price, size) = read().ok_or("a change is no side with two numbers")?;
        pass.level(side, price, size)?;
    }
    let content = Content::Change(Link::Unnumbered);
    pass.book(&BookMessage { content, time: Some(time), checksum: None });
    Ok(())
}

/// `side` is that of the order that was in the book.
fn read_match<'a>(message: Value<'_, 'a>) -> Option<(&'a str, Trade<'a>)> {
    let trade = Trade {
        id: Some(whole(message, "trade_id")?),
        time: rfc3339(message, "time")?,
        price: Number::of(message.get("price")?)?,
        qty: Number::of(message.get("size")?)?,
        aggressor: side(message, "side")?.opposite(),
    };
    Some((text(message, "product_id")?, trade))
}
