//! A worker with sockets that tests control, and a client that believes nothing: it reads frames with serde_json, keeps
//! books as text, and computes checksums from that text.

#![allow(dead_code)]

pub mod account;

use crc32fast::Hasher;
use market::{
    Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, ResetReason, Side, Status, SymbolId,
};
use serde_json::Value;
use session::{ConnId, Ending, Limits, OpenOptions, Outlet, Worker};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use wire::{
    dialect::Dialect,
    envelope::Envelope,
    message::{Channel, Depth, Subscribe},
};

pub const EPOCH: Epoch = Epoch(0x9c41_d7e0_a25b_7f3a);
pub const START: u64 = 1_700_000_000_000_000_000;

/// Sockets of a test: each takes as many bytes as the test allows.
#[derive(Default)]
pub struct Sockets {
    pub received: HashMap<ConnId, Vec<u8>>,
    pub room: HashMap<ConnId, usize>,
    pub ended: HashMap<ConnId, Ending>,
    pub writes: usize,
}

impl Outlet for Sockets {
    fn write(&mut self, conn: ConnId, bytes: &[u8]) -> usize {
        self.writes += 1;
        let room = self.room.get(&conn).copied().unwrap_or(usize::MAX);
        let taken = bytes.len().min(room);
        if let Some(left) = self.room.get_mut(&conn) {
            *left -= taken;
        }
        self.received.entry(conn).or_default().extend_from_slice(&bytes[..taken]);
        taken
    }

    fn end(&mut self, conn: ConnId, ending: Ending) {
        self.ended.insert(conn, ending);
    }
}

/// A worker, its ring and its sockets.
pub struct Bench {
    pub worker: Worker,
    pub sockets: Sockets,
    pub now: Nanos,
    pub position: u64,
    seqs: [u64; 2],
    venue: u64,
}

