//! Captures of Binance's combined streams, spot and futures, with the REST depth snapshots that the diffs continue.
//!
//! How a book is kept is the venue's rule ("How to manage a local order book correctly"): diffs are kept until a snapshot
//! comes, those that the snapshot holds already are dropped, and each further one must continue the one before. On spot it
//! does when `U` is the `u` before plus 1, in futures (whose diffs carry `pu`) when `pu` is the `u` before. A diff that does
//! not is a gap: the book waits for the next snapshot.

mod book;

use super::{At, Refused, Survey, Tally, Venue, capture::Head, event, numbers, text};
use book::{BookSync, Diff};
use market::{Event, Instrument, Instruments, Kind, Nanos, Qty, Side, SymbolId};
use simd_json::{
    prelude::*,
    tape::{Array, Value},
};

/// `<ns since 1970> <JSON>`.
pub(super) fn split_head(line: &[u8]) -> Option<Head> {
    let space = line.iter().position(|&byte| byte == b' ')?;
    let received = std::str::from_utf8(&line[..space]).ok()?.parse().ok()?;
    Some(Head { received: Some(Nanos(received)), message_at: space + 1 })
}

/// All markets of the captures.
pub(super) struct Binance {
    /// For each file the market that it is of: a bare snapshot does not always name its own.
    owners: Vec<Owner>,
    markets: Vec<Market>,
}

#[derive(Clone, PartialEq, Eq)]
enum Owner {
    Unknown,
    One(String),
    Several,
}

struct Market {
    book: BookSync,
    last_trade: Option<u64>,
}

