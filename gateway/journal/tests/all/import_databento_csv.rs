//! Databento's CSV: a book that is added up from orders against the file of the same book by price.

use crate::support::{Captured, Model, captures, exchange_events, import, lines};
use feed::FeedSource;
use journal::import::Format;
use market::{Event, Kind, Side};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

const ORDERS: &str = "databento/arl_xnas_20250717/arl_first_part.mbo.csv.gz";
const LEVELS: &str = "databento/arl_xnas_20250717/arl_first_part.mbp-10.csv.gz";

/// The ten best levels of each side, prices in hundredths.
type Best = [Vec<(i64, u64)>; 2];

fn best(model: &Model) -> Best {
    let level = |(price, qty): (&market::Price, &market::Qty)| (price.0, qty.0);
    let [bids, asks] = &model.sides;
    [bids.iter().rev().take(10).map(level).collect(), asks.iter().take(10).map(level).collect()]
}

/// The book after each of its changes, by the venue's number of it.
fn books(events: &[Event]) -> BTreeMap<u64, Vec<Best>> {
    let mut books: BTreeMap<u64, Vec<Best>> = BTreeMap::new();
    let mut model = Model::default();
    for change in exchange_events(events).filter(|change| change[0].kind != Kind::Trade) {
        change.iter().for_each(|event| model.apply(event));
        books.entry(change[0].number).or_default().push(best(&model));
    }
    books
}

/// A row of the file by price.
struct Row {
    sequence: u64,
    is_last: bool,
    is_cancel: bool,
    best: Best,
}

fn rows(file: &Path) -> Vec<Row> {
    let mut lines = lines(file);
    let header: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let row = |line: String| {
        let cells: Vec<&str> = line.split(',').collect();
        let side = |side: &str| {
            let level = |at: usize| {
                let price = cells[column(&format!("{side}_px_{at:02}"))].parse::<f64>().ok()?;
                let size = cells[column(&format!("{side}_sz_{at:02}"))].parse().unwrap();
                Some(((price * 100.0).round() as i64, size))
            };
            (0..10).map_while(level).collect()
        };
        Row {
            sequence: cells[column("sequence")].parse().unwrap(),
            is_last: cells[column("flags")].parse::<u8>().unwrap() & 128 != 0,
            is_cancel: cells[column("action")] == "C",
            best: [side("bid"), side("ask")],
        }
    };
    lines.map(row).collect()
}

/// The file of orders as if each of its rows ended an event.
fn row_by_row(file: &Path) -> Captured {
    let mut lines = lines(file);
    let header = lines.next().unwrap();
    let flags = header.split(',').position(|column| column == "flags").unwrap();
    let mark = |line: String| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        cells[flags] = (cells[flags].parse::<u8>().unwrap() | 128).to_string();
        cells.join(",")
    };
    let rows: Vec<String> = std::iter::once(header.clone()).chain(lines.map(mark)).collect();
    Captured::new(&[&rows.join("\n")])
}

#[test]
fn orders_come_to_the_levels_of_the_file_by_price() {
    let Some(files) = captures(&[ORDERS, LEVELS]) else { return };
    let rows = rows(&files[1]);
    assert_eq!(rows.len(), 1_478);

    let (_, events) = import(Format::DatabentoCsv, &row_by_row(&files[0]).files);
    let books_by_row = books(&events);
    let equal = rows.iter().filter(|row| {
        // A trade with a hidden order changes nothing.
        let (_, books) = books_by_row.range(..=row.sequence).next_back().unwrap();
        // A replacement is a cancellation and an addition of one number.
        let book = if row.is_cancel { books.first() } else { books.last() };
        book == Some(&row.best)
    });
    assert_eq!(equal.count(), 1_478);

    let (import, events) = import(Format::DatabentoCsv, &files[..1]);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.gaps, tally.trades), (1, 0, 1), "{tally}");
    let instrument = &import.instruments()[market::SymbolId(0)];
    assert_eq!((&*instrument.symbol, instrument.price_decimals), ("ARL", 2));
    let books = books(&events);
    let last = rows.iter().filter(|row| row.is_last);
    let told: Vec<_> = last.filter_map(|row| Some((&row.best, books.get(&row.sequence)?.last()?))).collect();
    assert!(told.len() > 500 && told.iter().all(|(wanted, seen)| wanted == seen), "{}", told.len());
}

#[test]
fn levels_are_those_of_each_row() {
    let Some(files) = captures(&[LEVELS]) else { return };
    let (_, events) = import(Format::DatabentoCsv, &files);
    let mut seen = Vec::new();
    let mut model = Model::default();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        change.iter().for_each(|event| model.apply(event));
        assert!(Side::BOTH.iter().all(|side| model.sides[side.index()].len() <= 10), "cut to ten");
        seen.push((change[0].number, best(&model)));
    }
    let rows = rows(&files[0]);
    let wanted: HashMap<u64, &Best> =
        rows.iter().filter(|row| row.is_last).map(|row| (row.sequence, &row.best)).collect();
    assert!(seen.len() > 500, "{}", seen.len());
    for (sequence, best) in &seen[1..] {
        assert_eq!(wanted[sequence], best, "{sequence}");
    }
}

const HEADER: &str =
    "ts_recv,ts_event,publisher_id,instrument_id,action,side,price,size,order_id,flags,sequence,symbol";

#[test]
fn prices_and_times_are_read_as_the_vendor_writes_them_plainly() {
    let rows = [
        HEADER,
        "1000000000,1000000000,2,7,R,N,9223372036854775807,0,0,128,1,brk.b",
        "2000000000,1970-01-01T00:00:02.000000001Z,2,7,A,B,5250000000,3,1,128,2,brk.b",
    ];
    let (import, events) = import(Format::DatabentoCsv, &Captured::new(&[&rows.join("\n")]).files);
    let instrument = &import.instruments()[market::SymbolId(0)];
    assert_eq!((&*instrument.symbol, instrument.price_decimals), ("BRK.B", 2));
    assert_eq!((events[1].price.0, events[1].qty.0, events[1].timestamp.0), (525, 3, 2_000_000_001));
}

#[test]
fn what_is_no_row_is_refused_with_its_line() {
    let check = |rows: &[&str], wanted: &[&str]| {
        Captured::new(&[&rows.join("\n")]).check_refused(Format::DatabentoCsv, &[], wanted);
    };
    check(&["a,b", "1,2"], &["capture0:1", "no column ts_recv"]);
    check(&[HEADER, "", "1,1,2,7,A,B,1.x,3,1,128,2,X"], &["capture0:3", "the price '1.x'"]);
    check(&[HEADER, "1,1,2,7,A,B,1.5,-3,1,128,2,X"], &["capture0:2", "'-3' is no whole number"]);
    check(&[HEADER, "soon,1,2,7,A,B,1.5,3,1,128,2,X"], &["capture0:2", "'soon' is no time"]);
    check(&[HEADER, "1,1,2,7,A,N,1.5,3,1,128,2,X"], &["capture0:2", "without a side"]);
    check(&[HEADER], &["there is no market"]);
}
