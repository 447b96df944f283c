//! Databento's files against what is known of them: the orders that are left at the end, the trades and candles of other files, and
//! Databento's own files of every version.

use crate::support::{Captured, Model, captures, exchange_events, import};
use dbn::{
    Action, FlagSet, HasRType, MboMsg, Mbp1Msg, OhlcvMsg, Record, RecordHeader,
    decode::{DbnDecoder, DecodeRecordRef},
    encode::{EncodeRecord, dbn::RecordEncoder},
};
use feed::FeedSource;
use journal::import::{Format, Import};
use market::{Event, Kind, Price, Qty, ResetReason, Side};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs::File, path::Path};

const ESH4_BEFORE: &str = "databento/esh4-glbx-mdp3-20231224.mbo.dbn.zst";
const ESH4: &str = "databento/esh4-glbx-mdp3-20231225.mbo.dbn.zst";
const ESU4_LEVELS: &str = "databento/esu4_20240701/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
const ESU4_TRADES: &str = "databento/esu4_20240701/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
const ESU4_BARS: &str = "databento/esu4_20240701/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst";
const CONFORMANCE: &str = "databento/dbn_conformance";

/// Levels of each side, and their quantities together.
fn sums(model: &Model) -> [(usize, u64); 2] {
    model.sides.each_ref().map(|side| (side.len(), side.values().map(|qty| qty.0).sum()))
}

#[test]
fn orders_of_a_future_come_to_the_book_that_is_known() {
    let Some(files) = captures(&[ESH4]) else { return };
    let (import, events) = import(Format::Dbn, &files);
    let instrument = &import.instruments()[market::SymbolId(0)];
    let decimals = (instrument.price_decimals, instrument.qty_decimals);
    assert_eq!((&*instrument.symbol, decimals, import.instruments().len()), ("ESH4", (2, 0), 1));
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.gaps, tally.trades), (1, 0, 2_972), "{tally}");
    let skipped: Vec<_> = tally.skipped.iter().map(|skipped| (&*skipped.reason, skipped.count)).collect();
    assert_eq!(skipped, [("trade without an aggressor", 1)]);

    let mut model = Model::default();
    let mut crossed = Vec::new();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        change.iter().for_each(|event| model.apply(event));
        let [bid, ask] = Side::BOTH.map(|side| model.best(side).unwrap().0);
        if bid >= ask {
            crossed.push(change[0].timestamp.to_string()[11..19].to_owned());
        }
    }
    assert_eq!(sums(&model), [(922, 22_050), (565, 20_110)]);
    assert_eq!(model.best(Side::Bid), Some((Price(481_000), Qty(22))));
    assert_eq!(model.best(Side::Ask), Some((Price(481_025), Qty(28))));
    // Before the auction at the opening.
    let times = crossed.first().zip(crossed.last()).unwrap();
    assert_eq!((crossed.len(), &**times.0, &**times.1), (891, "22:39:55", "22:59:59"));
    let volume: u64 = events.iter().filter(|event| event.kind == Kind::Trade).map(|trade| trade.qty.0).sum();
    assert_eq!(volume, 9_892 - auction(&files[0]));
}

/// What was traded without an aggressor.
fn auction(file: &Path) -> u64 {
    let is_auction = |order: &&MboMsg| order.action == b'T' as i8 && order.side == b'N' as i8;
    records::<MboMsg>(file).iter().filter(is_auction).map(|order| u64::from(order.size)).sum()
}

/// All records of a file as the vendor's own library reads them.
fn records<T: HasRType<Header = RecordHeader> + Clone>(file: &Path) -> Vec<T> {
    let input = zstd::Decoder::new(File::open(file).unwrap()).unwrap();
    let mut decoder = DbnDecoder::new(input).unwrap();
    let mut records = Vec::new();
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        records.extend(record.get::<T>().cloned());
    }
    records
}

#[test]
fn a_snapshot_begins_a_book_anew_and_is_the_one_that_the_next_file_begins_with() {
    let Some(files) = captures(&[ESH4_BEFORE, ESH4]) else { return };
    let (import, events) = import(Format::Dbn, &files);
    assert_eq!((import.tally().snapshots, import.tally().gaps), (2, 0), "{}", import.tally());
    let whole: Vec<&[Event]> =
        exchange_events(&events).filter(|change| change[0].kind == Kind::Reset).collect();
    let levels = |change: &[Event]| {
        let mut model = Model::default();
        change.iter().for_each(|event| model.apply(event));
        model.sides
    };
    assert_eq!(levels(whole[0]), levels(whole[1]));
    let orders: Vec<_> = records::<MboMsg>(&files[0]).iter().map(|order| order.size).collect();
    let sum: u64 = levels(whole[0]).iter().flat_map(BTreeMap::values).map(|qty| qty.0).sum();
    assert_eq!((orders.len(), orders.iter().map(|&size| u64::from(size)).sum::<u64>()), (8_725, sum));
    assert_eq!(whole[0][0].timestamp.to_string(), "2023-12-24T13:00:05.718200244Z", "when it was taken");
}

