//! Kraken's WebSocket API v1: channels `book-*` and `trade`.
//!
//! The venue numbers nothing; it sends a checksum of the ten best levels a side with each update. It does not name the levels
//! that fall out of a subscription's depth.

use crate::import::{
    depth_book::Checksum,
    error::Refused,
    json::seconds,
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, pair},
    naming::Pairs,
    number::Digits,
    rules::{Holes, Rules, Snapshots},
};
use market::{Nanos, Side};
use simd_json::{
    prelude::*,
    tape::{Array, Value},
};

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::AsWritten,
    snapshots: Snapshots::Pushed,
    holes: Holes::Shown,
    checksum: Some(Checksum::Digits),
    pairs: Pairs::Separated('/'),
};

pub(in crate::import) struct Kraken;

impl Venue for Kraken {
    /// `[channel id, content.., channel name, pair]`.
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(parts) = message.value.as_array() else {
            let kind = message.value.get("event").and_then(|event| event.into_string());
            pass.skip(kind.unwrap_or("message without a kind"), 1);
            return Ok(());
        };
        // The longest has two objects between its id and its names.
        let parts: Vec<_> = parts.iter().take(6).collect();
        let [_, content @ .., channel, name] = &parts[..] else {
            return Err("a message of too few parts".into());
        };
        let (Some(channel), Some(name)) = (channel.into_string(), name.into_string()) else {
            return Err("a message that does not end in its channel and pair".into());
        };
        match (channel.strip_prefix("book-"), channel, content) {
            (Some(depth), _, objects) => {
                let depth = depth.parse().ok().filter(|depth| *depth > 0);
                pass.market(name)?;
                read_book(depth.ok_or("a book channel without its depth")?, objects, pass)
            }
            (None, "trade", [trades]) => {
                pass.market(name)?;
                let trades = trades.as_array().ok_or("trades that are no list")?;
                trades
                    .iter()
                    .try_for_each(|trade| pass.trade(&read_trade(trade).ok_or("a trade that is not whole")?))
            }
            _ => {
                pass.skip(channel, 1);
                Ok(())
            }
        }
    }
}

/// A snapshot has `as` and `bs`; an update `a`, `b` or both, in one object or in two, and `c` in the last one.
fn read_book(depth: usize, objects: &[Value<'_, '_>], pass: &mut dyn Pass) -> Result<(), Refused> {
    let is_whole = objects.iter().any(|object| object.contains_key("as"));
    let keys = if is_whole { ["bs", "as"] } else { ["b", "a"] };
    let (mut latest, mut lists) = (None, 0);
    for (side, key) in Side::BOTH.into_iter().zip(keys) {
        for list in objects.iter().filter_map(|object| object.get(key)) {
            let list = list.as_array().ok_or("levels that are no list")?;
            latest = latest.max(tell_side(side, list, pass)?);
            lists += 1;
        }
    }
    if lists < if is_whole { 2 } else { 1 } {
        return Err("a book message without levels".into());
    }
    let checksum = objects.iter().find_map(|object| object.get("c"));
    let checksum = checksum
        .map(|text| {
            let number = text.into_string().and_then(|text| text.parse().ok());
            number.ok_or("a checksum that is no number of 32 bits")
        })
        .transpose()?;
    let content = match is_whole {
        true => Content::Whole { number: 0, depth: Some(depth) },
        false => Content::Change(Link::Unnumbered),
    };
    pass.book(&BookMessage { content, time: latest, checksum });
    Ok(())
}

/// Tells the levels of a side; the latest of their times.
fn tell_side(side: Side, levels: Array<'_, '_>, pass: &mut dyn Pass) -> Result<Option<Nanos>, Refused> {
    let mut latest = None;
    for level in levels.iter() {
        let (price, qty) = pair(level).ok_or("a level without a price and a quantity")?;
        let time = level.get_idx(2).and_then(|time| time.into_string()).and_then(seconds);
        latest = latest.max(Some(time.ok_or("a level without its time")?));
        pass.level(side, price, qty)?;
    }
    Ok(latest)
}

/// `[price, volume, time, side of the aggressor, ..]`.
fn read_trade<'a>(trade: Value<'_, 'a>) -> Option<Trade<'a>> {
    let (price, qty) = pair(trade)?;
    let aggressor = match trade.get_idx(3)?.into_string()? {
        "b" => Side::Bid,
        "s" => Side::Ask,
        _ => return None,
    };
    Some(Trade { id: None, time: seconds(trade.get_idx(2)?.into_string()?)?, price, qty, aggressor })
}