enum Message<'t, 'a> {
    Depth { symbol: &'a str, diff: Diff, bids: Array<'t, 'a>, asks: Array<'t, 'a> },
    Snapshot { symbol: Option<&'a str>, last: u64, bids: Array<'t, 'a>, asks: Array<'t, 'a> },
    Trade { symbol: &'a str, trade: Trade<'a> },
    Other { kind: &'a str },
}

struct Trade<'a> {
    id: u64,
    time: Nanos,
    price: &'a str,
    qty: &'a str,
    aggressor: Side,
}

impl Binance {
    pub fn new(files: usize) -> Binance {
        Binance { owners: vec![Owner::Unknown; files], markets: Vec::new() }
    }

    fn note_owner(&mut self, file: usize, symbol: &str) {
        let owner = &mut self.owners[file];
        match owner {
            Owner::Unknown => *owner = Owner::One(symbol.to_owned()),
            Owner::One(known) if known != symbol => *owner = Owner::Several,
            _ => {}
        }
    }

    fn owner(&self, file: usize) -> Result<&str, Refused> {
        match &self.owners[file] {
            Owner::One(symbol) => Ok(symbol),
            Owner::Unknown => {
                Err("a depth snapshot that names no symbol, in a file that shows none before".into())
            }
            Owner::Several => {
                Err("a depth snapshot that names no symbol, in a file of several markets".into())
            }
        }
    }

    fn market(&mut self, symbol: SymbolId) -> &mut Market {
        while self.markets.len() <= symbol.index() {
            self.markets.push(Market { book: BookSync::new(), last_trade: None });
        }
        &mut self.markets[symbol.index()]
    }

    fn trade(
        &mut self,
        symbol: SymbolId,
        trade: Trade<'_>,
        at: At<'_>,
        instruments: &Instruments,
        out: &mut Vec<Event>,
        tally: &mut Tally,
    ) -> Result<(), Refused> {
        let market = self.market(symbol);
        market.book.note_time(trade.time);
        if market.last_trade.is_some_and(|last| trade.id <= last) {
            tally.skip("trade that was seen before", at);
            return Ok(());
        }
        market.last_trade = Some(trade.id);
        let (price, qty) = numbers(&instruments[symbol], trade.price, trade.qty)?;
        if qty == Qty::ZERO {
            tally.skip("trade of nothing", at);
            return Ok(());
        }
        let event = event(Kind::Trade, symbol, trade.time);
        out.push(Event { side: trade.aggressor, price, qty, number: trade.id, last: true, ..event });
        tally.trades += 1;
        Ok(())
    }
}

impl Venue for Binance {
    fn survey(&mut self, message: Value<'_, '_>, at: At<'_>, survey: &mut Survey) -> Result<(), Refused> {
        match read(message)? {
            Message::Depth { symbol, bids, asks, .. } => {
                self.note_owner(at.file, symbol);
                survey_levels(survey, symbol, [bids, asks], at)
            }
            Message::Snapshot { symbol, bids, asks, .. } => {
                let symbol = symbol.map_or_else(|| self.owner(at.file), Ok)?;
                survey_levels(survey, symbol, [bids, asks], at)
            }
            Message::Trade { symbol, trade } => {
                self.note_owner(at.file, symbol);
                let market = survey.market(symbol, at);
                survey
                    .note(market, trade.price, trade.qty)
                    .ok_or_else(|| "a trade's numbers are no decimals".into())
            }
            Message::Other { .. } => Ok(()),
        }
    }

    fn events(
        &mut self,
        message: Value<'_, '_>,
        at: At<'_>,
        instruments: &Instruments,
        out: &mut Vec<Event>,
        tally: &mut Tally,
    ) -> Result<(), Refused> {
        match read(message)? {
            Message::Depth { symbol, diff, bids, asks } => {
                let symbol = find(instruments, symbol)?;
                let begin = out.len();
                push_levels(symbol, &instruments[symbol], diff.time, [bids, asks], out)?;
                self.market(symbol).book.diff(diff, symbol, begin, out, at, tally);
                Ok(())
            }
            Message::Snapshot { symbol, last, bids, asks } => {
                let symbol = find(instruments, symbol.map_or_else(|| self.owner(at.file), Ok)?)?;
                let mut levels = Vec::new();
                push_levels(symbol, &instruments[symbol], Nanos::ZERO, [bids, asks], &mut levels)?;
                self.market(symbol).book.snapshot(last, symbol, levels, out, at, tally);
                Ok(())
            }
            Message::Trade { symbol, trade } => {
                self.trade(find(instruments, symbol)?, trade, at, instruments, out, tally)
            }
            Message::Other { kind } => {
                tally.skip(kind, at);
                Ok(())
            }
        }
    }

    fn finish(&mut self, tally: &mut Tally) {
        for market in &mut self.markets {
            market.book.end(tally);
        }
    }
}

fn read<'t, 'a>(message: Value<'t, 'a>) -> Result<Message<'t, 'a>, Refused> {
    let stream = message.get("stream").and_then(text);
    let data = message.get("data").unwrap_or(message);
    if stream.is_none() && data.contains_key("lastUpdateId") {
        return read_snapshot(data).ok_or_else(|| "a depth snapshot that is not whole".into());
    }
    match data.get("e").and_then(text) {
        Some("depthUpdate") => read_depth(data).ok_or_else(|| "a depth diff that is not whole".into()),
        Some("trade") => read_trade(data).ok_or_else(|| "a trade that is not whole".into()),
        kind => {
            let channel = stream.and_then(|stream| stream.split_once('@')).map(|(_, channel)| channel);
            Ok(Message::Other { kind: kind.or(channel).unwrap_or("message without a kind") })
        }
    }
}

fn read_depth<'t, 'a>(data: Value<'t, 'a>) -> Option<Message<'t, 'a>> {
    Some(Message::Depth {
        symbol: data.get("s").and_then(text)?,
        diff: Diff {
            first: data.get("U")?.as_u64()?,
            last: data.get("u")?.as_u64()?,
            previous: data.get("pu").and_then(|previous| previous.as_u64()),
            time: event_time(data)?,
        },
        bids: data.get("b")?.as_array()?,
        asks: data.get("a")?.as_array()?,
    })
}

fn read_snapshot<'t, 'a>(data: Value<'t, 'a>) -> Option<Message<'t, 'a>> {
    Some(Message::Snapshot {
        symbol: data.get("symbol").and_then(text),
        last: data.get("lastUpdateId")?.as_u64()?,
        bids: data.get("bids")?.as_array()?,
        asks: data.get("asks")?.as_array()?,
    })
}

fn read_trade<'t, 'a>(data: Value<'t, 'a>) -> Option<Message<'t, 'a>> {
    let buyer_is_maker = data.get("m")?.as_bool()?;
    Some(Message::Trade {
        symbol: data.get("s").and_then(text)?,
        trade: Trade {
            id: data.get("t")?.as_u64()?,
            time: event_time(data)?,
            price: data.get("p").and_then(text)?,
            qty: data.get("q").and_then(text)?,
            aggressor: if buyer_is_maker { Side::Ask } else { Side::Bid },
        },
    })
}

/// `E`, in milliseconds.
fn event_time(data: Value<'_, '_>) -> Option<Nanos> {
    let milliseconds = data.get("E")?.as_u64()?;
    milliseconds.checked_mul(1_000_000).map(Nanos).filter(|&time| time < Nanos::MAX)
}

/// The price and the quantity of a level.
fn level<'a>(level: Value<'_, 'a>) -> Result<(&'a str, &'a str), Refused> {
    let number = |place| level.get_idx(place).and_then(text);
    number(0).zip(number(1)).ok_or_else(|| "a level is no pair of texts".into())
}

fn survey_levels(
    survey: &mut Survey,
    symbol: &str,
    sides: [Array<'_, '_>; 2],
    at: At<'_>,
) -> Result<(), Refused> {
    let market = survey.market(symbol, at);
    for side in sides {
        for entry in side.iter() {
            let (price, qty) = level(entry)?;
            survey.note(market, price, qty).ok_or("a level's numbers are no decimals")?;
        }
    }
    Ok(())
}

fn push_levels(
    symbol: SymbolId,
    instrument: &Instrument,
    time: Nanos,
    sides: [Array<'_, '_>; 2],
    out: &mut Vec<Event>,
) -> Result<(), Refused> {
    for (side, levels) in Side::BOTH.into_iter().zip(sides) {
        for entry in levels.iter() {
            let (price, qty) = level(entry)?;
            let (price, qty) = numbers(instrument, price, qty)?;
            out.push(Event { side, price, qty, ..event(Kind::Level, symbol, time) });
        }
    }
    Ok(())
}

fn find(instruments: &Instruments, symbol: &str) -> Result<SymbolId, Refused> {
    let found = instruments.find(symbol);
    found.ok_or_else(|| {
        Refused(format!("{symbol} was not there when the file was read first: it has changed"))
    })
}