/// Price, quantity, aggressor and time.
fn trades(events: &[Event]) -> Vec<(Price, Qty, Side, market::Nanos)> {
    let trades = events.iter().filter(|event| event.kind == Kind::Trade);
    trades.map(|trade| (trade.price, trade.qty, trade.side, trade.timestamp)).collect()
}

#[test]
fn trades_are_those_of_the_file_of_trades_and_make_its_candles() {
    let Some(files) = captures(&[ESU4_LEVELS, ESU4_TRADES, ESU4_BARS]) else { return };
    let (_, with_levels) = import(Format::Dbn, &files[..1]);
    let (alone, events) = import(Format::Dbn, &files[1..2]);
    assert_eq!(
        (trades(&with_levels).len(), alone.instruments()[market::SymbolId(0)].price_decimals),
        (120, 2)
    );
    assert_eq!(trades(&with_levels), trades(&events));

    let mut bars: BTreeMap<u64, [i64; 5]> = BTreeMap::new();
    for (Price(price), qty, _, time) in trades(&events) {
        let bar = bars.entry(time.0 / 60_000_000_000).or_insert([price, price, price, price, 0]);
        *bar = [bar[0], bar[1].max(price), bar[2].min(price), price, bar[4] + qty.0 as i64];
    }
    let price = |fixed: i64| fixed / 10_000_000;
    let wanted: BTreeMap<u64, [i64; 5]> = records::<OhlcvMsg>(&files[2])
        .iter()
        .filter(|bar| bar.hd.instrument_id == 118)
        .map(|bar| {
            let prices = [bar.open, bar.high, bar.low, bar.close].map(price);
            (
                bar.raw_ts_event() / 60_000_000_000,
                [prices[0], prices[1], prices[2], prices[3], bar.volume as i64],
            )
        })
        .filter(|(minute, _)| bars.contains_key(minute))
        .collect();
    assert_eq!((bars.len(), bars), (4, wanted));
}

#[test]
fn the_best_levels_are_those_of_each_record() {
    let Some(files) = captures(&[ESU4_LEVELS]) else { return };
    let (_, events) = import(Format::Dbn, &files);
    let mut seen = Vec::new();
    let mut model = Model::default();
    for change in exchange_events(&events).filter(|change| change[0].kind != Kind::Trade) {
        change.iter().for_each(|event| model.apply(event));
        assert!(model.sides.iter().all(|side| side.len() == 1), "cut to one level");
        seen.push(Side::BOTH.map(|side| model.best(side).unwrap()));
    }
    let level = |price: i64, size: u32| (Price(price / 10_000_000), Qty(size.into()));
    let best = |record: &Mbp1Msg| {
        let [pair] = &record.levels;
        [level(pair.bid_px, pair.bid_sz), level(pair.ask_px, pair.ask_sz)]
    };
    let records = records::<Mbp1Msg>(&files[0]);
    let mut wanted: Vec<_> = records.iter().filter(|record| record.action != b'T' as i8).map(best).collect();
    assert_eq!((records.len(), wanted.len()), (2_288, 2_168));
    wanted.dedup();
    assert_eq!(seen, wanted);
}

#[test]
fn trades_and_books_that_several_files_tell_are_taken_once() {
    let Some(files) = captures(&[ESU4_LEVELS, ESU4_TRADES]) else { return };
    let (import, events) = import(Format::Dbn, &files);
    assert_eq!(trades(&events).len(), 120);
    let skipped: Vec<_> =
        import.tally().skipped.iter().map(|skipped| (&*skipped.reason, skipped.count)).collect();
    assert_eq!(skipped, [("trade of a market whose trades another schema tells", 120)]);
}

