//! Replays for one client each: what is played to it is what was served to all, it is steered by its client alone, it waits for it,
//! and it goes live without a seam.

use crate::{
    admin::{START, post, record, record_at},
    support::{
        Answer,
        client::Client,
        get_until, narrow,
        program::{Gateway, depthcast},
        request_with, run,
    },
};
use client::{Tracker, Update};
use market::{Epoch, Nanos};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

pub const SECOND: u64 = 1_000_000_000;

/// A gateway that has played a recording to its end.
pub fn played(dir: &Path, arguments: &[&str]) -> Gateway {
    let feed = format!("journal:{}", dir.display());
    let here = ["--listen", "127.0.0.1:0", "--feed", &feed, "--speed", "max"];
    Gateway::start(depthcast(&[&here, arguments].concat()))
}

/// A connection on which lines are spoken.
pub struct Lines {
    reader: BufReader<TcpStream>,
    line: String,
}

impl Lines {
    pub fn connect(gateway: &Gateway) -> Lines {
        Lines::over(TcpStream::connect(gateway.tcp.unwrap()).unwrap())
    }

    fn over(stream: TcpStream) -> Lines {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Lines { reader: BufReader::new(stream), line: String::new() }
    }

    pub fn send(&mut self, request: Value) {
        writeln!(self.reader.get_mut(), "{request}").unwrap();
    }

    /// The next message that is no heartbeat.
    pub fn next(&mut self) -> Value {
        let begun = market::clock::now();
        loop {
            assert!(market::clock::now().since(begun) < Duration::from_secs(60), "it says nothing in time");
            self.line.clear();
            assert!(
                self.reader.read_line(&mut self.line).expect("it says something in time") > 0,
                "it closed"
            );
            let message: Value = serde_json::from_str(&self.line).unwrap();
            if message["channel"] != "heartbeat" {
                return message;
            }
        }
    }

    /// Reads up to the first message that is as wanted.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.next();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Waits for the end of the feed, which each client is told; whoever comes later asks.
    pub fn until_feed_ended(gateway: &Gateway) {
        run(async {
            get_until(gateway.address, "/metrics", |answer| {
                answer
                    .body
                    .lines()
                    .any(|line| line.starts_with("depthcast_feed_ended") && line.ends_with(" 1"))
            })
            .await
        });
    }
}

pub fn is_event(message: &Value, event: &str) -> bool {
    message["channel"] == "status" && message["data"][0]["event"] == event
}

/// The updates of a topic as they were played: each line without the mark of its replay.
fn replayed(lines: &mut Lines, params: &str, symbol: &str) -> Vec<String> {
    let mut params: Value = serde_json::from_str(&format!("{{{params}}}")).unwrap();
    params["symbol"] = json!(symbol);
    params["speed"] = json!("max");
    lines.send(json!({"method": "replay", "params": params, "req_id": 5}));
    let mut updates = Vec::new();
    loop {
        let message = lines.next();
        if is_event(&message, "replay_ended") {
            assert_eq!(message["data"][0]["replay"], 5);
            return updates;
        }
        if message["type"] == "update" {
            let text =
                lines.line.trim_end().strip_prefix("{\"replay\":5,").expect("it is marked as a replay's");
            updates.push(format!("{{{text}"));
        } else if message["type"] == "snapshot" {
            let reason = if message["channel"] == "trade" {
                &message["reason"]
            } else {
                &message["data"][0]["reason"]
            };
            assert_eq!(reason, "seek", "{message}");
        }
    }
}

