//! What a connection may ask for, over real sockets: beyond it the venue's answer comes, and what was there goes on.

use super::support::{
    client::{Client, Received},
    config, with_gateway,
};
use serde_json::{Value, json};

#[test]
fn what_is_wrong_with_a_request_is_said_and_the_book_goes_on() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/v2").await;
        client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"], "depth": 10})).await;
        for (request, error) in [
            (r#"{"method":"subscribe""#, "Malformed request"),
            (
                r#"{"method":"subscribe","params":{"channel":"news","symbol":["BTC/USDT"]}}"#,
                "Unsupported channel",
            ),
            (
                r#"{"method":"subscribe","params":{"channel":"book","symbol":["A/B"]}}"#,
                "Currency pair not supported",
            ),
            (
                r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USDT"]}}"#,
                "Already subscribed",
            ),
            (
                r#"{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USDT"]}}"#,
                "Subscription Not Found",
            ),
        ] {
            client.send(request).await;
            let answer = client.json_where(|message| message["success"] == false).await;
            assert!(answer["error"].as_str().unwrap().starts_with(error), "{request}: {answer}");
        }
        client.json_where(|message| message["channel"] == "book").await;
    });
}

/// More than may come at once, and more refusals than the gateway has patience for.
const REQUESTS: usize = 80;

#[test]
fn who_asks_more_than_five_times_a_second_is_told_so_and_then_closed() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect_to(address, "/v2").await;
        for id in 0..REQUESTS {
            let params = json!({"channel": "x", "symbol": ["A/B"]});
            client.send(json!({"method": "subscribe", "params": params, "req_id": id})).await;
        }
        let (mut answered, mut refused) = (0, 0);
        let code = loop {
            assert!(answered < REQUESTS, "each was answered");
            match client.receive().await {
                Received::Closed(code, _) => break code,
                Received::Text(text) => {
                    let answer: Value = serde_json::from_str(&text).unwrap();
                    let error = answer["error"].as_str().unwrap_or_default();
                    answered += usize::from(answer["success"] == false);
                    refused += usize::from(error.starts_with("Exceeded msg rate"));
                }
            }
        };
        // Five more for each second that this took.
        assert!(
            refused > 0 && (50..60).contains(&(answered - refused)),
            "{refused} of {answered} were refused"
        );
        assert_eq!(code, 1008);
    });
}