impl Bench {
    pub fn new(limits: Limits) -> Bench {
        let instrument = |symbol: &str, venue: &str| Instrument {
            symbol: symbol.into(),
            venue_symbol: venue.into(),
            price_decimals: 2,
            qty_decimals: 5,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        let table =
            Instruments::new([instrument("BTC/USDT", "BTCUSDT"), instrument("ETH/USDT", "ETHUSDT")]).unwrap();
        Bench {
            worker: Worker::new(limits, Arc::new(table), EPOCH, || Nanos(START)),
            sockets: Sockets::default(),
            now: Nanos(START),
            position: 0,
            seqs: [0; 2],
            venue: 0,
        }
    }

    /// A worker whose first symbol has five levels a side.
    pub fn standing() -> Bench {
        let mut bench = Bench::new(Limits::default());
        bench.reset(0, ResetReason::Feed);
        bench.flush();
        bench
    }

    pub fn reset(&mut self, symbol: u32, reason: ResetReason) {
        let mut events = vec![Event::reset(SymbolId(symbol), reason)];
        for i in 0..5 {
            events.push(level(Side::Bid, 10_000 - i, 100 + i as u64));
            events.push(level(Side::Ask, 10_001 + i, 200 + i as u64));
        }
        self.exchange_event(symbol, &events);
    }

    /// Publishes one exchange event at the present time.
    pub fn exchange_event(&mut self, symbol: u32, events: &[Event]) {
        self.venue += 10;
        for (i, event) in events.iter().enumerate() {
            self.seqs[symbol as usize] += 1;
            let event = Event {
                symbol: SymbolId(symbol),
                seq: self.seqs[symbol as usize],
                timestamp: self.now,
                engine: self.now,
                ingest: self.now,
                last: i + 1 == events.len(),
                number: if event.kind == Kind::Trade { event.number } else { self.venue },
                ..*event
            };
            self.publish(event);
        }
    }

    /// Publishes any event as it is.
    pub fn publish(&mut self, event: Event) {
        self.worker.event(self.position, &event, self.now);
        self.position += 1;
    }

    /// A replay goes on at the present time: numbers begin anew, in this epoch.
    pub fn jump(&mut self, epoch: Epoch, reason: ResetReason) {
        let ids = market::Ids { epoch, base: 1_000_000 };
        self.publish(Event::jump(self.now, ids, reason));
        self.seqs = [0; 2];
    }

    /// Lets feed time reach the present time, `millis` later.
    pub fn tick(&mut self, millis: u64) {
        self.now = Nanos(self.now.0 + millis * 1_000_000);
        self.publish(Event::tick(self.now));
    }

    pub fn flush(&mut self) {
        let now = self.now;
        self.worker.flush(now, &mut self.sockets, || now);
    }

    pub fn seq(&self, symbol: u32) -> u64 {
        self.seqs[symbol as usize]
    }

    pub fn open(&mut self) -> ConnId {
        self.open_over(Envelope::WebSocket)
    }

    pub fn open_over(&mut self, envelope: Envelope) -> ConnId {
        self.open_as(&OpenOptions { envelope, ..OpenOptions::new(&Limits::default()) })
    }

    pub fn open_speaking(&mut self, dialect: Dialect) -> ConnId {
        self.open_as(&OpenOptions { dialect, ..OpenOptions::new(&Limits::default()) })
    }

    pub fn open_as(&mut self, options: &OpenOptions) -> ConnId {
        let conn = self.worker.open(self.now, options);
        self.sockets.received.remove(&conn);
        self.sockets.room.remove(&conn);
        self.sockets.ended.remove(&conn);
        conn
    }

    /// A new connection that has sent this request.
    pub fn client(&mut self, request: &str) -> ConnId {
        let conn = self.open();
        self.send(conn, request);
        conn
    }

    /// A new connection that has subscribed by the request that became it.
    pub fn stream(&mut self, envelope: Envelope, subscribe: &[Subscribe]) -> ConnId {
        let conn = self.open_over(envelope);
        for subscribe in subscribe {
            self.worker.subscribe_at_once(conn, subscribe.clone(), self.now);
        }
        self.flush();
        conn
    }

    /// Lets time go on, without an event.
    pub fn wait(&mut self, millis: u64) {
        self.now = Nanos(self.now.0 + millis * 1_000_000);
        self.worker.timers(self.now, &mut self.sockets);
    }

    /// What a connection has received since the last call.
    pub fn text(&mut self, conn: ConnId) -> String {
        let bytes = self.sockets.received.get_mut(&conn).map(std::mem::take).unwrap_or_default();
        String::from_utf8(bytes).expect("UTF-8")
    }

    pub fn send(&mut self, conn: ConnId, text: &str) {
        self.send_frame(conn, 0x81, text.as_bytes());
    }

    pub fn send_frame(&mut self, conn: ConnId, first: u8, payload: &[u8]) {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..=125 => bytes.push(0x80 | short as u8),
            medium => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(medium as u16).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(payload);
        self.worker.input(conn, &mut bytes, self.now, &mut self.sockets);
    }

    /// The connection's socket takes only so many more bytes.
    pub fn stall(&mut self, conn: ConnId, room: usize) {
        self.sockets.room.insert(conn, room);
    }

    pub fn drain(&mut self, conn: ConnId) {
        self.sockets.room.remove(&conn);
        self.worker.writable(conn, self.now, &mut self.sockets);
    }

    /// What a connection has received since the last call, as JSON; close frames as `{"close":code}`.
    pub fn messages(&mut self, conn: ConnId) -> Vec<Value> {
        let bytes = self.sockets.received.get_mut(&conn).map(std::mem::take).unwrap_or_default();
        frames(&bytes)
    }
}

/// A request for a channel of symbols, from a token on.
pub fn wanted(channel: Channel, symbols: &[&str], depth: u64, since: Option<&str>) -> Subscribe {
    Subscribe {
        channel,
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        depth: Depth::new(depth).unwrap(),
        interval: Default::default(),
        policy: Default::default(),
        stamps: false,
        snapshot: None,
        since: since.map(|token| token.parse().unwrap()),
        heartbeat: None,
    }
}

/// An event of a stream: its id, if it has one, and its data.
pub type StreamEvent = (Option<String>, Value);

/// The events of a piece of a stream, which ends with a whole one, and how many comments are in it.
pub fn stream_events(text: &str) -> (Vec<StreamEvent>, usize) {
    let (mut events, mut comments) = (Vec::new(), 0);
    for block in text.split_terminator("\n\n") {
        let (mut id, mut data) = (None, None);
        for line in block.lines().filter(|line| !line.starts_with("retry: ")) {
            match line.split_once(": ") {
                Some(("id", text)) => id = Some(text.to_owned()),
                Some(("data", text)) => data = Some(serde_json::from_str(text).expect("data is JSON")),
                _ if line == ":" => comments += 1,
                _ => panic!("line {line:?}"),
            }
        }
        events.extend(data.map(|data| (id, data)));
    }
    assert!(text.is_empty() || text.ends_with("\n\n"), "the stream ends within an event: {text}");
    (events, comments)
}

pub fn frames(mut bytes: &[u8]) -> Vec<Value> {
    let mut messages = Vec::new();
    while let [first, short, rest @ ..] = bytes {
        let (length, rest) = match short {
            126 => (u16::from_be_bytes([rest[0], rest[1]]) as usize, &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
            short => (*short as usize, rest),
        };
        let (payload, behind) = rest.split_at(length);
        match first {
            0x81 => messages.push(serde_json::from_slice(payload).expect("a text frame is JSON")),
            0x88 if payload.is_empty() => messages.push(serde_json::json!({"close": null})),
            0x88 => messages.push(serde_json::json!({"close": u16::from_be_bytes([payload[0], payload[1]])})),
            0x89 | 0x8A => {}
            other => panic!("frame {other:#x}"),
        }
        bytes = behind;
    }
    messages
}

pub fn level(side: Side, price: i64, qty: u64) -> Event {
    Event { side, price: Price(price), qty: Qty(qty), ..Event::new(Kind::Level) }
}

pub fn trade(price: i64, id: u64) -> Event {
    Event { price: Price(price), qty: Qty(7), number: id, ..Event::new(Kind::Trade) }
}

/// A client's book: price text by price, for each side.
#[derive(Default, Debug, Clone, PartialEq)]
pub struct TextBook {
    pub bids: BTreeMap<i64, (String, String)>,
    pub asks: BTreeMap<i64, (String, String)>,
    pub last: u64,
    pub depth: usize,
    pub snapshots: usize,
}

impl TextBook {
    pub fn new(depth: usize) -> TextBook {
        TextBook { depth, ..TextBook::default() }
    }

    /// Applies a message by the rule for clients and proves it by its checksum; other channels are passed over.
    pub fn apply(&mut self, message: &Value) {
        if message["channel"] != "book" {
            return;
        }
        let data = &message["data"][0];
        let (snapshot, seq) = (message["type"] == "snapshot", data["seq"].as_u64().unwrap());
        if snapshot {
            *self = TextBook { snapshots: self.snapshots + 1, ..TextBook::new(self.depth) };
        } else {
            let first = data["first_seq"].as_u64().unwrap();
            assert!(first <= self.last + 1, "gap: {first} after {}", self.last);
            assert!(seq > self.last, "nothing new: {seq} after {}", self.last);
        }
        self.last = seq;
        for (name, side) in [("bids", &mut self.bids), ("asks", &mut self.asks)] {
            for level in data[name].as_array().unwrap() {
                let (price, qty) = (level["price"].to_string(), level["qty"].to_string());
                let key = (price.parse::<f64>().unwrap() * 100.0).round() as i64;
                if qty.parse::<f64>().unwrap() == 0.0 {
                    side.remove(&key);
                } else {
                    side.insert(key, (price, qty));
                }
            }
        }
        if self.depth > 0 {
            while self.bids.len() > self.depth {
                self.bids.pop_first();
            }
            while self.asks.len() > self.depth {
                self.asks.pop_last();
            }
        }
        assert_eq!(data["checksum"].as_u64().unwrap(), u64::from(self.checksum()), "{message}");
    }

    pub fn checksum(&self) -> u32 {
        let depth = if self.depth == 0 { 100 } else { self.depth.min(100) };
        let mut hasher = Hasher::new();
        let mut feed = |text: &str, decimals: usize| {
            // serde_json drops trailing zeros of a number; the rule is about the instrument's decimals.
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let digits = format!("{whole}{fraction:0<decimals$}");
            hasher.update(digits.trim_start_matches('0').as_bytes());
        };
        for (price, qty) in self.asks.values().take(depth).chain(self.bids.values().rev().take(depth)) {
            feed(price, 2);
            feed(qty, 5);
        }
        hasher.finalize()
    }
}