#[test]
fn what_is_played_to_one_is_what_was_served_to_all() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &["--hold"]);
    let topics = [
        r#""channel":"book","depth":10,"interval_ms":0"#,
        r#""channel":"book","depth":0,"interval_ms":1000"#,
        r#""channel":"trade""#,
        r#""channel":"bbo","interval_ms":0"#,
    ];
    // Each listens before the feed is let go by the last one.
    let mut listeners: Vec<Lines> = topics.iter().map(|_| Lines::connect(&gateway)).collect();
    run(async {
        let headers = [("content-type", "application/json")];
        request_with(gateway.address, "POST", "/v1/admin/pause", &headers, "{}".into()).await
    });
    for (listener, topic) in listeners.iter_mut().zip(topics) {
        let mut params: Value = serde_json::from_str(&format!("{{{topic}}}")).unwrap();
        params["symbol"] = json!("A/B");
        params["policy"] = json!("lossless");
        listener.send(json!({"method": "subscribe", "params": params}));
        listener.until(|message| message["method"] == "subscribe");
    }
    post(gateway.address, "/v1/admin/continue", "{}");
    for (mut listener, topic) in listeners.into_iter().zip(topics) {
        let mut served = Vec::new();
        while !is_event(&listener.next(), "feed_ended") {
            if listener.line.contains("\"type\":\"update\"") {
                served.push(listener.line.trim_end().to_owned());
            }
        }
        assert!(served.len() > 50, "{topic}: {}", served.len());
        assert_eq!(replayed(&mut Lines::connect(&gateway), topic, "A/B"), served, "{topic}");
    }
}

#[test]
fn a_replay_is_steered_by_its_client() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &[]);
    Lines::until_feed_ended(&gateway);
    let mut lines = Lines::connect(&gateway);
    let from = Nanos(START + 10 * SECOND).to_string();
    let params = json!({"channel": "book", "symbol": "A/B", "depth": 5, "from": from, "speed": 0.001});
    lines.send(json!({"method": "replay", "params": params, "req_id": "mine"}));
    let answer = lines.next();
    assert_eq!(
        (
            &answer["success"],
            &answer["result"]["replay"],
            &answer["result"]["from"],
            &answer["result"]["epoch"]
        ),
        (&json!(true), &json!("mine"), &json!(from), &json!(Epoch(77).to_string())),
        "{answer}"
    );
    let snapshot = lines.next();
    let book = &snapshot["data"][0];
    assert_eq!(
        (&snapshot["replay"], &book["reason"], &book["timestamp"]),
        (&json!("mine"), &json!("seek"), &json!(from))
    );
    // 3 events of the first second, 2 of each that follows.
    assert_eq!(book["seq"], 4 + 2 * 10);

    let mine = |method: &str, more: Value| {
        let mut params = json!({"replay": "mine"});
        params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        json!({"method": method, "params": params, "req_id": 9})
    };
    lines.send(mine("pause", json!({})));
    assert_eq!(
        lines.next(),
        json!({"method": "pause", "success": true, "result": {"replay": "mine"}, "req_id": 9})
    );
    // Also while it stands still, it shows where it was moved to: back, and ahead.
    for second in [2, 40] {
        let to = Nanos(START + second * SECOND).to_string();
        lines.send(mine("seek", json!({"to": to})));
        let answer = lines.next();
        assert_eq!((&answer["method"], &answer["result"]["to"]), (&json!("seek"), &json!(to)), "{answer}");
        let snapshot = lines.next();
        let book = &snapshot["data"][0];
        assert_eq!(
            (&book["reason"], &book["timestamp"], &book["seq"]),
            (&json!("seek"), &json!(to), &json!(4 + 2 * second))
        );
    }
    // Somewhere that was not recorded it does not go, and stays where it is.
    lines.send(mine("seek", json!({"to": "2031-01-01T00:00:00Z"})));
    let refused = lines.next();
    assert_eq!((&refused["success"], &refused["code"]), (&json!(false), &json!("out_of_range")), "{refused}");
    lines.send(mine("speed", json!({"speed": "max"})));
    assert_eq!(lines.next()["result"], json!({"replay": "mine", "speed": "max"}));
    lines.send(mine("continue", json!({})));
    assert_eq!(lines.next()["method"], "continue");
    for second in 41..60 {
        let book = lines.next();
        let (first, last) = (&book["data"][0]["first_seq"], &book["data"][0]["seq"]);
        assert_eq!(
            (first.as_u64(), last.as_u64()),
            (Some(4 + 2 * second - 1), Some(4 + 2 * second)),
            "{book}"
        );
    }
    let ended = lines.next();
    assert_eq!(ended, json!({"channel": "status", "data": [{"event": "replay_ended", "replay": "mine"}]}));
    lines.send(mine("pause", json!({})));
    assert_eq!(lines.next()["code"], "not_subscribed");
}

