//! Bitstamp's WebSocket API v2 (`diff_order_book_*`, `live_trades_*`) and the REST order books that the diffs continue.
//!
//! Diffs are told apart by their `microtimestamp` alone: those that are not later than a snapshot are in it. A diff that is
//! missing cannot be seen.

use crate::import::{
    error::Refused,
    json::{list, micros, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, pair, tell_levels},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use market::{Nanos, Side};
use simd_json::tape::Value;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Polled,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(QUOTES),
};

#[derive(Default)]
pub(in crate::import) struct Bitstamp {
    /// The present market's name; the venue writes it in small letters.
    name: String,
}

impl Venue for Bitstamp {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        if let Some(url) = message.url {
            return match url.split_once("/order_book/") {
                Some((_, name)) => {
                    let name = name.split(['/', '?']).next().unwrap_or_default();
                    self.book(name, message.value, pass, |time| Content::Whole { number: time, depth: None })
                }
                None => {
                    pass.skip("answer to a REST request", 1);
                    Ok(())
                }
            };
        }
        let (event, channel) = (text(message.value, "event"), text(message.value, "channel").unwrap_or(""));
        let data = message.value.get("data");
        let diffs = channel.strip_prefix("diff_order_book_");
        let trades = channel.strip_prefix("live_trades_");
        match (event, diffs, trades, data) {
            (Some("data"), Some(name), _, Some(data)) => {
                self.book(name, data, pass, |last| Content::Change(Link::Grows { last }))
            }
            (Some("trade"), _, Some(name), Some(data)) => {
                pass.market(self.set_name(name))?;
                pass.trade(&read_trade(data).ok_or("a trade that is not whole")?)
            }
            (event, ..) => {
                pass.skip(event.unwrap_or("message without a kind"), 1);
                Ok(())
            }
        }
    }
}

impl Bitstamp {
    /// Tells a book message; its number is its time in microseconds.
    fn book(
        &mut self,
        name: &str,
        book: Value<'_, '_>,
        pass: &mut dyn Pass,
        content: fn(u64) -> Content,
    ) -> Result<(), Refused> {
        let read = || Some((list(book, "bids")?, list(book, "asks")?, micros(book, "microtimestamp")?));
        let (bids, asks, time) = read().ok_or("an order book that is not whole")?;
        pass.market(self.set_name(name))?;
        tell_levels(pass, bids, asks, pair)?;
        let Nanos(ns) = time;
        pass.book(&BookMessage { content: content(ns / 1_000), time: Some(time), checksum: None });
        Ok(())
    }

    fn set_name(&mut self, name: &str) -> &str {
        self.name.clear();
        self.name.push_str(name);
        self.name.make_ascii_uppercase();
        &self.name
    }
}

/// `type` is 0 of a buy, 1 of a sell.
fn read_trade<'a>(data: Value<'_, 'a>) -> Option<Trade<'a>> {
    let exact = |text, number| Number::of(data.get(text).or_else(|| data.get(number))?);
    Some(Trade {
        id: Some(whole(data, "id")?),
        time: micros(data, "microtimestamp")?,
        price: exact("price_str", "price")?,
        qty: exact("amount_str", "amount")?,
        aggressor: match whole(data, "type")? {
            0 => Side::Bid,
            1 => Side::Ask,
            _ => return None,
        },
    })
}
