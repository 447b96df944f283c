//! A recording is played again and again: each round in an epoch of its own, with the numbers and the messages of the recording, to
//! clients that stay connected.

use crate::admin::{START, Watcher, at, record};
use crate::support::{
    client::{Client, Received},
    get,
    program::{Gateway, depthcast},
    run,
};
use client::Tracker;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A minute of the recording passes in 0.3 s.
fn gateway(dir: &std::path::Path, more: &[&str]) -> Gateway {
    let feed = format!("journal:{}", dir.display());
    let arguments =
        ["--listen", "127.0.0.1:0", "--feed", &feed, "--loop", "--speed", "200", "--workers", "2"];
    Gateway::start(depthcast(&[&arguments, more].concat()))
}

/// The messages of a round, by what they are of, without the epoch.
type Round = BTreeMap<String, Vec<Value>>;

impl Watcher {
    /// Reads on to the snapshot with which the first symbol's book begins a round: the epoch, and the messages before it.
    async fn round(&mut self) -> (String, Round) {
        let mut round = Round::new();
        loop {
            let message = self.next().await;
            let (channel, data) = (message["channel"].as_str().unwrap_or_default(), &message["data"][0]);
            let symbol = data["symbol"].as_str().or(message["symbol"].as_str()).unwrap_or_default();
            if channel == "book" && data["reason"] == "loop" && symbol == "A/B" {
                return (data["epoch"].as_str().unwrap().to_owned(), round);
            }
            if matches!(channel, "book" | "trade" | "bbo") && message["type"] == "update" {
                let mut message = message.clone();
                message["epoch"].take();
                message["data"][0]["epoch"].take();
                round.entry(format!("{channel} {symbol}")).or_default().push(message);
            }
        }
    }
}

#[test]
fn clients_get_the_same_stream_in_each_round_in_an_epoch_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = gateway(dir.path(), &["--from", &at(5), "--to", &at(50), "--hold"]);
    run(async {
        let mut watcher = Watcher { client: Client::connect(gateway.address).await, tracker: Tracker::new() };
        for (channel, interval) in [("book", 0), ("bbo", 1000), ("trade", 0)] {
            let params = json!({"channel": channel, "symbol": ["A/B", "C/D"], "policy": "lossless", "interval_ms": interval});
            watcher.client.send(json!({"method": "subscribe", "params": params})).await;
        }
        let (second, first_round) = watcher.round().await;
        let (third, second_round) = watcher.round().await;
        let (_, third_round) = watcher.round().await;
        assert!(second != third && second != "000000000000004d", "{second} {third}");
        assert_eq!(
            first_round.keys().map(String::as_str).collect::<Vec<_>>(),
            ["bbo A/B", "bbo C/D", "book A/B", "book C/D", "trade A/B", "trade C/D"]
        );
        // 45 s, of which the second symbol takes part in 30.
        assert_eq!((second_round["trade A/B"].len(), second_round["trade C/D"].len()), (45, 31));
        assert_eq!(second_round, third_round);
        for (of, messages) in &first_round {
            assert_eq!(second_round[of], *messages, "{of}");
        }
    });
}

#[test]
fn what_is_of_an_earlier_round_is_not_taken_for_the_present_one() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = gateway(dir.path(), &[]);
    run(async {
        let mut watcher = Watcher { client: Client::connect(gateway.address).await, tracker: Tracker::new() };
        let params = json!({"channel": "book", "symbol": "A/B", "depth": 10});
        watcher.client.send(json!({"method": "subscribe", "params": params})).await;
        let (epoch, _) = watcher.round().await;
        // Whatever round it is by now, the first one is over.
        let mut client = Client::connect(gateway.address).await;
        let since = "000000000000004d:A/B@10=20";
        let params = json!({"channel": "book", "symbol": ["A/B"], "depth": 10, "since": since});
        let answer = client.ask("subscribe", params).await;
        assert_eq!(answer["result"]["recovered"], false, "{answer}");
        assert_ne!(answer["result"]["epoch"], "000000000000004d");
        let message = client.json_where(|message| message["channel"] == "book").await;
        assert_eq!((&message["type"], &message["data"][0]["reason"]), (&json!("snapshot"), &json!("resume")));

        let poll =
            get(gateway.address, &format!("/poll?channel=book&symbol=A/B&cursor={since}")).await.json();
        assert_eq!(poll["messages"][0]["type"], "snapshot", "{poll}");
        assert!(!poll["cursor"].as_str().unwrap().starts_with("000000000000004d"), "{poll}");

        for path in
            ["/v1/book?symbol=A/B".to_owned(), format!("/v1/book?symbol=A/B&at={}", START + 30_000_000_000)]
        {
            let book = get(gateway.address, &path).await;
            assert_eq!(book.status, 200, "{}", book.body);
            assert_ne!(book.json()["epoch"], "000000000000004d");
        }
        assert_ne!(epoch, "000000000000004d");
    });
}

#[test]
fn clients_of_other_dialects_start_over_in_each_round() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let gateway = gateway(dir.path(), &["--hold"]);
    run(async {
        let mut kraken = Client::connect_to(gateway.address, "/v2").await;
        let params = json!({"channel": "book", "symbol": ["A/B"]});
        kraken.send(json!({"method": "subscribe", "params": params})).await;
        for _ in 0..3 {
            kraken.json_where(|message| message["channel"] == "book" && message["type"] == "snapshot").await;
        }

        // A chain of ids breaks off, and those of the next round are larger than all that were.
        let mut last = 0;
        for _ in 0..2 {
            let mut binance = Client::connect_to(gateway.address, "/ws/ab@depth@100ms").await;
            let (code, ids) = loop {
                match binance.receive().await {
                    Received::Text(text) => {
                        let event: Value = serde_json::from_str(&text).unwrap();
                        let first = event["U"].as_u64().unwrap();
                        assert!(first > last, "{first} after {last}");
                        last = event["u"].as_u64().unwrap();
                    }
                    Received::Closed(code, _) => break (code, last),
                }
            };
            assert_eq!((code, ids > 0), (1008, true));
        }
    });
}

#[test]
fn what_cannot_be_played_in_rounds_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let (feed, other) = (format!("journal:{}", dir.path().display()), dir.path().join("other"));
    let check = |arguments: &[&str], wanted: &str| {
        let output = depthcast(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(wanted), "{arguments:?}: {said}");
    };
    check(&["--loop"], "--loop: only a recording");
    check(
        &["--feed", &feed, "--loop", "--record", other.to_str().unwrap()],
        "--loop: what goes back in time",
    );
    assert!(!other.exists());
}
