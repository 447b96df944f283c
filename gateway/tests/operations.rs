//! What an operator sees.

mod support;

use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use gateway::{Config, Feed, FeedSpec};
use market::{Epoch, Event, Instruments, Nanos};
use serde_json::json;
use support::{client::Client, config, get, get_until, model::Book, request, run, with_gateway};

#[test]
fn instruments_are_listed_in_the_feeds_order() {
    with_gateway(config(), |address| async move {
        let answer = get(address, "/v1/instruments").await;
        assert_eq!(answer.header("content-type"), "application/json");
        let instruments = answer.json();
        let first = &instruments["instruments"][0];
        assert_eq!((&first["symbol"], &first["venue_symbol"]), (&json!("BTC/USDT"), &json!("BTCUSDT")));
        assert_eq!(instruments["instruments"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn subscribers_of_all_workers_are_seen_by_each() {
    with_gateway(Config { workers: Some(3), ..config() }, |address| async move {
        let mut clients = Vec::new();
        for _ in 0..6 {
            let mut client = Client::connect(address).await;
            client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT", "ETH/USDT"]})).await;
            client.json_where(|message| message["type"] == "update").await;
            clients.push(client);
        }
        let rows = get(address, "/v1/subscribers").await.json()["subscribers"].clone();
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 6);
        let workers: std::collections::BTreeSet<_> = rows
            .iter()
            .map(|row| row["id"].as_str().unwrap().split('-').next().unwrap().to_owned())
            .collect();
        assert_eq!(workers.len(), 3, "connections are dealt to the worker with the fewest: {rows:?}");
        for row in rows {
            assert_eq!((&row["topics"], &row["transport"]), (&json!(2), &json!("websocket")), "{row}");
            assert!(row["bytes_sent"].as_u64().unwrap() > 0, "{row}");
        }
        drop(clients);
        get_until(address, "/v1/subscribers", |answer| answer.json() == json!({"subscribers": []})).await;
    });
}

#[test]
fn latency_is_told_for_each_stage_and_window() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
        let mut book = Book::new(10);
        while book.updates < 50 {
            book.take(&client.text().await, "BTC/USDT");
        }
        let counted = |stage: &str, window: &str, answer: &support::Answer| {
            let stages = answer.json()["stages"].clone();
            let row = stages
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["stage"] == stage && row["window"] == window);
            row.unwrap_or_else(|| panic!("{stage} {window}: {stages}"))["count"].as_u64().unwrap()
        };
        let answer = get_until(address, "/v1/latency", |answer| counted("total", "10s", answer) >= 50).await;
        for stage in ["feed", "ring", "apply", "encode", "write", "total"] {
            assert!(counted(stage, "total", &answer) > 0 && counted(stage, "10s", &answer) > 0, "{stage}");
        }
        let log = get(address, "/v1/latency?format=hlog").await.body;
        assert!(log.starts_with("#depthcast\n") && log.contains("\nTag=total-0,"), "{log}");
        let metrics = get(address, "/metrics").await.body;
        assert!(metrics.contains("depthcast_subscribers{worker=\"0\"} 1\n"), "{metrics}");
        let of_total = |part: &str| {
            let begin = format!("depthcast_stage_latency_seconds_{part}stage=\"total\",worker=\"0\"}} ");
            metrics.lines().find_map(|line| line.strip_prefix(begin.as_str())).expect(&begin)
        };
        assert_eq!(of_total("bucket{le=\"+Inf\","), of_total("count{"), "no value is counted twice");
        assert!(metrics.ends_with("# EOF\n"));
    });
}

#[test]
fn a_held_feed_is_ready_and_begins_with_the_first_subscription() {
    with_gateway(Config { hold: true, ..config() }, |address| async move {
        assert_eq!(get(address, "/readyz").await.status, 200);
        let answer = get(address, "/v1/book?symbol=BTC/USDT").await;
        assert_eq!((answer.status, answer.json()["code"].clone()), (404, json!("out_of_range")));
        let mut client = Client::connect(address).await;
        let begun = client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
        assert_eq!(begun["seq"], 0);
        let mut book = Book::new(10);
        while book.updates < 5 {
            book.take(&client.text().await, "BTC/USDT");
        }
        assert_eq!(book.snapshots, ["subscribe"]);
    });
}

#[test]
fn a_message_that_takes_many_reads_is_read_to_its_end() {
    let config = Config { echo: true, inbound_bytes: 8 << 20, ..config() };
    with_gateway(config, |address| async move {
        let mut client = Client::connect_to(address, "/echo").await;
        let text = "0123456789abcdef".repeat(1 << 17);
        for _ in 0..3 {
            client.send(&text).await;
            assert!(client.text().await == text, "what comes back is what was sent");
        }
    });
}

