//! The checksum equals one that is made from decimal text, digit by digit and bit by bit.

use book::{Book, Ladder};
use market::{Event, Kind, Level, Price, Qty, Side};
use proptest::prelude::*;

fn level(price: i64, qty: u64) -> Level {
    Level { price: Price(price), qty: Qty(qty) }
}

/// The example of Kraken's "Book checksum" guide: prices with 5 decimals, quantities with 8.
#[test]
fn the_example_of_krakens_guide() {
    let bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950];
    let asks = [5005, 5010, 5015, 5020, 5025, 5030, 5035, 5040, 5045, 5050];
    let levels = |prices: [i64; 10]| prices.map(|price| level(price, 500)).to_vec();
    let mut book = Ladder { bids: levels(bids), asks: levels(asks) };
    assert_eq!(book.checksum(10), 974_947_235);
    book.bids.push(level(4945, 500));
    book.asks.push(level(5055, 500));
    assert_eq!(book.checksum(10), 974_947_235, "only the best ten count");
    assert_ne!(book.checksum(25), 974_947_235);
}

/// The rule as it is written: decimal text without point and without leading zeros, asks then bids.
fn reference(view: &Ladder, depth: usize, decimals: u8) -> u32 {
    let mut text = String::new();
    for level in view.asks.iter().take(depth).chain(view.bids.iter().take(depth)) {
        for mantissa in [level.price.0, level.qty.0 as i64] {
            let mut fixed = Vec::new();
            market::push_fixed(&mut fixed, mantissa, decimals);
            let digits = String::from_utf8(fixed).expect("digits").replace('.', "");
            text += digits.trim_start_matches('0');
        }
    }
    !text.bytes().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(byte), shift_bit))
}

/// One step of CRC-32 (IEEE 802.3), reflected.
fn shift_bit(crc: u32, _: i32) -> u32 {
    (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
}

fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![1i64..1000, 1i64..100_000_000, 99_999_990i64..100_000_010, 1i64..i64::MAX]
}

fn side() -> impl Strategy<Value = Vec<Level>> {
    let levels = prop::collection::btree_map(numbers(), numbers(), 0..130);
    levels.prop_map(|levels| levels.into_iter().map(|(price, qty)| level(price, qty as u64)).collect())
}

proptest! {
    #[test]
    fn is_that_of_the_decimal_text(
        mut bids in side(), asks in side(),
        depth in prop::sample::select(vec![0u32, 1, 10, 25, 100, 1000]), decimals in 0u8..=18,
    ) {
        bids.reverse();
        let view = Ladder { bids, asks };
        let counted = if depth == 0 { 100 } else { depth.min(100) } as usize;
        prop_assert_eq!(view.checksum(depth), reference(&view, counted, decimals));
    }

    #[test]
    fn a_book_has_that_of_its_view(
        bids in prop::collection::btree_map(1i64..10_000, 1u64..10_000, 0..130), depth in 0u32..120,
    ) {
        let mut book = Book::new();
        for (i, (&price, &qty)) in bids.iter().enumerate() {
            let event = Event::new(Kind::Level);
            book.apply_plain(&Event { seq: i as u64 + 1, side: Side::Bid, price: Price(price), qty: Qty(qty), ..event });
        }
        let mut view = Ladder::default();
        book.view(depth, &mut view);
        prop_assert_eq!(book.checksum(depth), view.checksum(depth));
    }
}

#[test]
fn numbers_at_their_limits() {
    let crc = |text: &str| !text.bytes().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(byte), shift_bit));
    let check = |price, qty, text: &str| {
        assert_eq!(Ladder { bids: vec![level(price, qty)], asks: vec![] }.checksum(10), crc(text), "{text}");
    };
    check(0, 1, "01");
    check(-5, 7, "-57");
    check(i64::MIN, u64::MAX, "-922337203685477580818446744073709551615");
    check(100_000_000, 10_000_000_000_000_000, "10000000010000000000000000");
    assert_eq!(Ladder::default().checksum(10), 0);
}
