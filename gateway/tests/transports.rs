//! Server-sent events, long polling and plain TCP over real sockets.

mod support;

use gateway::{Config, Running, Threads};
use market::clock;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::{net::SocketAddr, time::Duration};
use support::{config, get, get_until, model::Book, request, run, wire::Wire, with_gateway, with_running};

const BOOK: &str = "channel=book&symbol=BTC/USDT";

fn sse(rest: &str) -> String {
    format!("/sse?{BOOK}{rest}")
}

fn poll(rest: &str) -> String {
    format!("/poll?{BOOK}{rest}")
}

/// The configuration with several workers.
fn workers() -> Config {
    Config { workers: Some(3), threads: Threads::Split, ..config() }
}

fn tcp(running: &Running) -> SocketAddr {
    running.tcp_address().expect("there is a TCP port")
}

fn subscribe(channel: &str, more: &str) -> String {
    format!(
        "{{\"method\":\"subscribe\",\"params\":{{\"channel\":\"{channel}\",\"symbol\":\"BTC/USDT\"{more}}}}}\n"
    )
}

#[test]
fn what_a_stream_or_a_poll_cannot_have_is_refused_with_a_status() {
    with_gateway(config(), |address| async move {
        let many: String = (0..65).map(|at| format!("S{at},")).collect();
        for path in ["/sse", "/poll"] {
            for (query, status, code) in [
                (BOOK.to_owned() + "&detph=5", 400, "bad_params"),
                ("symbol=BTC/USDT".to_owned(), 400, "bad_params"),
                ("channel=book".to_owned(), 400, "bad_params"),
                ("channel=news&symbol=BTC/USDT".to_owned(), 400, "bad_channel"),
                ("channel=book&symbol=NO/SUCH".to_owned(), 404, "bad_symbol"),
                (format!("channel=book&symbol={many}"), 404, "bad_symbol"),
                (BOOK.to_owned() + "&depth=7", 400, "bad_depth"),
                (BOOK.to_owned() + "&policy=hope", 400, "bad_policy"),
                (BOOK.to_owned() + "&since=x", 400, "bad_token"),
                (BOOK.to_owned() + "&dialect=kraken", 404, "not_offered"),
                (BOOK.to_owned() + "&depth=5&depth=5", 400, "bad_params"),
            ] {
                let answer = get(address, &format!("{path}?{query}")).await;
                assert_eq!(answer.json()["code"], code, "{path}?{query}");
                assert_eq!(answer.status, status, "{path}?{query}");
                assert!(answer.json()["error"].is_string());
            }
            for method in ["POST", "HEAD", "OPTIONS"] {
                let answer = request(address, method, &format!("{path}?{BOOK}"), &[]).await;
                assert_eq!((answer.status, answer.header("allow")), (405, "GET"), "{method} {path}");
            }
        }
        let check = async |path: String, code: &str| {
            assert_eq!(get(address, &path).await.json()["code"], code, "{path}");
        };
        check(poll("&policy=lossless"), "bad_policy").await;
        check(poll("&interval_ms=100"), "bad_interval").await;
        check(poll("&cursor=x"), "bad_token").await;
        check(poll("&timeout_ms=30001"), "bad_params").await;
        check(sse("&heartbeat_ms=1"), "bad_params").await;
        check(sse("&ping_s=1"), "bad_params").await;
        let answer = request(address, "GET", &sse(""), &[("last-event-id", "x")]).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("bad_token")));
    });
}

