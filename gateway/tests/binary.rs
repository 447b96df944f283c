//! Binary messages over real sockets: how a client comes to them, what it is told when it does that wrong, and that the end is told
//! in them too.

mod support;

#[path = "../wire/tests/sbe/as_json.rs"]
mod as_json;
#[path = "../wire/tests/sbe/decoder.rs"]
mod decoder;

use as_json::as_json;
use gateway::Running;
use serde_json::{Value, json};
use std::net::SocketAddr;
use support::{client::Client, config, get, request, wire::Wire, with_gateway, with_running};

const HELLO: &str = "{\"method\":\"hello\",\"encoding\":\"sbe\",\"req_id\":1}\n";
const SBE: &str = "depthcast.v1.sbe";

fn handshake(protocol: &str) -> [(&str, &str); 5] {
    [
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", protocol),
    ]
}

fn tcp(running: &Running) -> SocketAddr {
    running.tcp_address().expect("there is a TCP port")
}

/// A connection whose events are binary from now on.
async fn binary_line(address: SocketAddr) -> Wire {
    let mut wire = Wire::connect(address).await;
    wire.send(HELLO).await;
    let answer = wire.line().await;
    let result = json!({"encoding": "sbe", "schema_id": 25699, "schema_version": 0});
    assert_eq!(answer, json!({"method": "hello", "success": true, "result": result, "req_id": 1}));
    wire
}

/// The next message behind its length, an event in the words of JSON.
async fn message(wire: &mut Wire) -> Value {
    let length = wire.bytes(4).await.try_into().unwrap();
    let message = wire.bytes(u32::from_le_bytes(length) as usize).await;
    let text = match message.starts_with(b"{\"") {
        true => String::from_utf8(message).unwrap(),
        false => as_json(&message).unwrap(),
    };
    serde_json::from_str(&text).unwrap()
}

async fn message_where(wire: &mut Wire, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = message(wire).await;
        if wanted(&message) {
            return message;
        }
    }
}

#[test]
fn the_handshake_answers_the_sub_protocol_that_it_knows_and_no_other() {
    with_gateway(config(), |address| async move {
        let check = async |path: &str, offered: &str, chosen: &str| {
            let answer = request(address, "GET", path, &handshake(offered)).await;
            let header = answer.header("sec-websocket-protocol");
            assert_eq!((answer.status, header), (101, chosen), "{path} with {offered}");
        };
        check("/feed", SBE, SBE).await;
        check("/feed", "soap, depthcast.v1.sbe", SBE).await;
        check("/feed", "depthcast.v2.sbe", "").await;
        for path in ["/ws", "/sbe/ws", "/v2"] {
            check(path, SBE, "").await;
        }
        // Who offers another one hears text.
        let mut client = Client::speaking(address, "/feed", "depthcast.v2.sbe").await;
        client.subscribe(json!({"channel": "book", "symbol": "BTC/USDT"})).await;
        client.json_where(|message| message["type"] == "snapshot").await;
    });
}

#[test]
fn where_it_is_not_offered_the_answer_says_where_it_is() {
    with_gateway(config(), |address| async move {
        for path in [
            "/sse?channel=book&symbol=BTC/USDT&encoding=sbe",
            "/poll?channel=book&symbol=BTC/USDT&encoding=sbe",
            "/sse?streams=btcusdt@trade&encoding=sbe",
            "/socket.io/?EIO=4&transport=polling&encoding=sbe",
        ] {
            let answer = get(address, path).await;
            assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_offered")), "{path}");
            assert!(answer.body.contains(SBE) && answer.body.contains("hello"), "{path}: {}", answer.body);
        }
        let answer = request(address, "GET", "/feed?encoding=sbe", &handshake("")).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_offered")));
        let mut client = Client::connect(address).await;
        client.send(json!({"method": "hello", "encoding": "sbe", "req_id": 7})).await;
        let answer = client.json_where(|message| message["req_id"] == 7).await;
        assert_eq!((&answer["method"], &answer["code"]), (&json!("hello"), &json!("not_offered")));
        assert!(answer["error"].as_str().unwrap().contains(SBE), "{answer}");
    });
}

#[test]
fn streams_that_have_no_binary_events_are_refused() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/sbe/ws/btcusdt@kline_1m").await;
        let refused = client.json_where(|message| message["error"].is_object()).await;
        for name in ["btcusdt@depth@100ms", "btcusdt@bookTicker", "!ticker@arr"] {
            client.send(json!({"method": "SUBSCRIBE", "params": [name], "id": 1})).await;
            let refused = client.json_where(|message| message["id"] == 1).await;
            assert_eq!(refused["error"]["code"], 2, "{refused}");
        }
        assert!(refused["error"]["msg"].as_str().unwrap().contains("@bestBidAsk"), "{refused}");
        client.send(json!({"method": "SUBSCRIBE", "params": ["nosuch@depth"], "id": 1})).await;
        assert_eq!(client.json_where(|message| message["id"] == 1).await["error"]["code"], -1121);
        let mut client = Client::connect_to(address, "/ws/btcusdt@bestBidAsk").await;
        let refused = client.json_where(|message| message["error"].is_object()).await;
        assert_eq!(refused["error"]["code"], 2, "{refused}");
    });
}