#[test]
fn a_replay_ends_where_it_is_told_to_and_passes_over_silence() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &[]);
    Lines::until_feed_ended(&gateway);
    let mut lines = Lines::connect(&gateway);
    let begun = market::clock::now();
    // At the speed of its time, 20 seconds would take as long.
    let params = json!({"channel": "trade", "symbol": "A/B", "to": START + 20 * SECOND, "max_gap_ms": 10});
    lines.send(json!({"method": "replay", "params": params, "req_id": 1}));
    let mut last = 0;
    loop {
        let message = lines.next();
        if is_event(&message, "replay_ended") {
            break;
        }
        last = message["seq"].as_u64().unwrap_or(last);
    }
    assert_eq!(last, 4 + 2 * 20, "it goes up to what happened then, and no further");
    let took = market::clock::now().since(begun);
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_replay_goes_on_in_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    record_at(dir.path(), Epoch(78), START + 1_000 * SECOND);
    let gateway = played(dir.path(), &[]);
    Lines::until_feed_ended(&gateway);
    let mut lines = Lines::connect(&gateway);
    let params = json!({"channel": "book", "symbol": "A/B", "speed": "max", "from": START + 58 * SECOND});
    lines.send(json!({"method": "replay", "params": params, "req_id": 1}));
    let mut told = Vec::new();
    loop {
        let message = lines.next();
        if is_event(&message, "replay_ended") {
            break;
        }
        if message["channel"] == "book" {
            let book = &message["data"][0];
            let reason = book["reason"].as_str().unwrap_or("").to_owned();
            told.push((book["epoch"].as_str().unwrap().to_owned(), reason, book["seq"].as_u64().unwrap()));
        }
    }
    let [old, new] = [77, 78].map(|epoch| Epoch(epoch).to_string());
    assert_eq!(told[0], (old.clone(), "seek".into(), 4 + 2 * 58));
    assert_eq!(told[1], (old, String::new(), 4 + 2 * 59));
    assert_eq!(told[2], (new.clone(), "epoch_changed".into(), 4));
    assert_eq!(told.last().unwrap(), &(new, String::new(), 4 + 2 * 59));
    assert_eq!(told.len(), 2 + 60);
}

#[test]
fn two_hundred_replays_of_one_recording_are_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &["--requests-per-second", "0"]);
    Lines::until_feed_ended(&gateway);
    let mut clients: Vec<Lines> = (0..20).map(|_| Lines::connect(&gateway)).collect();
    for client in &mut clients {
        for replay in 0..10 {
            let params = json!({"channel": "book", "symbol": ["A/B", "C/D"], "depth": 0, "speed": "max", "stamps": false});
            client.send(json!({"method": "replay", "params": params, "req_id": replay}));
        }
    }
    let mut told: HashMap<String, usize> = HashMap::new();
    for client in &mut clients {
        let (mut streams, mut ended) = (HashMap::<u64, String>::new(), 0);
        while ended < 10 {
            let message = client.next();
            if is_event(&message, "replay_ended") {
                ended += 1;
            } else if let Some(replay) = message["replay"].as_u64() {
                let line = client.line.split_once(',').unwrap().1;
                streams.entry(replay).or_default().push_str(line);
            }
        }
        streams.into_values().for_each(|stream| *told.entry(stream).or_default() += 1);
    }
    assert_eq!(told.values().collect::<Vec<_>>(), [&200]);
    assert_eq!(told.keys().next().unwrap().lines().count(), 60 + 40);
}

/// A gateway that records a lively market of two symbols.
fn recording(dir: &Path, arguments: &[&str]) -> Gateway {
    let here =
        ["--listen", "127.0.0.1:0", "--record", dir.to_str().unwrap(), "--symbols", "2", "--workers", "2"];
    Gateway::start(depthcast(&[&here, arguments].concat()))
}

/// Waits until the feed has told so much of a symbol.
pub fn until_seq(gateway: &Gateway, symbol: &str, seq: u64) {
    let path = format!("/v1/book?symbol={symbol}&depth=1");
    let is_there = |answer: &Answer| answer.status == 200 && answer.json()["seq"].as_u64() > Some(seq);
    run(async { get_until(gateway.address, &path, is_there).await });
}

