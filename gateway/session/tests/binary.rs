//! A client of binary messages hears what one of text hears, to the letter and in the same order, whatever happens.

mod support;

#[path = "../../wire/tests/sbe/as_json.rs"]
mod as_json;
#[path = "../../wire/tests/sbe/decoder.rs"]
mod decoder;

use as_json::as_json;
use market::{Event, Kind, SymbolId};
use session::{ConnId, Limits, OpenOptions};
use std::time::Duration;
use support::{
    Bench,
    account::{Chance, Market},
};
use wire::{dialect::Dialect, envelope::websocket::frame_lengths, message::Encoding};

const SUBSCRIPTIONS: [&str; 5] = [
    r#""channel":"book","symbol":["BTC/USDT","ETH/USDT"],"depth":5"#,
    r#""channel":"trade","symbol":["BTC/USDT","ETH/USDT"],"stamps":true,"snapshot":true"#,
    r#""channel":"bbo","symbol":"BTC/USDT","stamps":true"#,
    r#""channel":"bbo","symbol":"ETH/USDT","interval_ms":100"#,
    r#""channel":"stats""#,
];

/// What came: the texts, and the binary messages in the words of JSON.
fn texts(bench: &mut Bench, conn: ConnId, events_are: u8) -> Vec<String> {
    let bytes = bench.sockets.received.get_mut(&conn).map(std::mem::take).unwrap_or_default();
    let (mut rest, mut texts) = (&bytes[..], Vec::new());
    while let Some((header, length)) = frame_lengths(rest) {
        let payload = &rest[header..header + length];
        let is_answer = payload.starts_with(b"{\"method\"");
        match rest[0] {
            0x89 => {}
            0x81 if is_answer => texts.push(String::from_utf8(payload.to_vec()).unwrap()),
            first => {
                assert_eq!(first, events_are);
                texts.push(match first {
                    0x81 => String::from_utf8(payload.to_vec()).unwrap(),
                    _ => as_json(payload).unwrap(),
                });
            }
        }
        rest = &rest[header + length..];
    }
    // These differ, and rightly.
    texts.iter_mut().for_each(|text| cut_out(text, "\"bytes_sent\":", ","));
    texts
}

fn cut_out(text: &mut String, begin: &str, end: &str) {
    if let Some(at) = text.find(begin)
        && let Some(length) = text[at..].find(end)
    {
        text.replace_range(at..at + length, "");
    }
}

#[test]
fn what_is_said_does_not_depend_on_the_encoding() {
    for seed in 0..40 {
        let (mut bench, mut market, mut chance) =
            (Bench::new(Limits::default()), Market::default(), Chance(seed));
        let conns = [Encoding::Json, Encoding::Sbe].map(|encoding| {
            let dialect = Dialect::Native(encoding);
            // Their heartbeats would come at other times.
            let heartbeat = Duration::ZERO;
            let conn =
                bench.open_as(&OpenOptions { dialect, heartbeat, ..OpenOptions::new(&Limits::default()) });
            for params in SUBSCRIPTIONS {
                bench.send(conn, &format!(r#"{{"method":"subscribe","params":{{{params}}}}}"#));
            }
            conn
        });
        let mut heard = 0;
        for round in 0..200 {
            (0..chance.below(4)).for_each(|_| market.happen(&mut bench, &mut chance));
            if chance.below(50) == 0 {
                bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::Crossed) });
            }
            bench.tick(chance.below(200));
            bench.flush();
            bench.wait(1);
            let [text, binary] = [(conns[0], 0x81), (conns[1], 0x82)]
                .map(|(conn, events_are)| texts(&mut bench, conn, events_are));
            assert_eq!(text, binary, "seed {seed}, round {round}");
            heard += text.len();
        }
        assert!(heard > 100, "seed {seed}: {heard} messages");
    }
}

#[test]
fn heartbeats_are_binary_too() {
    let mut bench = Bench::standing();
    let conn = bench.open_speaking(Dialect::Native(Encoding::Sbe));
    bench.send(conn, r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT"}}"#);
    bench.flush();
    for _ in 0..2 {
        bench.wait(1_000);
    }
    let heard = texts(&mut bench, conn, 0x82);
    let quiet = r#""data":[{"channel":"book","symbol":"BTC/USDT","seq":11,"through":11}]}"#;
    assert!(heard.last().unwrap().ends_with(quiet), "{heard:?}");
}
