//! Captures of Bitget against the checksum that the venue sent with each book message.

use crate::support::{captures, check_pair_checksums, import};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Side};

#[test]
fn every_book_message_leaves_the_book_that_the_venue_has_proven() {
    let Some(files) = captures(&["ws/bitget_spot_20220407.txt.gz"]) else { return };
    let (import, events) = import(Format::Bitget, &files);
    // This venue writes all numbers of a market with the same digits.
    let equal = check_pair_checksums(&files[0], import.instruments(), &events, |text| text);
    assert_eq!(equal, 443);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (8, 435, 0), "{tally}");
    let symbols: Vec<_> = import.instruments().iter().map(|(_, instrument)| &*instrument.symbol).collect();
    assert_eq!(symbols[..3], ["CULT/USDT", "EOS/USDT", "VVS/USDT"]);
    let cult = import.instruments().iter().next().unwrap().1;
    assert_eq!((cult.price_decimals, cult.qty_decimals), (8, 0), "zeros at the end count");
    let trades: Vec<_> = events.iter().filter(|event| event.kind == Kind::Trade).collect();
    assert_eq!((trades.len(), tally.trades), (30, 30), "what came before the capture is history");
    let hot = import.instruments().find("HOT/USDT").unwrap();
    let first = trades.iter().find(|trade| trade.symbol == hot).unwrap();
    let trade = (first.number, first.price.0, first.qty.0, first.side, first.timestamp.0);
    assert_eq!(trade, (1, 56_130, 8_908_000, Side::Bid, 1_649_290_077_777_000_000));
}
