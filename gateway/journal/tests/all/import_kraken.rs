//! Captures of Kraken against the checksum that the venue sent with each update.

use crate::support::{Model, captures, exchange_events, import};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Price, Qty, Side, SymbolId};
use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
};

/// The checksums in a capture, by pair, in their order; found as text, without a parser.
fn checksums(file: &Path) -> HashMap<String, Vec<u32>> {
    let mut checksums: HashMap<String, Vec<u32>> = HashMap::new();
    let input = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
    for line in BufReader::new(input).lines().map(Result::unwrap) {
        let Some((_, rest)) = line.split_once(r#""c":""#) else { continue };
        let quoted: Vec<&str> = rest.split('"').collect();
        checksums.entry(quoted[4].to_owned()).or_default().push(quoted[0].parse().unwrap());
    }
    checksums
}

/// The venue's rule on the ten best levels: asks, then bids, digits without the point and leading zeros.
fn checksum(model: &Model) -> u32 {
    let [bids, asks] = &model.sides;
    let digits = |(price, qty): (&Price, &Qty)| format!("{}{}", price.0, qty.0);
    let text: String = asks.iter().take(10).chain(bids.iter().rev().take(10)).map(digits).collect();
    crc32fast::hash(text.as_bytes())
}

#[test]
fn every_update_leaves_the_book_that_the_venue_has_proven() {
    let names = ["ws/kraken_v1_book1000_20210417.txt.gz", "ws/kraken_v1_trade_20210417.txt.gz"];
    let Some(files) = captures(&names) else { return };
    let (import, events) = import(Format::Kraken, &files);
    let wanted = checksums(&files[0]);
    let mut seen: HashMap<SymbolId, Vec<u32>> = HashMap::new();
    let mut models: HashMap<SymbolId, Model> = HashMap::new();
    let mut trades = 0;
    for change in exchange_events(&events) {
        let model = models.entry(change[0].symbol).or_default();
        change.iter().for_each(|event| model.apply(event));
        assert!(Side::BOTH.iter().all(|side| model.sides[side.index()].len() <= 1_000), "cut to its depth");
        match change[0].kind {
            Kind::Level => seen.entry(change[0].symbol).or_default().push(checksum(model)),
            Kind::Trade => trades += change.len(),
            _ => {}
        }
    }
    assert_eq!(wanted.values().map(Vec::len).sum::<usize>(), 2_921);
    for (symbol, instrument) in import.instruments().iter() {
        assert_eq!(instrument.symbol, instrument.venue_symbol, "the capture shows base and quote");
        assert_eq!(seen.get(&symbol), wanted.get(&instrument.symbol), "{}", instrument.symbol);
    }
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (6, 2_921, 0), "{tally}");
    assert_eq!(tally.trades as usize, trades);
    assert!(trades > 0);
    let mut counted: HashMap<SymbolId, u64> = HashMap::new();
    for trade in events.iter().filter(|event| event.kind == Kind::Trade) {
        let count = counted.entry(trade.symbol).or_default();
        *count += 1;
        assert_eq!(trade.number, *count, "a trade without an id is counted");
    }
    let ada = &import.instruments()[import.instruments().find("ADA/XBT").unwrap()];
    assert_eq!((ada.price_decimals, ada.qty_decimals), (9, 8), "zeros at the end count");
}
