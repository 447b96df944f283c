//! What a client knows, by the rules for clients alone: the numbers have no hole, and the checksum is that of its own book.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Message<'a> {
    channel: Option<&'a str>,
    r#type: Option<&'a str>,
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
    epoch: Option<&'a str>,
    first_seq: Option<u64>,
    seq: Option<u64>,
}

#[derive(Deserialize)]
struct BookEntry<'a> {
    symbol: &'a str,
    #[serde(borrow)]
    bids: Vec<Level<'a>>,
    asks: Vec<Level<'a>>,
    checksum: u32,
    epoch: &'a str,
    first_seq: Option<u64>,
    seq: u64,
    reason: Option<&'a str>,
    #[serde(default)]
    conflated: bool,
}

#[derive(Deserialize)]
struct Level<'a> {
    #[serde(borrow)]
    price: &'a RawValue,
    qty: &'a RawValue,
}

#[derive(Deserialize)]
struct TradeEntry {
    trade_id: u64,
    seq: u64,
}

/// A number of the wire in its smallest unit: its digits without the point.
fn digits(number: &RawValue) -> i64 {
    let text = number.get();
    assert!(!text.contains(['e', 'E', '"']), "{text} is no plain number");
    text.replace('.', "").parse().unwrap()
}

/// A book as a client keeps it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Book {
    depth: usize,
    pub bids: BTreeMap<i64, i64>,
    pub asks: BTreeMap<i64, i64>,
    pub epoch: String,
    pub last: u64,
    pub updates: usize,
    pub snapshots: Vec<String>,
    pub conflated: usize,
}

impl Book {
    /// A book of this depth, 0 for all of it, of which nothing is known.
    pub fn new(depth: usize) -> Book {
        Book { depth, ..Book::default() }
    }

    /// The resume token of what this client has.
    pub fn token(&self, symbol: &str) -> String {
        format!("{}:{symbol}@{}={}", self.epoch, self.depth, self.last)
    }

    /// Takes a message; others than of this book are left alone. Returns whether it was one.
    pub fn take(&mut self, text: &str, symbol: &str) -> bool {
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return false };
        if message.channel != Some("book") {
            return false;
        }
        let data = message.data.unwrap();
        assert_eq!(data.len(), 1, "one entry: {text}");
        let entry: BookEntry<'_> = serde_json::from_str(data[0].get()).unwrap();
        if entry.symbol != symbol {
            return false;
        }
        self.apply(&entry, message.r#type == Some("snapshot"), text);
        true
    }

    fn apply(&mut self, entry: &BookEntry<'_>, snapshot: bool, text: &str) {
        if snapshot {
            self.bids.clear();
            self.asks.clear();
            self.epoch = entry.epoch.to_owned();
            self.snapshots.push(entry.reason.unwrap().to_owned());
        } else {
            let first = entry.first_seq.unwrap();
            assert!(first <= self.last + 1 && entry.seq > self.last, "has {}, got {text}", self.last);
            assert_eq!(entry.epoch, self.epoch, "{text}");
            self.updates += 1;
            self.conflated += usize::from(entry.conflated);
        }
        for (side, levels) in [(&mut self.bids, &entry.bids), (&mut self.asks, &entry.asks)] {
            for level in levels {
                let (price, qty) = (digits(level.price), digits(level.qty));
                if qty == 0 {
                    side.remove(&price)
                } else {
                    side.insert(price, qty)
                };
            }
        }
        self.cut();
        self.last = entry.seq;
        assert_eq!(self.checksum(), entry.checksum, "{text}\n{self:?}");
    }

    fn cut(&mut self) {
        while self.depth > 0 && self.bids.len() > self.depth {
            self.bids.pop_first();
        }
        while self.depth > 0 && self.asks.len() > self.depth {
            self.asks.pop_last();
        }
    }

    /// CRC32 of the best 100 a side: asks ascending, then bids descending, price and quantity without point and zeros.
    pub fn checksum(&self) -> u32 {
        let asks = self.asks.iter().take(100);
        let bids = self.bids.iter().rev().take(100);
        let text: String = asks.chain(bids).map(|(price, qty)| format!("{price}{qty}")).collect();
        crc32fast::hash(text.as_bytes())
    }

    /// The best bid and ask.
    pub fn best(&self) -> [Option<(i64, i64)>; 2] {
        let pair = |(price, qty): (&i64, &i64)| (*price, *qty);
        [self.bids.last_key_value().map(pair), self.asks.first_key_value().map(pair)]
    }
}

/// The trades that a client has seen.
#[derive(Debug, Default)]
pub struct Trades {
    pub last: u64,
    pub epoch: String,
    last_id: Option<u64>,
    pub count: usize,
}

impl Trades {
    /// Trades after this number.
    pub fn after(last: u64) -> Trades {
        Trades { last, ..Trades::default() }
    }

    /// Takes a message, if it is one of trades.
    pub fn take(&mut self, text: &str) -> bool {
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return false };
        if (message.channel, message.r#type) != (Some("trade"), Some("update")) {
            return false;
        }
        let (first, seq) = (message.first_seq.unwrap(), message.seq.unwrap());
        assert!(first <= self.last + 1 && seq > self.last, "has {}, got {text}", self.last);
        self.epoch = message.epoch.unwrap().to_owned();
        for raw in message.data.unwrap() {
            let trade: TradeEntry = serde_json::from_str(raw.get()).unwrap();
            assert!(trade.seq > self.last && trade.seq <= seq, "{text}");
            if let Some(last_id) = self.last_id {
                assert_eq!(trade.trade_id, last_id + 1, "{text}");
            }
            self.last_id = Some(trade.trade_id);
            self.last = trade.seq;
            self.count += 1;
        }
        self.last = seq;
        true
    }
}

/// The top of a book, from the `bbo` channel.
#[derive(Debug, Default)]
pub struct Top {
    pub last: u64,
    pub best: [Option<(i64, i64)>; 2],
    pub updates: usize,
}

#[derive(Deserialize)]
struct TopEntry<'a> {
    #[serde(borrow)]
    bid: Option<&'a RawValue>,
    bid_qty: Option<&'a RawValue>,
    ask: Option<&'a RawValue>,
    ask_qty: Option<&'a RawValue>,
    first_seq: Option<u64>,
    seq: u64,
}

impl Top {
    /// Takes a message, if it is one of the top.
    pub fn take(&mut self, text: &str) -> bool {
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return false };
        if message.channel != Some("bbo") {
            return false;
        }
        let entry: TopEntry<'_> = serde_json::from_str(message.data.unwrap()[0].get()).unwrap();
        if let Some(first) = entry.first_seq {
            assert!(first <= self.last + 1 && entry.seq > self.last, "has {}, got {text}", self.last);
            self.updates += 1;
        }
        let pair = |price: Option<&RawValue>, qty: Option<&RawValue>| Some((digits(price?), digits(qty?)));
        self.best = [pair(entry.bid, entry.bid_qty), pair(entry.ask, entry.ask_qty)];
        self.last = entry.seq;
        true
    }
}
