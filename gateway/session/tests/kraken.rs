//! The Kraken dialect: its answers, its books with the checksum of ten levels, its heartbeat.

mod support;

use crc32fast::Hasher;
use market::{ResetReason, Side};
use serde_json::{Value, json};
use session::{ConnId, Limits, OpenOptions};
use std::collections::BTreeMap;
use support::{Bench, level, trade};
use wire::dialect::Dialect;

fn open(bench: &mut Bench) -> ConnId {
    let options = OpenOptions { dialect: Dialect::Kraken, ..OpenOptions::new(&Limits::default()) };
    bench.worker.open(bench.now, &options)
}

fn subscribe(channel: &str, symbols: &str, more: &str) -> String {
    format!(
        r#"{{"method":"subscribe","params":{{"channel":"{channel}","symbol":[{symbols}]{more}}},"req_id":7}}"#
    )
}

/// A book of so many levels a side, as a client keeps it.
struct Book {
    depth: usize,
    /// By price in ticks, price and quantity without the point.
    sides: [BTreeMap<i64, [String; 2]>; 2],
}

impl Book {
    fn follow(&mut self, message: &Value) {
        let data = &message["data"][0];
        if message["type"] == "snapshot" {
            self.sides = Default::default();
        }
        for (side, name) in self.sides.iter_mut().zip(["bids", "asks"]) {
            for level in data[name].as_array().unwrap() {
                let digits = |name: &str, decimals: i32| {
                    (level[name].as_f64().unwrap() * 10f64.powi(decimals)).round() as i64
                };
                let (price, qty) = (digits("price", 2), digits("qty", 5));
                match qty {
                    0 => side.remove(&price),
                    _ => side.insert(price, [price.to_string(), qty.to_string()]),
                };
            }
        }
        let [bids, asks] = &mut self.sides;
        while bids.len() > self.depth {
            bids.pop_first();
        }
        while asks.len() > self.depth {
            asks.pop_last();
        }
        let mut hasher = Hasher::new();
        for level in asks.values().take(10).chain(bids.values().rev().take(10)) {
            level.iter().for_each(|digits| hasher.update(digits.as_bytes()));
        }
        assert_eq!(data["checksum"], hasher.finalize(), "{message}");
    }
}

#[test]
fn books_at_every_depth_have_the_checksum_of_ten_levels() {
    let mut bench = Bench::standing();
    let mut clients = Vec::new();
    for depth in [10, 25, 100, 500, 1000] {
        let conn = open(&mut bench);
        bench.send(conn, &subscribe("book", "\"BTC/USDT\"", &format!(",\"depth\":{depth}")));
        clients.push((conn, Book { depth, sides: Default::default() }));
    }
    // A plain generator: any numbers do.
    let mut state = 1u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..1_500 {
        let side = if next(2) == 0 { Side::Bid } else { Side::Ask };
        let away = next(40) as i64;
        let price = if side == Side::Bid { 10_000 - away } else { 10_001 + away };
        bench.exchange_event(0, &[level(side, price, next(4) * 10)]);
        if next(3) == 0 {
            bench.flush();
        }
        if round == 700 {
            bench.reset(0, ResetReason::Gap);
        }
    }
    bench.flush();
    for (conn, book) in &mut clients {
        let messages = bench.messages(*conn);
        assert_eq!(messages[0]["result"]["depth"], book.depth);
        let of_book: Vec<_> = messages.iter().filter(|message| message["channel"] == "book").collect();
        of_book.iter().for_each(|message| book.follow(message));
        let snapshots = of_book.iter().filter(|message| message["type"] == "snapshot").count();
        assert_eq!(snapshots, 2, "one at the beginning, one when the book was written anew");
        assert!(book.sides.iter().all(|side| side.len() >= 5.min(book.depth)));
    }
}

