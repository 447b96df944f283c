//! Socket.IO: what a client sees of its packets, its events and its tokens, and that it loses nothing by moving from long
//! polling to a WebSocket.

mod support;

use market::{Event, ResetReason, Side, SymbolId};
use serde_json::{Value, json};
use session::{ConnId, Ending, Limits};
use std::time::Duration;
use support::{Bench, TextBook, level, trade};
use wire::envelope::{Envelope, socketio, websocket::Opcode};

const BTC_BOOK: &str = r#"["subscribe",{"channel":"book","symbol":"BTC/USDT"}]"#;

/// What a client receives.
#[derive(Debug, PartialEq)]
enum Packet {
    Event(String, Value),
    Ack(u64, Vec<Value>),
    /// Of Engine.IO, or of another kind.
    Other(String),
    Close(u16),
}

fn packet(text: &str) -> Packet {
    let json = |text: &str| serde_json::from_str::<Vec<Value>>(text).unwrap_or_else(|_| panic!("{text}"));
    if let Some(event) = text.strip_prefix("42") {
        let [name, argument] = json(event).try_into().expect("one argument");
        return Packet::Event(name.as_str().unwrap().to_owned(), argument);
    }
    if let Some(ack) = text.strip_prefix("43") {
        let (id, arguments) = ack.split_at(ack.find('[').unwrap());
        return Packet::Ack(id.parse().unwrap(), json(arguments));
    }
    Packet::Other(text.to_owned())
}

