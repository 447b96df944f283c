//! A client of the Binance dialect in the simulation: it keeps a book by the venue's documented procedure, and believes nothing
//! that the rules about ids do not allow.

use crate::{
    chance::Chance,
    line::{self, Item},
    net::{Net, PipeId},
    record::Record,
};
use market::{Instrument, Nanos, Side, SymbolId, parse_fixed};
use serde_json::Value;
use session::{Limits, OpenOptions, OpenStreams, Worker, find_stream};
use std::collections::BTreeMap;
use wire::{dialect::Dialect, envelope::Envelope, message::Encoding};

/// More levels than any book of the simulation has.
const WHOLE_BOOK: u32 = 5_000;

/// A client and its connection.
pub struct StreamClient {
    symbol: SymbolId,
    /// Which diffs it reads: `depth` or `depth@100ms`.
    diffs: &'static str,
    conn: Option<Connection>,
    /// How many bytes it reads at a time, at most.
    appetite: u64,
    /// When it last got an event.
    pub last_news: Nanos,
}

struct Connection {
    /// Which worker.
    at: usize,
    pipe: PipeId,
    /// What has not arrived whole.
    inbox: Vec<u8>,
    state: State,
    last_trade: Option<u64>,
    /// Something was visibly left out: the connection has to end.
    is_broken: bool,
}

enum State {
    /// It keeps what comes until it has a book that it goes on from.
    Waiting(Vec<Value>),
    /// It has a book, up to this id; `fresh` as long as no event continued it.
    Following { book: Levels, last: u64, fresh: bool },
}

/// Quantities by price, both in the instrument's decimals: bids, then asks.
type Levels = [BTreeMap<i64, i64>; 2];

impl StreamClient {
    /// A client of a symbol of its own.
    pub fn new(chance: &mut Chance, symbols: u64) -> StreamClient {
        StreamClient {
            symbol: SymbolId(chance.below(symbols) as u32),
            diffs: chance.pick(&["depth", "depth@100ms"]),
            conn: None,
            appetite: chance.pick(&[50, 700, 5_000, 1 << 20]),
            last_news: Nanos::ZERO,
        }
    }

    /// At which worker it is connected.
    pub fn worker(&self) -> Option<usize> {
        self.conn.as_ref().map(|conn| conn.at)
    }

    /// The pipe of its connection.
    pub fn pipe(&self) -> Option<PipeId> {
        self.conn.as_ref().map(|conn| conn.pipe)
    }

    /// It reads all that comes from now on.
    pub fn becomes_fast(&mut self) {
        self.appetite = 1 << 20;
    }

    /// The connection is gone, and with it all that it had.
    pub fn disconnected(&mut self) {
        self.conn = None;
    }

    /// Connects to a worker and asks for what it wants.
    pub fn connect(
        &mut self,
        at: usize,
        worker: &mut Worker,
        net: &mut Net,
        now: Nanos,
        chance: &mut Chance,
    ) {
        let dialect = Dialect::binance(false);
        let options = OpenOptions { dialect, ..OpenOptions::new(&Limits::default()) };
        let id = worker.open(now, &options);
        let pipe = net.open(id, chance.pick(&[300, 4_000, 64_000]));
        let instruments = worker.publisher().instruments().clone();
        let plain = instruments[self.symbol].symbol.replace('/', "").to_lowercase();
        let names = [self.diffs, "trade"].map(|what| format!("{plain}@{what}"));
        let names = names
            .map(|name| find_stream(&name, Encoding::Json, &instruments).expect("the stream is offered"));
        worker.open_streams(id, &OpenStreams { names: names.into(), ..OpenStreams::default() });
        let state = State::Waiting(Vec::new());
        self.conn =
            Some(Connection { at, pipe, inbox: Vec::new(), state, last_trade: None, is_broken: false });
    }

    /// Asks for the book over REST, now and then until an event has continued one. The worker has read all that the ring holds.
    ///
    /// Until then it may have an old one and cannot see that: a stream of a worker that was lapped begins in the midst of a
    /// bucket, where the book that another worker tells ends before it.
    ///
    /// # Errors
    /// If what it has and what it gets do not join.
    pub fn ask_for_book(&mut self, worker: &mut Worker, chance: &mut Chance) -> Result<(), String> {
        let symbol = self.symbol;
        let (events, before) = match &mut self.conn {
            Some(Connection { state: State::Waiting(events), .. }) => (events.clone(), 0),
            Some(Connection { state: State::Following { last, fresh: true, .. }, .. }) => (Vec::new(), *last),
            _ => return Ok(()),
        };
        let mut body = Vec::new();
        if !chance.once_in(10) || worker.publisher_mut().push_depth(symbol, WHOLE_BOOK, &mut body).is_err() {
            return Ok(());
        }
        let instruments = worker.publisher().instruments().clone();
        let answer: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        let mut book = Levels::default();
        apply(&mut book, &answer, ["bids", "asks"], &instruments[symbol])?;
        let last = number(&answer, "lastUpdateId")?;
        if last < before {
            return Ok(());
        }
        if let Some(conn) = &mut self.conn {
            conn.state = State::Following { book, last, fresh: true };
        }
        events.iter().try_for_each(|event| self.diff(event, &instruments[symbol]))
    }

