//! A recording as Databento's DBN, and what is read back from it.

use crate::{
    exported::{export, recorded, trades},
    support::{Model, captures, exchange_events, import, level, record},
};
use feed::FeedSource;
use journal::{
    export::{Export, ExportOptions, LeftOut, Target},
    import::Format,
};
use market::{Epoch, Event, Kind, Price, Qty, ResetReason, Side, SymbolId};
use std::collections::BTreeMap;

/// The ten best levels of each side.
type Best = [Vec<(Price, Qty)>; 2];

fn best(model: &Model) -> Best {
    let level = |(&price, &qty): (&Price, &Qty)| (price, qty);
    let [bids, asks] = &model.sides;
    [bids.iter().rev().take(10).map(level).collect(), asks.iter().take(10).map(level).collect()]
}

/// The ten best levels behind each exchange event that changed them, by what `number` says of it.
fn views(events: &[Event], number: impl Fn(&Event) -> u64) -> BTreeMap<u64, Best> {
    let (mut model, mut view, mut views) = (Model::default(), Best::default(), BTreeMap::new());
    for change in exchange_events(events).filter(|change| change[0].kind.is_numbered()) {
        change.iter().for_each(|event| model.apply(event));
        let now = best(&model);
        if now != view {
            view = now.clone();
            views.insert(number(&change[change.len() - 1]), now);
        }
    }
    views
}

#[test]
fn what_is_exported_is_imported_as_the_same_ten_levels_and_trades() {
    let Some(captures) = captures(&["binance/usdm_btcusdt_20240808.gz", "binance/spot_btcusdt_20240808.gz"])
    else {
        return;
    };
    for capture in captures {
        let dir = tempfile::tempdir().unwrap();
        let (instruments, events) = recorded(&dir.path().join("recording"), Format::Binance, &[capture]);
        let out = dir.path().join("out");
        let (files, tally) =
            export(&dir.path().join("recording"), Target::Dbn, &out, &ExportOptions::default());
        let (again, read) = import(Format::Dbn, &files[..2]);
        let of = |of: &market::Instrument| (of.venue_symbol.clone(), of.price_decimals);
        assert_eq!(of(&again.instruments()[SymbolId(0)]), of(&instruments[SymbolId(0)]));
        let wanted = views(&events, |event| event.seq);
        assert!(wanted.len() > 2_000, "{tally}");
        assert_eq!(views(&read, |event| event.number), wanted);
        let skipped: Vec<_> = again.tally().skipped.iter().map(|skipped| &*skipped.reason).collect();
        let of_the_other = ["trade of a market whose trades another schema tells"];
        assert_eq!(skipped, of_the_other, "{}", again.tally());
        let told = |events| {
            trades(events).into_iter().map(|(_, side, price, qty, _)| (side, price, qty)).collect::<Vec<_>>()
        };
        assert_eq!(told(&read), told(&events));
    }
}

/// A book of eleven bids, one change below and one within the ten best, and one trade.
fn events() -> Vec<Event> {
    let mut events =
        vec![Event { seq: 1, timestamp: market::Nanos(1), ..Event::reset(SymbolId(0), ResetReason::Feed) }];
    events.extend((2..13).map(|seq| Event { last: seq == 12, ..level(seq, 1, 1_000 - seq as i64) }));
    events.push(Event { qty: Qty(5), ..level(13, 2, 988) });
    events.push(Event { qty: Qty(6), ..level(14, 3, 998) });
    events.push(Event { kind: Kind::Trade, side: Side::Ask, ..level(15, 4, 998) });
    events.push(Event { symbol: SymbolId(0), timestamp: market::Nanos(5), ..Event::new(Kind::FeedGap) });
    events
}

#[test]
fn what_has_no_place_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    drop(record(&recording, Epoch(1), &["BTC/USDT"], &[&events()]));
    let (files, tally) = export(&recording, Target::Dbn, &dir.path().join("out"), &ExportOptions::default());
    assert_eq!((tally.snapshots, tally.updates, tally.trades), (1, 1, 1));
    let left_out: Vec<_> = tally.left_out.iter().map(|LeftOut { reason, count }| (*reason, *count)).collect();
    let gap = "gap, from which on a book is not known until its next snapshot";
    assert_eq!(left_out, [("book update beyond the ten best levels", 1), (gap, 1)]);
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["mbp-10.dbn.zst", "trades.dbn.zst", "definition.dbn.zst"]);
    let (_, read) = import(Format::Dbn, &files[1..2]);
    assert_eq!(trades(&read), [(SymbolId(0), Side::Ask, Price(998), Qty(15), 1)]);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    let mut events = events();
    events[3].qty = Qty(1 << 32);
    drop(record(&recording, Epoch(1), &["BTC/USDT"], &[&events]));
    let out = dir.path().join("out");
    let mut export = Export::open(&recording, Target::Dbn, &out, &ExportOptions::default()).unwrap();
    let error = export.step().unwrap_err().to_string();
    assert!(
        error.contains("the quantity 4294967.296 is 4294967296 lots of 0.001") && error.contains("--to csv"),
        "{error}"
    );
    drop(export);
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
}