#[test]
fn every_version_of_every_schema_is_read_or_named() {
    let Some(folder) = captures(&[CONFORMANCE]) else { return };
    let (mut taken, mut named, mut old, mut empty) = (0, 0, 0, Vec::new());
    for entry in std::fs::read_dir(&folder[0]).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        let schema = name.split('.').nth(1).unwrap();
        let opened = Import::open(Format::Dbn, std::slice::from_ref(&file), &[]);
        if name.ends_with(".dbz") {
            let error = opened.err().expect(name).to_string();
            assert!(error.contains("this is no DBN"), "{error}");
            old += 1;
        } else if ["mbo", "mbp-1", "mbp-10", "trades", "tbbo"].contains(&schema) {
            assert_eq!(opened.expect(name).instruments().find("ESH1"), Some(market::SymbolId(0)), "{name}");
            let (import, _) = import(Format::Dbn, std::slice::from_ref(&file));
            let tally = import.tally();
            let wanted = match schema {
                // What is cancelled there was added before.
                "mbo" => (0, 0, 0),
                "trades" | "tbbo" => (0, 0, 2),
                _ => (1, 1, 0),
            };
            assert_eq!((tally.snapshots, tally.updates, tally.trades), wanted, "{name}: {tally}");
            assert_eq!(tally.skipped.len(), usize::from(schema == "mbo"), "{name}: {tally}");
            taken += 1;
        } else {
            let error = opened.err().expect(name).to_string();
            let kind = if schema == "definition" { "instrument-def" } else { schema };
            match error.contains(&format!("x record of type {kind}, first at")) {
                true => named += 1,
                // A file may hold no record at all.
                false => empty.push(name.to_owned()),
            }
        }
    }
    assert_eq!((taken, named, old), (21, 46, 10));
    assert!(empty.len() == 4 && empty.iter().all(|name| name.contains("ohlcv-1d")), "{empty:?}");
}

/// An order's record, the first of them in second 0.
fn order(second: u64, action: Action, id: u64, side: dbn::Side, price: i64, size: u32, flags: u8) -> MboMsg {
    let mut record = MboMsg {
        order_id: id,
        price: price * 1_000_000_000,
        size,
        flags: FlagSet::new(flags),
        action: u8::from(action) as i8,
        side: u8::from(side) as i8,
        ts_recv: second * 1_000_000_000,
        sequence: second as u32,
        ..MboMsg::default()
    };
    record.hd.publisher_id = 2;
    record.hd.instrument_id = 7;
    record.hd.ts_event = second * 1_000_000_000;
    record
}

fn fragment(records: &[MboMsg]) -> Vec<u8> {
    let mut encoded = Vec::new();
    RecordEncoder::new(&mut encoded).encode_records(records).unwrap();
    encoded
}

fn import_orders(records: &[MboMsg]) -> (Import, Vec<Event>) {
    let mut captured = Captured::new(&[]);
    captured.add_named("orders.dbn.frag", &fragment(records));
    import(Format::Dbn, &captured.files)
}

const LAST: u8 = dbn::flags::LAST;
const SNAPSHOT: u8 = dbn::flags::SNAPSHOT;
const TOB: u8 = dbn::flags::TOB;

/// Kind, price, quantity and time in seconds.
fn told(events: &[Event]) -> Vec<(Kind, i64, u64, u64)> {
    let told = |event: &Event| (event.kind, event.price.0, event.qty.0, event.timestamp.0 / 1_000_000_000);
    events.iter().map(told).collect()
}

#[test]
fn an_event_is_told_net_where_it_ends() {
    use dbn::Side::{Ask, Bid, None};
    let (import, events) = import_orders(&[
        order(1, Action::Clear, 0, None, 0, 0, 0),
        order(2, Action::Add, 1, Bid, 5, 3, 0),
        order(2, Action::Add, 2, Bid, 5, 4, 0),
        order(2, Action::Cancel, 2, Bid, 5, 4, LAST),
        order(3, Action::Add, 3, Ask, 7, 1, 0),
        order(3, Action::Cancel, 3, Ask, 7, 1, LAST),
        order(4, Action::Modify, 1, Bid, 6, 2, LAST),
    ]);
    let wanted =
        [(Kind::Reset, 0, 0, 1), (Kind::Level, 5, 3, 2), (Kind::Level, 5, 0, 4), (Kind::Level, 6, 2, 4)];
    assert_eq!(told(&events), wanted);
    assert_eq!(events.iter().map(|event| event.last).collect::<Vec<_>>(), [true, true, false, true]);
    assert_eq!((&*import.instruments()[market::SymbolId(0)].symbol, events[3].number), ("7", 4));
}

