//! Sessions of long polling in the hands of whoever does what libraries never do, and at their end.

use super::{
    line::{Line, markets, probe, send},
    support::{client::Client, config, get, get_until, model::Book, request, run, with_gateway},
};
use gateway::Config;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::AsyncReadExt;

const BTC: &str = "BTC/USDT";

fn three_workers() -> Config {
    Config { workers: Some(3), ..config() }
}

/// Every connection that the gateway has.
async fn subscribers(address: SocketAddr) -> Vec<Value> {
    let answer = get(address, "/v1/subscribers").await.json();
    answer["subscribers"].as_array().unwrap().clone()
}

#[test]
fn mistakes_are_told_in_the_words_of_engine_io() {
    with_gateway(three_workers(), |address| async move {
        let of_no_worker = format!("00ff{}", "0".repeat(24));
        let of_a_worker = "0".repeat(28);
        let check = async |method, query: &str, status, code| {
            let path = format!("/socket.io/?{query}");
            let answer = request(address, method, &path, &[]).await;
            assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{method} {path}");
        };
        check("GET", "", 400, 0).await;
        check("GET", "EIO=4&transport=smoke", 400, 0).await;
        check("GET", "EIO=3&transport=polling", 400, 5).await;
        check("GET", "transport=polling", 400, 5).await;
        check("POST", "EIO=4&transport=polling", 400, 2).await;
        check("OPTIONS", "EIO=4&transport=polling", 400, 2).await;
        check("GET", "EIO=4&transport=polling&j=0", 400, 3).await;
        for sid in ["nobody", "", &of_no_worker, &of_a_worker] {
            check("GET", &format!("EIO=4&transport=polling&sid={sid}"), 400, 1).await;
            check("POST", &format!("EIO=4&transport=polling&sid={sid}"), 400, 1).await;
            check("GET", &format!("EIO=4&transport=websocket&sid={sid}"), 400, 1).await;
        }
    });
}

#[test]
fn two_requests_at_once_end_a_session() {
    with_gateway(three_workers(), |address| async move {
        let line = Line::open(address, "&heartbeat_ms=0").await;
        let fetch = async || Line::of(address, &line.sid).await.fetch().await;
        let (one, other) = tokio::join!(fetch(), fetch());
        let (waited, overlapped) = if one.status == 200 { (one, other) } else { (other, one) };
        assert_eq!(
            (waited.status, waited.body.as_str()),
            (200, "1"),
            "whoever waits is told that this is the end"
        );
        for answer in [overlapped, fetch().await] {
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(1)));
        }
        assert_eq!(subscribers(address).await, Vec::<Value>::new());
    });
}

#[test]
fn a_body_that_is_too_long_is_refused_and_harms_nothing() {
    with_gateway(three_workers(), |address| async move {
        let mut line = Line::joined(address).await;
        let mut other = Line::of(address, &line.sid).await;
        let answer = other.post(&"2".repeat((64 << 10) + 1)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (413, &json!("too_large")));
        line.post("421[\"list\"]").await;
        while !line.fetch().await.body.contains("431[") {}
    });
}

#[test]
fn a_session_that_its_client_closes_is_over() {
    with_gateway(three_workers(), |address| async move {
        let mut line = Line::joined(address).await;
        assert_eq!(line.post("1").await.body, "ok");
        // What is still to be fetched ends with the close.
        while line.fetch().await.body != "1" {}
        for answer in [line.fetch().await, line.post("40").await] {
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(1)));
        }
        assert_eq!(subscribers(address).await, Vec::<Value>::new());
    });
}

/// A client whose probe has ended waits for what comes, as before; it is not sent away again and again.
async fn waits(address: SocketAddr, sid: &str) {
    // Over a connection of its own each time: those that are idle are closed.
    let fetch = async || Line::of(address, sid).await.fetch().await.body;
    // Until the gateway knows.
    while fetch().await == "6" {}
    for _ in 0..2 {
        assert_ne!(fetch().await, "6");
    }
}

#[test]
fn a_probe_that_breaks_off_or_never_ends_leaves_the_session_as_it_was() {
    with_gateway(Config { handshake_timeout_s: 1, ..three_workers() }, |address| async move {
        let line = Line::joined(address).await;
        let mut socket = probe(address, &line.sid).await;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\x81\x063probe") {
            socket.read_buf(&mut answer).await.unwrap();
        }
        drop(socket);
        waits(address, &line.sid).await;

        let mut socket = probe(address, &line.sid).await;
        // The gateway closes it.
        socket.read_to_end(&mut answer).await.unwrap();
        waits(address, &line.sid).await;
        let mut line = Line::of(address, &line.sid).await;
        line.post(&format!("421[\"subscribe\",{{\"channel\":\"book\",\"symbol\":\"{BTC}\"}}]")).await;
        while !line.fetch().await.body.contains("\"snapshot\"") {}
    });
}

