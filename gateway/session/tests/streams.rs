//! The streams of the Binance dialect: chains of ids that continue or visibly break, and its control methods.

mod support;

use market::{Event, Kind, ResetReason, Side};
use serde_json::{Value, json};
use session::{ConnId, Limits, OpenOptions, OpenStreams, find_stream};
use std::collections::BTreeMap;
use support::{Bench, level, trade};
use wire::{dialect::Dialect, envelope::Envelope, message::Encoding};

/// A connection that speaks the dialect, and begins with these streams.
fn open(bench: &mut Bench, combined: bool, names: &[&str]) -> ConnId {
    open_over(bench, Envelope::WebSocket, combined, names, None)
}

fn open_over(
    bench: &mut Bench,
    envelope: Envelope,
    combined: bool,
    names: &[&str],
    since: Option<&str>,
) -> ConnId {
    let dialect = Dialect::binance(combined);
    let options = OpenOptions { envelope, dialect, ..OpenOptions::new(&Limits::default()) };
    let conn = bench.worker.open(bench.now, &options);
    let mut streams =
        OpenStreams { since: since.map(|token| token.parse().unwrap()), ..OpenStreams::default() };
    for name in names {
        match find_stream(name, Encoding::Json, bench.worker.publisher().instruments()) {
            Ok(name) => streams.names.push(name),
            Err(fault) => streams.faults.push(fault),
        }
    }
    bench.worker.open_streams(conn, &streams);
    bench.flush();
    conn
}

/// A change of the best bid, in a bucket of its own.
fn change(bench: &mut Bench, qty: u64) {
    bench.exchange_event(0, &[level(Side::Bid, 10_000, qty)]);
    bench.tick(100);
    bench.flush();
}

/// A book that follows the diffs as a client does that checks `U`.
#[derive(Default)]
struct Chain {
    last: Option<u64>,
    levels: [BTreeMap<String, String>; 2],
    breaks: usize,
}

impl Chain {
    fn follow(&mut self, event: &Value) {
        assert_eq!(event["e"], "depthUpdate", "{event}");
        let [first, last] = ["U", "u"].map(|name| event[name].as_u64().unwrap());
        assert!(first <= last, "{event}");
        if self.last.is_some_and(|before| first != before + 1) {
            self.breaks += 1;
        }
        self.last = Some(last);
        for (side, name) in self.levels.iter_mut().zip(["b", "a"]) {
            for level in event[name].as_array().unwrap() {
                let [price, qty] = [0, 1].map(|at| level[at].as_str().unwrap().to_owned());
                match qty.as_str() {
                    "0.00000000" => side.remove(&price),
                    _ => side.insert(price, qty),
                };
            }
        }
    }
}

#[test]
fn a_chain_goes_on_over_all_that_happens_between_its_events() {
    let mut bench = Bench::new(Limits::default());
    let conn = open(&mut bench, false, &["btcusdt@depth@100ms", "btcusdt@trade"]);
    bench.reset(0, ResetReason::Feed);
    let mut chain = Chain::default();
    let mut trades = Vec::new();
    for round in 0..50 {
        match round % 3 {
            0 => bench.exchange_event(0, &[trade(10_000, round)]),
            1 => bench.exchange_event(0, &[level(Side::Bid, 9_990, round + 1), trade(10_000, round)]),
            _ => {}
        }
        bench.tick(40);
        bench.flush();
        for event in bench.messages(conn) {
            match event["e"].as_str() {
                Some("trade") => trades.push(event["t"].as_u64().unwrap()),
                _ => chain.follow(&event),
            }
        }
    }
    assert_eq!(chain.breaks, 0);
    assert_eq!(trades, (0..50).filter(|round| round % 3 < 2).collect::<Vec<u64>>());
    assert_eq!(chain.levels[0]["99.90000000"], "0.00050000", "of the last round that changed it");
    assert_eq!((chain.levels[0].len(), chain.levels[1].len()), (6, 5));
}

#[test]
fn what_a_slow_client_did_not_get_is_one_event_that_continues_the_chain() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &["btcusdt@depth@100ms"]);
    change(&mut bench, 1);
    let mut chain = Chain::default();
    bench.messages(conn).iter().for_each(|event| chain.follow(event));
    bench.stall(conn, 10);
    (2..20).for_each(|qty| change(&mut bench, qty));
    bench.drain(conn);
    bench.flush();
    let events = bench.messages(conn);
    events.iter().for_each(|event| chain.follow(event));
    assert_eq!((events.len(), chain.breaks), (2, 0), "that which was partly written, and a merge");
    assert_eq!(chain.levels[0]["100.00000000"], "0.00019000");
}

