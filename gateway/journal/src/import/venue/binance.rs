//! Binance and Binance.US, spot and futures: combined streams, and the REST depth snapshots that the diffs continue.
//!
//! How a book is kept is the venue's rule ("How to manage a local order book correctly"): on spot a diff continues the book
//! when `U` is the `u` before plus 1, in futures (whose diffs carry `pu`) when `pu` is the `u` before.

use crate::import::{
    error::Refused,
    json::{list, millis, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue, pair, tell_levels},
    naming::{BINANCE_QUOTES, Pairs},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use market::Side;
use simd_json::{prelude::*, tape::Value};
use std::collections::HashSet;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Polled,
    holes: Holes::Shown,
    checksum: None,
    pairs: Pairs::Joined(BINANCE_QUOTES),
};

#[derive(Default)]
pub(in crate::import) struct Binance {
    /// For each file the market that it is of: a bare snapshot does not always name its own.
    owners: Vec<Owner>,
    /// The markets that show each trade by itself.
    with_trades: HashSet<String>,
}

#[derive(Default)]
enum Owner {
    #[default]
    Unknown,
    /// `relied_on`: a snapshot was taken to be of it.
    One {
        name: String,
        relied_on: bool,
    },
    Several,
}

impl Venue for Binance {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let stream = text(message.value, "stream");
        let data = message.value.get("data").unwrap_or(message.value);
        if stream.is_none() && data.contains_key("lastUpdateId") {
            return self.snapshot(message, data, pass);
        }
        match text(data, "e") {
            Some("depthUpdate") => {
                let name = text(data, "s").ok_or("a depth diff without its market")?;
                self.note_owner(message.file, name)?;
                diff(name, data, pass)
            }
            Some(kind @ ("trade" | "aggTrade")) => {
                let name = text(data, "s").ok_or("a trade without its market")?;
                self.note_owner(message.file, name)?;
                self.trade(kind, name, data, pass)
            }
            kind => {
                let channel = stream.and_then(|stream| stream.split_once('@')).map(|(_, channel)| channel);
                pass.skip(kind.or(channel).unwrap_or("message without a kind"), 1);
                Ok(())
            }
        }
    }

    fn rewind(&mut self) {
        self.owners.clear();
    }
}

impl Binance {
    fn snapshot(
        &mut self,
        message: Message<'_, '_>,
        data: Value<'_, '_>,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        let asked_for = message.url.and_then(symbol_of);
        let name = text(data, "symbol").or(asked_for).map_or_else(|| self.owner(message.file), Ok)?;
        pass.market(name)?;
        let whole = || {
            let content = Content::Whole { number: whole(data, "lastUpdateId")?, depth: None };
            Some((list(data, "bids")?, list(data, "asks")?, content))
        };
        let (bids, asks, content) = whole().ok_or("a depth snapshot that is not whole")?;
        tell_levels(pass, bids, asks, pair)?;
        pass.book(&BookMessage { content, time: millis(data, "E"), checksum: None });
        Ok(())
    }

    fn trade(
        &mut self,
        kind: &str,
        name: &str,
        data: Value<'_, '_>,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        if kind == "trade" && !self.with_trades.contains(name) {
            self.with_trades.insert(name.to_owned());
        }
        if kind == "aggTrade" && self.with_trades.contains(name) {
            pass.skip("aggTrade of a market whose trades are there", 1);
            return Ok(());
        }
        let id = if kind == "trade" { "t" } else { "a" };
        pass.market(name)?;
        pass.trade(&read_trade(data, id).ok_or("a trade that is not whole")?)
    }

    fn note_owner(&mut self, file: usize, name: &str) -> Result<(), Refused> {
        if self.owners.len() <= file {
            self.owners.resize_with(file + 1, Owner::default);
        }
        let owner = &mut self.owners[file];
        match owner {
            Owner::Unknown => *owner = Owner::One { name: name.to_owned(), relied_on: false },
            Owner::One { name: known, relied_on: true } if known != name => {
                return Err("a second market, in a file with a depth snapshot that names none".into());
            }
            Owner::One { name: known, .. } if known != name => *owner = Owner::Several,
            _ => {}
        }
        Ok(())
    }

    fn owner(&mut self, file: usize) -> Result<&str, Refused> {
        match self.owners.get_mut(file) {
            Some(Owner::One { name, relied_on }) => {
                *relied_on = true;
                Ok(name)
            }
            Some(Owner::Several) => {
                Err("a depth snapshot that names no symbol, in a file of several markets".into())
            }
            Some(Owner::Unknown) | None => {
                Err("a depth snapshot that names no symbol, in a file that shows none before".into())
            }
        }
    }
}

/// The market that a REST request was about.
fn symbol_of(url: &str) -> Option<&str> {
    let (_, query) = url.split_once('?')?;
    query.split('&').find_map(|part| part.strip_prefix("symbol="))
}

fn diff(name: &str, data: Value<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    let read = || {
        let (first, last) = (whole(data, "U")?, whole(data, "u")?);
        let link = match whole(data, "pu") {
            Some(previous) => Link::Follows { previous, last },
            None => Link::Span { first, last },
        };
        Some((list(data, "b")?, list(data, "a")?, link, millis(data, "E")?))
    };
    let (bids, asks, link, time) = read().ok_or("a depth diff that is not whole")?;
    pass.market(name)?;
    tell_levels(pass, bids, asks, pair)?;
    pass.book(&BookMessage { content: Content::Change(link), time: Some(time), checksum: None });
    Ok(())
}

fn read_trade<'a>(data: Value<'_, 'a>, id: &str) -> Option<Trade<'a>> {
    let buyer_is_maker = data.get("m")?.as_bool()?;
    Some(Trade {
        id: Some(whole(data, id)?),
        time: millis(data, "E")?,
        price: Number::of(data.get("p")?)?,
        qty: Number::of(data.get("q")?)?,
        aggressor: if buyer_is_maker { Side::Ask } else { Side::Bid },
    })
}
