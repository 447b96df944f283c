//! An operator holds a replay, lets it go, and moves it: clients of all channels go on right wherever it goes.

use crate::support::{
    Answer,
    client::Client,
    program::{Gateway, depthcast},
    request_with, run,
};
use client::{Tracker, Update};
use feed::FeedSink;
use journal::{Moment, Recording, Writer};
use market::{
    Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, ResetReason, Side, Status, SymbolId,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path};

/// Begins at 2026-01-01T00:00:00Z.
pub const START: u64 = 1_767_225_600_000_000_000;
const SECOND: u64 = 1_000_000_000;

pub fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json")];
    run(request_with(address, "POST", path, &headers, body.to_owned()))
}

/// 60 s of two symbols: each second a level of each, and a trade; the second symbol begins at 20 s.
pub fn record(dir: &Path) {
    record_at(dir, Epoch(77), START);
}

/// The same in another numbering and at another time, as one more run.
pub fn record_at(dir: &Path, epoch: Epoch, start: u64) {
    let instrument = |symbol: &str| Instrument {
        symbol: symbol.into(),
        venue_symbol: symbol.replace('/', ""),
        price_decimals: 2,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    };
    let instruments = Instruments::new([instrument("A/B"), instrument("C/D")]).unwrap();
    let mut writer = Writer::open(dir, epoch, &instruments).unwrap();
    let mut seqs = [0, 0];
    for second in 0..60 {
        for (symbol, seq) in (0..).zip(&mut seqs) {
            if symbol == 1 && second < 20 {
                continue;
            }
            let mut event = |kind, side, price| {
                *seq += 1;
                Event {
                    symbol: SymbolId(symbol),
                    seq: *seq,
                    side,
                    price: Price(price),
                    qty: Qty(1_000 + second),
                    timestamp: Nanos(start + second * SECOND),
                    number: second + 1,
                    ..Event::new(kind)
                }
            };
            let mut events = Vec::new();
            if begins(second, symbol) {
                let reset = event(Kind::Reset, Side::Bid, 0);
                events.push(Event { qty: Qty(ResetReason::Feed as u64), ..reset });
                events.push(event(Kind::Level, Side::Ask, 20_000));
            }
            events.push(event(Kind::Level, Side::Bid, 10_000 + second as i64));
            events.push(event(Kind::Trade, Side::Bid, 20_000));
            events.last_mut().unwrap().last = true;
            writer.push(&events).unwrap();
        }
        writer.sync().unwrap();
    }
}

fn begins(second: u64, symbol: u32) -> bool {
    second == if symbol == 0 { 0 } else { 20 }
}

pub fn at(second: u64) -> String {
    Nanos(START + second * SECOND).to_string()
}

/// A subscriber that proves its books, and what it was told.
pub struct Watcher {
    pub client: Client,
    pub tracker: Tracker,
}

impl Watcher {
    pub async fn next(&mut self) -> Value {
        let text = self.client.text().await;
        match self.tracker.on_text(text.as_bytes()) {
            Ok(Update::Refused { .. }) => panic!("{text}"),
            Ok(_) => serde_json::from_str(&text).unwrap(),
            Err(fault) => panic!("{fault}: {text}"),
        }
    }

    /// Reads until a book message of the symbol whose time is that of a second of the recording.
    async fn book_at(&mut self, symbol: &str, second: u64, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            let book = &message["data"][0];
            let is_it = message["channel"] == "book" && message["type"] == kind && book["symbol"] == symbol;
            if is_it && book["timestamp"] == at(second) {
                return book.clone();
            }
        }
    }
}

#[test]
fn a_replay_is_held_and_moved_and_its_clients_go_on_right() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let feed = format!("journal:{}", dir.path().display());
    let gateway = Gateway::start(depthcast(&["--listen", "127.0.0.1:0", "--feed", &feed, "--hold"]));
    let admin = |what: &str, body: Value| {
        let headers = [("content-type", "application/json")];
        let (path, body) = (format!("/v1/admin/{what}"), body.to_string());
        async move { request_with(gateway.address, "POST", &path, &headers, body).await }
    };
    let recording = Recording::open(dir.path()).unwrap();
    let seq_at = |second: u64, symbol: u32| {
        let position = recording.at(1, Moment::Time(Nanos(START + second * SECOND))).unwrap();
        position.books.get(SymbolId(symbol)).unwrap().seq()
    };
    run(async {
        assert_eq!(admin("pause", json!({})).await.json(), json!({"paused": true, "speed": "1"}));
        let mut watcher = Watcher { client: Client::connect(gateway.address).await, tracker: Tracker::new() };
        for channel in ["book", "trade", "bbo"] {
            let params = json!({"channel": channel, "symbol": ["A/B", "C/D"], "policy": "lossless"});
            watcher.client.send(json!({"method": "subscribe", "params": params})).await;
        }
        assert_eq!(admin("continue", json!({})).await.json()["paused"], false);
        watcher.book_at("A/B", 0, "snapshot").await;

        // Ahead, to a moment at which both are there.
        assert_eq!(admin("seek", json!({"to": at(40)})).await.status, 200);
        let book = watcher.book_at("C/D", 40, "snapshot").await;
        // The first that this subscription is sent, so that is what it says; the other one is moved.
        assert_eq!((&book["reason"], book["seq"].as_u64()), (&json!("subscribe"), Some(seq_at(40, 1))));
        let update = watcher.book_at("A/B", 41, "update").await;
        assert_eq!(update["first_seq"].as_u64(), Some(seq_at(40, 0) + 1));

        // Back, to before the second symbol began; fast from there.
        assert_eq!(admin("pause", json!({})).await.status, 200);
        assert_eq!(admin("seek", json!({"to": START + 10 * SECOND})).await.status, 200);
        let book = watcher.book_at("A/B", 10, "snapshot").await;
        assert_eq!((&book["reason"], book["seq"].as_u64()), (&json!("seek"), Some(seq_at(10, 0))));
        assert_eq!(book["bids"].as_array().unwrap().len(), 10);
        assert_eq!(admin("speed", json!({"speed": 50})).await.json()["speed"], "50");
        assert_eq!(admin("continue", json!({})).await.status, 200);
        let book = watcher.book_at("C/D", 20, "snapshot").await;
        assert_eq!((&book["reason"], book["seq"].as_u64()), (&json!("seek"), Some(seq_at(20, 1))));
        while watcher.next().await["data"][0]["event"] != "feed_ended" {}

        // Behind its end it can be moved, too.
        assert_eq!(admin("speed", json!({"speed": "max"})).await.json()["speed"], "max");
        assert_eq!(admin("seek", json!({"to": at(55)})).await.status, 200);
        watcher.book_at("A/B", 59, "update").await;
        while watcher.next().await["data"][0]["event"] != "feed_ended" {}
    });
}

