//! What was recorded is what was served: the books of a live gateway, at the numbers that its clients saw, are in the recording.

use crate::support::{
    get,
    program::{Gateway, depthcast},
    run,
};
use journal::{Contents, Moment, Recording};
use market::Side;
use serde_json::Value;
use std::path::Path;

/// A gateway that records into a folder, asked for books, and ended in good order.
fn serve(dir: &Path, books: usize, arguments: &[&str]) -> Vec<Value> {
    let here = ["--listen", "127.0.0.1:0", "--tcp", "off", "--record", dir.to_str().unwrap()];
    let mut gateway = Gateway::start(depthcast(&[&here, arguments].concat()));
    let mut served = Vec::new();
    run(async {
        while served.len() < books {
            let symbol = ["BTC/USDT", "ETH/USDT", "SOL/USDT"][served.len() % 3];
            let reply = get(gateway.address, &format!("/v1/book?symbol={symbol}&depth=0")).await;
            if reply.status == 200 {
                served.push(reply.json());
            }
        }
    });
    gateway.signal("TERM");
    assert!(gateway.process.wait().unwrap().success());
    served
}

/// Whether the recording has the book at its number; if so they are equal, level by level.
fn compare(recording: &Recording, contents: &Contents, book: &Value) -> bool {
    assert_eq!(book["epoch"], contents.epoch.to_string());
    let (symbol, seq) = (book["symbol"].as_str().unwrap(), book["seq"].as_u64().unwrap());
    let id = contents.instruments.find(symbol).unwrap();
    let position = recording.at(1, Moment::Seq(id, seq)).unwrap();
    let Some(recorded) = position.books.get(id).filter(|recorded| recorded.seq() == seq) else {
        return false;
    };
    let instrument = &contents.instruments[id];
    for (side, name) in [(Side::Bid, "bids"), (Side::Ask, "asks")] {
        let number = |mantissa: i64, decimals| {
            let mut text = Vec::new();
            market::push_fixed(&mut text, mantissa, decimals);
            std::str::from_utf8(&text).unwrap().parse::<f64>().unwrap()
        };
        let recorded: Vec<_> = recorded.levels().iter(side).collect();
        let recorded: Vec<_> = recorded
            .iter()
            .map(|level| {
                let price = number(level.price.0, instrument.price_decimals);
                (price, number(level.qty.0 as i64, instrument.qty_decimals))
            })
            .collect();
        let told = book[name].as_array().unwrap().iter();
        let told: Vec<_> =
            told.map(|level| (level["price"].as_f64().unwrap(), level["qty"].as_f64().unwrap())).collect();
        assert_eq!(recorded, told, "{symbol} {name} at {seq}");
    }
    true
}

#[test]
fn books_that_were_served_are_in_the_recording_at_their_seq() {
    let dir = tempfile::tempdir().unwrap();
    let served = serve(dir.path(), 60, &["--rate", "20000"]);
    let recording = Recording::open(dir.path()).unwrap();
    let contents = &recording.contents().unwrap()[0];
    assert!(served.iter().all(|book| compare(&recording, contents, book)));
    assert_eq!(contents.gaps, []);
}
