//! Tokens of the gateway's own: a client that resumes with one on another transport misses nothing.

mod support;

use market::{Event, Kind, ResetReason, Side, SymbolId};
use serde_json::Value;
use session::{ConnId, Limits, OpenOptions, Poll};
use support::{Bench, TextBook, level, trade};
use wire::{
    dialect::native_json::parse_request,
    envelope::Envelope,
    message::{Method, Subscribe},
    token::Token,
};

fn subscribe(channel: &str, since: Option<&str>) -> Subscribe {
    subscribe_to("\"BTC/USDT\"", channel, since)
}

fn subscribe_to(symbols: &str, channel: &str, since: Option<&str>) -> Subscribe {
    let since = since.map_or(String::new(), |token| format!(",\"since\":\"{token}\""));
    let text =
        format!(r#"{{"method":"subscribe","params":{{"channel":"{channel}","symbol":{symbols}{since}}}}}"#);
    match parse_request(&mut text.into_bytes()).unwrap().method {
        Method::Subscribe(subscribe) => subscribe,
        other => panic!("{other:?}"),
    }
}

/// What a poll of these channels is answered: the cursor and the messages.
fn poll(bench: &mut Bench, channels: &[&str], cursor: Option<&str>) -> Option<(String, Vec<Value>)> {
    let subscribe: Vec<Subscribe> = channels.iter().map(|channel| subscribe(channel, None)).collect();
    poll_for(bench, &subscribe, cursor)
}

fn poll_for(
    bench: &mut Bench,
    subscribe: &[Subscribe],
    cursor: Option<&str>,
) -> Option<(String, Vec<Value>)> {
    let cursor: Option<Token> = cursor.map(|token| token.parse().unwrap());
    let instruments = bench.worker.publisher().instruments().clone();
    let poll = Poll::new(subscribe, &instruments, cursor).unwrap();
    let mut body = Vec::new();
    let now = bench.now;
    bench.worker.publisher_mut().push_poll(&poll, now, &mut body).then(|| {
        let answer: Value = serde_json::from_slice(&body).unwrap();
        (answer["cursor"].as_str().unwrap().to_owned(), answer["messages"].as_array().unwrap().clone())
    })
}

/// A client of server-sent events that asks for these channels.
fn stream(bench: &mut Bench, channels: &[&str], since: Option<&str>) -> ConnId {
    let options = OpenOptions { envelope: Envelope::Sse, ..OpenOptions::new(&Limits::default()) };
    let conn = bench.worker.open(bench.now, &options);
    for channel in channels {
        let now = bench.now;
        bench.worker.subscribe_at_once(conn, subscribe(channel, since), now);
    }
    bench.flush();
    conn
}

/// What a stream got since the last call: its messages and the last id.
fn events(bench: &mut Bench, conn: ConnId) -> (Vec<Value>, Option<String>) {
    let bytes = bench.sockets.received.get_mut(&conn).map(std::mem::take).unwrap_or_default();
    let text = String::from_utf8(bytes).unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let messages = data.map(|data| serde_json::from_str(data).unwrap()).collect();
    (messages, text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().map(str::to_owned))
}

#[test]
fn a_poll_says_what_changed_and_changed_back() {
    let mut bench = Bench::standing();
    let conn = stream(&mut bench, &["book"], None);
    let (messages, id) = events(&mut bench, conn);
    let mut book = TextBook::new(10);
    messages.iter().for_each(|message| book.apply(message));
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 7)]);
    bench.flush();
    // The change arrives, its id does not any more.
    events(&mut bench, conn).0.iter().for_each(|message| book.apply(message));
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 100)]);
    bench.flush();
    let (_, messages) = poll(&mut bench, &["book"], id.as_deref()).expect("the client has another view");
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!(book.bids[&10_000].1, "0.00100");
}

#[test]
fn a_poll_is_not_woken_by_what_happens_out_of_view() {
    let mut bench = Bench::standing();
    let (cursor, _) = poll(&mut bench, &["bbo"], None).unwrap();
    bench.exchange_event(0, &[level(Side::Bid, 9_999, 7), level(Side::Ask, 10_002, 7)]);
    assert_eq!(poll(&mut bench, &["bbo"], Some(&cursor)), None);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 0)]);
    assert!(poll(&mut bench, &["bbo"], Some(&cursor)).is_some());
}

/// Trades go on while the book has a hole, and the top of the book waits for it.
#[test]
fn a_token_never_speaks_for_a_top_that_waits_for_its_snapshot() {
    let mut bench = Bench::standing();
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    let conn = stream(&mut bench, &["trade", "bbo"], None);
    bench.exchange_event(0, &[trade(10_001, 1)]);
    bench.flush();
    let (messages, id) = events(&mut bench, conn);
    assert!(messages.iter().any(|message| message["type"] == "update"), "{messages:?}");
    assert_eq!(id, None, "a resume with it would take the top for known");
    let (cursor, _) = poll(&mut bench, &["trade", "bbo"], None).unwrap();
    assert_eq!(cursor, "9c41d7e0a25b7f3a:");
    bench.reset(0, ResetReason::Gap);
    bench.flush();
    let (messages, id) = events(&mut bench, conn);
    assert!(messages.iter().any(|message| message["channel"] == "bbo"), "{messages:?}");
    assert!(id.is_some(), "from here on it has everything");
}

/// An answer about the other symbol alone would come with a cursor that has forgotten that there ever were trades of this one.
#[test]
fn a_poll_from_before_a_restart_waits_for_the_book() {
    let mut bench = Bench::standing();
    bench.reset(1, ResetReason::Feed);
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    let wanted = ["trade", "bbo"].map(|channel| subscribe_to("[\"BTC/USDT\",\"ETH/USDT\"]", channel, None));
    let before = Some("0000000000000001:BTC/USDT=5,ETH/USDT=5");
    assert_eq!(poll_for(&mut bench, &wanted, before), None);
    bench.reset(0, ResetReason::Gap);
    let (cursor, messages) = poll_for(&mut bench, &wanted, before).unwrap();
    let channels: Vec<&str> = messages.iter().map(|message| message["channel"].as_str().unwrap()).collect();
    assert_eq!(channels, ["gap", "bbo", "gap", "bbo"]);
    assert_eq!(cursor, "9c41d7e0a25b7f3a:BTC/USDT=22,ETH/USDT=11");
}
