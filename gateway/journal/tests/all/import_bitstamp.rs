//! Captures of Bitstamp: REST order books and the diffs that go on from them.

use crate::support::{Model, captures, exchange_events, import};
use feed::FeedSource;
use journal::import::Format;
use market::{Event, Kind, Side, SymbolId};
use std::collections::HashMap;

#[test]
fn diffs_that_are_later_than_their_snapshot_are_applied_and_never_cross_a_book() {
    let names = ["ws/bitstamp_diff_20220105.ws.txt.gz", "ws/bitstamp_diff_20220105.rest.txt.gz"];
    let Some(files) = captures(&names) else { return };
    let (import, events) = import(Format::Bitstamp, &files);
    let tally = import.tally();
    let stale = tally.skipped.iter().find(|skipped| skipped.reason.contains("holds already")).unwrap();
    assert_eq!((tally.snapshots, tally.updates, stale.count, tally.gaps), (10, 615, 102, 0), "{tally}");
    let mut models: HashMap<SymbolId, Model> = HashMap::new();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        let model = models.entry(change[0].symbol).or_default();
        change.iter().for_each(|event| model.apply(event));
        let best = |side| model.best(side).unwrap().0;
        assert!(best(Side::Bid) < best(Side::Ask), "never crossed");
        assert!(
            change.iter().all(|event| event.number * 1_000 == event.timestamp.0),
            "the time is the number"
        );
    }
    let sgb = import.instruments().find("SGB/EUR").unwrap();
    assert_eq!(import.instruments()[sgb].venue_symbol, "SGBEUR");
    let taken = |trade: &Event| (trade.number, trade.price.0, trade.qty.0, trade.side, trade.timestamp.0);
    let trades: Vec<_> = events.iter().filter(|event| event.kind == Kind::Trade).map(taken).collect();
    assert_eq!(trades.len(), 10);
    assert_eq!(trades[0], (216_000_477, 380_544, 7_920_000, Side::Bid, 1_641_343_699_596_000_000));
}