fn packets_of(mut bytes: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let Some((header, length)) = wire::envelope::websocket::frame_lengths(bytes) {
        let (frame, rest) = bytes.split_at(header + length);
        packets.push(match frame[0] & 0x0F {
            code if code == Opcode::Close as u8 => {
                Packet::Close(u16::from_be_bytes([frame[header], frame[header + 1]]))
            }
            _ => packet(std::str::from_utf8(&frame[header..]).unwrap()),
        });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a frame is not whole");
    packets
}

/// What a connection has received since the last call.
fn received(bench: &mut Bench, conn: ConnId) -> Vec<Packet> {
    packets_of(&bench.sockets.received.remove(&conn).unwrap_or_default())
}

/// A client that has joined the default namespace.
fn joined(bench: &mut Bench) -> ConnId {
    let conn = bench.open_over(Envelope::SocketIo);
    bench.send(conn, "40");
    assert!(
        matches!(&received(bench, conn)[..], [Packet::Other(welcome)] if welcome.starts_with("40{\"sid\":\""))
    );
    conn
}

/// A client that has sent an event.
fn client(bench: &mut Bench, event: &str) -> ConnId {
    let conn = joined(bench);
    bench.send(conn, &format!("42{event}"));
    conn
}

fn markets(packets: &[Packet]) -> Vec<&Value> {
    let mut messages = Vec::new();
    for packet in packets {
        if let Packet::Event(name, message) = packet
            && name == "market"
        {
            messages.push(message);
        }
    }
    messages
}

/// The token that was told last.
fn cursor(packets: &[Packet]) -> String {
    let cursor = |packet: &Packet| match packet {
        Packet::Event(name, token) if name == "cursor" => Some(token.as_str().unwrap().to_owned()),
        _ => None,
    };
    packets.iter().rev().find_map(cursor).expect("a batch ends with its token")
}

fn answer_of(packets: &[Packet], wanted: u64) -> &[Value] {
    for packet in packets {
        if let Packet::Ack(id, answers) = packet
            && *id == wanted
        {
            return answers;
        }
    }
    panic!("it is acknowledged: {packets:?}")
}

fn subscribe_since(channel: &str, symbols: &str, token: &str) -> String {
    format!(r#"["subscribe",{{"channel":"{channel}","symbol":{symbols},"since":"{token}"}}]"#)
}

fn change(bench: &mut Bench, symbol: u32, qty: u64) {
    bench.exchange_event(symbol, &[level(Side::Bid, 10_000, qty)]);
    bench.flush();
}

#[test]
fn only_the_default_namespace_is_there_and_it_is_joined_before_anything_is_asked() {
    let mut bench = Bench::standing();
    let conn = bench.open_over(Envelope::SocketIo);
    bench.send(conn, "40/admin,");
    let refused = r#"44/admin,{"message":"Invalid namespace: only the default namespace is served"}"#;
    assert_eq!(received(&mut bench, conn), [Packet::Other(refused.into())]);
    bench.send(conn, "421[\"list\"]");
    assert_eq!(received(&mut bench, conn).pop(), Some(Packet::Close(1008)));
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
}

#[test]
fn several_symbols_are_several_arguments_of_the_acknowledgement() {
    let mut bench = Bench::standing();
    let symbols = r#"["BTC/USDT","NONE/USDT","ETHUSDT"]"#;
    let conn = joined(&mut bench);
    bench.send(conn, &format!(r#"4217["subscribe",{{"channel":"book","symbol":{symbols}}}]"#));
    let packets = received(&mut bench, conn);
    let told: Vec<_> = answer_of(&packets, 17)
        .iter()
        .map(|answer| (answer["success"].clone(), answer["code"].clone(), answer["result"]["seq"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!(true), Value::Null, json!(11)),
            (json!(false), json!("bad_symbol"), Value::Null),
            (json!(true), Value::Null, json!(0))
        ],
        "a bad symbol does not spoil the others, and one that does not stand yet is acknowledged with 0"
    );
    assert!(matches!(packets[0], Packet::Ack(..)), "before the first message");
    let [snapshot] = markets(&packets)[..] else { panic!("{packets:?}") };
    assert_eq!(snapshot["type"], "snapshot");
}

#[test]
fn without_an_acknowledgement_the_answers_are_messages() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, BTC_BOOK);
    bench.send(conn, r#"42["unsubscribe",{"channel":"trade","symbol":"BTC/USDT"}]"#);
    let packets = received(&mut bench, conn);
    let told: Vec<_> = markets(&packets).iter().filter(|m| m["method"] != Value::Null).cloned().collect();
    assert_eq!((&told[0]["method"], &told[0]["success"]), (&json!("subscribe"), &json!(true)));
    assert_eq!((&told[1]["method"], &told[1]["code"]), (&json!("unsubscribe"), &json!("not_subscribed")));
}

#[test]
fn mistakes_are_told_in_the_acknowledgement_and_harm_nothing() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, BTC_BOOK);
    let check = |bench: &mut Bench, event: &str, code: &str| {
        bench.send(conn, &format!("425{event}"));
        let packets = received(bench, conn);
        let [answer] = answer_of(&packets, 5) else { panic!("{packets:?}") };
        assert_eq!((&answer["success"], &answer["code"]), (&json!(false), &json!(code)), "{event}");
    };
    check(&mut bench, BTC_BOOK, "already_subscribed");
    check(&mut bench, r#"["subscribe",{"channel":"book","symbol":"BTC/USDT","depth":7}]"#, "bad_depth");
    check(&mut bench, r#"["subscribe"]"#, "bad_params");
    check(&mut bench, r#"["subscribe",1]"#, "bad_params");
    check(&mut bench, r#"["subscribe",{},{}]"#, "bad_params");
    check(&mut bench, r#"["sing",{}]"#, "bad_method");
    check(&mut bench, r#"[]"#, "bad_method");
    check(&mut bench, r#"["list""#, "bad_json");
    check(&mut bench, r#"{"method":"list"}"#, "bad_json");
    change(&mut bench, 0, 1);
    assert_eq!(markets(&received(&mut bench, conn))[0]["type"], "update");
}

#[test]
fn each_batch_ends_with_the_token_from_which_all_goes_on() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, BTC_BOOK);
    let mut book = TextBook::new(10);
    let packets = received(&mut bench, conn);
    markets(&packets).into_iter().for_each(|message| book.apply(message));
    assert_eq!(cursor(&packets), "9c41d7e0a25b7f3a:BTC/USDT@10=11");
    change(&mut bench, 0, 1);
    let packets = received(&mut bench, conn);
    assert!(matches!(&packets[..], [Packet::Event(_, message), Packet::Event(name, _)]
        if message["type"] == "update" && name == "cursor"));
    markets(&packets).into_iter().for_each(|message| book.apply(message));
    let token = cursor(&packets);
    bench.worker.gone(conn);

    change(&mut bench, 0, 2);
    let conn = client(&mut bench, &subscribe_since("book", r#""BTC/USDT""#, &token));
    change(&mut bench, 0, 3);
    let packets = received(&mut bench, conn);
    let messages = markets(&packets);
    assert_eq!(messages[0]["result"]["recovered"], true);
    messages[1..].iter().for_each(|message| book.apply(message));
    assert_eq!((book.last, book.snapshots), (14, 1), "the one of the first connection");
    assert_eq!(cursor(&packets), "9c41d7e0a25b7f3a:BTC/USDT@10=14");
}

#[test]
fn the_token_of_several_channels_and_symbols_recovers_each_and_leaves_out_what_does_not_stand() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, r#"["subscribe",{"channel":"book","symbol":["BTC/USDT","ETH/USDT"]}]"#);
    bench.send(conn, r#"42["subscribe",{"channel":"trade","symbol":["BTC/USDT"]}]"#);
    change(&mut bench, 0, 1);
    bench.exchange_event(0, &[trade(10_001, 1)]);
    bench.flush();
    let token = cursor(&received(&mut bench, conn));
    assert_eq!(token, "9c41d7e0a25b7f3a:BTC/USDT@10=13", "ETH/USDT does not stand");
    bench.worker.gone(conn);

    bench.reset(1, ResetReason::Feed);
    bench.exchange_event(0, &[trade(10_002, 2)]);
    change(&mut bench, 0, 2);
    let conn = client(&mut bench, &subscribe_since("book", r#"["BTC/USDT","ETH/USDT"]"#, &token));
    bench.send(conn, &format!("42{}", subscribe_since("trade", r#""BTC/USDT""#, &token)));
    let packets = received(&mut bench, conn);
    let told: Vec<_> = markets(&packets)
        .iter()
        .map(|message| {
            let data = &message["data"][0];
            let first_seq = data["first_seq"].as_u64().or(message["first_seq"].as_u64());
            (message["result"]["recovered"].as_bool(), message["channel"].as_str(), first_seq)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(true), None, None),
            (Some(false), None, None),
            (None, Some("book"), Some(14)),
            (None, Some("book"), None),
            (Some(true), None, None),
            (None, Some("trade"), Some(14)),
        ]
    );
    assert_eq!(cursor(&packets), "9c41d7e0a25b7f3a:BTC/USDT@10=15,ETH/USDT@10=11");
}

#[test]
fn a_heartbeat_carries_the_token_so_that_it_does_not_age() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, BTC_BOOK);
    received(&mut bench, conn);
    // Far from the top, so there is no message.
    bench.exchange_event(0, &[trade(10_001, 1)]);
    bench.tick(2_000);
    bench.flush();
    bench.worker.timers(bench.now, &mut bench.sockets);
    bench.now = bench.now + Duration::from_secs(1);
    bench.worker.timers(bench.now, &mut bench.sockets);
    let packets = received(&mut bench, conn);
    assert_eq!(cursor(&packets), "9c41d7e0a25b7f3a:BTC/USDT@10=12");
}

#[test]
fn binary_is_refused_with_a_reason_that_every_library_shows() {
    for (first, payload) in [
        (0x81, &br#"451-["subscribe",{"_placeholder":true,"num":0}]"#[..]),
        (0x82, b"\x01\x02"),
        (0x81, b"bAQID"),
    ] {
        let mut bench = Bench::standing();
        let conn = joined(&mut bench);
        bench.send_frame(conn, first, payload);
        let packets = received(&mut bench, conn);
        let [Packet::Event(_, status), Packet::Close(1003)] = &packets[..] else { panic!("{packets:?}") };
        assert_eq!(
            (&status["data"][0]["event"], &status["data"][0]["code"]),
            (&json!("closing"), &json!(1003))
        );
        assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
    }
}

#[test]
fn a_connection_has_64_subscriptions_at_most() {
    assert_eq!(Envelope::SocketIo.most_topics(Limits::default().topics_per_connection), 64);
    assert_eq!(Envelope::SocketIo.most_topics(0), 64);
    let mut bench = Bench::new(Limits { topics_per_connection: 1, ..Limits::default() });
    let conn = client(&mut bench, BTC_BOOK);
    bench.send(conn, r#"421["subscribe",{"channel":"trade","symbol":"BTC/USDT"}]"#);
    let packets = received(&mut bench, conn);
    assert_eq!(answer_of(&packets, 1)[0]["code"], "too_many_topics");
}

/// Lets time pass in seconds. The client answers each ping, if it is to, in whichever way.
fn live(bench: &mut Bench, conn: ConnId, seconds: u64, mut answer: impl FnMut(&mut Bench, ConnId)) {
    for _ in 0..seconds {
        bench.now = bench.now + Duration::from_secs(1);
        bench.worker.timers(bench.now, &mut bench.sockets);
        if received(bench, conn).contains(&Packet::Other("2".into())) {
            answer(bench, conn);
        }
    }
}

#[test]
fn pongs_keep_a_client_and_three_without_one_do_not() {
    let mut bench = Bench::standing();
    let conn = joined(&mut bench);
    live(&mut bench, conn, 200, |bench, conn| bench.send(conn, "3"));
    assert!(!bench.sockets.ended.contains_key(&conn));
    live(&mut bench, conn, 59, |_, _| {});
    assert!(!bench.sockets.ended.contains_key(&conn), "three pings fit into that");
    live(&mut bench, conn, 22, |_, _| {});
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
}

#[test]
fn pongs_do_not_keep_a_client_of_polling_that_does_not_fetch() {
    let mut bench = Bench::standing();
    let conn = joined(&mut bench);
    let pong = |bench: &mut Bench, conn, fetched| {
        let now = bench.now;
        bench.worker.packets(conn, "3", fetched, now, &mut bench.sockets);
    };
    live(&mut bench, conn, 200, |bench, conn| pong(bench, conn, bench.now));
    assert!(!bench.sockets.ended.contains_key(&conn));
    let fetched = bench.now;
    live(&mut bench, conn, 81, |bench, conn| pong(bench, conn, fetched));
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
}

#[test]
fn packets_of_one_body_are_taken_in_order_and_none_behind_the_close() {
    let mut bench = Bench::standing();
    let conn = bench.open_over(Envelope::SocketIo);
    let body = ["40", "421[\"list\"]", "1", "422[\"list\"]"].join("\u{1e}");
    bench.worker.packets(conn, &body, bench.now, bench.now, &mut bench.sockets);
    let packets = packets_of_closed(&mut bench, conn);
    assert!(matches!(&packets[..], [Packet::Other(_), Packet::Ack(1, _)]), "{packets:?}");
    assert_eq!(bench.sockets.ended[&conn], Ending::Finished);
    assert_eq!(bench.worker.connections(), 0);
}

/// As [`received`], of a connection that ends with a close frame without a status.
fn packets_of_closed(bench: &mut Bench, conn: ConnId) -> Vec<Packet> {
    let mut bytes = bench.sockets.received.remove(&conn).unwrap();
    assert!(bytes.ends_with(&[0x88, 0]), "{}", String::from_utf8_lossy(&bytes));
    bytes.truncate(bytes.len() - 2);
    packets_of(&bytes)
}

#[test]
fn who_asks_and_never_fetches_is_closed() {
    let mut bench = Bench::standing();
    let conn = joined(&mut bench);
    bench.stall(conn, 0);
    let packets = vec!["2probe".repeat(100); 200].join("\u{1e}");
    bench.worker.packets(conn, &packets, bench.now, bench.now, &mut bench.sockets);
    bench.now = bench.now + Duration::from_secs(6);
    bench.worker.timers(bench.now, &mut bench.sockets);
    assert_eq!(bench.sockets.ended[&conn], Ending::Reset);
}

/// A client of polling fetches whole packets out of the first `room` bytes, and then goes on over another socket that takes
/// all. All that it got, in order.
fn moved(bench: &mut Bench, conn: ConnId, before: Vec<u8>) -> Vec<u8> {
    let taken = bench.sockets.received.remove(&conn).unwrap_or_default();
    let (mut unsent, mut body) = (taken.clone(), Vec::new());
    socketio::take_packets(&mut unsent, &mut body);
    let fetched = &taken[..taken.len() - unsent.len()];
    bench.sockets.room.remove(&conn);
    bench.worker.go_on(conn, &unsent, bench.now, &mut bench.sockets);
    let after = bench.sockets.received.remove(&conn).unwrap_or_default();
    [before, fetched.to_vec(), after].concat()
}

/// Its book is right after all that it got, and nothing came twice.
fn prove(packets: &[Packet], depth: usize, last: u64) {
    let mut book = TextBook::new(depth);
    for message in markets(packets) {
        book.apply(message);
    }
    assert_eq!((book.last, book.snapshots), (last, 1));
}

#[test]
fn who_moves_to_a_websocket_loses_nothing_wherever_the_old_line_ended() {
    for room in 0..900 {
        let mut bench = Bench::standing();
        let conn = client(&mut bench, BTC_BOOK);
        let before = bench.sockets.received.remove(&conn).unwrap();
        bench.stall(conn, room);
        for qty in 1..=3 {
            change(&mut bench, 0, qty);
        }
        let bytes = moved(&mut bench, conn, before);
        change(&mut bench, 0, 4);
        let packets =
            [packets_of(&bytes), received(&mut bench, conn)].into_iter().flatten().collect::<Vec<_>>();
        prove(&packets, 10, 15);
    }
}

#[test]
fn so_it_does_in_the_middle_of_a_message_that_is_larger_than_a_batch() {
    let mut bench = Bench::new(Limits::default());
    let mut events = vec![Event::reset(SymbolId(0), ResetReason::Feed)];
    events.extend((0..6_000).map(|at| level(Side::Bid, 10_000 - at, 123_456)));
    bench.exchange_event(0, &events);
    bench.flush();
    for room in [0, 1, 9, 10, 70_000, 100_000] {
        let conn = joined(&mut bench);
        bench.stall(conn, room);
        bench.send(conn, r#"42["subscribe",{"channel":"book","symbol":"BTC/USDT","depth":0}]"#);
        change(&mut bench, 0, room as u64 + 1);
        let bytes = moved(&mut bench, conn, Vec::new());
        assert!(bytes.len() > 128 << 10, "{}", bytes.len());
        change(&mut bench, 0, room as u64 + 2);
        let packets =
            [packets_of(&bytes), received(&mut bench, conn)].into_iter().flatten().collect::<Vec<_>>();
        prove(&packets, 0, bench.seq(0));
        bench.worker.gone(conn);
    }
}

#[test]
fn a_move_to_a_socket_that_is_full_goes_on_when_it_drains() {
    let mut bench = Bench::standing();
    let conn = client(&mut bench, BTC_BOOK);
    let before = bench.sockets.received.remove(&conn).unwrap();
    bench.stall(conn, 50);
    change(&mut bench, 0, 1);
    let unsent = bench.sockets.received.remove(&conn).unwrap();
    bench.stall(conn, 20);
    bench.worker.go_on(conn, &unsent, bench.now, &mut bench.sockets);
    change(&mut bench, 0, 2);
    bench.drain(conn);
    let bytes = [before, bench.sockets.received.remove(&conn).unwrap()].concat();
    prove(&packets_of(&bytes), 10, 13);
}
