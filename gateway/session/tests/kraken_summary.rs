//! Tickers and candles of the Kraken dialect, step by step.

mod support;

use market::{Event, Nanos, Side};
use serde_json::{Value, json};
use session::{ConnId, Limits, OpenOptions};
use support::{Bench, level, trade};
use wire::dialect::Dialect;

/// A worker whose first symbol has a book, and a client that speaks the dialect.
fn bench() -> (Bench, ConnId) {
    let mut bench = Bench::standing();
    bench.now = "2026-11-23T08:00:00Z".parse::<Nanos>().unwrap();
    bench.tick(0);
    let options = OpenOptions { dialect: Dialect::Kraken, ..OpenOptions::new(&Limits::default()) };
    let client = bench.worker.open(bench.now, &options);
    (bench, client)
}

fn ask(bench: &mut Bench, client: ConnId, method: &str, params: Value) -> Vec<Value> {
    bench.send(client, &json!({"method": method, "params": params, "req_id": 1}).to_string());
    bench.messages(client)
}

fn ticker(more: Value) -> Value {
    let mut params = json!({"channel": "ticker", "symbol": ["BTC/USDT"]});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn ohlc(interval: u64) -> Value {
    json!({"channel": "ohlc", "symbol": ["BTC/USDT"], "interval": interval})
}

/// Members as they were written: all decimals are there.
fn written<const N: usize>(value: &Value, names: [&str; N]) -> [String; N] {
    names.map(|name| value[name].to_string())
}

/// Lets trades happen at once, then `millis` pass.
fn traded(bench: &mut Bench, trades: &[Event], millis: u64) {
    bench.exchange_event(0, trades);
    bench.tick(millis);
    bench.flush();
}

#[test]
fn a_ticker_begins_with_a_snapshot_and_goes_on_with_each_trade() {
    let (mut bench, client) = bench();
    traded(&mut bench, &[trade(10_000, 1)], 100);
    let told = ask(&mut bench, client, "subscribe", ticker(json!({})));
    assert_eq!(
        told[0]["result"],
        json!({"channel": "ticker", "event_trigger": "trades", "snapshot": true, "symbol": "BTC/USDT"})
    );
    assert_eq!((&told[1]["channel"], &told[1]["type"]), (&json!("ticker"), &json!("snapshot")));
    let data = &told[1]["data"][0];
    assert_eq!(written(data, ["last", "bid", "ask"]), ["100.00", "100.00", "100.01"]);
    bench.tick(100);
    bench.flush();
    bench.messages(client);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 0)]);
    bench.tick(1_000);
    bench.flush();
    assert_eq!(bench.messages(client), [] as [Value; 0], "nothing was traded");
    traded(&mut bench, &[trade(10_100, 2)], 100);
    let told = bench.messages(client);
    assert_eq!((told.len(), &told[0]["type"]), (1, &json!("update")));
    let data = &told[0]["data"][0];
    assert_eq!(written(data, ["last", "change", "bid", "volume"]), ["101.00", "1.00", "99.99", "0.00014"]);
}

#[test]
fn a_ticker_that_follows_the_best_is_told_also_without_trades() {
    let (mut bench, client) = bench();
    traded(&mut bench, &[trade(10_000, 1)], 100);
    ask(&mut bench, client, "subscribe", ticker(json!({"event_trigger": "bbo", "snapshot": false})));
    bench.tick(100);
    bench.flush();
    bench.messages(client);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    bench.tick(100);
    bench.flush();
    assert_eq!(bench.messages(client), [] as [Value; 0], "the best is the same");
    bench.exchange_event(0, &[level(Side::Ask, 10_001, 5)]);
    bench.tick(100);
    bench.flush();
    let told = bench.messages(client);
    assert_eq!((told.len(), told[0]["data"][0]["ask_qty"].to_string()), (1, "0.00005".to_owned()));
}

