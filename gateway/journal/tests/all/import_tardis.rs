//! Tardis' datasets, as the vendor describes them: rows of one message stand together, a snapshot begins a book anew.

use crate::support::{Captured, Model, exchange_events, import};
use feed::FeedSource;
use flate2::{Compression, write::GzEncoder};
use journal::import::Format;
use market::{Event, Kind, Nanos, Price, Qty, Side, SymbolId};
use std::io::Write;

const BOOK: &str = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount";
const TRADES: &str = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Files of rows of one market, `timestamp,local_timestamp,…`.
fn files(datasets: &[(&str, &[&str])]) -> Captured {
    let mut captured = Captured::new(&[]);
    for (header, rows) in datasets {
        let rows: String = rows.iter().map(|row| format!("deribit,BTC-PERPETUAL,{row}\n")).collect();
        captured.add(&gzip(&format!("{header}\n{rows}")));
    }
    captured
}

/// Kind, side, price, quantity and whether the exchange event ends.
fn told(events: &[Event]) -> Vec<(Kind, Side, i64, u64, bool)> {
    events.iter().map(|event| (event.kind, event.side, event.price.0, event.qty.0, event.last)).collect()
}

#[test]
fn rows_of_one_message_are_one_exchange_event() {
    let rows: &[&str] = &[
        "1000,1001,true,bid,100.5,2",
        "1000,1001,true,ask,101,3",
        "1001,1003,false,bid,100.5,0",
        "1002,1003,false,bid,100,7.25",
        "1002,1004,false,ask,101,1e-2",
    ];
    let (import, events) = import(Format::TardisCsv, &files(&[(BOOK, rows)]).files);
    let instrument = &import.instruments()[SymbolId(0)];
    let decimals = (instrument.price_decimals, instrument.qty_decimals);
    assert_eq!((&*instrument.symbol, decimals), ("BTC-PERPETUAL", (1, 2)));
    let wanted = [
        (Kind::Reset, Side::Bid, 0, 0, false),
        (Kind::Level, Side::Bid, 1_005, 200, false),
        (Kind::Level, Side::Ask, 1_010, 300, true),
        (Kind::Level, Side::Bid, 1_005, 0, false),
        (Kind::Level, Side::Bid, 1_000, 725, true),
        (Kind::Level, Side::Ask, 1_010, 1, true),
    ];
    assert_eq!(told(&events), wanted);
    let times: Vec<_> = exchange_events(&events).map(|change| change[0].timestamp).collect();
    assert_eq!(times, [1_000_000, 1_002_000, 1_002_000].map(Nanos));
    assert_eq!((import.tally().snapshots, import.tally().updates), (1, 2), "{}", import.tally());
}

#[test]
fn a_snapshot_behind_a_change_discards_the_book_and_one_behind_a_snapshot_adds_to_it() {
    let rows: &[&str] = &[
        "1,1,false,bid,1,1",
        "2,2,true,bid,100,1",
        "3,3,true,ask,101,1",
        "4,4,false,bid,99,5",
        "5,5,true,bid,98,1",
        "5,5,true,bid,97,0",
    ];
    let (import, events) = import(Format::TardisCsv, &files(&[(BOOK, rows)]).files);
    let mut model = Model::default();
    let mut books = Vec::new();
    for change in exchange_events(&events) {
        change.iter().for_each(|event| model.apply(event));
        books.push(
            Side::BOTH.map(|side| model.sides[side.index()].keys().map(|price| price.0).collect::<Vec<_>>()),
        );
    }
    let wanted: [[Vec<i64>; 2]; 4] =
        [[vec![100], vec![]], [vec![100], vec![101]], [vec![99, 100], vec![101]], [vec![98], vec![]]];
    assert_eq!(books, wanted);
    let skipped: Vec<_> =
        import.tally().skipped.iter().map(|skipped| (&*skipped.reason, skipped.count)).collect();
    assert_eq!(skipped, [("book update without a snapshot that it continues", 1)]);
}

