//! Recordings of real venues, imported, replayed through a real socket into the real client, against what the venues
//! themselves say of their books. Skipped with a message where the captures are missing.

#[path = "../binance/truth.rs"]
mod binance_truth;
mod captures;
mod dialects;
#[path = "../kraken/truth.rs"]
mod kraken_truth;
mod replay;
#[path = "../support/mod.rs"]
mod support;
mod venues;

use book::Ladder;
use captures::{checksums, import, tickers};
use client::BookState;
use market::{Side, parse_fixed};
use replay::{Ended, replay};
use std::{collections::HashMap, path::Path};

/// Best bid and ask of the client's book, as price and quantity mantissas.
fn best(ladder: &Ladder) -> Option<[(i64, u64); 2]> {
    let best = |side: Side| ladder.side(side).first().map(|level| (level.price.0, level.qty.0));
    Some([best(Side::Bid)?, best(Side::Ask)?])
}

/// What the venue's ticker says, in the instrument's decimals.
fn ticker_best(ticker: &[String; 4], price_decimals: u8, qty_decimals: u8) -> [(i64, u64); 2] {
    let number = |text: &String, decimals| parse_fixed(text.as_bytes(), decimals).unwrap();
    let side =
        |at: usize| (number(&ticker[at], price_decimals), number(&ticker[at + 1], qty_decimals) as u64);
    [side(0), side(2)]
}

struct Comparison {
    speed: &'static str,
    files: &'static [&'static str],
    /// Equal and different, as the captures' own documentation counts them.
    wanted: (usize, usize),
}

/// For each diff of the capture, by its last id: the client's book after its last message up to that id has the best bid
/// and ask of the venue's last ticker up to it.
fn check_binance(comparison: &Comparison) {
    let Some(recording) = import("binance", comparison.files) else { return };
    let (tickers, ids) = tickers(&recording.files);
    let instrument = recording.instruments()[0].clone();
    let mut books: Vec<(u64, [(i64, u64); 2])> = Vec::new();
    let ended = replay(&recording, comparison.speed, |_, book: &BookState| {
        books.push((book.venue_seq, best(&book.ladder).expect("a venue's book has two sides")));
    });
    let (mut equal, mut different) = (0, 0);
    let first = books[0].0;
    let newest = *tickers.last_key_value().unwrap().0;
    // The last ticker up to an id is known only where the capture has a later one.
    for id in ids.into_iter().filter(|&id| id > first && id < newest) {
        let at = books.partition_point(|(venue_seq, _)| *venue_seq <= id);
        let Some((_, ticker)) = tickers.range(..=id).next_back() else { continue };
        let wanted = ticker_best(ticker, instrument.price_decimals, instrument.qty_decimals);
        *if books[at - 1].1 == wanted { &mut equal } else { &mut different } += 1;
    }
    assert_eq!((equal, different), comparison.wanted);
    check_ended(&ended);
}

fn check_ended(ended: &Ended) {
    assert!(ended.updates > 0 && ended.compared == ended.updates, "every update was compared: {ended:?}");
}

#[test]
fn spot_books_over_midnight_agree_with_the_venues_tickers() {
    check_binance(&Comparison {
        speed: "100",
        files: &["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"],
        wanted: (6_490, 2),
    });
}

#[test]
fn usd_margined_books_agree_with_the_venues_tickers() {
    check_binance(&Comparison {
        speed: "60",
        files: &["binance/usdm_btcusdt_20240808.gz"],
        wanted: (6_545, 0),
    });
}

#[test]
fn coin_margined_books_over_midnight_agree_with_the_venues_tickers() {
    check_binance(&Comparison {
        speed: "60",
        files: &["binance/coinm_btcusd_perp_20240808.gz", "binance/coinm_btcusd_perp_20240809.gz"],
        wanted: (44_770, 0),
    });
}

#[test]
fn kraken_books_have_the_venues_checksum_at_every_update() {
    let Some(recording) = import("kraken", &["ws/kraken_v1_book1000_20210417.txt.gz"]) else { return };
    let wanted = checksums(Path::new(&recording.files[0]));
    let mut seen: HashMap<String, Vec<u32>> = HashMap::new();
    let ended = replay(&recording, "10", |symbol, book| {
        // The first is the snapshot, for which the venue sends none.
        seen.entry(symbol.to_owned()).or_default().push(book.ladder.checksum(10));
    });
    let mut equal = 0;
    for (symbol, wanted) in &wanted {
        let seen = &seen[symbol][1..];
        assert_eq!(seen.len(), wanted.len(), "{symbol}");
        equal += seen.iter().zip(wanted).filter(|(seen, wanted)| seen == wanted).count();
    }
    assert_eq!((equal, wanted.values().map(Vec::len).sum::<usize>()), (2_921, 2_921));
    check_ended(&ended);
}
