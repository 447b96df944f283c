//! Captures of Kraken Futures against the best bid and ask that the venue sent beside its book.

use crate::support::{Model, captures, exchange_events, import, messages};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Side};
use simd_json::prelude::*;
use std::collections::HashMap;

#[test]
fn the_best_prices_are_those_of_the_venues_tickers() {
    let Some(files) = captures(&["ws/krakenfutures_book_trade_tickerlite_20210722.txt.gz"]) else { return };
    let (import, events) = import(Format::KrakenFutures, &files);
    let mut models: HashMap<&str, Model> = HashMap::new();
    let mut best: HashMap<(&str, u64), [f64; 2]> = HashMap::new();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        let instrument = &import.instruments()[change[0].symbol];
        let model = models.entry(&instrument.venue_symbol).or_default();
        change.iter().for_each(|event| model.apply(event));
        let scale = 10_f64.powi(instrument.price_decimals.into());
        let price = |side| model.best(side).unwrap().0.0 as f64 / scale;
        best.insert((&instrument.venue_symbol, change[0].number), [price(Side::Bid), price(Side::Ask)]);
    }
    let mut reached: HashMap<String, u64> = HashMap::new();
    let (mut equal, mut different) = (0, 0);
    for (_, message) in messages(&files[0]).filter(|(_, message)| !message.contains_key("event")) {
        let product = message.get_str("product_id").unwrap();
        match message.get_str("feed").unwrap() {
            "book" | "book_snapshot" => {
                reached.insert(product.to_owned(), message.get_u64("seq").unwrap());
            }
            "ticker_lite" => {
                let ticker = ["bid", "ask"].map(|side| message.get_f64(side).unwrap());
                let book = best[&(product, reached[product])];
                *if book == ticker { &mut equal } else { &mut different } += 1;
            }
            _ => {}
        }
    }
    assert_eq!((equal, different), (74, 0));
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps, tally.trades), (6, 5_347, 0, 3), "{tally}");
    let trade = events.iter().find(|event| event.kind == Kind::Trade).unwrap();
    let taken = (trade.number, trade.price.0, trade.qty.0, trade.side, trade.timestamp.0);
    assert_eq!(taken, (5_956, 11_944, 320, Side::Bid, 1_626_994_929_946_000_000));
}
