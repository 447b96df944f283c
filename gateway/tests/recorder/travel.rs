//! The past over REST: books at a time and at a number, what differs between two of them, trades that nobody holds any more.

use crate::support::{
    Answer, ask,
    program::{Gateway, depthcast},
};
use serde_json::Value;
use std::collections::BTreeMap;

fn start(arguments: &[&str]) -> Gateway {
    Gateway::start(depthcast(&[&["--listen", "127.0.0.1:0", "--tcp", "off"], arguments].concat()))
}

/// Price text to quantity text of one side.
fn side(book: &Value, name: &str) -> BTreeMap<String, String> {
    let levels = book[name].as_array().unwrap().iter();
    levels.map(|level| (level["price"].to_string(), level["qty"].to_string())).collect()
}

fn refused(answer: &Answer, status: u16, code: &str, text: &str) {
    let body = answer.json();
    assert_eq!((answer.status, body["code"].as_str()), (status, Some(code)), "{body}");
    assert!(body["error"].as_str().unwrap().contains(text), "{body}");
}

#[test]
fn a_gateway_that_records_tells_its_past() {
    let dir = tempfile::tempdir().unwrap();
    // Hardly any trades are held.
    let gateway = start(&[
        "--rate",
        "20000",
        "--symbols",
        "2",
        "--trades-bytes",
        "4096",
        "--record",
        dir.path().to_str().unwrap(),
    ]);
    let book = |query: &str| ask(gateway.address, &format!("/v1/book?symbol=BTC/USDT&depth=0{query}"));
    let mut books: Vec<Value> = Vec::new();
    while books.len() < 40 {
        let answer = book("");
        if answer.status == 200 && books.last().is_none_or(|last| last["seq"] != answer.json()["seq"]) {
            books.push(answer.json());
        }
    }
    for known in &books {
        let seq = &known["seq"];
        assert_eq!(book(&format!("&seq={seq}")).json(), *known);
        // Other exchange events may have happened at that very time.
        let at = book(&format!("&at={}", known["timestamp"].as_str().unwrap())).json();
        assert!(
            at["seq"].as_u64() >= seq.as_u64() && at["timestamp"].as_str() <= known["timestamp"].as_str(),
            "{at}"
        );
    }
    for (from, to) in [(0, 39), (5, 6), (7, 7)] {
        let (from, to) = (&books[from], &books[to]);
        let query = format!("from_seq={}&to_seq={}", from["seq"], to["seq"]);
        let difference = ask(gateway.address, &format!("/v1/book/diff?symbol=BTCUSDT&{query}")).json();
        assert_eq!((&difference["from_seq"], &difference["to_seq"]), (&from["seq"], &to["seq"]));
        for name in ["bids", "asks"] {
            let mut levels = side(from, name);
            for (price, qty) in side(&difference, name) {
                let is_gone = qty.trim_matches(['0', '.']).is_empty();
                let before =
                    if is_gone { levels.remove(&price) } else { levels.insert(price.clone(), qty.clone()) };
                assert_ne!(before, Some(qty), "{price} did not change");
            }
            assert_eq!(levels, side(to, name), "{name} {query}");
        }
    }

    let last = books[39]["seq"].as_u64().unwrap();
    let trades = |from: u64, to: u64| {
        ask(gateway.address, &format!("/v1/trades?symbol=BTC/USDT&from_seq={from}&to_seq={to}"))
    };
    let all = trades(1, last).json();
    let all = all["trades"].as_array().unwrap();
    let ids: Vec<u64> = all.iter().map(|trade| trade["trade_id"].as_u64().unwrap()).collect();
    assert!(ids.len() > 20 && ids[0] == 1 && ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
    let (third, tenth) = (all[3]["seq"].as_u64().unwrap(), all[10]["seq"].as_u64().unwrap());
    assert_eq!(trades(third, tenth).json()["trades"].as_array().unwrap()[..], all[3..=10]);

    let runs = ask(gateway.address, "/v1/recordings").json();
    assert_eq!(runs["recordings"][0]["epoch"], books[0]["epoch"]);
    assert!(runs["recordings"][0]["last_record"].as_u64() > Some(last));

    refused(&book("&seq=999999999"), 404, "out_of_range", "the one before is");
    refused(&book("&at=1999-01-01T00:00:00Z"), 404, "out_of_range", "nothing was recorded before that");
    refused(&book("&at=1&seq=1"), 400, "bad_params", "not by both");
    refused(&trades(last, last + 1_000_000_000), 404, "out_of_range", "beyond");
}

#[test]
fn a_gateway_without_a_recording_says_how_to_have_one() {
    let gateway = start(&["--symbols", "1"]);
    let answer = ask(gateway.address, "/v1/book?symbol=BTC/USDT&seq=5");
    refused(&answer, 404, "no_recording", "--record DIR");
    assert_eq!(ask(gateway.address, "/v1/recordings").json()["recordings"], serde_json::json!([]));
}
