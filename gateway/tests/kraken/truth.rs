//! What happened, as the native protocol tells it: a book for each exchange event, proved by its checksums, and each trade from the
//! first one on. What clients of other dialects say is held against it.

use super::support::{client::Client, get, model::Book};
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr};

/// Price and quantity as integers of this scale.
const SCALE: f64 = 1e8;

type Side = Vec<(i64, i64)>;

/// All messages of a book, while clients look at it.
pub struct Truth {
    client: Client,
    symbol: String,
    /// By their time, in milliseconds: clients may not know it better.
    books: BTreeMap<u64, Vec<String>>,
    first: String,
    has_ended: bool,
}

/// What came of comparing what clients said.
#[derive(Debug, Default, PartialEq)]
pub struct Compared {
    pub books: usize,
    pub trades: usize,
    pub tickers: usize,
    pub candles: usize,
    /// Why connections ended, as clients put it.
    pub ended: Vec<String>,
}

struct Trade {
    price: f64,
    qty: f64,
    side: String,
    /// In whole seconds since 1970.
    second: u64,
}

impl Truth {
    pub async fn begin(address: SocketAddr, symbol: &str) -> Truth {
        let mut client = Client::connect(address).await;
        let book = json!({"channel": "book", "symbol": [symbol], "depth": 0, "policy": "lossless"});
        client.subscribe(book).await;
        let first = client.text().await;
        Truth { client, symbol: symbol.to_owned(), books: BTreeMap::new(), first, has_ended: false }
    }

    /// Takes the next message.
    pub async fn follow(&mut self) {
        let text = self.client.text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["channel"] == "book" {
            let time = millis(&message["data"][0]["timestamp"]);
            self.books.entry(time).or_default().push(text);
        }
        self.has_ended |= message["data"][0]["event"] == "feed_ended";
    }

    /// Whether all that happened up to a time is here.
    fn is_past(&self, time: u64) -> bool {
        self.has_ended || self.books.last_key_value().is_some_and(|(last, _)| *last > time)
    }

    /// Compares what clients said, a line of JSON each, with what happened.
    pub async fn compare(mut self, address: SocketAddr, said: &[Value], decimals: [u32; 2]) -> Compared {
        let mut compared = Compared::default();
        let last = said.iter().filter(|said| said["at"].is_string()).map(|said| millis(&said["at"])).max();
        // One more, so that all of the last millisecond are there.
        while last.is_some_and(|last| !self.is_past(last)) {
            self.follow().await;
        }
        compared.books = self.compare_books(said, decimals);
        let is_traded = said.iter().any(|said| said["at"].is_null() && said["ended"].is_null());
        let trades = if is_traded { trades(address, &self.symbol).await } else { BTreeMap::new() };
        for said in said {
            if let Some(id) = said["trade"].as_u64() {
                compare_trade(said, trades.get(&id).unwrap_or_else(|| panic!("there was no trade {id}")));
                compared.trades += 1;
            } else if said["ticker"].is_object() {
                compare_ticker(&said["ticker"], &trades);
                compared.tickers += 1;
            } else if said["candle"].is_array() {
                compare_candle(said, &trades);
                compared.candles += 1;
            } else if let Some(why) = said["ended"].as_str() {
                compared.ended.push(why.to_owned());
            }
        }
        compared
    }

    /// A book is as of its time: that of its last change, or of a trade after it.
    fn compare_books(&self, said: &[Value], decimals: [u32; 2]) -> usize {
        let mut by_time: BTreeMap<u64, Vec<&Value>> = BTreeMap::new();
        for said in said.iter().filter(|said| said["at"].is_string()) {
            by_time.entry(millis(&said["at"])).or_default().push(said);
        }
        let count = by_time.values().map(Vec::len).sum();
        let mut book = Book::new(0);
        book.take(&self.first, &self.symbol);
        for (time, texts) in &self.books {
            let later = by_time.split_off(time);
            for said in std::mem::replace(&mut by_time, later).into_values().flatten() {
                assert_eq!(levels(said), view(&book, said, decimals), "the book at {}", said["at"]);
            }
            let mut waiting = by_time.remove(time).unwrap_or_default();
            for text in texts {
                waiting.retain(|said| levels(said) != view(&book, said, decimals));
                book.take(text, &self.symbol);
            }
            waiting.retain(|said| levels(said) != view(&book, said, decimals));
            assert!(waiting.is_empty(), "there was no such book: {}", waiting[0]);
        }
        for said in by_time.into_values().flatten() {
            assert_eq!(levels(said), view(&book, said, decimals), "the book at {}", said["at"]);
        }
        count
    }
}

