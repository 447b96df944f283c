//! Streams of the Binance dialect over transports with tokens: who goes on where it was finds the chain of ids unbroken, as it
//! would have been on one connection.

mod support;

use market::Side;
use serde_json::{Value, json};
use session::{ConnId, Limits, OpenOptions, OpenStreams, Poll, find_stream};
use support::{Bench, level, stream_events, trade};
use wire::{dialect::Dialect, dialect::binance::StreamName, envelope::Envelope, message::Encoding};

const NAMES: [&str; 2] = ["btcusdt@depth@100ms", "btcusdt@trade"];

fn named(bench: &Bench, names: &[&str]) -> Vec<StreamName> {
    let instruments = bench.worker.publisher().instruments();
    names.iter().map(|name| find_stream(name, Encoding::Json, instruments).unwrap()).collect()
}

/// A stream of server-sent events of these streams, from a token on.
fn stream(bench: &mut Bench, names: &[&str], since: Option<&str>) -> ConnId {
    let options = OpenOptions {
        envelope: Envelope::Sse,
        dialect: Dialect::binance(true),
        ..OpenOptions::new(&Limits::default())
    };
    let names = named(bench, names);
    let conn = bench.worker.open(bench.now, &options);
    let since = since.map(|token| token.parse().unwrap());
    bench.worker.open_streams(conn, &OpenStreams { names, faults: Vec::new(), since });
    bench.flush();
    conn
}

/// The last token, and the ids of the events of changes.
fn told(bench: &mut Bench, conn: ConnId) -> (Option<String>, Vec<[u64; 2]>) {
    bench.flush();
    let (events, _) = stream_events(&bench.text(conn));
    let token = events.iter().rev().find_map(|(id, _)| id.clone());
    (token, changes(events.iter().map(|(_, message)| message)))
}

fn changes<'a>(messages: impl Iterator<Item = &'a Value>) -> Vec<[u64; 2]> {
    let events = messages.map(|message| &message["data"]).filter(|event| event["e"] == "depthUpdate");
    events.map(|event| ["U", "u"].map(|name| event[name].as_u64().unwrap())).collect()
}

fn change(bench: &mut Bench, qty: u64) {
    bench.exchange_event(0, &[level(Side::Bid, 10_000, qty)]);
    bench.tick(100);
}

fn trades(bench: &mut Bench, id: u64) {
    bench.exchange_event(0, &[trade(10_001, id)]);
    bench.tick(100);
}

#[test]
fn trades_that_change_no_book_leave_no_hole_for_who_resumes() {
    let mut bench = Bench::standing();
    bench.tick(100);
    let conn = stream(&mut bench, &NAMES, None);
    change(&mut bench, 7);
    let (_, before) = told(&mut bench, conn);
    let [.., [_, last]] = before[..] else { panic!("{before:?}") };
    trades(&mut bench, 1);
    trades(&mut bench, 2);
    let (token, nothing) = told(&mut bench, conn);
    assert_eq!(nothing, [[0; 2]; 0]);
    let other = stream(&mut bench, &NAMES, token.as_deref());
    trades(&mut bench, 3);
    change(&mut bench, 8);
    let [one, again] = [conn, other].map(|conn| told(&mut bench, conn).1);
    assert_eq!(one, [[last + 1, bench.seq(0)]]);
    assert_eq!(again, one, "the token was {token:?}");
}

#[test]
fn nor_for_who_polls() {
    let mut bench = Bench::standing();
    bench.tick(100);
    let mut cursor: Option<String> = None;
    let mut poll = |bench: &mut Bench| {
        let poll = Poll::of_streams(&named(bench, &NAMES), cursor.as_ref().map(|text| text.parse().unwrap()));
        let (mut body, now) = (Vec::new(), bench.now);
        assert!(bench.worker.publisher_mut().push_poll(&poll.unwrap(), now, &mut body));
        let answer: Value = serde_json::from_slice(&body).unwrap();
        cursor = answer["cursor"].as_str().map(str::to_owned);
        changes(answer["messages"].as_array().unwrap().iter())
    };
    poll(&mut bench);
    change(&mut bench, 7);
    let [[_, last]] = poll(&mut bench)[..] else { panic!("one event") };
    trades(&mut bench, 1);
    assert_eq!(poll(&mut bench), [[0; 2]; 0]);
    change(&mut bench, 8);
    assert_eq!(poll(&mut bench), [[last + 1, bench.seq(0)]]);
}

#[test]
fn streams_that_a_client_has_take_no_room() {
    let limits = Limits { topics_per_connection: 2, ..Limits::default() };
    let mut bench = Bench::new(limits);
    let options = OpenOptions { dialect: Dialect::binance(true), ..OpenOptions::new(&Limits::default()) };
    let conn = bench.worker.open(bench.now, &options);
    let mut ask = |names: &[&str]| {
        bench.send(conn, &json!({"method": "SUBSCRIBE", "params": names, "id": 1}).to_string());
        bench.flush();
        bench.messages(conn)[0].clone()
    };
    let done = json!({"result": null, "id": 1});
    assert_eq!(ask(&[NAMES[0], NAMES[0], NAMES[1], NAMES[1]]), done);
    assert_eq!(ask(&NAMES), done);
    assert_eq!(ask(&[NAMES[0], "btcusdt@depth"])["error"]["code"], 2);
}

#[test]
fn a_connection_of_streams_takes_no_requests_that_would_turn_them_into_something_else() {
    let mut bench = Bench::standing();
    bench.tick(100);
    let conn = bench.open_over(Envelope::SocketIo);
    // Its frames, as far as they are text.
    let said = |bench: &mut Bench| {
        String::from_utf8_lossy(&bench.sockets.received.remove(&conn).unwrap_or_default()).into_owned()
    };
    bench.send(conn, "40");
    bench.send(conn, r#"421["subscribe",{"streams":["btcusdt@depth@100ms"]}]"#);
    bench.flush();
    said(&mut bench);
    for (method, more) in [("modify", ",\"depth\":1"), ("unsubscribe", ""), ("subscribe", "")] {
        let params = format!("{{\"channel\":\"book\",\"symbol\":[\"BTC/USDT\"]{more}}}");
        bench.send(conn, &format!("422[\"{method}\",{params}]"));
        bench.flush();
        let answer = said(&mut bench);
        assert!(answer.contains("\"code\":2"), "{method}: {answer}");
    }
    bench.exchange_event(0, &[level(Side::Bid, 9_996, 7)]);
    bench.tick(100);
    bench.flush();
    assert!(said(&mut bench).contains("\"b\":[[\"99.96000000\",\"0.00007000\"]]"), "the whole book goes on");
}
