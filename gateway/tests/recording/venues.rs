//! The captures of every other venue: each replays to a client whose books are the recording's, and where the venue proves its
//! books, what the client holds is what the venue has proven.

use crate::{captures, replay::replay};
use book::Ladder;
use market::{Instrument, Level, Side, push_fixed};
use std::collections::HashMap;

/// Replays captures; the client is sent so many books (snapshots, then changes), each of which it proves and each of which is the recording's.
fn check(format: &str, files: &[&str], books: u64) {
    let Some(recording) = captures::import(format, files) else { return };
    let ended = replay(&recording, "100", |_, _| {});
    assert_eq!((ended.updates, ended.compared), (books, books));
}

#[test]
fn kraken_futures_replays_to_a_proven_book() {
    check("kraken-futures", &["ws/krakenfutures_book_trade_tickerlite_20210722.txt.gz"], 6 + 5_347);
}

#[test]
fn coinbase_replays_to_a_proven_book() {
    check("coinbase", &["ws/coinbase_level2_ticker_matches_20210417.txt.gz"], 6 + 5_830);
}

#[test]
fn binance_with_snapshots_from_rest_replays_to_a_proven_book() {
    let files = ["ws/binance_spot_alts_20211012.ws.txt.gz", "ws/binance_spot_alts_20211012.rest.txt.gz"];
    check("binance", &files, 4 + 168);
}

#[test]
fn bitstamp_replays_to_a_proven_book() {
    check(
        "bitstamp",
        &["ws/bitstamp_diff_20220105.ws.txt.gz", "ws/bitstamp_diff_20220105.rest.txt.gz"],
        10 + 615,
    );
}

#[test]
fn deribit_replays_to_a_proven_book() {
    check("deribit", &["ws/deribit_options_20210722.txt.gz"], 10 + 36);
}

#[test]
fn bitmex_replays_to_a_proven_book() {
    check("bitmex", &["ws/bitmex_l2_quote_trade_20210722.txt.gz"], 10 + 445 + 1_090 + 434);
}

/// Files of vendors, as fast as the client takes them: it is sent each book, proves it, and has what the recording has, of at least so many.
fn check_files(format: &str, files: &[&str], at_least: u64) {
    let Some(recording) = captures::import(format, files) else { return };
    let ended = replay(&recording, "max", |_, _| {});
    assert_eq!(ended.updates, ended.compared);
    assert!(ended.updates >= at_least, "{} books", ended.updates);
}

#[test]
fn orders_of_a_futures_exchange_replay_to_a_proven_book() {
    let file = |day| format!("databento/esh4-glbx-mdp3-{day}.mbo.dbn.zst");
    check_files("dbn", &[&file(20231224), &file(20231225)], 10_000);
}

#[test]
fn levels_of_a_futures_exchange_replay_to_a_proven_book() {
    let file = "databento/esu4_20240701/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
    check_files("dbn", &[file], 1_000);
}

#[test]
fn orders_and_levels_as_csv_replay_to_a_proven_book() {
    for schema in ["mbo", "mbp-10"] {
        check_files(
            "databento-csv",
            &[&format!("databento/arl_xnas_20250717/arl_first_part.{schema}.csv.gz")],
            500,
        );
    }
}

#[test]
fn a_days_book_of_lobster_replays_to_a_proven_book() {
    let file = |part| format!("lobster/AAPL_2012-06-21_34200000_57600000_{part}_10.csv.gz");
    check_files("lobster", &[&file("message"), &file("orderbook")], 900);
}

#[test]
fn okx_books_have_the_venues_checksum_after_every_update() {
    // This venue writes no zeros at the end of a number.
    let digits = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    check_checksums("okx", "ws/okx_books_trades_tickers_20220513.txt.gz", digits, 191);
}

#[test]
fn bitget_books_have_the_venues_checksum_after_every_update() {
    check_checksums("bitget", "ws/bitget_spot_20220407.txt.gz", |text| text, 443);
}

/// The client's books have the checksums that the venue sent, `sent` of them. A message that changes nothing has the one
/// before it, and is not told to the client.
fn check_checksums(format: &str, file: &str, digits: fn(String) -> String, sent: usize) {
    let Some(recording) = captures::import(format, &[file]) else { return };
    let mut wanted = captures::signed_checksums(&recording.files[0]);
    assert_eq!(wanted.values().map(Vec::len).sum::<usize>(), sent);
    let instruments: HashMap<_, _> = recording
        .instruments()
        .into_iter()
        .map(|instrument| (instrument.symbol.clone(), instrument))
        .collect();
    let mut seen: HashMap<String, Vec<i32>> = HashMap::new();
    let ended = replay(&recording, "100", |symbol, book| {
        let instrument = &instruments[symbol];
        let checksum = checksum(&book.ladder, instrument, digits);
        seen.entry(instrument.venue_symbol.clone()).or_default().push(checksum);
    });
    assert_eq!(ended.updates, ended.compared);
    wanted.values_mut().chain(seen.values_mut()).for_each(Vec::dedup);
    assert_eq!(seen, wanted);
}

/// The venues' rule: the 25 best levels of both sides in turn.
fn checksum(ladder: &Ladder, instrument: &Instrument, digits: fn(String) -> String) -> i32 {
    let text = |mantissa: i64, decimals| {
        let mut text = Vec::new();
        push_fixed(&mut text, mantissa, decimals);
        digits(String::from_utf8(text).unwrap())
    };
    let level = |level: &Level| {
        let price = text(level.price.0, instrument.price_decimals);
        format!("{price}:{}", text(level.qty.0 as i64, instrument.qty_decimals))
    };
    let [bids, asks] =
        Side::BOTH.map(|side| ladder.side(side).iter().take(25).map(level).collect::<Vec<_>>());
    let turns = (0..25).flat_map(|place| [bids.get(place), asks.get(place)]).flatten();
    crc32fast::hash(turns.map(String::as_str).collect::<Vec<_>>().join(":").as_bytes()) as i32
}