#[test]
fn a_replay_becomes_live_without_a_seam() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = recording(dir.path(), &["--rate", "20000"]);
    until_seq(&gateway, "ETH/USDT", 8_000);
    std::thread::scope(|scope| {
        for client in 0..12 {
            let gateway = &gateway;
            scope.spawn(move || go_live(gateway, client));
        }
    });
}

/// Plays from the beginning, at one speed or another, goes live, and proves each book and each number on the way.
fn go_live(gateway: &Gateway, client: usize) {
    let (symbol, depth) = (["BTC/USDT", "ETH/USDT"][client % 2], [10, 0, 1][client % 3]);
    let speed = [json!("max"), json!(40), json!(7.5)][client / 2 % 3].clone();
    let policy = ["lossless", "conflate"][client / 6];
    let mut lines = Lines::connect(gateway);
    let params = json!({"channel": "book", "symbol": symbol, "depth": depth, "speed": speed, "then": "live", "policy": policy});
    lines.send(json!({"method": "replay", "params": params, "req_id": 1}));
    let answer = lines.until(|message| message["method"] == "replay");
    assert_eq!(answer["success"], true, "{answer}");
    let mut tracker = Tracker::new();
    let as_live = json!({"method": "subscribe", "success": true, "result": {"channel": "book", "symbol": symbol,
        "depth": depth, "interval_ms": 0, "policy": "lossless", "epoch": answer["result"]["epoch"], "seq": 0, "recovered": false}});
    tracker.on_text(as_live.to_string().as_bytes()).unwrap();
    let (mut played, mut boundary, mut live, mut last) = (0, None, 0, 0);
    while live < 500 {
        let message = lines.next();
        if is_event(&message, "live") {
            assert_eq!(message["data"][0]["seq"], last, "it names the last number that was played");
            boundary = Some(last);
            continue;
        }
        assert_eq!(message.get("replay").is_some(), boundary.is_none(), "{message}");
        let text = lines.line.replacen("\"replay\":1,", "", 1);
        match tracker.on_text(text.as_bytes()) {
            Ok(Update::Book { .. }) => {}
            other => panic!("client {client}: {other:?}: {text}"),
        }
        let book = &message["data"][0];
        if message["type"] == "update" {
            assert_eq!(
                book["first_seq"].as_u64(),
                Some(last + 1),
                "nothing is missed, and nothing told twice"
            );
        } else {
            assert_eq!((played, &book["reason"]), (0, &json!("seek")), "{message}");
        }
        last = book["seq"].as_u64().unwrap();
        *if boundary.is_some() { &mut live } else { &mut played } += 1;
    }
    assert!(played > 100, "client {client} was played {played} messages");
}

#[test]
fn a_replay_waits_for_its_client_and_for_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = recording(dir.path(), &["--rate", "50000"]);
    until_seq(&gateway, "BTC/USDT", 60_000);
    let params = json!({"channel": "book", "symbol": "BTC/USDT", "depth": 100, "speed": "max"});
    let mut slow = Lines::over(narrow(gateway.tcp.unwrap()));
    slow.send(json!({"method": "replay", "params": params, "req_id": 1}));
    // It reads its first message and then nothing, while another one is played all of it.
    slow.until(|message| message["channel"] == "book");
    let mut quick = Lines::connect(&gateway);
    quick.send(json!({"method": "replay", "params": params, "req_id": 2}));
    let (mut messages, mut last) = (0, 0);
    loop {
        let message = quick.next();
        if is_event(&message, "replay_ended") {
            break;
        }
        messages += usize::from(message["channel"] == "book");
        last = message["data"][0]["seq"].as_u64().unwrap_or(last);
    }
    assert!(messages > 10_000, "{messages}");
    let mut dense = 0;
    while dense <= last {
        let message = slow.next();
        assert_eq!(message["replay"], 1, "{message}");
        let first = message["data"][0]["first_seq"].as_u64().unwrap();
        assert!(dense == 0 || first == dense + 1, "a hole from {dense} to {first}");
        dense = message["data"][0]["seq"].as_u64().unwrap();
    }
}