#[test]
fn more_subscriptions_than_a_token_can_hold_are_refused() {
    with_gateway(Config { symbols: Some(65), ..config() }, |address| async move {
        let listed = get(address, "/v1/instruments").await.json();
        let symbols: Vec<_> = listed["instruments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["symbol"].as_str().unwrap())
            .collect();
        for path in ["/sse", "/poll"] {
            let answer = get(address, &format!("{path}?channel=bbo&symbol={}", symbols.join(","))).await;
            assert_eq!(answer.json()["code"], "too_many_topics", "{path}");
            assert_eq!(answer.status, 400);
        }
    });
}

/// Takes a message unless the client has it already, as may be after it came back.
fn take_news(book: &mut Book, text: &str) {
    let message: Value = serde_json::from_str(text).unwrap();
    let is_old = message["data"][0]["seq"].as_u64().is_some_and(|seq| seq <= book.last);
    if message["type"] == "snapshot" || !is_old {
        book.take(text, "BTC/USDT");
    }
}

#[derive(Deserialize)]
struct Polled {
    cursor: String,
    messages: Vec<Box<RawValue>>,
}

#[test]
fn a_stream_resumes_from_the_last_event_which_wins_over_since() {
    with_gateway(workers(), |address| async move {
        let mut wire = Wire::asking(address, &sse(""), "").await;
        let head = wire.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("text/event-stream"), "{head}");
        assert!(wire.event().await.1.contains("\"recovered\":false"));
        let mut book = Book::new(10);
        let mut last_id = None;
        for _ in 0..5 {
            // Cut anywhere, it comes back to any worker and has lost nothing.
            let updates = book.updates + 20;
            while book.updates < updates {
                let (id, message) = wire.event().await;
                last_id = id.or(last_id);
                take_news(&mut book, &message);
            }
            let head = format!("last-event-id: {}\r\n", last_id.as_ref().expect("an id"));
            wire = Wire::asking(address, &sse("&since=0000000000000001:BTC/USDT@10=1"), &head).await;
            wire.until("\r\n\r\n").await;
            assert!(wire.event().await.1.contains("\"recovered\":true"));
        }
        assert_eq!(book.snapshots, ["subscribe"]);
    });
}

#[test]
fn web_pages_of_allowed_origins_read_streams_and_polls_and_others_are_refused() {
    let origin = "https://example.com";
    with_gateway(Config { allow_origin: vec![origin.into()], ..config() }, |address| async move {
        let mut wire = Wire::asking(address, &sse(""), &format!("origin: {origin}\r\n")).await;
        let head = wire.until("\r\n\r\n").await;
        assert!(head.contains("access-control-allow-origin: https://example.com\r\n"), "{head}");
        let answer = request(address, "GET", &poll(""), &[("origin", origin)]).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, origin));
        for path in [sse(""), poll("")] {
            let answer = request(address, "GET", &path, &[("origin", "https://example.org")]).await;
            assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("forbidden")), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
    });
}

/// A feed in which next to nothing happens.
fn quiet() -> Config {
    Config { feed: gateway::FeedSpec::Sim("quiet".into()), rate: None, ..config() }
}

#[test]
fn a_poll_is_held_until_its_time_is_over() {
    with_gateway(quiet(), |address| async move {
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let cursor = get(address, &poll("")).await.json()["cursor"].as_str().unwrap().to_owned();
        let began = clock::now();
        let answer = get(address, &poll(&format!("&cursor={cursor}&timeout_ms=300"))).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert!(clock::now().since(began) >= Duration::from_millis(300));
        // A client in a tight loop is slowed down.
        let began = clock::now();
        for _ in 0..5 {
            assert_eq!(get(address, &poll(&format!("&cursor={cursor}&timeout_ms=0"))).await.status, 204);
        }
        assert!(clock::now().since(began) >= Duration::from_millis(200), "{:?}", clock::now().since(began));
    });
}

#[test]
fn polls_of_any_worker_go_on_where_the_last_one_left_off() {
    with_gateway(workers(), |address| async move {
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let mut book = Book::new(10);
        let mut path = poll("");
        while book.updates < 100 {
            let answer: Polled = serde_json::from_str(&get(address, &path).await.body).unwrap();
            for message in answer.messages {
                assert!(book.take(message.get(), "BTC/USDT"));
            }
            path = poll(&format!("&cursor={}", answer.cursor));
        }
        assert_eq!(book.snapshots, ["subscribe"]);
    });
}