#[test]
fn several_files_are_one_stream_by_the_times_of_reception() {
    let book: &[&str] = &["10,10,true,bid,100,1", "30,30,false,bid,100,2"];
    let trades: &[&str] =
        &["19,20,17,buy,100,1", "30,31,18,sell,100,1", "31,32,18,sell,100,1", "32,33,,unknown,100,1"];
    let (import, events) = import(Format::TardisCsv, &files(&[(BOOK, book), (TRADES, trades)]).files);
    let wanted = [
        (Kind::Reset, Side::Bid, 0, 0, false),
        (Kind::Level, Side::Bid, 100, 1, true),
        (Kind::Trade, Side::Bid, 100, 1, true),
        (Kind::Level, Side::Bid, 100, 2, true),
        (Kind::Trade, Side::Ask, 100, 1, true),
    ];
    assert_eq!(told(&events), wanted);
    assert_eq!((events[2].number, events[4].number, events[2].timestamp), (17, 18, Nanos(19_000)));
    let skipped: Vec<_> =
        import.tally().skipped.iter().map(|skipped| (&*skipped.reason, skipped.count)).collect();
    assert_eq!(skipped, [("trade that was seen before or comes late", 1), ("trade without an aggressor", 1)]);
}

#[test]
fn a_symbol_of_two_exchanges_is_two_markets() {
    let row = |exchange: &str| format!("{exchange},BTCUSDT,1,1,true,bid,100,1\n");
    let text = format!("{BOOK}\n{}{}", row("binance"), row("okex"));
    let (import, events) = import(Format::TardisCsv, &Captured::new(&[&text]).files);
    let names: Vec<_> =
        import.instruments().iter().map(|(_, instrument)| instrument.symbol.clone()).collect();
    assert_eq!(names, ["BTC/USDT", "BTCUSDT.OKEX"]);
    assert_eq!(events.iter().filter(|event| event.kind == Kind::Reset).count(), 2);
    assert_eq!((events[1].price, events[1].qty), (Price(100), Qty(1)));
}

#[test]
fn a_file_of_a_day_on_which_nothing_happened_is_no_fault() {
    let mut captured = files(&[(BOOK, &["1,1,true,bid,100,1"])]);
    captured.add(&gzip(""));
    captured.add(&gzip(&format!("{TRADES}\n")));
    assert_eq!(import(Format::TardisCsv, &captured.files).1.len(), 2);
}

#[test]
fn what_is_no_row_is_refused_with_its_line() {
    let check = |header: &str, row: &str, wanted: &[&str]| {
        Captured::new(&[&format!("{header}\n{row}\n")]).check_refused(Format::TardisCsv, &[], wanted);
    };
    check(
        "exchange,symbol,timestamp,local_timestamp,ask_amount",
        "",
        &["capture0:1", "incremental_book_L2 and trades"],
    );
    check(BOOK, "e,S,soon,1,true,bid,1,1", &["capture0:2", "'soon' is no time"]);
    check(BOOK, "e,S,1,1,yes,bid,1,1", &["capture0:2", "'yes' is neither true nor false"]);
    check(BOOK, "e,S,1,1,true,buy,1,1", &["capture0:2", "no side 'buy' of a book"]);
    check(BOOK, "e,S,1,1,true,bid,1.x,1", &["capture0:2", "'1.x' is no number"]);
    check(
        BOOK,
        "e,S,1,1,true,bid,1,1\ne,S,1,1,true,bid,1,-1",
        &["capture0:2", "the quantity -1 is negative"],
    );
    check(TRADES, "e,S,1,1,7,bid,1,1", &["capture0:2", "no side 'bid' of a trade"]);
    check(TRADES, "e,S,1,1,7,buy,1e999,1", &["capture0:2", "'1e999' is no number"]);
    check(BOOK, "", &["there is no market"]);
}