#[test]
fn each_symbol_is_answered_before_its_snapshot() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench);
    bench.send(conn, &subscribe("book", "\"BTC/USDT\",\"X/Y\",\"BTC/USDT\"", ""));
    let messages = bench.messages(conn);
    let answer = &messages[0];
    assert_eq!(
        answer["result"],
        json!({"channel": "book", "depth": 10, "snapshot": true, "symbol": "BTC/USDT"})
    );
    assert_eq!((&answer["success"], &answer["req_id"]), (&json!(true), &json!(7)));
    assert!(answer["time_in"].is_string() && answer["time_out"].is_string());
    assert_eq!(messages[1]["error"], "Currency pair not supported X/Y");
    assert_eq!((&messages[1]["symbol"], &messages[1]["success"]), (&json!("X/Y"), &json!(false)));
    assert_eq!(messages[2]["error"], "Already subscribed");
    assert_eq!((&messages[3]["channel"], &messages[3]["type"]), (&json!("book"), &json!("snapshot")));
    bench.send(
        conn,
        r#"{"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USDT","ETH/USDT"]}}"#,
    );
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 7)]);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["result"], json!({"channel": "book", "symbol": "BTC/USDT"}));
    assert_eq!(messages[1]["error"], "Subscription Not Found");
    assert_eq!(messages.len(), 2, "nothing of it after its answer");
}

#[test]
fn trades_begin_with_the_last_ones_unless_not_wanted() {
    let mut bench = Bench::standing();
    bench.exchange_event(0, &[trade(10_000, 1), trade(10_000, 2)]);
    bench.flush();
    let (with, without) = (open(&mut bench), open(&mut bench));
    bench.send(with, &subscribe("trade", "\"BTC/USDT\"", ""));
    bench.send(without, &subscribe("trade", "\"BTC/USDT\"", ",\"snapshot\":false"));
    bench.exchange_event(0, &[trade(10_001, 3)]);
    bench.flush();
    let ids = |messages: Vec<Value>| -> Vec<Value> {
        messages[1..].iter().map(|message| json!([message["type"], message["data"][0]["trade_id"]])).collect()
    };
    let messages = bench.messages(with);
    assert_eq!(messages[1]["data"].as_array().unwrap().len(), 2);
    assert_eq!(messages[1]["data"][0]["ord_type"], "market");
    assert_eq!(ids(messages), [json!(["snapshot", 1]), json!(["update", 3])]);
    assert_eq!(ids(bench.messages(without)), [json!(["update", 3])]);
}

#[test]
fn a_heartbeat_comes_once_a_second_while_something_is_subscribed() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench);
    bench.wait(3_000);
    assert!(bench.messages(conn).is_empty(), "nothing is subscribed");
    bench.send(conn, &subscribe("trade", "\"BTC/USDT\"", ",\"snapshot\":false"));
    (0..5).for_each(|_| bench.wait(1_000));
    let messages = bench.messages(conn);
    assert_eq!(messages[1..], vec![json!({"channel": "heartbeat"}); 5]);
}

#[test]
fn what_is_wrong_is_said_and_the_connection_goes_on() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench);
    for text in ["{", r#"{"method":"buy","req_id":"a"}"#, r#"{"method":"ping","req_id":9}"#] {
        bench.send(conn, text);
    }
    let messages = bench.messages(conn);
    assert_eq!(
        (&messages[0]["success"], &messages[0]["error"]),
        (&json!(false), &json!("Malformed request"))
    );
    assert_eq!((&messages[1]["method"], &messages[1]["req_id"]), (&json!("buy"), &json!("a")));
    assert_eq!((&messages[2]["method"], &messages[2]["req_id"]), (&json!("pong"), &json!(9)));
}

#[test]
fn who_asks_too_often_is_told_so_and_then_closed() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench);
    for _ in 0..100 {
        bench.send(conn, r#"{"method":"subscribe","params":{"channel":"x","symbol":["A/B"]},"req_id":1}"#);
    }
    let messages = bench.messages(conn);
    let told = |words: &str| -> Vec<&Value> {
        let is_so =
            |message: &&Value| message["error"].as_str().is_some_and(|error| error.starts_with(words));
        messages.iter().filter(is_so).collect()
    };
    assert_eq!(told("Unsupported channel").len(), 50, "the burst");
    let refused = told("Exceeded msg rate");
    assert!(refused.iter().all(|refused| refused["req_id"] == 1 && refused["method"] == "subscribe"));
    assert_eq!(refused.len(), 9);
    assert_eq!(messages.last(), Some(&json!({"close": 1008})));
}
