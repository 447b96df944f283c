//! What happened, as the native protocol tells it: a book for each exchange event, proved by its checksums, and each trade. What clients
//! of another dialect say is held against it.

use super::support::{client::Client, model::Book};
use market::Ids;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

/// Price and quantity as integers of this scale.
const SCALE: f64 = 1e8;

type Side = Vec<(i64, i64)>;

/// All messages of a market, while clients look at it.
pub struct Truth {
    client: Client,
    symbol: String,
    books: Vec<String>,
    last_seq: u64,
    trades: HashMap<u64, Value>,
}

/// What came of comparing what clients said.
#[derive(Debug, Default, PartialEq)]
pub struct Compared {
    pub books: usize,
    pub tops: usize,
    pub trades: usize,
    /// Why connections ended, as clients put it.
    pub ended: Vec<String>,
}

impl Truth {
    pub async fn begin(address: SocketAddr, symbol: &str) -> Truth {
        let mut client = Client::connect(address).await;
        let trades = json!({"channel": "trade", "symbol": [symbol], "snapshot": true});
        let book = json!({"channel": "book", "symbol": [symbol], "depth": 0, "policy": "lossless"});
        client.send(json!({"method": "subscribe", "params": trades})).await;
        client.send(json!({"method": "subscribe", "params": book})).await;
        let symbol = symbol.to_owned();
        Truth { client, symbol, books: Vec::new(), last_seq: 0, trades: HashMap::new() }
    }

    /// Takes the next message.
    pub async fn follow(&mut self) {
        let text = self.client.text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["channel"].as_str() {
            Some("book") => {
                self.last_seq = message["data"][0]["seq"].as_u64().unwrap();
                self.books.push(text);
            }
            Some("trade") => {
                for trade in message["data"].as_array().unwrap() {
                    self.trades.insert(trade["trade_id"].as_u64().unwrap(), trade.clone());
                }
            }
            _ => {}
        }
    }

    /// Compares what clients said, a line of JSON each, with what happened.
    pub async fn compare(mut self, ids: Ids, said: &[Value], decimals: [u32; 2]) -> Compared {
        let mut compared = Compared::default();
        let mut by_seq: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        let (mut last_trade, mut sequence) = (0, 0);
        for said in said {
            if let Some(id) = said["id"].as_u64() {
                let seq = ids.seq(id).unwrap_or_else(|| panic!("the id {id} is before the first one"));
                by_seq.entry(seq).or_default().push(said);
            } else if let Some(why) = said["ended"].as_str() {
                compared.ended.push(why.to_owned());
            } else {
                last_trade = last_trade.max(said["trade"].as_u64().unwrap());
                sequence += 1;
            }
        }
        let last_seq = by_seq.last_key_value().map_or(0, |(seq, _)| *seq);
        while self.last_seq < last_seq || (sequence > 0 && !self.trades.contains_key(&last_trade)) {
            self.follow().await;
        }
        for said in said.iter().filter(|said| said["trade"].is_u64()) {
            self.compare_trade(said);
            compared.trades += 1;
        }
        let mut book = Book::new(0);
        for text in &self.books {
            book.take(text, &self.symbol);
            for said in by_seq.remove(&book.last).unwrap_or_default() {
                compare_book(said, &book, decimals, &mut compared);
            }
        }
        assert!(by_seq.is_empty(), "no exchange event changed the book at {:?}", by_seq.keys().next());
        compared
    }

    fn compare_trade(&self, said: &Value) {
        let id = said["trade"].as_u64().unwrap();
        let trade = self.trades.get(&id).unwrap_or_else(|| panic!("there was no trade {id}"));
        for (name, said) in [("price", &said["price"]), ("qty", &said["qty"])] {
            assert_eq!(scaled(&trade[name]), scaled(said), "{name} of trade {id}");
        }
        assert_eq!(trade["side"], said["side"], "trade {id}");
    }
}

fn compare_book(said: &Value, book: &Book, decimals: [u32; 2], compared: &mut Compared) {
    let depth = said["depth"].as_u64().map_or(usize::MAX, |depth| depth as usize);
    let [price, qty] = decimals.map(|decimals| 10_i64.pow(8 - decimals));
    let wanted = |level: (&i64, &i64)| (level.0 * price, level.1 * qty);
    let bids: Side = book.bids.iter().rev().take(depth).map(wanted).collect();
    let asks: Side = book.asks.iter().take(depth).map(wanted).collect();
    let mut sides = [levels(&said["bids"]), levels(&said["asks"])];
    // A client may keep its levels in whatever order.
    sides[0].sort_unstable_by(|a, b| b.cmp(a));
    sides[1].sort_unstable();
    assert_eq!(sides, [bids, asks], "the book at seq {}", book.last);
    *(if depth == 1 { &mut compared.tops } else { &mut compared.books }) += 1;
}

fn levels(side: &Value) -> Side {
    let level = |level: &Value| (scaled(&level[0]), scaled(&level[1]));
    side.as_array().unwrap().iter().map(level).collect()
}

/// A number, or a text that is one.
fn scaled(value: &Value) -> i64 {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let scaled = number.unwrap_or_else(|| panic!("{value} is no number")) * SCALE;
    assert!((scaled - scaled.round()).abs() < 0.01, "{value} has more than eight decimals");
    scaled.round() as i64
}