#[test]
fn at_shutdown_streams_and_lines_are_told_and_end_and_polls_are_answered() {
    with_running(quiet(), |running| async move {
        let address = running.address();
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let mut stream = Wire::asking(address, &sse(""), "").await;
        stream.until("snapshot").await;
        let mut lines = Wire::connect(tcp(&running)).await;
        lines.send(&subscribe("book", "")).await;
        lines.until("snapshot").await;
        let cursor = get(address, &poll("")).await.json()["cursor"].as_str().unwrap().to_owned();
        let mut held = Wire::asking(address, &poll(&format!("&cursor={cursor}")), "").await;
        let rows = get_until(address, "/v1/subscribers", |answer| {
            answer.json()["subscribers"].as_array().unwrap().len() == 2
        })
        .await;
        let mut transports: Vec<_> = rows.json()["subscribers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["transport"].as_str().unwrap().to_owned())
            .collect();
        transports.sort();
        assert_eq!(transports, ["sse", "tcp"]);
        let stopping = std::thread::spawn(move || running.shut_down("deploy"));
        for (name, told) in [("sse", stream.rest().await), ("tcp", lines.rest().await)] {
            assert!(
                told.contains(r#""event":"shutdown""#) && told.contains(r#""reason":"deploy""#),
                "{name}: {told}"
            );
        }
        let answer = held.rest().await.to_lowercase();
        assert!(answer.starts_with("http/1.1 503 ") && answer.contains("\r\nretry-after: "), "{answer}");
        stopping.join().unwrap();
    });
}

#[test]
fn a_poll_that_is_held_at_shutdown_is_answered_although_nobody_else_is_there() {
    with_running(quiet(), |running| async move {
        let address = running.address();
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let cursor = get(address, &poll("")).await.json()["cursor"].as_str().unwrap().to_owned();
        // Told twice at once: the second one is held because of the first.
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(Wire::asking(address, &poll(&format!("&cursor={cursor}")), "").await);
        }
        get(address, "/healthz").await;
        let stopping = std::thread::spawn(move || running.shut_down("deploy"));
        for mut wire in held {
            let answer = wire.rest().await.to_lowercase();
            assert!(
                answer.starts_with("http/1.1 503 ") && answer.contains("\r\nretry-after: "),
                "{answer:?}"
            );
        }
        stopping.join().unwrap();
    });
}

/// A client over a narrow socket that has asked for whole books, over server-sent events and over lines.
async fn narrow(running: &Running, policy: &str) -> [Wire; 2] {
    let mut stream = Wire::narrow(running.address()).await;
    let path = sse(&format!("&depth=100&policy={policy}"));
    stream.send(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", running.address())).await;
    let mut lines = Wire::narrow(tcp(running)).await;
    lines.send(&subscribe("book", &format!(",\"depth\":100,\"policy\":\"{policy}\""))).await;
    [stream, lines]
}

fn small_buffers() -> Config {
    Config { send_buffer: 16 << 10, http_requests_per_second: 0, ..config() }
}

#[test]
fn who_is_too_slow_for_lossless_is_told_so_before_the_end() {
    with_running(small_buffers(), |running| async move {
        let slow = narrow(&running, "lossless").await;
        get_until(running.address(), "/v1/subscribers", |answer| {
            let rows = answer.json()["subscribers"].clone();
            let rows = rows.as_array().unwrap();
            rows.len() == 2 && rows.iter().all(|row| row["topics"] == 1)
        })
        .await;
        get_until(running.address(), "/metrics", |answer| {
            answer.body.contains("depthcast_slow_closed_total{worker=\"0\"} 2\n")
        })
        .await;
        for mut wire in slow {
            let told = wire.rest().await;
            let last = told.trim_end().lines().rfind(|line| line.contains("channel")).unwrap();
            assert!(last.contains(r#"{"event":"closing","code":4008,"#), "{last}");
        }
        running.shut_down("done");
    });
}

#[test]
fn what_a_slow_client_did_not_take_is_merged() {
    with_running(small_buffers(), |running| async move {
        let slow = narrow(&running, "conflate").await;
        get_until(running.address(), "/v1/subscribers", |answer| {
            let rows = answer.json()["subscribers"].clone();
            let rows = rows.as_array().unwrap();
            rows.len() == 2 && rows.iter().all(|row| row["lag_seq"].as_u64() > Some(2_000))
        })
        .await;
        for mut wire in slow {
            let mut book = Book::new(100);
            while book.conflated == 0 {
                let line = wire.until("\n").await;
                book.take(line.strip_prefix("data: ").unwrap_or(&line), "BTC/USDT");
            }
            assert_eq!(book.snapshots, ["subscribe"]);
        }
        running.shut_down("done");
    });
}

#[test]
fn requests_that_come_in_one_packet_with_a_stream_are_answered_in_order() {
    with_gateway(config(), |address| async move {
        let mut wire = Wire::connect(address).await;
        wire.send(&format!(
            "GET /healthz HTTP/1.1\r\nhost: {address}\r\n\r\nGET /v1/instruments HTTP/1.1\r\nhost: {address}\r\n\r\n\
             GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n",
            sse("")
        ))
        .await;
        assert!(wire.until("ok\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(wire.until("]}").await.contains("BTC/USDT"));
        assert!(wire.until("\r\n\r\n").await.contains("text/event-stream"));
        assert!(wire.event().await.1.starts_with("{\"method\":\"subscribe\""));
    });
}

#[test]
fn clients_of_http_1_0_get_streams_and_polls() {
    with_gateway(config(), |address| async move {
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let mut wire = Wire::connect(address).await;
        wire.send(&format!("GET {} HTTP/1.0\r\n\r\n", sse(""))).await;
        wire.until("\r\n\r\n").await;
        assert!(wire.event().await.1.starts_with("{\"method\":\"subscribe\""));
        let mut wire = Wire::connect(address).await;
        wire.send(&format!("GET {} HTTP/1.0\r\n\r\n", poll(""))).await;
        assert!(wire.rest().await.contains("\"cursor\":"), "and the connection ends");
    });
}

#[test]
fn lines_are_requests_however_they_arrive() {
    with_running(config(), |running| async move {
        let mut wire = Wire::connect(tcp(&running)).await;
        let text = subscribe("book", "") + "{\"method\":\"ping\",\"req_id\":2}\n";
        for piece in text.as_bytes().chunks(7) {
            wire.send_bytes(piece).await;
            tokio::task::yield_now().await;
        }
        let mut book = Book::new(10);
        let mut ponged = false;
        while !ponged || book.updates < 50 {
            let line = wire.until("\n").await;
            ponged |= line.contains("\"pong\"");
            book.take(&line, "BTC/USDT");
        }
        running.shut_down("done");
    });
}

#[test]
fn a_line_that_breaks_the_rules_is_answered_and_is_the_last() {
    let config = Config { inbound_bytes: 1_000, ..config() };
    with_running(config, |running| async move {
        for (bytes, code) in
            [(vec![b'x'; 1_001], "too_large"), (b"{\"method\":\"\xff\"}\n".to_vec(), "bad_json")]
        {
            let mut wire = Wire::connect(tcp(&running)).await;
            wire.send_bytes(&bytes).await;
            let told = wire.rest().await;
            let answer: Value = serde_json::from_str(told.trim_end()).unwrap();
            assert_eq!(answer["code"], code, "{answer}");
        }
        let mut wire = Wire::connect(tcp(&running)).await;
        wire.send("{not json}\n{\"method\":\"ping\"").await;
        assert_eq!(wire.line().await["code"], "bad_json", "the connection is whole");
        tokio::io::AsyncWriteExt::shutdown(&mut wire.stream).await.unwrap();
        assert!(wire.rest().await.contains("the last line has no end"));
        running.shut_down("done");
    });
}

#[test]
fn a_gateway_without_a_tcp_port_says_so() {
    run(async {
        let running = gateway::start(Config { tcp: Some(gateway::Plain::Off), ..config() }).unwrap();
        assert_eq!(running.tcp_address(), None);
        running.shut_down("done");
    });
}