    /// Reads what its socket holds, and proves every event.
    ///
    /// # Errors
    /// What is wrong with an event.
    pub fn read(
        &mut self,
        worker: &mut Worker,
        net: &mut Net,
        now: Nanos,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        let pipe = conn.pipe;
        let limit = 1 + chance.below(self.appetite) as usize;
        let read = net.read(pipe, limit, &mut conn.inbox);
        let instruments = worker.publisher().instruments().clone();
        for item in line::take_items(Envelope::WebSocket, &mut conn.inbox) {
            let Item::Message(text) = item else { continue };
            let event: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
            self.last_news = now;
            match event["e"].as_str() {
                Some("depthUpdate") => self.diff(&event, &instruments[self.symbol])?,
                Some("trade") => self.trade(number(&event, "t")?)?,
                _ => return Err(format!("{event} is no event that was asked for")),
            }
        }
        if let Some(id) = read.writable {
            worker.writable(id, now, net);
        }
        if read.ended {
            net.cut(pipe);
            self.conn = None;
        }
        Ok(())
    }

    /// Applies a diff: its `U` is the id after the last one; the first one may begin before the book that was asked for.
    fn diff(&mut self, event: &Value, instrument: &Instrument) -> Result<(), String> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        let State::Following { book, last, fresh } = &mut conn.state else {
            if let State::Waiting(events) = &mut conn.state {
                events.push(event.clone());
            }
            return Ok(());
        };
        let [first, end] = [number(event, "U")?, number(event, "u")?];
        if conn.is_broken {
            return Err(format!("{event} goes on after {last}, where something was left out"));
        }
        if end <= *last {
            return Ok(());
        }
        if first > *last + 1 && *fresh {
            // The stream began after the book that it was given: it asks for another one.
            conn.state = State::Waiting(vec![event.clone()]);
            return Ok(());
        }
        if first > *last + 1 {
            conn.is_broken = true;
            return Ok(());
        }
        *fresh = false;
        apply(book, event, ["b", "a"], instrument)?;
        *last = end;
        Ok(())
    }

    fn trade(&mut self, id: u64) -> Result<(), String> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        if conn.last_trade.is_some_and(|last| id <= last) {
            return Err(format!("trade {id} after {:?}", conn.last_trade));
        }
        conn.is_broken |= conn.last_trade.is_some_and(|last| id != last + 1);
        conn.last_trade = Some(id);
        Ok(())
    }

    /// Compares its book with the book of record.
    ///
    /// # Errors
    /// How it differs.
    pub fn compare(&self, record: &Record) -> Result<u64, String> {
        let Some(conn) = &self.conn else { return Err("it is not connected".into()) };
        if conn.is_broken {
            return Err("something was left out, and the connection goes on".into());
        }
        let State::Following { book, last, .. } = &conn.state else {
            return Err("it never got a book".into());
        };
        let view = record.view(self.symbol, 0).ok_or("the book of record does not stand")?;
        let side =
            |side: Side| view.side(side).iter().map(|level| (level.price.0, level.qty.0 as i64)).collect();
        let wanted: Levels = Side::BOTH.map(side);
        if *book != wanted {
            return Err(format!("at {last}: {book:?}\nis not {wanted:?}"));
        }
        Ok(1)
    }
}

fn number(value: &Value, name: &str) -> Result<u64, String> {
    value[name].as_u64().ok_or_else(|| format!("{value} has no number {name}"))
}

fn apply(book: &mut Levels, value: &Value, sides: [&str; 2], instrument: &Instrument) -> Result<(), String> {
    let digits = |text: &Value, decimals| {
        parse_fixed(text.as_str().unwrap_or_default().as_bytes(), decimals)
            .map_err(|error| format!("{text}: {error}"))
    };
    for (side, name) in book.iter_mut().zip(sides) {
        for level in value[name].as_array().ok_or_else(|| format!("{value} has no {name}"))? {
            let price = digits(&level[0], instrument.price_decimals)?;
            match digits(&level[1], instrument.qty_decimals)? {
                0 => side.remove(&price),
                qty => side.insert(price, qty),
            };
        }
    }
    Ok(())
}
