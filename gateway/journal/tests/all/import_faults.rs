//! What importers do about holes, broken lines and unclear names: they say where, and guess nothing.

use crate::support::{Captured, import};
use feed::FeedSource;
use journal::import::{Format, Import};
use market::{Event, Kind, ResetReason};
use std::io::Write;

fn depth(at: u64, symbol: &str, first: u64, last: u64, bids: &str) -> String {
    format!(
        r#"{at} {{"stream":"x@depth","data":{{"e":"depthUpdate","E":{at},"s":"{symbol}","U":{first},"u":{last},"b":[{bids}],"a":[]}}}}"#
    ) + "\n"
}

fn snapshot(at: u64, last: u64) -> String {
    format!(r#"{at} {{"lastUpdateId":{last},"bids":[["10.00","1.0"]],"asks":[["11.50","2.0"]]}}"#) + "\n"
}

fn kinds(events: &[Event]) -> Vec<(Kind, u64)> {
    events.iter().map(|event| (event.kind, event.number)).collect()
}

#[test]
fn a_hole_is_a_gap_until_the_next_snapshot() {
    let level = r#"["10.0","3.25"]"#;
    let lines = [
        depth(1, "BTCUSDT", 1, 5, level),
        snapshot(2, 4),
        depth(3, "BTCUSDT", 6, 7, level),
        depth(4, "BTCUSDT", 9, 9, level),
        depth(5, "BTCUSDT", 10, 12, level),
        snapshot(6, 9),
        snapshot(7, 11),
    ];
    let (import, events) = import(Format::Binance, &Captured::new(&[&lines.concat()]).files);
    let wanted = [
        (Kind::Reset, 4),
        (Kind::Level, 4),
        (Kind::Level, 4),
        (Kind::Level, 5),
        (Kind::Level, 7),
        (Kind::FeedGap, 0),
        (Kind::Reset, 9),
        (Kind::Level, 9),
        (Kind::Level, 9),
        (Kind::Level, 12),
    ];
    assert_eq!(kinds(&events), wanted);
    assert_eq!((events[0].reset_reason(), events[6].reset_reason()), (ResetReason::Feed, ResetReason::Gap));
    assert_eq!((events[0].price.0, events[1].price.0, events[1].qty.0), (0, 100, 100));
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (2, 3, 1));
    assert_eq!(tally.skipped[1].reason, "book snapshot of a book that stands", "{tally}");
    assert_eq!(tally.skipped[1].first.line, 7);
}

