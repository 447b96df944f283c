//! Captures of BitMEX, whose levels have ids.

use crate::support::{Model, captures, exchange_events, import, messages};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Nanos, Side};
use simd_json::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// A market's levels by id: side, price, size.
type Levels = BTreeMap<u64, (String, f64, f64)>;

#[test]
fn levels_that_changed_by_id_are_the_levels_of_the_book() {
    let Some(files) = captures(&["ws/bitmex_l2_quote_trade_20210722.txt.gz"]) else { return };
    let (import, events) = import(Format::Bitmex, &files);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (10, 445 + 1_090 + 434, 0), "{tally}");

    let mut wanted: HashMap<String, Levels> = HashMap::new();
    for (_, message) in
        messages(&files[0]).filter(|(_, message)| message.get_str("table") == Some("orderBookL2"))
    {
        let action = message.get_str("action").unwrap();
        for row in message.get_array("data").unwrap() {
            let levels = wanted.entry(row.get_str("symbol").unwrap().to_owned()).or_default();
            let (id, side) = (row.get_u64("id").unwrap(), row.get_str("side").unwrap().to_owned());
            let number = |key: &str| row.get(key).and_then(|number| number.cast_f64()).unwrap();
            match action {
                "delete" => drop(levels.remove(&id).expect("a known id")),
                "update" => levels.get_mut(&id).expect("a known id").2 = number("size"),
                _ => drop(levels.insert(id, (side, number("price"), number("size")))),
            }
        }
    }
    let mut models: HashMap<&str, Model> = HashMap::new();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        let name = &import.instruments()[change[0].symbol].venue_symbol;
        let model = models.entry(name).or_default();
        change.iter().for_each(|event| model.apply(event));
    }
    assert_eq!((models.len(), wanted.len()), (10, 10));
    for (_, instrument) in import.instruments().iter() {
        let levels = &wanted[&instrument.venue_symbol];
        let scale = |mantissa: f64, decimals: u8| mantissa / 10_f64.powi(decimals.into());
        let model = &models[&*instrument.venue_symbol];
        for (side, name) in [(Side::Bid, "Buy"), (Side::Ask, "Sell")] {
            let mut wanted: Vec<_> =
                levels.values().filter(|level| level.0 == name).map(|level| (level.1, level.2)).collect();
            wanted.sort_by(|one, other| one.0.total_cmp(&other.0));
            let book = model.sides[side.index()].iter().map(|(price, qty)| {
                (
                    scale(price.0 as f64, instrument.price_decimals),
                    scale(qty.0 as f64, instrument.qty_decimals),
                )
            });
            assert_eq!(book.collect::<Vec<_>>(), wanted, "{name} of {}", instrument.symbol);
        }
    }
}

#[test]
fn books_have_the_time_of_reception_and_trades_their_own() {
    let Some(files) = captures(&["ws/bitmex_l2_quote_trade_20210722.txt.gz"]) else { return };
    let (import, events) = import(Format::Bitmex, &files);
    let symbols: Vec<_> = import.instruments().iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert!(symbols.contains(&"XBT/USD") && symbols.contains(&"XRPU21"), "{symbols:?}");
    let first = events.iter().find(|event| event.kind == Kind::Reset).unwrap();
    assert_eq!(first.timestamp, Nanos(1_626_993_370_146_127_000));
    let uni = import.instruments().find("UNIUSDT").unwrap();
    let trades: Vec<_> =
        events.iter().filter(|event| event.kind == Kind::Trade && event.symbol == uni).collect();
    let taken = (trades[0].number, trades[0].price.0, trades[0].qty.0, trades[0].timestamp.to_string());
    assert_eq!(taken, (1, 17_297, 52, "2021-07-22T22:36:10.014000000Z".to_owned()));
    assert!((1..).zip(&trades).all(|(number, trade)| trade.number == number), "they are counted");
}
