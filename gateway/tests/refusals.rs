//! What a client is told when it asks for something that there is not, and that nobody else notices.

mod support;

use gateway::Config;
use serde_json::{Value, json};
use std::net::SocketAddr;
use support::{client::Client, config, get, get_until, model::Book, request, with_gateway};

/// What a client that does everything right gets meanwhile.
async fn canary(address: SocketAddr) -> (Client, Book) {
    let mut client = Client::connect(address).await;
    client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
    (client, Book::new(10))
}

async fn is_unharmed((mut client, mut book): (Client, Book)) {
    let updates = book.updates + 20;
    while book.updates < updates {
        book.take(&client.text().await, "BTC/USDT");
    }
    assert_eq!(book.snapshots, ["subscribe"]);
}

#[test]
fn each_error_answers_its_request_and_says_what_to_do() {
    with_gateway(config(), |address| async move {
        let canary = canary(address).await;
        let mut client = Client::connect(address).await;
        let book = |change: Value| {
            let mut params = json!({"channel": "book", "symbol": ["BTC/USDT"]});
            params.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            params
        };
        let cases = [
            ("subscribe", book(json!({"symbol": ["NO/SUCH"]})), "bad_symbol", "/v1/instruments lists them"),
            (
                "subscribe",
                book(json!({"depth": 7})),
                "bad_depth",
                "use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all",
            ),
            ("subscribe", book(json!({"interval_ms": 7})), "bad_interval", "10, 100, or 1000"),
            ("subscribe", book(json!({"policy": "hope"})), "bad_policy", "conflate or lossless"),
            ("subscribe", book(json!({"channel": "news"})), "bad_channel", "use book, trade, bbo, or stats"),
            ("subscribe", book(json!({"since": "x"})), "bad_token", ""),
            ("subscribe", book(json!({"detph": 10})), "bad_params", "detph"),
            (
                "unsubscribe",
                json!({"channel": "book", "symbol": ["BTC/USDT"]}),
                "not_subscribed",
                "list names",
            ),
            ("fly", json!({}), "bad_method", "subscribe"),
        ];
        for (method, params, code, text) in cases {
            let answer = client.ask(method, params.clone()).await;
            assert_eq!(
                (&answer["success"], &answer["code"]),
                (&json!(false), &json!(code)),
                "{params}: {answer}"
            );
            assert!(answer["error"].as_str().unwrap().contains(text), "{params}: {answer}");
        }
        client.send("{not json").await;
        let answer = client.json_where(|message| message["success"] == false).await;
        assert_eq!(answer["code"], "bad_json");
        assert_eq!(client.ask("ping", json!({})).await["method"], "pong", "the connection is whole");
        is_unharmed(canary).await;
    });
}

#[test]
fn one_bad_symbol_does_not_spoil_the_others() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        let params = json!({"channel": "book", "symbol": ["NO/SUCH", "ETHUSDT"]});
        let bad = client.ask("subscribe", params).await;
        assert_eq!((&bad["code"], &bad["symbol"]), (&json!("bad_symbol"), &json!("NO/SUCH")));
        let good = client.json_where(|message| message["success"] == true).await;
        assert_eq!(good["result"]["symbol"], "ETH/USDT");
    });
}

#[test]
fn broken_and_oversized_frames_close_the_connection_with_their_code() {
    with_gateway(config(), |address| async move {
        let canary = canary(address).await;
        let mut binary = Client::connect(address).await;
        binary.send_binary(b"\x00\x01").await;
        let (code, text) = binary.closed().await;
        assert_eq!(code, 1003, "{text}");
        let mut oversized = Client::connect(address).await;
        oversized.send("x".repeat((64 << 10) + 1)).await;
        let (code, text) = oversized.closed().await;
        assert_eq!(code, 1009, "{text}");
        is_unharmed(canary).await;
    });
}

#[test]
fn who_asks_too_often_is_told_to_wait_and_then_closed() {
    with_gateway(config(), |address| async move {
        let canary = canary(address).await;
        let mut client = Client::connect(address).await;
        for _ in 0..50 + 10 {
            client.send(json!({"method": "list"})).await;
        }
        let refused = client.json_where(|message| message["success"] == false).await;
        assert_eq!(refused["code"], "rate_limited");
        assert!(refused["retry_after_ms"].as_u64().unwrap() > 0);
        assert_eq!(client.closed().await.0, 4029);
        is_unharmed(canary).await;
    });
}

