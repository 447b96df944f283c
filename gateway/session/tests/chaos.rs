//! What a client has done to its messages: just what the report says, by one seed always the same, and to nobody else.

mod support;

#[path = "../../wire/tests/sbe/as_json.rs"]
mod as_json;
#[path = "../../wire/tests/sbe/decoder.rs"]
mod decoder;

use as_json::as_json;
use market::{Side, SymbolId};
use serde_json::{Value, json};
use session::{ConnId, Ending, Limits, OpenOptions};
use std::time::Duration;
use support::{
    Bench, TextBook,
    account::{Chance, Market},
    level, trade,
};
use wire::{
    dialect::Dialect,
    envelope::{Envelope, websocket::frame_lengths},
    message::Encoding,
};

const BOOK: &str = r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT"}}"#;
const REPORT: &str = r#"{"method":"chaos","params":{"report":true}}"#;
const ALL_ACTS: &str = r#""drop":0.1,"repeat":0.1,"reorder":0.1,"corrupt":0.1"#;

fn allowing() -> Limits {
    Limits { allow_chaos: true, requests_per_second: 0, ..Limits::default() }
}

/// A worker that allows chaos, with books that stand.
fn bench() -> (Bench, Market) {
    bench_of(allowing())
}

fn bench_of(limits: Limits) -> (Bench, Market) {
    let (mut bench, mut market) = (Bench::new(limits), Market::default());
    (0..2).for_each(|symbol| market.reset(&mut bench, symbol));
    bench.flush();
    (bench, market)
}

