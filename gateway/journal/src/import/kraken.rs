//! Captures of Kraken's WebSocket API v1: channels `book-*` and `trade`.
//!
//! The venue numbers nothing; it sends a checksum of the ten best levels a side with each update. The book is therefore kept
//! here, cut to the depth of its subscription (levels that fall out of it are named as removed: the venue does not), and an
//! update after which the checksum differs is a gap, up to the next snapshot.

mod book;

use super::{At, Refused, Survey, Tally, Venue, capture::Head, event, numbers, text};
use book::DepthBook;
use market::{Event, Instrument, Instruments, Kind, Nanos, ResetReason, Side, SymbolId, parse_fixed};
use simd_json::{
    prelude::*,
    tape::{Array, Value},
};

/// `<seconds since 1970>: <JSON>`; lines that begin with `wss://` tell of the connection.
pub(super) fn split_head(line: &[u8]) -> Option<Head> {
    if line.starts_with(b"wss://") {
        return Some(Head { received: None, message_at: line.len() });
    }
    let colon = line.iter().position(|&byte| byte == b':')?;
    let received = seconds(&line[..colon])?;
    Some(Head { received: Some(received), message_at: colon + 1 })
}

/// Decimal seconds.
fn seconds(text: &[u8]) -> Option<Nanos> {
    parse_fixed(text, 9)
        .ok()
        .and_then(|ns| u64::try_from(ns).ok())
        .map(Nanos)
        .filter(|&time| time < Nanos::MAX)
}

/// All markets of the captures.
#[derive(Default)]
pub(super) struct Kraken {
    books: Vec<BookState>,
}

/// A market's book, and whether it stands.
enum BookState {
    Waiting(ResetReason),
    Standing(DepthBook),
}

/// `[channel id, content.., channel name, pair]`.
struct Message<'t, 'a> {
    pair: &'a str,
    content: Content<'t, 'a>,
}

enum Content<'t, 'a> {
    Snapshot { depth: usize, sides: [Array<'t, 'a>; 2] },
    Update { sides: [Vec<Array<'t, 'a>>; 2], checksum: Option<u32> },
    Trades(Array<'t, 'a>),
}

impl Venue for Kraken {
    fn survey(&mut self, message: Value<'_, '_>, at: At<'_>, survey: &mut Survey) -> Result<(), Refused> {
        let Read::Market(message) = read(message)? else { return Ok(()) };
        let market = survey.market(message.pair, at);
        message.content.each_entry(&mut |_, entry| {
            let entry = Entry::of(entry)?;
            survey.note(market, entry.price, entry.qty).ok_or_else(|| "the numbers are no decimals".into())
        })
    }

    fn events(
        &mut self,
        message: Value<'_, '_>,
        at: At<'_>,
        instruments: &Instruments,
        out: &mut Vec<Event>,
        tally: &mut Tally,
    ) -> Result<(), Refused> {
        let Message { pair, content } = match read(message)? {
            Read::Market(message) => message,
            Read::Other(kind) => {
                tally.skip(kind, at);
                return Ok(());
            }
        };
        let symbol =
            instruments.find(pair).ok_or("a pair that was not there when the file was read first")?;
        let begin = out.len();
        push_entries(symbol, &instruments[symbol], &content, out)?;
        let book = self.book(symbol);
        match content {
            Content::Snapshot { depth, .. } => book.snapshot(depth, symbol, begin, out, tally),
            Content::Update { checksum, .. } => book.update(checksum, symbol, begin, out, at, tally),
            Content::Trades(_) => tally.trades += (out.len() - begin) as u64,
        }
        if let Some(last) = out[begin..].last_mut().filter(|event| event.kind.is_numbered()) {
            last.last = true;
        }
        Ok(())
    }

    fn finish(&mut self, _tally: &mut Tally) {}
}

impl Kraken {
    fn book(&mut self, symbol: SymbolId) -> &mut BookState {
        while self.books.len() <= symbol.index() {
            self.books.push(BookState::Waiting(ResetReason::Feed));
        }
        &mut self.books[symbol.index()]
    }
}

impl BookState {
    /// Takes the snapshot whose levels stand in `out` from `begin` on, and puts its reset before them.
    fn snapshot(
        &mut self,
        depth: usize,
        symbol: SymbolId,
        begin: usize,
        out: &mut Vec<Event>,
        tally: &mut Tally,
    ) {
        let reason = match self {
            BookState::Waiting(reason) => *reason,
            BookState::Standing(_) => ResetReason::Feed,
        };
        let time = latest(&out[begin..]);
        let mut book = DepthBook::new(depth);
        book.apply(begin, out);
        out.insert(
            begin,
            Event { qty: Event::reset(symbol, reason).qty, ..event(Kind::Reset, symbol, time) },
        );
        *self = BookState::Standing(book);
        tally.snapshots += 1;
    }

    /// Takes the update whose levels stand in `out` from `begin` on; what it cannot take, it takes back.
    fn update(
        &mut self,
        checksum: Option<u32>,
        symbol: SymbolId,
        begin: usize,
        out: &mut Vec<Event>,
        at: At<'_>,
        tally: &mut Tally,
    ) {
        let BookState::Standing(book) = self else {
            out.truncate(begin);
            return tally.skip("book update without a snapshot that it continues", at);
        };
        let time = latest(&out[begin..]);
        book.apply(begin, out);
        if checksum.is_some_and(|checksum| checksum != book.checksum()) {
            out.truncate(begin);
            out.push(event(Kind::FeedGap, symbol, time));
            tally.gaps += 1;
            tally.skip("book update whose checksum differs", at);
            *self = BookState::Waiting(ResetReason::Gap);
            return;
        }
        tally.updates += 1;
    }
}

