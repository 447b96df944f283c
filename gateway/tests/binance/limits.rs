//! What a connection may have and ask for, over real sockets: beyond it the venue's answer comes, and what was there goes on.

use super::support::{
    client::{Client, Received},
    config, get, with_gateway,
};
use gateway::Config;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// As many as the venue allows.
const MOST: usize = 1_024;

/// The streams of each symbol, without its candles.
const STREAMS: [&str; 14] = [
    "depth",
    "depth@100ms",
    "depth5",
    "depth5@100ms",
    "depth10",
    "depth10@100ms",
    "depth20",
    "depth20@100ms",
    "trade",
    "aggTrade",
    "bookTicker",
    "ticker",
    "miniTicker",
    "avgPrice",
];

/// So many symbols have more streams than a connection may.
fn many_symbols() -> Config {
    Config { symbols: Some(80), rate: Some(500), ..config() }
}

/// More names of streams than a connection may have.
async fn names(address: SocketAddr) -> Vec<String> {
    let info = get(address, "/api/v3/exchangeInfo").await.json();
    let symbols = info["symbols"].as_array().unwrap();
    let names = symbols.iter().flat_map(|symbol| {
        let symbol = symbol["symbol"].as_str().unwrap().to_lowercase();
        STREAMS.map(|stream| format!("{symbol}@{stream}"))
    });
    let names: Vec<String> = names.collect();
    assert!(names.len() > MOST, "{}", names.len());
    names
}

async fn asked(client: &mut Client, request: Value) -> Value {
    client.send(&request).await;
    client.json_where(|answer| answer["id"] == request["id"]).await
}