fn chaos(params: &str) -> String {
    format!(r#"{{"method":"chaos","params":{{"symbol":"BTC/USDT",{params}}}}}"#)
}

/// Something asked for in the words of the transport.
fn ask(bench: &mut Bench, conn: ConnId, envelope: Envelope, request: &str) {
    match envelope {
        Envelope::Tcp => {
            let mut line = format!("{request}\n").into_bytes();
            bench.worker.input(conn, &mut line, bench.now, &mut bench.sockets);
        }
        Envelope::SocketIo => {
            let request: Value = serde_json::from_str(request).unwrap();
            bench.send(conn, &format!("42{}", json!([request["method"], request["params"]])));
        }
        _ => bench.send(conn, request),
    }
}

/// What came, of any transport, in the words of JSON.
fn received(bench: &mut Bench, conn: ConnId, envelope: Envelope) -> Vec<Value> {
    let bytes = bench.sockets.received.get_mut(&conn).map(std::mem::take).unwrap_or_default();
    let json = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
    if envelope == Envelope::Tcp {
        return bytes.split_inclusive(|&byte| byte == b'\n').map(json).collect();
    }
    let (mut rest, mut messages) = (&bytes[..], Vec::new());
    while let Some((header, length)) = frame_lengths(rest) {
        let payload = &rest[header..header + length];
        match rest[0] {
            0x82 => messages.push(json(as_json(payload).unwrap().as_bytes())),
            0x81 if envelope == Envelope::SocketIo => {
                let event =
                    payload.strip_prefix(b"42[\"market\",").and_then(|event| event.strip_suffix(b"]"));
                messages.extend(event.map(json));
            }
            0x81 => messages.push(json(payload)),
            _ => {}
        }
        rest = &rest[header + length..];
    }
    messages
}

/// The book's updates among messages.
fn updates(messages: &[Value]) -> Vec<Value> {
    let is_update = |message: &&Value| message["channel"] == "book" && message["type"] == "update";
    messages.iter().filter(is_update).cloned().collect()
}

fn report(messages: &[Value]) -> Value {
    let is_report = |message: &&Value| message["method"] == "chaos" && message["result"]["acts"].is_array();
    messages.iter().rfind(is_report).expect("there is a report")["result"].clone()
}

/// What a client gets of these messages if this is done to them. Instead of what was made wrong comes null.
fn spoiled(messages: &[Value], acts: &[Value]) -> Vec<Value> {
    let act_on = |number: usize| {
        acts.iter().find(|act| act["message"] == number && act["act"] != "stall").map(|act| {
            let of = &messages[number - 1]["data"][0];
            assert_eq!((&act["first_seq"], &act["seq"]), (&of["first_seq"], &of["seq"]), "{act}");
            act["act"].as_str().unwrap()
        })
    };
    let (mut got, mut held) = (Vec::new(), None);
    for (message, number) in messages.iter().zip(1..) {
        let late: Option<Value> = held.take();
        match act_on(number) {
            Some("drop") => {}
            Some("repeat") => got.extend([message.clone(), message.clone()]),
            Some("reorder") => held = Some(message.clone()),
            Some("corrupt") => got.push(Value::Null),
            None => got.push(message.clone()),
            Some(other) => panic!("{other}"),
        }
        got.extend(late);
    }
    got
}

/// Whether it is another message than this only in one quantity, or else in its checksum.
fn is_corrupted(wrong: &Value, right: &Value) -> bool {
    let (mut wrong, mut right) = (wrong.clone(), right.clone());
    let without = |message: &mut Value, side: &str| {
        let levels = message["data"][0][side].as_array_mut().unwrap();
        levels.iter_mut().map(|level| level["qty"].take()).collect::<Vec<_>>()
    };
    let differ = |side| {
        let (a, b) = (without(&mut wrong, side), without(&mut right, side));
        a.iter().zip(&b).filter(|(a, b)| a != b).count()
    };
    let quantities: usize = ["bids", "asks"].map(differ).iter().sum();
    let [a, b] = [&mut wrong, &mut right].map(|message| message["data"][0]["checksum"].take());
    wrong == right && quantities + usize::from(a != b) == 1
}

/// Lets things happen in turns of several; flushes each.
fn happen(bench: &mut Bench, market: &mut Market, chance: &mut Chance, turns: u64) {
    for _ in 0..turns {
        for _ in 0..=chance.below(4) {
            let (side, away) = ([Side::Bid, Side::Ask][chance.below(2) as usize], chance.below(5) as i64);
            let price = if side == Side::Bid { 10_000 - away } else { 10_001 + away };
            match chance.below(8) {
                0 => market.trade(bench, 0, 1),
                1 => bench.exchange_event(0, &[level(side, price, 0)]),
                _ => bench.exchange_event(0, &[level(side, price, 1 + chance.below(1_000))]),
            }
        }
        bench.flush();
    }
}

fn check_report_against_bytes(envelope: Envelope, encoding: Encoding, seed: u64, batch_bytes: usize) {
    let options =
        OpenOptions { envelope, dialect: Dialect::Native(encoding), ..OpenOptions::new(&Limits::default()) };
    let play = |plan: &str| {
        let (mut bench, mut market) = bench_of(Limits { batch_bytes, ..allowing() });
        // Neighbours in every order share what they may share.
        let [first, victim, other_victim, last] = [(); 4].map(|()| {
            let conn = bench.open_as(&options);
            if envelope == Envelope::SocketIo {
                bench.send(conn, "40");
            }
            conn
        });
        for conn in [victim, other_victim] {
            ask(&mut bench, conn, envelope, &chaos(plan));
        }
        for conn in [first, victim, other_victim, last] {
            ask(&mut bench, conn, envelope, BOOK);
        }
        happen(&mut bench, &mut market, &mut Chance(seed), 200);
        (bench, victim, [first, last])
    };
    let (mut bench, victim, innocent) = play(&format!(r#""seed":{seed},{ALL_ACTS}"#));
    let (calm, _, same) = play(r#""seed":1"#);
    for (innocent, same) in innocent.iter().zip(&same) {
        assert_eq!(bench.sockets.received[innocent], calm.sockets.received[same]);
    }
    ask(&mut bench, victim, envelope, &chaos(r#""channel":"book""#));
    ask(&mut bench, victim, envelope, REPORT);
    let messages = received(&mut bench, victim, envelope);
    let report = report(&messages);
    let acts = report["acts"].as_array().unwrap();
    for act in ["drop", "repeat", "reorder", "corrupt"] {
        let count = acts.iter().filter(|done| done["act"] == act).count();
        assert!(count > 5, "{act}: {count} in {report}");
        assert_eq!(report["counts"][act], count);
    }
    let right = updates(&received(&mut bench, innocent[0], envelope));
    let (got, wanted) = (updates(&messages), spoiled(&right, acts));
    // One may wait for the next message no longer: it is sent, as if nothing were.
    assert_eq!(got.len(), wanted.len());
    for (at, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        match wanted {
            Value::Null => {
                let of = right.iter().find(|right| right["data"][0]["seq"] == got["data"][0]["seq"]).unwrap();
                assert!(is_corrupted(got, of), "{got} was {of}");
            }
            _ => assert_eq!(got, wanted, "message {at}"),
        }
    }
}

#[test]
fn what_is_done_is_what_the_report_says_on_every_transport_and_to_nobody_else() {
    for seed in 1..=5 {
        for envelope in [Envelope::WebSocket, Envelope::Tcp, Envelope::SocketIo] {
            check_report_against_bytes(envelope, Encoding::Json, seed, 64 << 10);
        }
        check_report_against_bytes(Envelope::WebSocket, Encoding::Sbe, seed, 64 << 10);
        // In small batches, some of them larger than a batch may be.
        check_report_against_bytes(Envelope::WebSocket, Encoding::Json, seed, 350);
    }
}

#[test]
fn what_is_larger_than_a_batch_is_left_alone_and_counts() {
    let (mut bench, _) = bench_of(Limits { batch_bytes: 100, ..allowing() });
    let conn = bench.client(BOOK);
    bench.send(conn, &chaos(r#""channel":"book","drop":1"#));
    bench.messages(conn);
    for qty in 1..=3 {
        bench.exchange_event(0, &[level(Side::Ask, 10_001, qty)]);
    }
    bench.flush();
    assert_eq!(seqs(&bench.messages(conn)), [12, 13, 14]);
    bench.send(conn, REPORT);
    assert_eq!(report(&bench.messages(conn))["subscriptions"][0]["messages"], 3);
}

#[test]
fn one_seed_makes_the_same_bytes_and_another_one_others() {
    let bytes_of = |seed: u64| {
        let (mut bench, mut market) = bench();
        let conn = bench.client(&chaos(&format!(r#""seed":{seed},{ALL_ACTS}"#)));
        bench.send(conn, BOOK);
        bench.send(conn, r#"{"method":"subscribe","params":{"channel":"bbo","symbol":"BTC/USDT"}}"#);
        happen(&mut bench, &mut market, &mut Chance(7), 100);
        bench.sockets.received.remove(&conn).unwrap()
    };
    assert_eq!(bytes_of(1), bytes_of(1));
    assert_ne!(bytes_of(1), bytes_of(2));
}

#[test]
fn it_is_refused_where_the_operator_does_not_allow_it() {
    let mut bench = Bench::standing();
    for request in [chaos(ALL_ACTS), REPORT.to_owned()] {
        let conn = bench.client(&request);
        let [answer] = bench.messages(conn).try_into().unwrap();
        assert_eq!((&answer["method"], &answer["code"]), (&json!("chaos"), &json!("not_allowed")));
        assert!(answer["error"].as_str().unwrap().contains("--allow-chaos"), "{answer}");
    }
}

#[test]
fn chaos_is_of_the_named_channel_and_is_no_more_once_all_is_zero() {
    let (mut bench, mut market) = bench();
    let conn = bench.client(BOOK);
    bench.send(conn, r#"{"method":"subscribe","params":{"channel":"trade","symbol":"BTC/USDT"}}"#);
    bench.messages(conn);
    bench.send(conn, &chaos(r#""channel":"book","drop":1"#));
    bench.exchange_event(0, &[trade(10_001, 1), level(Side::Ask, 10_001, 7)]);
    bench.flush();
    let messages = bench.messages(conn);
    let on = json!({"symbol": "BTC/USDT", "channel": "book", "on": true});
    assert_eq!(messages[0], json!({"method": "chaos", "success": true, "result": on}));
    assert_eq!(messages[1..].iter().map(|message| &message["channel"]).collect::<Vec<_>>(), ["trade"]);
    bench.send(conn, &chaos(r#""seed":5"#));
    assert_eq!(bench.messages(conn)[0]["result"], json!({"symbol": "BTC/USDT", "on": false}));
    happen(&mut bench, &mut market, &mut Chance(1), 20);
    let seqs: Vec<Value> =
        updates(&bench.messages(conn)).iter().map(|update| update["data"][0]["first_seq"].clone()).collect();
    assert!(seqs.len() > 20 && seqs[0] == 14, "{seqs:?}");
    bench.send(conn, REPORT);
    let report = report(&bench.messages(conn));
    assert_eq!(
        report["acts"],
        json!([{"act": "drop", "channel": "book", "symbol": "BTC/USDT", "message": 1, "first_seq": 12, "seq": 13}])
    );
}

/// Ends of the updates that came.
fn seqs(messages: &[Value]) -> Vec<u64> {
    updates(messages).iter().map(|update| update["data"][0]["seq"].as_u64().unwrap()).collect()
}

fn change(bench: &mut Bench, qty: u64) {
    bench.exchange_event(0, &[level(Side::Ask, 10_001, qty)]);
    bench.flush();
}

#[test]
fn what_waits_for_the_next_message_is_not_spoken_of_and_comes_when_chaos_ends() {
    let (mut bench, _) = bench();
    let conn = bench.client(BOOK);
    bench.send(conn, &chaos(r#""reorder":1"#));
    bench.messages(conn);
    change(&mut bench, 7);
    for _ in 0..3 {
        bench.wait(1_000);
        let messages = bench.messages(conn);
        assert!(messages.iter().all(|message| message["data"] == json!([])), "{messages:?}");
    }
    change(&mut bench, 8);
    change(&mut bench, 9);
    assert_eq!(seqs(&bench.messages(conn)), [13, 12]);
    bench.send(conn, &chaos(r#""reorder":0"#));
    bench.send(conn, REPORT);
    let messages = bench.messages(conn);
    assert_eq!(seqs(&messages), [14], "it waits no longer");
    assert_eq!(report(&messages)["counts"]["reorder"], 1, "and it was not out of order");
    // What ends with its subscription does not follow it.
    bench.send(conn, &chaos(r#""reorder":1"#));
    change(&mut bench, 10);
    bench.send(conn, r#"{"method":"unsubscribe","params":{"channel":"book","symbol":"BTC/USDT"}}"#);
    bench.send(conn, BOOK);
    let messages = bench.messages(conn);
    assert_eq!((seqs(&messages).len(), &messages[3]["type"]), (0, &json!("snapshot")), "{messages:?}");
}

#[test]
fn a_heartbeat_tells_of_a_drop_at_the_end() {
    let (mut bench, _) = bench();
    let conn = bench.client(BOOK);
    bench.send(conn, &chaos(r#""drop":1"#));
    bench.messages(conn);
    change(&mut bench, 7);
    bench.wait(1_000);
    bench.wait(1_000);
    let named = bench.messages(conn).into_iter().find(|message| message["data"][0]["seq"].is_u64()).unwrap();
    assert_eq!(named["data"][0], json!({"channel": "book", "symbol": "BTC/USDT", "seq": 12, "through": 12}));
}

#[test]
fn a_stall_is_one_silence_that_ends_as_for_a_slow_client() {
    for (policy, wanted) in [("conflate", vec![15]), ("lossless", vec![12, 13, 14, 15])] {
        let (mut bench, _) = bench();
        // Nothing else wakes the worker for it.
        let (heartbeat, ping) = (Duration::ZERO, Duration::ZERO);
        let conn = bench.open_as(&OpenOptions { heartbeat, ping, ..OpenOptions::new(&Limits::default()) });
        let params = format!(r#""policy":"{policy}","channel""#);
        bench.send(conn, &BOOK.replace(r#""channel""#, &params));
        bench.send(conn, &chaos(r#""stall_ms":1500"#));
        let other = bench.client(BOOK);
        bench.messages(conn);
        for qty in 1..=3 {
            change(&mut bench, qty);
            bench.wait(400);
        }
        assert_eq!(bench.messages(conn), [json!(null); 0]);
        assert_eq!(seqs(&bench.messages(other)), [12, 13, 14], "others hear of it at once");
        change(&mut bench, 4);
        // By time alone.
        bench.wait(300);
        assert_eq!(seqs(&bench.messages(conn)), wanted, "{policy}");
        change(&mut bench, 5);
        assert_eq!(seqs(&bench.messages(conn)), [16], "it was the only one");
        bench.send(conn, REPORT);
        let report = report(&bench.messages(conn));
        assert_eq!(
            report["acts"],
            json!([{"act": "stall", "channel": "book", "symbol": "BTC/USDT", "message": 0, "seq": 11}])
        );
    }
}

#[test]
fn who_is_cut_off_resumes_and_has_everything() {
    let (mut bench, mut market) = bench();
    let conn = bench.client(BOOK);
    bench.send(conn, &chaos(r#""disconnect_after":3"#));
    let mut book = TextBook::new(10);
    for qty in 1..=5 {
        bench.exchange_event(0, &[level(Side::Ask, 10_001, qty)]);
    }
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(seqs(&messages), [12, 13, 14], "and no close frame: {messages:?}");
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
    messages.iter().for_each(|message| book.apply(message));
    happen(&mut bench, &mut market, &mut Chance(3), 20);
    let since = format!(r#"{{"channel":"book","since":"9c41d7e0a25b7f3a:BTC/USDT@10={}","#, book.last);
    let again = bench.client(&BOOK.replace(r#"{"channel":"book","#, &since));
    let messages = bench.messages(again);
    assert_eq!(messages[0]["result"]["recovered"], true);
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!(book.last, bench.worker.publisher().mark(SymbolId(0)).seq);
}

#[test]
fn no_cursor_speaks_of_what_a_client_was_not_sent_as_it_is() {
    let (mut bench, _) = bench();
    let conn = bench.open_over(Envelope::SocketIo);
    bench.send(conn, "40");
    ask(&mut bench, conn, Envelope::SocketIo, BOOK);
    let cursors = |bench: &mut Bench| {
        let bytes = bench.sockets.received.remove(&conn).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.matches(r#"42["cursor","#).count()
    };
    assert_eq!(cursors(&mut bench), 1);
    ask(&mut bench, conn, Envelope::SocketIo, &chaos(r#""drop":1"#));
    change(&mut bench, 7);
    ask(&mut bench, conn, Envelope::SocketIo, &chaos(r#""drop":0"#));
    change(&mut bench, 8);
    bench.wait(1_000);
    assert_eq!(cursors(&mut bench), 0, "the last one was before the drop");
    let verify = r#"{"method":"verify","params":{"symbol":"BTC/USDT","seq":13,"checksum":1}}"#;
    ask(&mut bench, conn, Envelope::SocketIo, verify);
    assert_eq!(cursors(&mut bench), 1, "the snapshot makes up for it");
}