fn latest(events: &[Event]) -> Nanos {
    events.iter().map(|event| event.timestamp).max().unwrap_or(Nanos::ZERO)
}

enum Read<'t, 'a> {
    Market(Message<'t, 'a>),
    /// Of a kind that is not imported.
    Other(&'a str),
}

fn read<'t, 'a>(message: Value<'t, 'a>) -> Result<Read<'t, 'a>, Refused> {
    let Some(parts) = message.as_array() else {
        let kind = message.get("event").and_then(text);
        return Ok(Read::Other(kind.unwrap_or("message without a kind")));
    };
    let parts = parts.iter().collect::<Vec<_>>();
    let [_, content @ .., channel, pair] = &parts[..] else {
        return Err("a message of too few parts".into());
    };
    let (Some(channel), Some(pair)) = (text(*channel), text(*pair)) else {
        return Err("a message that does not end in its channel and pair".into());
    };
    let content = match (channel.strip_prefix("book-"), channel, content) {
        (Some(depth), _, content) => {
            let depth = depth.parse().ok().filter(|depth| *depth > 0);
            read_book(depth.ok_or("a book channel without its depth")?, content)?
        }
        (None, "trade", [trades]) => Content::Trades(trades.as_array().ok_or("trades that are no list")?),
        _ => return Ok(Read::Other(channel)),
    };
    Ok(Read::Market(Message { pair, content }))
}

/// A snapshot has `as` and `bs`; an update `a`, `b` or both, in one object or in two, and `c` in the last one.
fn read_book<'t, 'a>(depth: usize, objects: &[Value<'t, 'a>]) -> Result<Content<'t, 'a>, Refused> {
    let list = |object: &Value<'t, 'a>, key| object.get(key).and_then(|levels| levels.as_array());
    if let [object] = objects
        && let (Some(bids), Some(asks)) = (list(object, "bs"), list(object, "as"))
    {
        return Ok(Content::Snapshot { depth, sides: [bids, asks] });
    }
    let side = |key| objects.iter().filter_map(|object| list(object, key)).collect::<Vec<_>>();
    let sides = [side("b"), side("a")];
    if sides.iter().all(Vec::is_empty) {
        return Err("a book message without levels".into());
    }
    let checksum = match objects.iter().find_map(|object| object.get("c")) {
        Some(text) => Some(
            text.as_str()
                .and_then(|text| text.parse().ok())
                .ok_or("a checksum that is no number of 32 bits")?,
        ),
        None => None,
    };
    Ok(Content::Update { sides, checksum })
}

impl<'t, 'a> Content<'t, 'a> {
    /// Calls `take` with each level or trade; bids before asks.
    fn each_entry(
        &self,
        take: &mut dyn FnMut(Side, Value<'t, 'a>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let each = |side, list: &Array<'t, 'a>, take: &mut dyn FnMut(Side, Value<'t, 'a>) -> _| {
            list.iter().try_for_each(|entry| take(side, entry))
        };
        match self {
            Content::Snapshot { sides, .. } => {
                Side::BOTH.into_iter().zip(sides).try_for_each(|(side, list)| each(side, list, take))
            }
            Content::Update { sides, .. } => Side::BOTH
                .into_iter()
                .zip(sides)
                .try_for_each(|(side, lists)| lists.iter().try_for_each(|list| each(side, list, take))),
            Content::Trades(list) => list.iter().try_for_each(|entry| take(aggressor(entry)?, entry)),
        }
    }
}

/// `b` for a buyer, `s` for a seller, at the fourth place of a trade.
fn aggressor(trade: Value<'_, '_>) -> Result<Side, Refused> {
    match trade.get_idx(3).and_then(text) {
        Some("b") => Ok(Side::Bid),
        Some("s") => Ok(Side::Ask),
        _ => Err("a trade without its side".into()),
    }
}

/// What levels and trades begin with.
struct Entry<'a> {
    price: &'a str,
    qty: &'a str,
    time: Nanos,
}

impl<'a> Entry<'a> {
    fn of(entry: Value<'_, 'a>) -> Result<Entry<'a>, Refused> {
        let part = |place| entry.get_idx(place).and_then(text);
        let (Some(price), Some(qty), Some(time)) = (part(0), part(1), part(2)) else {
            return Err("a level or trade without price, quantity and time".into());
        };
        let time = seconds(time.as_bytes()).ok_or("a time that is no decimal number of seconds")?;
        Ok(Entry { price, qty, time })
    }
}

fn push_entries(
    symbol: SymbolId,
    instrument: &Instrument,
    content: &Content<'_, '_>,
    out: &mut Vec<Event>,
) -> Result<(), Refused> {
    let kind = if matches!(content, Content::Trades(_)) { Kind::Trade } else { Kind::Level };
    content.each_entry(&mut |side, entry| {
        let Entry { price, qty, time } = Entry::of(entry)?;
        let (price, qty) = numbers(instrument, price, qty)?;
        out.push(Event { side, price, qty, ..event(kind, symbol, time) });
        Ok(())
    })
}