#[test]
fn a_connection_has_1024_streams_and_keeps_them_when_it_asks_for_one_more() {
    with_gateway(many_symbols(), |address| async move {
        let names = names(address).await;
        let mut client = Client::connect_to(address, "/stream").await;
        let all = json!({"method": "SUBSCRIBE", "params": names[..MOST], "id": 1});
        assert_eq!(asked(&mut client, all).await, json!({"result": null, "id": 1}));
        let more = json!({"method": "SUBSCRIBE", "params": [names[MOST]], "id": 2});
        let full = "Invalid request: too many streams; a connection has at most 1024";
        let refused = json!({"error": {"code": 2, "msg": full}, "id": 2});
        assert_eq!(asked(&mut client, more.clone()).await, refused);
        let again = json!({"method": "SUBSCRIBE", "params": [names[0], names[MOST - 1]], "id": 3});
        assert_eq!(asked(&mut client, again).await["result"], Value::Null, "it has these");
        let list = asked(&mut client, json!({"method": "LIST_SUBSCRIPTIONS", "id": 4})).await;
        let mut listed: Vec<&str> =
            list["result"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        listed.sort_unstable();
        let mut wanted: Vec<&str> = names[..MOST].iter().map(String::as_str).collect();
        wanted.sort_unstable();
        assert_eq!(listed, wanted);
        for name in ["btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker"] {
            client.json_where(|event| event["stream"] == *name).await;
        }
        let end = json!({"method": "UNSUBSCRIBE", "params": [names[0]], "id": 5});
        assert_eq!(asked(&mut client, end).await["result"], Value::Null);
        assert_eq!(asked(&mut client, more).await, json!({"result": null, "id": 2}), "there is room");
    });
}

#[test]
fn more_at_once_are_refused_as_a_whole() {
    with_gateway(many_symbols(), |address| async move {
        let names = names(address).await;
        let mut client = Client::connect_to(address, "/ws").await;
        let more = json!({"method": "SUBSCRIBE", "params": names[..=MOST], "id": 1});
        assert_eq!(asked(&mut client, more).await["error"]["code"], 2);
        let list = json!({"method": "LIST_SUBSCRIPTIONS", "id": 2});
        assert_eq!(asked(&mut client, list).await, json!({"result": [], "id": 2}));
    });
}

#[test]
fn more_in_the_address_are_refused_as_a_whole() {
    with_gateway(Config { topics_per_connection: 100, ..many_symbols() }, |address| async move {
        let names = names(address).await;
        for path in ["/stream?streams=", "/ws/"] {
            let path = format!("{path}{}", names[..=100].join("/"));
            let mut client = Client::connect_to(address, &path).await;
            let answer = client.json_where(|_| true).await;
            let full = "Invalid request: too many streams; a connection has at most 100";
            assert_eq!(answer, json!({"error": {"code": 2, "msg": full}, "id": null}));
            let fewer = json!({"method": "SUBSCRIBE", "params": names[..100], "id": 3});
            assert_eq!(asked(&mut client, fewer).await, json!({"result": null, "id": 3}));
        }
    });
}

#[test]
fn what_is_wrong_with_a_request_is_said_and_the_streams_go_on() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/ws/btcusdt@bookTicker").await;
        for (request, code, id, text) in [
            (
                r#"{"method":"SUBSCRIBE","params":["btcusdt@nope"],"id":1}"#,
                2,
                json!(1),
                "'btcusdt@nope' is not offered",
            ),
            (
                r#"{"method":"SUBSCRIBE","params":["dogebtc@trade"],"id":"a"}"#,
                -1121,
                json!("a"),
                "Invalid symbol.",
            ),
            (
                r#"{"method":"SUBSCRIBE","params":["trade"],"id":2}"#,
                2,
                json!(2),
                "name it like btcusdt@depth",
            ),
            (r#"{"method":"SUBSCRIBE","params":[]}"#, 2, Value::Null, "names no stream"),
            (r#"{"method":"SUBSCRIBE","id":3}"#, 2, json!(3), "missing field `params`"),
            (r#"{"method":"FLY","params":[],"id":4}"#, 2, json!(4), "unknown variant `FLY`"),
            (r#"{"method":"GET_PROPERTY","params":["colour"],"id":5}"#, 0, json!(5), "Unknown property"),
            (r#"{"method":"SET_PROPERTY","params":["combined",1],"id":6}"#, 1, json!(6), "expected Boolean"),
            (r#"{"method":"LIST_SUBSCRIPTIONS","id":1.5}"#, 2, Value::Null, "request ID must be an integer"),
            (r#"["SUBSCRIBE"]"#, 2, Value::Null, "must be an object"),
            (r#"{"method":"SUBSCRIBE""#, 3, Value::Null, "Invalid JSON"),
        ] {
            client.send(request).await;
            let answer = client.json_where(|answer| answer["error"].is_object()).await;
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{request}: {answer}");
            assert!(answer["error"]["msg"].as_str().unwrap().contains(text), "{request}: {answer}");
        }
        let list = asked(&mut client, json!({"method": "LIST_SUBSCRIPTIONS", "id": 7})).await;
        assert_eq!(list["result"], json!(["btcusdt@bookTicker"]));
        client.json_where(|event| event["u"].is_u64()).await;
    });
}

/// More than may come at once, and more refusals than the gateway has patience for.
const REQUESTS: usize = 80;

/// What a client gets that asks without a pause: as many answers as come at once, refusals, and a close frame.
async fn asking_without_pause(address: SocketAddr, first: &str) -> (usize, Vec<Value>, (u16, String)) {
    let mut client = Client::connect_to(address, "/ws").await;
    for id in 0..REQUESTS {
        client.send(first.replace("ID", &id.to_string())).await;
    }
    let (mut done, mut refused) = (0, Vec::new());
    loop {
        assert!(done + refused.len() < REQUESTS, "each was answered");
        match client.receive().await {
            Received::Closed(code, reason) => return (done, refused, (code, reason)),
            Received::Text(text) => {
                let answer: Value = serde_json::from_str(&text).unwrap();
                if answer["error"].is_object() { refused.push(answer) } else { done += 1 }
            }
        }
    }
}

#[test]
fn who_asks_more_than_five_times_a_second_is_told_to_wait_and_then_closed() {
    let check = |config: Config, at_once: usize| {
        with_gateway(config, |address| async move {
            let request = r#"{"method":"LIST_SUBSCRIPTIONS","id":ID}"#;
            let (done, refused, closed) = asking_without_pause(address, request).await;
            // Five more for each second that this took.
            assert!((at_once..at_once + 10).contains(&done), "{done} were answered");
            let (code, wait) = (&refused[0]["error"]["code"], refused[0]["error"]["msg"].as_str().unwrap());
            assert_eq!(code, -1003, "{refused:?}");
            assert!(wait.starts_with("Too many requests; wait "), "{wait}");
            assert_eq!((closed.0, closed.1.starts_with("too many requests")), (1008, true), "{}", closed.1);
        });
    };
    check(config(), 50);
    // As strict as the venue.
    check(Config { request_burst: 5, ..config() }, 5);
}