#[test]
fn what_a_client_says_in_binary_is_not_taken() {
    with_gateway(config(), |address| async move {
        for mut client in [
            Client::speaking(address, "/feed", SBE).await,
            Client::connect_to(address, "/sbe/ws/btcusdt@trade").await,
        ] {
            client.send_binary(b"\x79\x00\x01\x00").await;
            assert_eq!(client.closed().await.0, 1003);
        }
    });
}

#[test]
fn a_hello_is_the_first_request_and_what_is_wrong_with_it_is_answered() {
    with_running(config(), |running| async move {
        let mut wire = Wire::connect(tcp(&running)).await;
        for (line, code) in [
            ("{\"method\":\"hello\"}", "bad_params"),
            ("{\"method\":\"hello\",\"encoding\":7}", "not_offered"),
            ("{\"method\":\"hello\",\"encoding\":\"xml\"}", "not_offered"),
            ("{\"method\":\"hello\",\"encoding\":\"sbe\",\"params\":{\"a\":1}}", "bad_params"),
            ("{\"method\":\"hello\",\"encoding\":\"sbe\",\"encoding\":\"sbe\"}", "bad_json"),
        ] {
            wire.send(&format!("{line}\n")).await;
            let answer = wire.line_where(|message| message["success"] == false).await;
            assert_eq!(answer["code"], code, "{line}: {answer}");
        }
        // None of these was one.
        wire.send(HELLO).await;
        let answer = wire.line_where(|message| message["method"] == "hello").await;
        assert_eq!(answer["success"], true);
        wire.send(HELLO).await;
        let answer = message_where(&mut wire, |message| message["method"] == "hello").await;
        assert_eq!((&answer["success"], &answer["code"]), (&json!(false), &json!("bad_method")));
        let mut late = Wire::connect(tcp(&running)).await;
        late.send("{\"method\":\"ping\"}\n").await;
        late.send(HELLO).await;
        let answer = late.line_where(|message| message["method"] == "hello").await;
        assert_eq!(answer["code"], "bad_method");
        let mut text = Wire::connect(tcp(&running)).await;
        text.send("{\"method\":\"hello\",\"encoding\":\"json\"}\n{\"method\":\"ping\"}\n").await;
        let answer = text.line_where(|message| message["method"] == "hello").await;
        assert_eq!(answer["result"], json!({"encoding": "json"}));
        text.line_where(|message| message["method"] == "pong").await;
        running.shut_down("the test is over");
    });
}

#[test]
fn mistakes_behind_a_hello_are_answered_behind_their_length() {
    with_running(config(), |running| async move {
        let mut wire = binary_line(tcp(&running)).await;
        for (line, code) in [
            ("{", "bad_json"),
            ("{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@trade\"],\"id\":1}", "bad_method"),
            (
                "{\"method\":\"subscribe\",\"params\":{\"channel\":\"book\",\"symbol\":\"NO/SUCH\"}}",
                "bad_symbol",
            ),
        ] {
            wire.send(&format!("{line}\n")).await;
            let answer = message_where(&mut wire, |message| message["success"] == false).await;
            assert_eq!(answer["code"], code, "{line}: {answer}");
        }
        wire.send_bytes(b"\xff\n").await;
        let answer = message_where(&mut wire, |message| message["success"] == false).await;
        assert_eq!(answer["code"], "bad_json");
        wire.ends().await;
        let mut wire = binary_line(tcp(&running)).await;
        wire.send(&"x".repeat((64 << 10) + 1)).await;
        let answer = message_where(&mut wire, |message| message["success"] == false).await;
        assert_eq!(answer["code"], "too_large");
        wire.ends().await;
        running.shut_down("the test is over");
    });
}

#[test]
fn the_end_of_the_gateway_is_told_in_binary() {
    with_running(config(), |running| async move {
        let mut line = binary_line(tcp(&running)).await;
        let rows = get(running.address(), "/v1/subscribers").await.json();
        let row = &rows["subscribers"][0];
        assert_eq!((&row["transport"], &row["dialect"]), (&json!("tcp"), &json!("native_sbe")));
        running.shut_down("maintenance");
        let told = message_where(&mut line, |message| message["channel"] == "status").await;
        let data = &told["data"][0];
        assert_eq!((&data["event"], &data["reason"]), (&json!("shutdown"), &json!("maintenance")));
        assert!(data["retry_after_ms"].is_u64(), "{told}");
        line.ends().await;
    });
}