#[test]
fn errors_over_http_have_a_code_and_a_fitting_status() {
    with_gateway(config(), |address| async move {
        // A book that has not begun is an error of its own.
        get_until(address, "/v1/book?symbol=BTCUSDT", |answer| answer.status == 200).await;
        let cases = [
            ("/v1/nothing", 404, "not_offered", "/v1/instruments"),
            ("/v1/book", 400, "bad_params", "'symbol' is missing"),
            ("/v1/book?symbol=NO", 404, "bad_symbol", "/v1/instruments lists them"),
            ("/v1/book?symbol=BTCUSDT&depth=7", 400, "bad_depth", "use 1, 5, 10"),
            ("/v1/book?symbol=BTCUSDT&depth=x", 400, "bad_params", "depth=x"),
            ("/v1/book?symbol=BTCUSDT&dept=1", 400, "bad_params", "there is symbol, depth"),
            ("/v1/trades?symbol=BTCUSDT&from_seq=1", 400, "bad_params", "from_seq and to_seq"),
            ("/v1/trades?symbol=BTCUSDT&from_seq=0&to_seq=9", 404, "out_of_range", "are held from seq"),
            ("/v1/latency?format=xml", 400, "bad_params", "use json or hlog"),
            ("/feed", 426, "bad_params", "ws://"),
            ("/echo", 404, "not_offered", "/feed"),
        ];
        for (path, status, code, text) in cases {
            let answer = get(address, path).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
            assert_eq!(answer.json()["code"], code, "{path}");
            assert!(answer.json()["error"].as_str().unwrap().contains(text), "{path}: {}", answer.body);
        }
        let post = request(address, "POST", "/v1/book", &[]).await;
        assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD"));
        let head = request(address, "HEAD", "/v1/instruments", &[]).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    });
}

fn handshake(origin: &'static str) -> [(&'static str, &'static str); 5] {
    [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", origin),
    ]
}

#[test]
fn handshakes_are_checked_before_anything_is_opened() {
    with_gateway(
        Config { allow_origin: vec!["https://desk.example".into()], ..config() },
        |address| async move {
            let check = async |path: &str, origin: &'static str, status: u16, text: &str| {
                let answer = request(address, "GET", path, &handshake(origin)).await;
                assert_eq!(answer.status, status, "{path} from {origin}: {}", answer.body);
                assert!(answer.body.contains(text), "{}", answer.body);
            };
            check("/feed", "https://desk.example", 101, "").await;
            check("/feed", "https://evil.example", 403, "--allow-origin").await;
            check("/feed?heartbeat_ms=250&ping_s=5", "https://desk.example", 101, "").await;
            check("/feed?heartbeat_ms=249", "https://desk.example", 400, "250 to 60000").await;
            check("/feed?ping_s=301", "https://desk.example", 400, "5 to 300").await;
            check("/feed?since=x", "https://desk.example", 400, "there is heartbeat_ms, ping_s").await;
            let answer =
                request(address, "GET", "/v1/instruments", &[("origin", "https://desk.example")]).await;
            assert_eq!(answer.header("access-control-allow-origin"), "https://desk.example");
            let answer =
                request(address, "GET", "/v1/instruments", &[("origin", "https://evil.example")]).await;
            assert_eq!(answer.header("access-control-allow-origin"), "");
        },
    );
}

#[test]
fn one_address_cannot_ask_without_end() {
    with_gateway(Config { http_requests_per_second: 1, ..config() }, |address| async move {
        for _ in 0..4 {
            assert_eq!(get(address, "/healthz").await.status, 200);
        }
        let answer = get(address, "/healthz").await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "1"));
        assert_eq!(answer.json()["code"], "rate_limited");
    });
}

#[test]
fn a_stream_or_a_poll_of_nothing_is_refused() {
    with_gateway(config(), |address| async move {
        for path in ["/sse", "/poll"] {
            for names in ["", "/", "//"] {
                let answer = get(address, &format!("{path}?streams={names}")).await;
                assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("bad_params")), "{path}");
            }
        }
    });
}

#[test]
fn a_method_that_is_not_taken_is_answered_with_those_that_are() {
    with_gateway(config(), |address| async move {
        for path in ["/v1/instruments", "/api/v3/exchangeInfo", "/poll?streams=btcusdt@trade", "/ws"] {
            let answer = request(address, "PUT", path, &[]).await;
            assert_eq!(answer.status, 405, "{path}");
            assert!(answer.header("allow").contains("GET"), "{path}");
        }
    });
}
