//! Tickers, candles and average prices by REST.

use super::support::{Answer, config, get, get_until, with_gateway};
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn asked(address: SocketAddr, path: &str) -> Value {
    let answer = get_until(address, &format!("/api/v3/{path}"), |answer| answer.status != 503).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).parse().unwrap()
}

#[test]
fn the_last_24_hours_are_those_of_the_candles() {
    with_gateway(config(), |address| async move {
        let early = asked(address, "ticker/24hr?symbol=BTCUSDT").await;
        let days = asked(address, "klines?symbol=BTCUSDT&interval=1d").await;
        let late = asked(address, "ticker/24hr?symbol=BTCUSDT").await;
        let day = days.as_array().unwrap().last().unwrap();
        let between = |name: &str, value: f64| {
            let (early, late) = (number(&early[name]), number(&late[name]));
            assert!(early <= value && value <= late, "{name}: {early}, {value}, {late}");
        };
        between("volume", number(&day[5]));
        between("quoteVolume", number(&day[7]));
        between("highPrice", number(&day[2]));
        assert!(early["count"].as_u64() <= day[8].as_u64() && day[8].as_u64() <= late["count"].as_u64());
        assert_eq!(early["openPrice"], day[1]);
        assert_eq!(early["firstId"], late["firstId"]);
        let [low, average, high] =
            ["lowPrice", "weightedAvgPrice", "highPrice"].map(|name| number(&late[name]));
        assert!(low <= average && average <= high, "{late}");
        assert!(number(&late["bidPrice"]) < number(&late["askPrice"]), "{late}");
        let price = asked(address, "avgPrice?symbol=BTCUSDT").await;
        assert_eq!(price["mins"], 5);
        assert!(low <= number(&price["price"]) && price["closeTime"].is_u64(), "{price}");
    });
}

#[test]
fn candles_are_without_a_hole_and_those_that_were_asked_for() {
    with_gateway(config(), |address| async move {
        let four = |answer: &Answer| answer.json().as_array().is_some_and(|candles| candles.len() == 4);
        let candles =
            get_until(address, "/api/v3/klines?symbol=BTCUSDT&interval=1s&limit=4", four).await.json();
        let candles = candles.as_array().unwrap();
        let time = |candle: &Value, place: usize| candle[place].as_u64().unwrap();
        for pair in candles.windows(2) {
            assert_eq!(time(&pair[1], 0), time(&pair[0], 0) + 1_000);
            assert_eq!(time(&pair[0], 6), time(&pair[1], 0) - 1, "a close time is the last millisecond");
        }
        let (first, last) = (time(&candles[0], 0), time(&candles[1], 0));
        for path in [
            format!("uiKlines?symbol=BTCUSDT&interval=1s&startTime={first}&limit=2"),
            format!("klines?symbol=BTCUSDT&interval=1s&startTime={first}&endTime={last}&timeZone=0"),
            format!("klines?symbol=BTCUSDT&interval=1s&endTime={last}&limit=2"),
        ] {
            assert_eq!(asked(address, &path).await, json!(candles[..2]), "{path}");
        }
    });
}

#[test]
fn few_numbers_and_several_symbols_are_told_as_wanted() {
    with_gateway(config(), |address| async move {
        asked(address, "ticker/24hr?symbol=ETHUSDT").await;
        let all = asked(address, "ticker/24hr?type=MINI").await;
        let names: Vec<&Value> = all.as_array().unwrap().iter().map(|one| &one["symbol"]).collect();
        assert!(names.contains(&&json!("ETHUSDT")), "{names:?}");
        assert!(all[0]["lastPrice"].is_string() && all[0]["bidPrice"].is_null(), "{all}");
        let one = asked(address, "ticker/24hr?symbols=%5B%22ETHUSDT%22%5D").await;
        assert!(one[0]["bidPrice"].is_string(), "{one}");
    });
}

#[test]
fn what_is_wrong_has_the_venues_code() {
    with_gateway(config(), |address| async move {
        for (path, code) in [
            ("klines?symbol=BTCUSDT", -1102),
            ("klines?symbol=BTCUSDT&interval=7m", -1120),
            ("klines?symbol=DOGE&interval=1m", -1121),
            ("klines?symbol=BTCUSDT&interval=1m&startTime=2&endTime=1", -1130),
            ("klines?symbol=BTCUSDT&interval=1m&timeZone=5", -1130),
            ("ticker/24hr?symbol=BTCUSDT&type=SHORT", -1130),
            ("avgPrice", -1102),
        ] {
            let answer = get(address, &format!("/api/v3/{path}")).await;
            assert_eq!((answer.status, answer.json()["code"].as_i64()), (400, Some(code)), "{path}");
        }
    });
}