#[test]
fn the_echo_is_there_when_it_is_asked_for() {
    with_gateway(Config { echo: true, ..config() }, |address| async move {
        let mut client = Client::connect_to(address, "/echo").await;
        client.send("hello").await;
        assert_eq!(client.text().await, "hello");
    });
}

#[test]
fn compression_is_agreed_on_with_who_offers_it_where_it_is_switched_on() {
    const OFFER: &str = "permessage-deflate; client_max_window_bits";
    const AGREED: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let check = |deflate: bool, offer: &'static str, wanted: &'static str| {
        with_gateway(Config { deflate, echo: true, ..config() }, |address| async move {
            for path in ["/feed", "/echo", "/ws", "/stream?streams=btcusdt@depth", "/v2"] {
                let handshake = [
                    ("upgrade", "websocket"),
                    ("connection", "upgrade"),
                    ("sec-websocket-version", "13"),
                    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                    ("sec-websocket-extensions", offer),
                ];
                let answer = request(address, "GET", path, &handshake).await;
                let agreed = answer.header("sec-websocket-extensions");
                assert_eq!((answer.status, agreed), (101, wanted), "{path}, offered {offer:?}");
            }
        });
    };
    check(false, OFFER, "");
    check(true, OFFER, AGREED);
    check(true, "permessage-deflate; unheard_of", "");
    check(true, "", "");
}

#[test]
fn the_dashboard_is_part_of_the_program() {
    with_gateway(config(), |address| async move {
        let answer = get(address, "/").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(answer.body.contains("depthcast"));
    });
}

#[test]
fn a_ring_that_overtakes_its_readers_costs_a_snapshot_and_no_truth() {
    // A ring so small that bursts of this rate lap a worker that has other work to do.
    let config = Config {
        ring_slots: 1 << 10,
        feed: FeedSpec::Sim("burst64".into()),
        rate: Some(1_000_000),
        symbols: Some(4),
        ..config()
    };
    with_gateway(config, |address| async move {
        let mut client = Client::connect(address).await;
        client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
        let mut book = Book::new(10);
        while !book.snapshots.iter().any(|reason| reason == "lagged") {
            book.take(&client.text().await, "BTC/USDT");
        }
        let updates = book.updates + 20;
        while book.updates < updates {
            book.take(&client.text().await, "BTC/USDT");
        }
    });
}

/// A feed that breaks at its first poll.
struct Broken(Instruments);

impl FeedSource for Broken {
    fn instruments(&self) -> &Instruments {
        &self.0
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    fn poll(&mut self, _now: Nanos, _out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        Err(FeedError { feed: "broken".into(), what: "it is broken".into() })
    }
}

#[test]
fn a_feed_that_breaks_is_told_and_the_gateway_goes_on() {
    for threads in [gateway::Threads::Split, gateway::Threads::Inline] {
        let feed = Feed {
            source: Box::new(Broken(Instruments::default())),
            hold: PauseHandle::default(),
            remote: None,
            switch: None,
        };
        let mut running = gateway::start_with(Config { threads, ..config() }, feed).unwrap();
        let address = running.address();
        run(async {
            assert_eq!(running.feed_failed().await.to_string(), "feed broken: it is broken");
            assert_eq!(get(address, "/healthz").await.status, 200);
            assert_eq!(get(address, "/readyz").await.status, 503);
        });
        running.shut_down("done");
    }
}

#[test]
fn a_feed_that_ended_is_told_and_its_last_books_stay() {
    /// Nothing, and then the end.
    struct Ended(Instruments);
    impl FeedSource for Ended {
        fn instruments(&self) -> &Instruments {
            &self.0
        }
        fn epoch(&self) -> Option<Epoch> {
            Some(Epoch(7))
        }
        fn poll(&mut self, now: Nanos, _out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
            Ok(FeedStatus { state: FeedState::Ended, watermark: now })
        }
    }
    let feed = Feed {
        source: Box::new(Ended(Instruments::default())),
        hold: PauseHandle::default(),
        remote: None,
        switch: None,
    };
    let running = gateway::start_with(config(), feed).unwrap();
    assert_eq!(running.epoch(), Epoch(7), "a feed that numbers for itself keeps its epoch");
    let address = running.address();
    run(async {
        get_until(address, "/metrics", |answer| answer.body.contains("depthcast_feed_ended 1\n")).await;
    });
    running.shut_down("done");
}
