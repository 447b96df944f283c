//! Captures of Coinbase: the venue numbers nothing, so its books are held against what they must not be, and against the best
//! prices in its tickers.

use crate::support::{Model, captures, exchange_events, import, messages};
use feed::FeedSource;
use journal::import::{Format, Import};
use market::{Event, Kind, Nanos, Side, parse_fixed};
use simd_json::prelude::*;
use std::{collections::HashMap, time::Duration};

/// The best bid and ask of each market after each change, as mantissas.
fn bests(import: &Import, events: &[Event]) -> HashMap<String, Vec<(Nanos, [i64; 2])>> {
    let mut models: HashMap<&str, Model> = HashMap::new();
    let mut bests: HashMap<String, Vec<_>> = HashMap::new();
    for change in exchange_events(events).filter(|change| change[0].kind != Kind::Trade) {
        let name = &import.instruments()[change[0].symbol].venue_symbol;
        let model = models.entry(name).or_default();
        change.iter().for_each(|event| model.apply(event));
        let best = [Side::Bid, Side::Ask].map(|side| model.best(side).unwrap().0.0);
        bests.entry(name.clone()).or_default().push((change[0].timestamp, best));
    }
    bests
}

#[test]
fn books_are_never_crossed_and_have_shown_the_best_prices_of_the_tickers() {
    let Some(files) = captures(&["ws/coinbase_level2_ticker_matches_20210417.txt.gz"]) else { return };
    let (import, events) = import(Format::Coinbase, &files);
    let bests = bests(&import, &events);
    assert_eq!(bests.values().map(Vec::len).sum::<usize>(), 6 + 5_830);
    assert!(bests.values().flatten().all(|(_, [bid, ask])| bid < ask), "never crossed");

    let (mut seen, mut unseen, mut before) = (0, 0, 0);
    for (_, message) in messages(&files[0]).filter(|(_, message)| message.get_str("type") == Some("ticker")) {
        let name = message.get_str("product_id").unwrap();
        let time: Nanos = message.get_str("time").unwrap().parse().unwrap();
        let instrument = &import.instruments()[import.instruments().find(name).unwrap()];
        let wanted = ["best_bid", "best_ask"].map(|side| {
            parse_fixed(message.get_str(side).unwrap().as_bytes(), instrument.price_decimals).unwrap()
        });
        let near = |at: Nanos| at.since(time).max(time.since(at)) <= Duration::from_secs(1);
        let of_market = &bests[name];
        match of_market.iter().any(|&(at, best)| near(at) && best == wanted) {
            true => seen += 1,
            false if time < of_market[0].0 => before += 1,
            false => unseen += 1,
        }
    }
    // The first ticker of a market is of its last trade, which may be of long before the capture.
    assert_eq!((seen, unseen, before), (74, 0, 5));
}

#[test]
fn trades_have_the_side_of_their_aggressor() {
    let Some(files) = captures(&["ws/coinbase_level2_ticker_matches_20210417.txt.gz"]) else { return };
    let (import, events) = import(Format::Coinbase, &files);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps, tally.trades), (6, 5_830, 0, 73), "{tally}");
    let names: Vec<_> = import.instruments().iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert_eq!(names.len(), 6);
    assert!(names.contains(&"SKL/USD") && names.contains(&"NU/GBP"), "{names:?}");
    let trade = events.iter().find(|event| event.kind == Kind::Trade).unwrap();
    let taken = (trade.number, trade.price.0, trade.side, trade.timestamp.to_string());
    // The order in the book was a sell.
    assert_eq!(taken, (280_232, 1_305, Side::Bid, "2021-04-17T16:43:37.089723000Z".to_owned()));
}
