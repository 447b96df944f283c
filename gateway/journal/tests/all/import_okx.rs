//! Captures of OKX against the checksum that the venue sent with each book message.

use crate::support::{captures, check_pair_checksums, import, without_zeros};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Side};

#[test]
fn every_book_message_leaves_the_book_that_the_venue_has_proven() {
    let Some(files) = captures(&["ws/okx_books_trades_tickers_20220513.txt.gz"]) else { return };
    let (import, events) = import(Format::Okx, &files);
    // This venue writes no zeros at the end of a number.
    let equal = check_pair_checksums(&files[0], import.instruments(), &events, without_zeros);
    assert_eq!(equal, 191);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (2, 189, 0), "{tally}");
    assert_eq!(tally.trades, 70, "{tally}");
    let names: Vec<_> = import.instruments().iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert_eq!(names, ["UNI-USD-SWAP", "BTC/USDT"], "a swap is no pair");
    let first = events.iter().find(|event| event.kind == Kind::Trade).unwrap();
    let trade = (first.number, first.price.0, first.qty.0, first.side, first.timestamp.0);
    assert_eq!(trade, (12_883_020, 5_123, 100, Side::Ask, 1_652_459_215_150_000_000));
}