#[test]
fn only_an_operator_is_obeyed() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let feed = format!("journal:{}", dir.path().display());
    let token = "a token of some length";
    let gateway = Gateway::start(depthcast(&[
        "--listen",
        "127.0.0.1:0",
        "--feed",
        &feed,
        "--hold",
        "--admin-token",
        token,
    ]));
    let check = |path: &str, headers: &[(&str, &str)], body: &str, status: u16, text: &str| {
        let answer = run(request_with(gateway.address, "POST", path, headers, body.to_owned()));
        assert_eq!(answer.status, status, "{path} {headers:?} {body}: {}", answer.body);
        assert!(answer.body.contains(text), "{path} {headers:?} {body}: {}", answer.body);
    };
    let json = ("content-type", "application/json");
    check("/v1/admin/pause", &[json], "{}", 200, "\"paused\":true");
    check("/v1/admin/pause", &[json], "", 200, "\"paused\":true");
    check("/v1/admin/pause", &[("content-type", "text/plain")], "{}", 403, "application/json");
    check("/v1/admin/pause", &[json, ("origin", "https://evil.example")], "{}", 403, "origin");
    check("/v1/admin/pause", &[("authorization", "Bearer another token")], "{}", 403, "--admin-token");
    check("/v1/admin/pause", &[("authorization", "Bearer a token of some length")], "{}", 200, "paused");
    check("/v1/admin/fly", &[json], "{}", 404, "there is nothing at");
    check("/v1/admin/speed", &[json], r#"{"speed":0}"#, 400, "above 0");
    check("/v1/admin/speed", &[json], r#"{"sped":1}"#, 400, "sped");
    check("/v1/admin/seek", &[json], r#"{"to":"yesterday"}"#, 400, "to:");
    check(
        "/v1/admin/seek",
        &[json],
        r#"{"to":"2030-01-01T00:00:00Z"}"#,
        404,
        "the recording is of 2026-01-01",
    );
    check("/v1/admin/seek", &[json], &" ".repeat(5_000), 400, "longer than 4096");

    let simulated = Gateway::start(depthcast(&["--listen", "127.0.0.1:0", "--symbols", "1"]));
    let answer = post(simulated.address, "/v1/admin/seek", r#"{"to":1}"#);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("no_recording")));
    let paused = serde_json::json!({"paused": true, "scenario": "market", "rate": 1000});
    assert_eq!(post(simulated.address, "/v1/admin/pause", "{}").json(), paused);
    let answer = post(gateway.address, "/v1/admin/scenario", r#"{"scenario":"crash"}"#);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("not_offered")));
}

#[test]
fn the_simulator_goes_over_to_another_scenario_and_its_books_go_on() {
    let gateway = Gateway::start(depthcast(&["--listen", "127.0.0.1:0", "--symbols", "2"]));
    let admin = |body: &str| post(gateway.address, "/v1/admin/scenario", body);
    let refused = |body: &str, text: &str| {
        let answer = admin(body);
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert!(answer.body.contains(text), "{}", answer.body);
    };
    refused(r#"{"scenario":"boom"}"#, "built in are market, even");
    refused(r#"{"scenario":"even"}"#, "cannot go over to 'even'");
    refused(r#"{"rate":0}"#, "1 to 100000000");
    refused("{}", "nothing to change");
    refused(r#"{"scenarios":"crash"}"#, "scenarios");

    let wanted = json!({"paused": false, "scenario": "crash", "rate": 5000});
    let (url, address) = (format!("http://{}", gateway.address), gateway.address);
    let switch = std::thread::spawn(move || {
        // While a client looks on that proves all it is told.
        run(async {
            crate::support::get_until(address, "/v1/subscribers", |answer| {
                answer.json()["subscribers"][0]["topics"].as_u64() > Some(0)
            })
            .await
        });
        post(address, "/v1/admin/scenario", r#"{"scenario":"crash","rate":5000}"#).json()
    });
    let check = depthcast(&["check", &url, "--seconds", "3"]).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    assert_eq!(switch.join().unwrap(), wanted);
}