#[test]
fn candles_of_several_lengths_are_told_apart() {
    let (mut bench, client) = bench();
    traded(&mut bench, &[trade(10_000, 1), trade(10_200, 2)], 100);
    for interval in [1, 5] {
        let told = ask(&mut bench, client, "subscribe", ohlc(interval));
        assert_eq!(told[0]["result"]["interval"], interval);
        let candle = &told[1]["data"][0];
        assert_eq!((&told[1]["type"], &candle["interval"]), (&json!("snapshot"), &json!(interval)));
        assert_eq!(written(candle, ["open", "high"]), ["100.00", "102.00"]);
    }
    bench.tick(60_000);
    bench.flush();
    bench.messages(client);
    traded(&mut bench, &[trade(9_900, 3)], 100);
    let told = bench.messages(client);
    let of = |interval: u64| {
        let mut candles = told.iter().flat_map(|message| message["data"].as_array().unwrap());
        candles.rfind(|candle| candle["interval"] == interval).unwrap().clone()
    };
    let (minute, five) = (of(1), of(5));
    assert_eq!(written(&minute, ["open", "trades"]), ["99.00", "1"]);
    assert_eq!(minute["interval_begin"], "2026-11-23T08:01:00.000000000Z");
    assert_eq!(written(&five, ["open", "low", "trades"]), ["100.00", "99.00", "3"]);
    ask(&mut bench, client, "unsubscribe", ohlc(5));
    traded(&mut bench, &[trade(9_800, 4)], 100);
    let told = bench.messages(client);
    assert!(told.iter().all(|message| message["data"][0]["interval"] == 1), "{told:?}");
    assert_eq!(told.len(), 1);
}

#[test]
fn the_last_trades_of_a_candle_are_told_though_the_next_one_has_begun() {
    let (mut bench, client) = bench();
    traded(&mut bench, &[trade(10_000, 1)], 59_950);
    ask(&mut bench, client, "subscribe", ohlc(1));
    bench.exchange_event(0, &[trade(10_300, 2)]);
    bench.now = Nanos(bench.now.0 + 100_000_000);
    bench.exchange_event(0, &[trade(10_400, 3)]);
    bench.tick(100);
    bench.flush();
    let told = bench.messages(client);
    let candles = told.last().unwrap()["data"].as_array().unwrap();
    let closes: Vec<_> = candles.iter().map(|candle| written(candle, ["close", "trades"])).collect();
    assert_eq!(closes, [["103.00", "2"], ["104.00", "1"]]);
}

#[test]
fn a_summary_that_is_asked_for_before_the_book_begins_has_its_snapshot_too() {
    let mut bench = Bench::new(Limits::default());
    bench.tick(0);
    let options = OpenOptions { dialect: Dialect::Kraken, ..OpenOptions::new(&Limits::default()) };
    let client = bench.worker.open(bench.now, &options);
    let told = ask(&mut bench, client, "subscribe", ohlc(1));
    assert_eq!(told.len(), 1, "there is nothing to tell yet");
    bench.reset(0, market::ResetReason::Feed);
    traded(&mut bench, &[trade(10_000, 1)], 100);
    let told = bench.messages(client);
    assert_eq!((&told[0]["channel"], &told[0]["type"]), (&json!("ohlc"), &json!("snapshot")));
}

#[test]
fn what_cannot_be_done_is_said_in_the_words_of_the_venue() {
    let (mut bench, client) = bench();
    let check = |bench: &mut Bench, method: &str, params: Value, error: &str| {
        let told = ask(bench, client, method, params);
        assert_eq!((&told[0]["success"], &told[0]["error"]), (&json!(false), &json!(error)));
        assert_eq!((&told[0]["method"], &told[0]["req_id"]), (&json!(method), &json!(1)));
    };
    check(&mut bench, "unsubscribe", ohlc(1), "Subscription Not Found");
    check(
        &mut bench,
        "subscribe",
        json!({"channel": "ticker", "symbol": ["NO/PAIR"]}),
        "Currency pair not supported NO/PAIR",
    );
    check(
        &mut bench,
        "subscribe",
        ohlc(21_600),
        "Subscription interval not supported; use 1, 5, 15, 30, 60, 240, 1440, or 10080",
    );
    check(
        &mut bench,
        "subscribe",
        json!({"channel": "level3", "symbol": ["BTC/USDT"]}),
        "Unsupported channel; there is book, trade, ticker, ohlc, and instrument",
    );
    for (params, again) in [
        (ohlc(1), ohlc(1)),
        (ticker(json!({})), ticker(json!({"event_trigger": "bbo"}))),
        (
            json!({"channel": "book", "symbol": ["BTC/USDT"]}),
            json!({"channel": "book", "symbol": ["BTC/USDT"], "depth": 25}),
        ),
        (json!({"channel": "instrument"}), json!({"channel": "instrument"})),
    ] {
        assert_eq!(ask(&mut bench, client, "subscribe", params)[0]["success"], true);
        let told = ask(&mut bench, client, "subscribe", again);
        assert_eq!(told[0]["error"], "Already subscribed");
    }
    let ended = ask(&mut bench, client, "unsubscribe", ticker(json!({})));
    assert_eq!(ended[0]["success"], true, "whatever its trigger");
}
