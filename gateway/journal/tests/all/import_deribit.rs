//! Captures of Deribit against the chain of its changes, and the best prices in its tickers.

use crate::support::{Model, captures, exchange_events, import, messages};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Side};
use simd_json::{OwnedValue, prelude::*};
use std::collections::HashMap;

/// Best bid, its amount, best ask, its amount; 0 where there is none.
type Best = [f64; 4];

fn ticker_best(ticker: &OwnedValue) -> Best {
    ["best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount"]
        .map(|key| ticker.get_f64(key).unwrap())
}

#[test]
fn changes_are_a_chain_and_leave_the_best_prices_of_the_tickers() {
    let Some(files) = captures(&["ws/deribit_options_20210722.txt.gz"]) else { return };
    let (import, events) = import(Format::Deribit, &files);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (10, 36, 0), "{tally}");

    let mut models: HashMap<&str, Model> = HashMap::new();
    let mut books: HashMap<(&str, u64), Best> = HashMap::new();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        let instrument = &import.instruments()[change[0].symbol];
        assert_eq!(instrument.symbol, instrument.venue_symbol, "an option is no pair");
        let model = models.entry(&instrument.venue_symbol).or_default();
        change.iter().for_each(|event| model.apply(event));
        let scale = |mantissa: f64, decimals: u8| mantissa / 10_f64.powi(decimals.into());
        let [bid, ask] = [Side::Bid, Side::Ask].map(|side| {
            let (price, qty) = model.best(side).unwrap_or_default();
            [scale(price.0 as f64, instrument.price_decimals), scale(qty.0 as f64, instrument.qty_decimals)]
        });
        books.insert((&instrument.venue_symbol, change[0].timestamp.0), [bid[0], bid[1], ask[0], ask[1]]);
    }
    // A ticker and a change of the same millisecond are of one moment.
    let mut last: HashMap<(String, u64), Best> = HashMap::new();
    for (_, message) in messages(&files[0]) {
        let Some(params) = message.get("params") else { continue };
        let data = params.get("data").unwrap();
        if params.get_str("channel").unwrap().starts_with("ticker.") {
            let name = data.get_str("instrument_name").unwrap().to_owned();
            last.insert((name, data.get_u64("timestamp").unwrap() * 1_000_000), ticker_best(data));
        }
    }
    let pairs =
        books.iter().filter_map(|(&(name, time), best)| Some((best, last.get(&(name.to_owned(), time))?)));
    let (equal, different): (Vec<_>, Vec<_>) = pairs.partition(|(book, ticker)| book == ticker);
    assert_eq!((equal.len(), different.len()), (37, 0), "{different:?}");
}