#[test]
fn what_cannot_be_played_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &[]);
    let plain = Gateway::start(depthcast(&["--listen", "127.0.0.1:0"]));
    Lines::until_feed_ended(&gateway);
    let check = |lines: &mut Lines, request: Value, code: &str, text: &str| {
        let method = request["method"].clone();
        lines.send(request);
        let answer = lines.until(|message| message["method"] == method);
        assert_eq!((&answer["success"], &answer["code"]), (&json!(false), &json!(code)), "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(text), "{answer}");
    };
    let replay = |more: Value| {
        let mut params = json!({"channel": "book", "symbol": "A/B", "speed": 0.001});
        params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        json!({"method": "replay", "params": params, "req_id": 1})
    };
    let mut lines = Lines::connect(&plain);
    check(
        &mut lines,
        json!({"method": "replay", "params": {"channel": "book", "symbol": "BTC/USDT"}, "req_id": 1}),
        "no_recording",
        "--record DIR",
    );
    let mut lines = Lines::connect(&gateway);
    check(
        &mut lines,
        json!({"method": "replay", "params": {"channel": "book", "symbol": "A/B"}}),
        "bad_params",
        "give a req_id",
    );
    check(&mut lines, replay(json!({"symbol": "X/Y"})), "bad_symbol", "no symbol 'X/Y'");
    check(&mut lines, replay(json!({"channel": "stats"})), "bad_channel", "only book, trade and bbo");
    check(
        &mut lines,
        replay(json!({"from": "2031-01-01T00:00:00Z"})),
        "out_of_range",
        "what is recorded is of 2026-01-01T00:00:00.000000000Z to",
    );
    check(&mut lines, replay(json!({"speed": 0})), "bad_params", "a number above 0");
    check(&mut lines, replay(json!({"then": "live", "to": START})), "bad_params", "it goes up to now");
    check(
        &mut lines,
        json!({"method": "seek", "params": {"replay": 1, "to": START}}),
        "not_subscribed",
        "no such replay",
    );
    lines.send(replay(json!({"then": "live"})));
    assert_eq!(lines.next()["success"], true);
    check(&mut lines, replay(json!({})), "already_subscribed", "a replay with this mark runs");
    let subscribe = json!({"method": "subscribe", "params": {"channel": "book", "symbol": "A/B"}});
    lines.send(subscribe.clone());
    let refused = lines.until(|message| message["method"] == "subscribe");
    assert_eq!(refused["code"], "already_subscribed", "{refused}");
    lines.send(json!({"method": "stop", "params": {"replay": 1}}));
    assert_eq!(lines.until(|message| message["method"] == "stop")["success"], true);
    lines.send(subscribe);
    let answer = lines.until(|message| message["method"] == "subscribe");
    assert_eq!(answer["success"], true, "{answer}");
    for replay in 0..17 {
        let params = json!({"channel": "trade", "symbol": "A/B", "speed": 0.001});
        lines.send(json!({"method": "replay", "params": params, "req_id": replay}));
        let answer = lines.until(|message| message["method"] == "replay");
        assert_eq!(answer["success"], replay < 16, "{answer}");
    }
}

#[test]
fn a_replay_is_played_over_websocket_and_its_client_may_go() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &["--replays", "1"]);
    Lines::until_feed_ended(&gateway);
    let request = json!({"method": "replay", "params": {"channel": "bbo", "symbol": "A/B", "speed": 0.001}, "req_id": 3});
    run(async {
        let mut client = Client::connect(gateway.address).await;
        client.send(&request).await;
        assert_eq!(next(&mut client).await["result"]["replay"], 3);
        assert_eq!(next(&mut client).await["replay"], 3);
        // There is no room for another one until its client has gone.
        let mut other = Client::connect(gateway.address).await;
        other.send(&request).await;
        assert_eq!(next(&mut other).await["code"], "rate_limited");
        drop(client);
        loop {
            other.send(&request).await;
            if next(&mut other).await["success"] == true {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

async fn next(client: &mut Client) -> Value {
    loop {
        let message: Value = serde_json::from_str(&client.text().await).unwrap();
        if message["channel"] != "heartbeat" {
            return message;
        }
    }
}