#[test]
fn who_moves_to_a_websocket_gets_there_what_it_did_not_fetch() {
    with_gateway(three_workers(), |address| async move {
        let mut line = Line::joined(address).await;
        line.post(&format!("421[\"subscribe\",{{\"channel\":\"book\",\"symbol\":\"{BTC}\"}}]")).await;
        let mut socket = probe(address, &line.sid).await;
        send(&mut socket, "5").await;
        let mut bytes = Vec::new();
        let has =
            |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        while !has(&bytes, "431[{") || !has(&bytes, "\"update\"") {
            socket.read_buf(&mut bytes).await.unwrap();
        }
        assert_eq!(line.fetch().await.json()["code"], 1, "the session has left long polling");
    });
}

#[test]
fn who_does_not_fetch_costs_little_and_is_caught_up_exactly() {
    let config = Config { rate: Some(20_000), send_buffer: 16 << 10, ..three_workers() };
    with_gateway(config, |address| async move {
        let mut line = Line::joined(address).await;
        let subscribe = json!(["subscribe", {"channel": "book", "symbol": BTC, "depth": 100}]);
        line.post(&format!("42{subscribe}")).await;
        let mut quick = Client::connect(address).await;
        quick.subscribe(json!({"channel": "book", "symbol": [BTC], "depth": 10})).await;
        let mut ahead = Book::new(10);
        while ahead.updates < 5_000 {
            ahead.take(&quick.text().await, BTC);
        }
        let all = subscribers(address).await;
        let slow = all.iter().find(|one| one["transport"] == "socketio").expect("it is still there");
        let held = slow["bytes_pending"].as_u64().unwrap();
        assert!(held <= 64 << 10, "{slow}");
        let mut book = Book::new(100);
        while book.last < ahead.last {
            let body = line.fetch().await.body;
            for message in markets(&body) {
                book.take(&message, BTC);
            }
        }
        assert_eq!(book.snapshots, ["subscribe"]);
        assert!(book.conflated > 0, "{} updates and none of them merged", book.updates);
    });
}

#[test]
fn sessions_that_nobody_comes_back_to_are_gone_after_three_pings() {
    with_gateway(three_workers(), |address| async move {
        let mut lines = Vec::new();
        for _ in 0..1_000 {
            lines.push(Line::open(address, "&ping_s=5").await.sid);
        }
        assert_eq!(subscribers(address).await.len(), 1_000);
        get_until(address, "/v1/subscribers", |answer| answer.body == "{\"subscribers\":[]}").await;
    });
}

#[test]
fn a_shutdown_is_told_to_who_waits_and_to_who_comes_next() {
    let running = gateway::start(three_workers()).unwrap();
    let address = running.address();
    run(async move {
        let mut lines = Vec::new();
        for at in 0..6 {
            let line = Line::open(address, "&heartbeat_ms=0").await;
            // Over a connection of another worker than that which has the session.
            lines.push((at % 2 == 0, Line::of(address, &line.sid).await));
        }
        let mut tasks = Vec::new();
        let (tell, told) = tokio::sync::watch::channel(0);
        for (waits, mut line) in lines {
            let (tell, mut told) = (tell.clone(), told.clone());
            tasks.push(tokio::spawn(async move {
                if !waits {
                    // Between two requests while the gateway says goodbye, which all those know by then who waited.
                    told.wait_for(|told| *told >= 3).await.unwrap();
                }
                // The close comes apart: socket.io-client forgets what comes in one body with it.
                let status = line.fetch().await.body;
                tell.send_modify(|told| *told += 1);
                (status, line.fetch().await.body)
            }));
        }
        get_until(address, "/v1/subscribers", |answer| answer.body.matches("socketio").count() == 6).await;
        let shut_down = tokio::task::spawn_blocking(move || running.shut_down("deploy"));
        for task in tasks {
            let (status, close) = task.await.unwrap();
            assert!(status.contains("\"event\":\"shutdown\""), "{status}");
            assert_eq!(close, "1");
        }
        shut_down.await.unwrap();
    });
}

#[test]
fn pages_of_other_origins_speak_to_it_where_they_are_allowed_to() {
    let config = Config { allow_origin: vec!["https://desk.example".into()], ..config() };
    with_gateway(config, |address| async move {
        let check = async |sid: &str, method: &str, body: &str, allowed: &str, refused: &str| {
            let query = format!("EIO=4&transport=polling{sid}");
            let mut line = Line::of(address, "").await;
            let answer = line.ask(method, &query, body, &[("origin", refused)]).await;
            assert_eq!((answer.status, &answer.json()["code"]), (403, &json!(4)));
            assert_eq!(answer.header("access-control-allow-origin"), "");
            let answer = line.ask(method, &query, body, &[("origin", allowed)]).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
        };
        let (desk, stranger) = ("https://desk.example", "https://stranger.example");
        check("", "GET", "", desk, stranger).await;
        let line = Line::joined(address).await;
        check(&format!("&sid={}", line.sid), "POST", "421[\"list\"]", desk, stranger).await;
        check(&format!("&sid={}", line.sid), "GET", "", desk, stranger).await;
    });
}
