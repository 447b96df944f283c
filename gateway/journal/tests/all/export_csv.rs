//! A recording as Tardis' datasets, and what is read back from them.

use crate::{
    exported::{Books, books_by_time, export, recorded, trades},
    support::{captures, import, lines, record, segment},
};
use feed::FeedSource;
use journal::{
    export::{Export, ExportOptions, Target},
    import::Format,
};
use market::{Epoch, Event, Kind, Nanos, Price, Qty, ResetReason, Side, SymbolId};
use std::{fs, path::Path};

#[test]
fn what_is_exported_is_imported_as_the_same_books_and_trades() {
    let Some(captures) = captures(&["binance/usdm_btcusdt_20240808.gz", "binance/spot_btcusdt_20240808.gz"])
    else {
        return;
    };
    for capture in captures {
        let dir = tempfile::tempdir().unwrap();
        let (instruments, events) = recorded(&dir.path().join("recording"), Format::Binance, &[capture]);
        let out = dir.path().join("out");
        let (files, tally) =
            export(&dir.path().join("recording"), Target::Csv, &out, &ExportOptions::default());
        let (again, read) = import(Format::TardisCsv, &files);
        assert!(tally.updates > 3_000 && again.tally().skipped.is_empty(), "{tally}\n{}", again.tally());
        assert_eq!(again.instruments()[SymbolId(0)], instruments[SymbolId(0)]);
        let micros = |time: Nanos| Nanos(time.0 / 1_000 * 1_000);
        let wanted: Books = books_by_time(&events, micros);
        assert!(wanted.len() > 3_000);
        assert_eq!(books_by_time(&read, micros), wanted);
        assert_eq!(trades(&read), trades(&events));
    }
}

/// Events of the first symbol, each an exchange event, a millisecond after another.
fn numbered(events: Vec<Event>) -> Vec<Event> {
    let numbered = |(at, event): (usize, Event)| {
        let seq = at as u64 + 1;
        Event { seq, timestamp: Nanos(seq * 1_000_000), ..event }
    };
    events.into_iter().enumerate().map(numbered).collect()
}

fn reset() -> Event {
    Event::reset(SymbolId(0), ResetReason::Feed)
}

fn set(side: Side, price: i64, qty: u64) -> Event {
    Event { side, price: Price(price), qty: Qty(qty), last: true, ..Event::new(Kind::Level) }
}

fn rows(out: &Path, file: &str) -> Vec<String> {
    lines(&out.join(file))
        .skip(1)
        .map(|row| row.trim_start_matches("depthcast,BTCUSDT,").to_owned())
        .collect()
}

#[test]
fn a_book_that_begins_anew_behind_a_snapshot_takes_back_what_stood() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    let events = numbered(vec![
        reset(),
        Event { last: true, ..set(Side::Bid, 10_001, 1) },
        reset(),
        Event { last: true, ..set(Side::Ask, 10_101, 1) },
        set(Side::Ask, 10_201, 2),
        Event { last: true, ..reset() },
    ]);
    drop(record(&recording, Epoch(1), &["BTC/USDT"], &[&events]));
    let out = dir.path().join("out");
    let (files, tally) = export(&recording, Target::Csv, &out, &ExportOptions::default());
    let wanted = [
        "2000,2000,true,bid,100.01,0.001",
        "4000,4000,false,bid,100.01,0.000",
        "4000,4000,true,ask,101.01,0.001",
        "5000,5000,false,ask,102.01,0.002",
        "6000,6000,false,ask,101.01,0.000",
        "6000,6000,false,ask,102.01,0.000",
    ];
    assert_eq!(rows(&out, "incremental_book_L2.csv.gz"), wanted);
    assert_eq!((tally.snapshots, tally.updates), (3, 1));
    let (_, read) = import(Format::TardisCsv, &files);
    let same = |time| time;
    assert_eq!(books_by_time(&read, same), books_by_time(&events, same));
}

#[test]
fn a_range_begins_with_the_book_as_it_stood_and_holds_the_chosen_symbols_alone() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    let other = Event {
        symbol: SymbolId(1),
        seq: 1,
        timestamp: Nanos(4_500_000),
        last: true,
        ..Event::new(Kind::Trade)
    };
    let mut events = numbered(vec![
        reset(),
        set(Side::Bid, 10_000, 1),
        set(Side::Bid, 10_000, 2),
        Event { kind: Kind::Trade, number: 9, ..set(Side::Ask, 10_000, 1) },
    ]);
    events.push(Event { price: Price(1), qty: Qty(1), ..other });
    drop(record(&recording, Epoch(1), &["BTC/USDT", "ETH/USDT"], &[&events]));
    let out = dir.path().join("out");
    let options = ExportOptions {
        from: Some(Nanos(3_000_000)),
        until: Some(Nanos(4_499_999)),
        symbols: vec!["BTCUSDT".to_owned()],
        ..ExportOptions::default()
    };
    export(&recording, Target::Csv, &out, &options);
    assert_eq!(rows(&out, "incremental_book_L2.csv.gz"), ["3000,3000,true,bid,100.00,0.002"]);
    assert_eq!(rows(&out, "trades.csv.gz"), ["4000,4000,9,sell,100.00,0.001"]);

    let refused = |options: &ExportOptions, wanted: &[&str]| {
        let error = Export::open(&recording, Target::Csv, &out, options).err().expect("refused").to_string();
        assert!(wanted.iter().all(|wanted| error.contains(wanted)), "{error}");
    };
    refused(&options, &["incremental_book_L2.csv.gz is there already", "--overwrite"]);
    let options = ExportOptions { overwrite: true, ..ExportOptions::default() };
    refused(
        &ExportOptions { symbols: vec!["XRP".to_owned()], ..options.clone() },
        &["no XRP", "BTC/USDT, ETH/USDT"],
    );
    refused(&ExportOptions { run: Some(7), ..options.clone() }, &["run 7", "[1]"]);
    refused(
        &ExportOptions { from: Some(Nanos(5_000_000)), ..options.clone() },
        &["nothing in this range", ":00.0045"],
    );
    export(&recording, Target::Csv, &out, &options);
    assert_eq!(rows(&out, "trades.csv.gz").len(), 2);
}

#[test]
fn an_export_that_fails_leaves_nothing_that_looks_whole() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    let events = numbered(vec![reset(), set(Side::Bid, 10_000, 1)]);
    let later = [Event { seq: 3, timestamp: Nanos(3_000_000), ..set(Side::Bid, 10_000, 2) }];
    drop(record(&recording, Epoch(1), &["BTC/USDT"], &[&events, &later]));
    let out = dir.path().join("out");
    let mut export = Export::open(&recording, Target::Csv, &out, &ExportOptions::default()).unwrap();
    let file = segment(&recording, 1, 1);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    let failed = std::iter::from_fn(|| Some(export.step())).find(|step| !matches!(step, Ok(true))).unwrap();
    assert!(failed.unwrap_err().to_string().contains("damaged"));
    drop(export);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_format_that_is_not_built_says_how_it_would_be() {
    let dir = tempfile::tempdir().unwrap();
    let recording = dir.path().join("recording");
    drop(record(&recording, Epoch(1), &["BTC/USDT"], &[&numbered(vec![reset(), set(Side::Bid, 10_000, 1)])]));
    let out = dir.path().join("out");
    let error = Export::open(&recording, Target::Parquet, &out, &ExportOptions::default()).err().unwrap();
    assert!(error.to_string().contains("cargo build --release --features parquet"), "{error}");
    assert!(!out.exists());
}