#[test]
fn an_order_that_is_not_known_is_a_gap_until_the_next_snapshot() {
    use dbn::Side::{Bid, None};
    let (import, events) = import_orders(&[
        order(1, Action::Clear, 0, None, 0, 0, LAST),
        order(2, Action::Add, 1, Bid, 5, 3, LAST),
        order(3, Action::Cancel, 9, Bid, 5, 3, LAST),
        order(4, Action::Cancel, 1, Bid, 5, 1, LAST),
        order(5, Action::Clear, 0, None, 0, 0, SNAPSHOT),
        order(1, Action::Add, 4, Bid, 4, 8, SNAPSHOT),
        order(6, Action::Add, 5, Bid, 4, 1, LAST),
    ]);
    let wanted = [
        (Kind::Reset, 0, 0, 1),
        (Kind::Level, 5, 3, 2),
        (Kind::FeedGap, 0, 0, 3),
        (Kind::Reset, 0, ResetReason::Gap as u64, 4),
        (Kind::Level, 4, 8, 4),
        (Kind::Level, 4, 9, 6),
    ];
    assert_eq!((told(&events), import.tally().gaps), (wanted.to_vec(), 1), "{}", import.tally());
}

#[test]
fn a_best_level_takes_the_place_of_its_whole_side() {
    use dbn::Side::{Ask, Bid, None};
    let mut gone = order(4, Action::Add, 0, Ask, 0, 0, TOB | LAST);
    gone.price = dbn::UNDEF_PRICE;
    let (_, events) = import_orders(&[
        order(1, Action::Clear, 0, None, 0, 0, 0),
        order(2, Action::Add, 0, Ask, 5, 3, TOB | LAST),
        order(3, Action::Add, 0, Ask, 6, 2, TOB | LAST),
        order(3, Action::Add, 1, Bid, 4, 1, LAST),
        gone,
    ]);
    let levels: Vec<_> = events[1..].iter().map(|event| (event.side, event.price.0, event.qty.0)).collect();
    let wanted =
        [(Side::Ask, 5, 3), (Side::Ask, 5, 0), (Side::Ask, 6, 2), (Side::Bid, 4, 1), (Side::Ask, 6, 0)];
    assert_eq!(levels, wanted);
}

#[test]
fn one_instrument_of_two_publishers_is_two_markets() {
    let mut records: Vec<_> =
        [1, 2].map(|second| order(second, Action::Clear, 0, dbn::Side::None, 0, 0, LAST)).to_vec();
    records[1].hd.publisher_id = 1;
    let (import, _) = import_orders(&records);
    let names: Vec<_> = import.instruments().iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert_eq!(names, ["7", "7.GLBX"]);
}

#[test]
fn an_event_without_an_end_is_accounted_for_and_a_cut_record_is_refused() {
    let records = [
        order(1, Action::Clear, 0, dbn::Side::None, 0, 0, LAST),
        order(2, Action::Add, 1, dbn::Side::Bid, 5, 3, 0),
    ];
    let (import, events) = import_orders(&records);
    assert_eq!((events.len(), import.tally().skipped.len()), (1, 1), "{}", import.tally());
    assert!(import.tally().to_string().contains("whose end is not in the files"), "{}", import.tally());

    let mut captured = Captured::new(&[]);
    let whole = fragment(&records);
    captured.add_named("cut.frag", &whole[..whole.len() - 9]);
    captured.check_refused(Format::Dbn, &[], &["cut.frag:1", "ends in the middle of the record"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_in_a_file_an_import_ends_and_the_first_pass_finds_what_is_wrong(
        at in 0..4 * 56_usize, byte: u8, length in 0..=4 * 56_usize,
    ) {
        let mut bytes = fragment(&[
            order(1, Action::Clear, 0, dbn::Side::None, 0, 0, LAST),
            order(2, Action::Add, 1, dbn::Side::Bid, 5, 3, LAST),
            order(3, Action::Trade, 1, dbn::Side::Ask, 5, 1, 0),
            order(3, Action::Cancel, 1, dbn::Side::Bid, 5, 1, LAST),
        ]);
        bytes[at] = byte;
        let mut captured = Captured::new(&[]);
        captured.add_named("orders.frag", &bytes[..length]);
        if Import::open(Format::Dbn, &captured.files, &[]).is_ok() {
            let (import, events) = import(Format::Dbn, &captured.files);
            prop_assert!(events.iter().all(|event| event.symbol.index() < import.instruments().len()));
            prop_assert!(events.last().is_none_or(|last| last.last || !last.kind.is_numbered()));
        }
    }
}