#[test]
fn diffs_without_a_snapshot_are_counted_and_not_guessed_at() {
    let captured = Captured::new(&[&depth(3, "ETHBTC", 6, 7, r#"["10.0","3"]"#)]);
    let (import, events) = import(Format::Binance, &captured.files);
    assert_eq!(events, []);
    let [skipped] = &import.tally().skipped[..] else { panic!("{}", import.tally()) };
    assert_eq!((&*skipped.reason, skipped.count), ("book update without a snapshot that it continues", 1));
}

#[test]
fn a_broken_line_is_named_before_anything_is_made_of_the_rest() {
    let good = depth(1, "BTCUSDT", 1, 5, r#"["10.0","3.25"]"#);
    let check = |line: &str, wanted: &str| {
        let captured = Captured::new(&[&format!("{good}\n{line}\n{good}")]);
        captured.check_refused(Format::Binance, &[], &["capture0:3: ", wanted]);
    };
    check(&good.trim()[..60], "this is no JSON");
    check("hello", "does not begin as one of a capture does");
    check(&depth(2, "BTCUSDT", 6, 7, r#"["1e5","1"]"#), "'1e5' is no decimal number");
    check(&depth(2, "BTCUSDT", 6, 7, "17"), "a level without a price and a quantity");
    check(r#"2 {"stream":"x@trade","data":{"e":"trade","s":"BTCUSDT"}}"#, "a trade that is not whole");
}

#[test]
fn a_kind_that_a_terminal_could_not_show_is_counted_without_its_name() {
    let good = depth(1, "BTCUSDT", 1, 5, "");
    let kind = |kind: &str| format!(r#"2 {{"stream":"x@y","data":{{"e":"{kind}"}}}}"#) + "\n";
    let lines = [good, kind("kline"), kind(r"\u001b[2J"), kind(&"x".repeat(100)), kind("kline")].concat();
    let (import, _) = import(Format::Binance, &Captured::new(&[&lines]).files);
    let skipped: Vec<_> = import
        .tally()
        .skipped
        .iter()
        .map(|skipped| (&*skipped.reason, skipped.count, skipped.first.line))
        .collect();
    assert_eq!(skipped[..2], [("kline", 2, 2), ("message of some other kind", 2, 3)]);
}

#[test]
fn a_cut_compressed_file_is_said_to_be_cut() {
    let lines: String = (1..500).map(|i| depth(i, "BTCUSDT", i, i, r#"["10.0","3.25"]"#)).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    for whole in [gzip.finish().unwrap(), zstd] {
        let mut captured = Captured::new(&[]);
        captured.add(&whole);
        assert_eq!(Import::open(Format::Binance, &captured.files, &[]).unwrap().instruments().len(), 1);
        let mut captured = Captured::new(&[]);
        captured.add(&whole[..whole.len() / 2]);
        captured.check_refused(Format::Binance, &[], &["capture0:", "the file was cut"]);
    }
}

#[test]
fn names_are_given_derived_and_kept_apart() {
    let level = r#"["10.0","3.25"]"#;
    let captured = Captured::new(&[&depth(1, "BTCUSDT", 1, 5, level), &depth(1, "BTCUSD_PERP", 1, 5, level)]);
    let names = ["BTCUSD_PERP=BTC/PERP".parse().unwrap()];
    let import = Import::open(Format::Binance, &captured.files, &names).unwrap();
    let symbols: Vec<_> =
        feed::FeedSource::instruments(&import).iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert_eq!(symbols, ["BTC/USDT", "BTC/PERP"]);
    captured.check_refused(
        Format::Binance,
        &["BTCUSD_PERP=BTC/USDT"],
        &["capture1:1: BTCUSD_PERP", "two instruments named 'BTC/USDT'", "--symbol"],
    );
    captured.check_refused(Format::Binance, &["XRPUSDT=X"], &["no XRPUSDT", "BTCUSDT, BTCUSD_PERP"]);
    Captured::new(&["1 {\"result\":null}"]).check_refused(
        Format::Binance,
        &[],
        &["no market in these files"],
    );
}

#[test]
fn a_snapshot_without_a_name_needs_a_file_of_one_market() {
    let level = r#"["10.0","3.25"]"#;
    let two = [depth(1, "BTCUSDT", 1, 5, level), depth(1, "ETHUSDT", 1, 5, level), snapshot(2, 4)].concat();
    Captured::new(&[&two]).check_refused(
        Format::Binance,
        &[],
        &["capture0:3", "in a file of several markets"],
    );
    Captured::new(&[&snapshot(2, 4)]).check_refused(
        Format::Binance,
        &[],
        &["capture0:1", "in a file that shows none"],
    );
}

#[test]
fn a_market_cannot_come_second_where_a_snapshot_was_taken_to_be_of_the_first() {
    let level = r#"["10.0","3.25"]"#;
    let lines = [depth(1, "BTCUSDT", 1, 5, level), snapshot(2, 4), depth(3, "ETHUSDT", 1, 5, level)].concat();
    Captured::new(&[&lines]).check_refused(Format::Binance, &[], &["capture0:3", "a second market"]);
}

#[test]
fn a_number_that_is_too_large_for_the_decimals_is_named_before_anything_is_made_of_it() {
    let lines = [
        depth(1, "BTCUSDT", 1, 5, r#"["12345678901234567","3"]"#),
        depth(2, "BTCUSDT", 6, 7, r#"["10.125","3"]"#),
    ];
    Captured::new(&[&lines.concat()]).check_refused(
        Format::Binance,
        &[],
        &["capture0:1: 12345678901234567 of BTCUSDT", "3 decimals"],
    );
    let negative = depth(1, "BTCUSDT", 1, 5, r#"["10.125","-3"]"#);
    Captured::new(&[&negative]).check_refused(
        Format::Binance,
        &[],
        &["capture0:1: ", "the quantity '-3' is negative"],
    );
}

#[test]
fn a_trade_is_taken_once_though_it_may_be_shown_twice() {
    let trade = |at: u64, kind: &str, id: u64| {
        format!(
            r#"{at} {{"data":{{"e":"{kind}","E":{at},"s":"BTCUSDT","t":{id},"a":{id},"p":"10","q":"1","m":true}}}}"#
        ) + "\n"
    };
    let check = |lines: &[String], wanted: &[u64]| {
        let (_, events) = import(Format::Binance, &Captured::new(&[&lines.concat()]).files);
        assert_eq!(events.iter().map(|event| event.number).collect::<Vec<_>>(), wanted);
    };
    check(&[trade(1, "aggTrade", 7), trade(2, "trade", 19), trade(3, "trade", 19)], &[19]);
    check(&[trade(1, "aggTrade", 7), trade(2, "aggTrade", 8)], &[7, 8]);
}

fn kraken(lines: &[&str]) -> (Import, Vec<Event>) {
    import(Format::Kraken, &Captured::new(&[&lines.join("\n")]).files)
}

#[test]
fn levels_beyond_the_depth_are_removed_by_name() {
    let (_, events) = kraken(&[
        r#"1.5: [1,{"as":[["2.0","1.00","1.0"],["3.0","1.00","1.1"]],"bs":[]},"book-2","A/B"]"#,
        r#"1.6: [1,{"a":[["2.5","1.00","1.2"]]},"book-2","A/B"]"#,
    ]);
    let update: Vec<_> =
        events[3..].iter().map(|event| (event.price.0, event.qty.0, event.last, event.timestamp.0)).collect();
    assert_eq!(update, [(25, 100, false, 1_200_000_000), (30, 0, true, 1_200_000_000)]);
    assert_eq!((events[0].kind, events[0].timestamp.0), (Kind::Reset, 1_100_000_000));
}

#[test]
fn a_checksum_that_differs_is_a_gap_until_the_next_snapshot() {
    let whole = r#"1.5: [1,{"as":[["2.0","1.00","1.0"]],"bs":[]},"book-10","A/B"]"#;
    let wrong = r#"1.6: [1,{"b":[["1.5","1.00","1.2"]],"c":"17"},"book-10","A/B"]"#;
    let unproven = r#"1.7: [1,{"b":[["1.5","0.00","1.3"]]},"book-10","A/B"]"#;
    let (import, events) = kraken(&[whole, wrong, unproven, whole]);
    let wanted = [Kind::Reset, Kind::Level, Kind::FeedGap, Kind::Reset, Kind::Level];
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), wanted);
    assert_eq!((import.tally().gaps, import.tally().updates), (1, 0));
    assert_eq!(events[3].reset_reason(), ResetReason::Gap);
}

#[test]
fn files_are_one_stream_in_the_order_of_reception() {
    let trade =
        |at: &str, time: &str| format!(r#"{at}: [1,[["2.0","1.0","{time}","b","l",""]],"trade","A/B"]"#);
    let late = [trade("1.2", "2.0"), trade("1.4", "4.0")].join("\n");
    let early = ["wss://host <-> 1.0".to_owned(), trade("1.1", "1.0"), trade("1.3", "3.0")].join("\n");
    let (_, events) = import(Format::Kraken, &Captured::new(&[&late, &early]).files);
    let seconds: Vec<_> = events.iter().map(|event| event.timestamp.0 / 1_000_000_000).collect();
    assert_eq!(seconds, [1, 2, 3, 4]);
}

#[test]
fn futures_continue_by_the_id_before_and_take_the_diff_that_ends_at_the_snapshot() {
    let futures = |at, last, previous| {
        depth(at, "BTCUSDT", last, last, r#"["10.0","3"]"#)
            .replace("\"b\"", &format!("\"pu\":{previous},\"b\""))
    };
    let lines =
        [futures(1, 19, 15), futures(2, 20, 19), snapshot(3, 20), futures(4, 90, 20), futures(5, 95, 91)];
    let (import, events) = import(Format::Binance, &Captured::new(&[&lines.concat()]).files);
    let levels: Vec<_> = events[3..].iter().map(|event| (event.kind, event.number)).collect();
    assert_eq!(levels, [(Kind::Level, 20), (Kind::Level, 90), (Kind::FeedGap, 0)]);
    assert_eq!((import.tally().updates, import.tally().gaps), (2, 1));
}
