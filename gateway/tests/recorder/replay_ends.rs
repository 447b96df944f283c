//! Where a replay begins and ends: held at its end, no further than the feed that it becomes, in the newest of several runs.

use crate::{
    admin::{START, record, record_at},
    replays::{Lines, SECOND, is_event, played, until_seq},
    support::program::{Gateway, depthcast},
};
use market::{Epoch, Nanos};
use serde_json::{Value, json};

/// The number of the first symbol's last event of a second.
fn seq_at(second: u64) -> u64 {
    4 + 2 * second
}

fn replay(lines: &mut Lines, more: Value) -> Value {
    let mut params = json!({"channel": "book", "symbol": "A/B", "speed": "max"});
    params.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    lines.send(json!({"method": "replay", "params": params, "req_id": 1}));
    lines.until(|message| message["method"] == "replay")
}

#[test]
fn a_replay_that_is_held_stays_at_its_end_and_can_be_moved_from_there() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &[]);
    Lines::until_feed_ended(&gateway);
    let mut lines = Lines::connect(&gateway);
    assert_eq!(replay(&mut lines, json!({"speed": 0.001, "then": "live"}))["success"], true);
    lines.send(json!({"method": "pause", "params": {"replay": 1}}));
    lines.until(|message| message["method"] == "pause");
    for second in [59, 2, 59] {
        let to = START + second * SECOND;
        lines.send(json!({"method": "seek", "params": {"replay": 1, "to": to}}));
        let answer = lines.next();
        assert_eq!((&answer["method"], &answer["success"]), (&json!("seek"), &json!(true)), "{answer}");
        assert_eq!(lines.next()["data"][0]["seq"], seq_at(second));
    }
    lines.send(json!({"method": "continue", "params": {"replay": 1}}));
    assert_eq!(lines.next()["method"], "continue");
    let live = lines.next();
    assert!(is_event(&live, "live") && live["data"][0]["seq"] == seq_at(59), "{live}");
}

#[test]
fn each_seek_is_answered_also_if_another_one_overtakes_it() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = played(dir.path(), &[]);
    let mut lines = Lines::connect(&gateway);
    assert_eq!(replay(&mut lines, json!({"speed": 0.001}))["success"], true);
    for request in 10..20 {
        let params = json!({"replay": 1, "to": START + request * SECOND});
        lines.send(json!({"method": "seek", "params": params, "req_id": request}));
    }
    let mut answered = Vec::new();
    while answered.len() < 10 {
        let answer = lines.until(|message| message["method"] == "seek");
        let is_last = answer["req_id"] == 19;
        assert!(answer["success"] == true || answer["code"] == "rate_limited" && !is_last, "{answer}");
        answered.push(answer["req_id"].as_u64().unwrap());
    }
    answered.sort_unstable();
    assert_eq!(answered, (10..20).collect::<Vec<_>>());
    // In the end it is where the last one wanted it.
    let is_there = |message: &Value| message["data"][0]["seq"] == seq_at(19);
    lines.until(|message| message["channel"] == "book" && is_there(message));
}

#[test]
fn what_goes_live_goes_no_further_than_the_feed() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record(dir.path());
    let feed = format!("journal:{}", dir.path().display());
    let plain = ["--listen", "127.0.0.1:0", "--feed", &feed, "--speed", "2"];
    let recorded = [&plain[..], &["--record", copy.path().to_str().unwrap()]].concat();
    for arguments in [&plain[..], &recorded[..]] {
        let gateway = Gateway::start(depthcast(arguments));
        let mut lines = Lines::connect(&gateway);
        replay(&mut lines, json!({"then": "live"}));
        let live = lines.until(|message| is_event(message, "live"));
        let update = lines.until(|message| message["channel"] == "book");
        assert_eq!(update["type"], "update", "{arguments:?}: {update}");
        let follows = live["data"][0]["seq"].as_u64().map(|seq| seq + 1);
        assert_eq!(update["data"][0]["first_seq"].as_u64(), follows, "{arguments:?}");
    }
}

#[test]
fn what_goes_live_where_the_feed_has_ended_ends_with_it() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let to = Nanos(START + 20 * SECOND).to_string();
    let gateway = played(dir.path(), &["--to", &to]);
    Lines::until_feed_ended(&gateway);
    let mut lines = Lines::connect(&gateway);
    replay(&mut lines, json!({"then": "live"}));
    let mut last = json!(0);
    loop {
        let message = lines.next();
        if is_event(&message, "live") {
            assert_eq!((&last, &message["data"][0]["seq"]), (&json!(seq_at(20)), &json!(seq_at(20))));
            break;
        }
        last = message["data"][0]["seq"].clone();
    }
}

#[test]
fn a_replay_without_a_beginning_is_of_the_newest_run() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    // As after a disk that failed in between: another run of one numbering.
    record_at(dir.path(), Epoch(77), START + 1_000 * SECOND);
    let gateway = played(dir.path(), &[]);
    Lines::until_feed_ended(&gateway);
    let answer = replay(&mut Lines::connect(&gateway), json!({}));
    assert_eq!(answer["result"]["from"], Nanos(START + 1_000 * SECOND).to_string(), "{answer}");
}

#[test]
fn a_replay_may_begin_where_nothing_has_happened_since() {
    let dir = tempfile::tempdir().unwrap();
    let here = ["--listen", "127.0.0.1:0", "--requests-per-second", "0", "--symbols", "1", "--rate", "1"];
    let recording = ["--record", dir.path().to_str().unwrap()];
    let gateway = Gateway::start(depthcast(&[&here[..], &recording].concat()));
    until_seq(&gateway, "BTC/USDT", 0);
    let mut lines = Lines::connect(&gateway);
    // It says itself up to where it goes: with an event a second, that is mostly later than the last one.
    let mut is_later = || {
        let refused = replay(&mut lines, json!({"symbol": "BTC/USDT", "from": "2261-01-01T00:00:00Z"}));
        let end = refused["error"].as_str().unwrap().split_once(" to ").unwrap().1;
        let answer = replay(&mut lines, json!({"symbol": "BTC/USDT", "from": end}));
        assert_eq!(answer["result"]["from"], end, "{answer}");
        let snapshot = lines.until(|message| message["channel"] == "book");
        lines.until(|message| is_event(message, "replay_ended"));
        snapshot["data"][0]["timestamp"].as_str() < Some(end)
    };
    assert!((0..20).any(|_| is_later()));
}