#[test]
fn a_book_that_is_written_anew_breaks_the_chain_and_ends_the_connection() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &["btcusdt@depth@100ms"]);
    let other = open(&mut bench, false, &["ethusdt@depth@100ms"]);
    change(&mut bench, 1);
    let mut chain = Chain::default();
    bench.messages(conn).iter().for_each(|event| chain.follow(event));
    bench.reset(0, ResetReason::Gap);
    bench.tick(100);
    bench.flush();
    let mut messages = bench.messages(conn);
    assert_eq!(messages.pop(), Some(json!({"close": 1008})));
    let before = chain.last.unwrap();
    messages.iter().for_each(|event| chain.follow(event));
    assert_eq!((messages.len(), chain.breaks), (1, 1));
    assert_eq!(messages[0]["U"], before + 2, "one id is left out");
    assert_eq!((&messages[0]["b"], &messages[0]["a"]), (&json!([]), &json!([])));
    assert!(bench.sockets.ended.contains_key(&conn));
    assert!(bench.messages(other).is_empty() && !bench.sockets.ended.contains_key(&other));
}

#[test]
fn a_lapped_worker_breaks_its_chains_and_names_nothing_else() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &["btcusdt@trade"]);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.flush();
    assert_eq!(bench.messages(conn).len(), 1);
    bench.worker.lapped();
    let image = book::Image {
        symbol: market::SymbolId(0),
        ids: support::EPOCH.into(),
        position: bench.position,
        mark: book::Mark { seq: bench.seq(0) + 40, ..book::Mark::default() },
        feed_time: bench.now,
        stale: false,
        levels: Some(Default::default()),
    };
    bench.worker.install(&image, bench.now);
    bench.flush();
    assert_eq!(bench.messages(conn), [json!({"close": 1008})]);
}

#[test]
fn a_token_continues_the_chain_on_another_transport_or_says_that_it_does_not() {
    let mut bench = Bench::standing();
    let conn = open_over(&mut bench, Envelope::Sse, true, &["btcusdt@depth@100ms"], None);
    change(&mut bench, 1);
    let text = bench.text(conn);
    let (events, _) = support::stream_events(&text);
    let (id, event) = events.last().unwrap();
    let mut chain = Chain::default();
    chain.follow(&event["data"]);
    assert_eq!(event["stream"], "btcusdt@depth@100ms");
    change(&mut bench, 2);
    let again = open_over(&mut bench, Envelope::WebSocket, true, &["btcusdt@depth@100ms"], id.as_deref());
    change(&mut bench, 3);
    let events = bench.messages(again);
    events.iter().for_each(|event| chain.follow(&event["data"]));
    assert_eq!(chain.breaks, 0, "{events:?}");
    assert_eq!(chain.levels[0]["100.00000000"], "0.00003000");
    let strange = Some("0000000000000001:BTC/USDT@0=7");
    let stranger = open_over(&mut bench, Envelope::Sse, true, &["btcusdt@depth@100ms"], strange);
    assert_eq!(bench.text(stranger), "", "it sees by the next event that nothing is continued");
    assert!(!bench.sockets.ended.contains_key(&stranger));
}

#[test]
fn partial_books_are_all_there_is_each_time() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &["btcusdt@depth5@100ms"]);
    let first = bench.messages(conn);
    assert_eq!(first[0]["bids"].as_array().unwrap().len(), 5, "the present one at once: {first:?}");
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 0)]);
    bench.tick(100);
    bench.flush();
    let second = bench.messages(conn);
    assert_eq!(second[0]["bids"][0], json!(["99.99000000", "0.00101000"]));
    assert_eq!(second[0]["bids"].as_array().unwrap().len(), 4);
    assert_eq!(second[0]["asks"], first[0]["asks"]);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.tick(100);
    bench.flush();
    assert!(bench.messages(conn).is_empty(), "the view is the same");
}