/// All trades by their ids.
async fn trades(address: SocketAddr, symbol: &str) -> BTreeMap<u64, Trade> {
    let answer = get(address, &format!("/v1/trades?symbol={symbol}&from_seq=1&to_seq=1000000000")).await;
    let trade = |trade: &Value| {
        let number = |name: &str| trade[name].as_f64().unwrap();
        Trade {
            price: number("price"),
            qty: number("qty"),
            side: trade["side"].as_str().unwrap().to_owned(),
            second: millis(&trade["timestamp"]) / 1000,
        }
    };
    let answer = answer.json();
    let all = answer["trades"].as_array().unwrap_or_else(|| panic!("{answer}"));
    all.iter().map(|one| (one["trade_id"].as_u64().unwrap(), trade(one))).collect()
}

fn compare_trade(said: &Value, trade: &Trade) {
    assert_eq!([scaled(&said["price"]), scaled(&said["qty"])], [trade.price, trade.qty].map(scale), "{said}");
    assert_eq!(said["side"], trade.side, "{said}");
}

/// What trades add up to, up to a volume that they had after one of them.
struct Sum {
    volume: f64,
    quote: f64,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
}

fn sum_up_to<'a>(volume: i64, trades: impl Iterator<Item = &'a Trade>) -> Option<Sum> {
    let mut sum =
        Sum { volume: 0.0, quote: 0.0, open: f64::NAN, high: f64::MIN, low: f64::MAX, close: f64::NAN };
    for trade in trades {
        if sum.open.is_nan() {
            sum.open = trade.price;
        }
        sum.volume += trade.qty;
        sum.quote += trade.qty * trade.price;
        sum.high = sum.high.max(trade.price);
        sum.low = sum.low.min(trade.price);
        sum.close = trade.price;
        if scale(sum.volume) >= volume {
            return (scale(sum.volume) == volume).then_some(sum);
        }
    }
    None
}

/// The last 24 hours are all there is: the gateway began a moment ago.
fn compare_ticker(said: &Value, trades: &BTreeMap<u64, Trade>) {
    let sum = sum_up_to(scaled(&said["baseVolume"]), trades.values());
    let sum = sum.unwrap_or_else(|| panic!("the volume was never {said}"));
    let told = ["last", "high", "low"].map(|name| scaled(&said[name]));
    assert_eq!(told, [sum.close, sum.high, sum.low].map(scale), "{said}");
    let vwap = said["vwap"].as_f64().unwrap();
    assert!((vwap - sum.quote / sum.volume).abs() < 0.006, "{said}");
}

fn compare_candle(said: &Value, trades: &BTreeMap<u64, Trade>) {
    let (begin, length) = (said["candle"][0].as_u64().unwrap() / 1000, said["timeframe"].as_u64().unwrap());
    let within = trades.values().filter(|trade| (begin..begin + length).contains(&trade.second));
    let volume = scaled(&said["candle"][5]);
    let sum = sum_up_to(volume, within).unwrap_or_else(|| panic!("the volume was never {said}"));
    let told = [1, 2, 3, 4].map(|place: usize| scaled(&said["candle"][place]));
    assert_eq!(told, [sum.open, sum.high, sum.low, sum.close].map(scale), "{said}");
}

fn millis(text: &Value) -> u64 {
    text.as_str().unwrap().parse::<market::Nanos>().unwrap().0 / 1_000_000
}

/// The levels that a client said, best first.
fn levels(said: &Value) -> [Side; 2] {
    let level = |level: &Value| (scaled(&level[0]), scaled(&level[1]));
    ["bids", "asks"].map(|side| said[side].as_array().unwrap().iter().map(level).collect())
}

/// As many levels of a book as a client said, best first.
fn view(book: &Book, said: &Value, decimals: [u32; 2]) -> [Side; 2] {
    let depth = said["depth"].as_u64().unwrap() as usize;
    let [price, qty] = decimals.map(|decimals| 10_i64.pow(8 - decimals));
    let scaled = |level: (&i64, &i64)| (level.0 * price, level.1 * qty);
    let bids = book.bids.iter().rev().take(depth).map(scaled).collect();
    [bids, book.asks.iter().take(depth).map(scaled).collect()]
}

/// A number, or a text that is one.
fn scaled(value: &Value) -> i64 {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    scale(number.unwrap_or_else(|| panic!("{value} is no number")))
}

fn scale(number: f64) -> i64 {
    (number * SCALE).round() as i64
}