#[test]
fn a_request_is_done_as_a_whole_or_not_at_all() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &[]);
    bench.send(conn, r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","nope@trade"],"id":1}"#);
    bench.send(conn, r#"{"method":"SUBSCRIBE","params":["btcusdt@nope"],"id":"b"}"#);
    bench.send(conn, r#"{"method":"LIST_SUBSCRIPTIONS","id":2}"#);
    let answers = bench.messages(conn);
    assert_eq!(answers[0], json!({"error": {"code": -1121, "msg": "Invalid symbol."}, "id": 1}));
    assert_eq!((&answers[1]["error"]["code"], &answers[1]["id"]), (&json!(2), &json!("b")));
    assert_eq!(answers[2], json!({"result": [], "id": 2}));
    bench.send(conn, r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@trade"],"id":0}"#);
    bench.send(conn, r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"]}"#);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(messages[0], json!({"result": null, "id": 0}));
    assert_eq!(messages[1], json!({"result": null, "id": null}));
    assert_eq!(messages[2]["e"], "trade");
    assert_eq!(messages.len(), 3, "subscribed twice, delivered once");
    bench.send(conn, r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade","ethusdt@trade"],"id":3}"#);
    bench.exchange_event(0, &[trade(10_000, 2)]);
    bench.flush();
    assert_eq!(bench.messages(conn), [json!({"result": null, "id": 3})]);
}

#[test]
fn what_is_wrong_with_a_name_in_the_path_is_said_and_the_rest_served() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, true, &["BTCUSDT@trade", "btcusdt@trade"]);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["error"]["code"], -1121, "names are of lower case");
    assert_eq!(messages[1]["stream"], "btcusdt@trade");
}

#[test]
fn events_are_wrapped_as_the_property_says() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, false, &["btcusdt@depth@100ms", "btcusdt@trade"]);
    let mut chain = Chain::default();
    change(&mut bench, 1);
    bench.messages(conn).iter().for_each(|event| chain.follow(event));
    for (wanted, qty) in [(true, 2), (false, 3)] {
        bench.send(conn, &format!(r#"{{"method":"SET_PROPERTY","params":["combined",{wanted}],"id":1}}"#));
        bench.send(conn, r#"{"method":"GET_PROPERTY","params":["combined"],"id":2}"#);
        change(&mut bench, qty);
        let messages = bench.messages(conn);
        assert_eq!(messages[0], json!({"result": null, "id": 1}));
        assert_eq!(messages[1], json!({"result": wanted, "id": 2}));
        assert_eq!(messages[2].get("stream").is_some(), wanted);
        chain.follow(if wanted { &messages[2]["data"] } else { &messages[2] });
    }
    assert_eq!(chain.breaks, 0);
}

#[test]
fn a_candle_is_told_once_more_when_it_closes() {
    let mut bench = Bench::standing();
    bench.tick(300);
    let conn = open(&mut bench, false, &["btcusdt@kline_1s"]);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.exchange_event(0, &[trade(10_005, 2)]);
    let mut told = Vec::new();
    for _ in 0..24 {
        bench.tick(100);
        bench.flush();
        told.extend(bench.messages(conn));
    }
    let told: Vec<Value> =
        told.iter().map(|event| json!([event["k"]["c"], event["k"]["n"], event["k"]["x"]])).collect();
    assert_eq!(
        told,
        [json!(["100.05000000", 2, true]), json!(["100.05000000", 0, true])],
        "the second one without a trade, as long as it is watched"
    );
}

#[test]
fn a_ticker_is_told_once_a_second_and_only_if_something_was_traded() {
    let mut bench = Bench::standing();
    bench.tick(300);
    let conn = open(&mut bench, false, &["btcusdt@miniTicker", "!miniTicker@arr"]);
    let mut told = Vec::new();
    for round in 0..40 {
        if round < 20 {
            bench.exchange_event(0, &[trade(10_000 + round, round as u64)]);
        }
        bench.tick(100);
        bench.flush();
        told.extend(bench.messages(conn));
    }
    let (all, one): (Vec<_>, Vec<_>) = told.iter().partition(|event| event.is_array());
    assert_eq!((one.len(), all.len()), (3, 3), "in the fourth second there was no trade: {told:?}");
    assert_eq!(one[2]["c"], "100.19000000");
    assert_eq!(&all[2][0], one[2]);
}

#[test]
fn the_first_request_on_a_line_decides_what_is_spoken() {
    let mut bench = Bench::standing();
    let conn = bench.open_over(Envelope::Tcp);
    let say = |bench: &mut Bench, line: &str| {
        let mut bytes = format!("{line}\n").into_bytes();
        bench.worker.input(conn, &mut bytes, bench.now, &mut bench.sockets);
        bench.text(conn)
    };
    let answer = say(&mut bench, r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}"#);
    assert_eq!(answer, "{\"result\":null,\"id\":1}\n");
    bench.exchange_event(0, &[Event { number: 9, ..Event::new(Kind::Trade) }]);
    bench.flush();
    assert!(bench.text(conn).starts_with("{\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\""));
    assert!(say(&mut bench, r#"{"method":"list"}"#).contains("unknown variant `list`"));
    bench.wait(5_000);
    assert_eq!(bench.text(conn), "", "heartbeats are words of the native protocol");
}
