//! What a book says of its present.

use book::{Book, EventView, History, Ladder, Mark};
use market::{Event, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn set(seq: Seq, side: Side, price: i64, qty: u64) -> Event {
    Event { seq, side, price: Price(price), qty: Qty(qty), last: true, ..Event::new(Kind::Level) }
}

fn book_of(levels: &[(Side, i64, u64)]) -> Book {
    let mut book = Book::new();
    book.apply_plain(&Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) });
    for (seq, &(side, price, qty)) in (2..).zip(levels) {
        book.apply_plain(&set(seq, side, price, qty));
    }
    book
}

proptest! {
    #[test]
    fn deep_sides_equal_a_map(
        changes in prop::collection::vec((any::<bool>(), -300i64..300, 0u64..3), 0..2_000), depth in 0u32..60,
    ) {
        let side = |bid| if bid { Side::Bid } else { Side::Ask };
        let mut maps = [BTreeMap::new(), BTreeMap::new()];
        let mut book = book_of(&[]);
        for (seq, &(bid, price, qty)) in (2..).zip(&changes) {
            let map = &mut maps[side(bid).index()];
            let before = map.insert(price, qty).unwrap_or(0);
            prop_assert_eq!(book.would_change(side(bid), Price(price), Qty(qty)), before != qty);
            book.apply_plain(&set(seq, side(bid), price, qty));
            prop_assert_eq!(book.qty_at(side(bid), Price(price)), Qty(qty));
        }
        maps.iter_mut().for_each(|map| map.retain(|_, &mut qty| qty > 0));
        let level = |(&price, &qty)| Level { price: Price(price), qty: Qty(qty) };
        let mut wanted = Ladder {
            bids: maps[0].iter().rev().map(level).collect(),
            asks: maps[1].iter().map(level).collect(),
        };
        for side in Side::BOTH {
            prop_assert_eq!(book.best(side), wanted.side(side).first().copied());
            prop_assert_eq!(book.depth_of(side), wanted.side(side).len());
            prop_assert!(book.levels(side).eq(wanted.side(side).iter().copied()));
        }
        wanted.cut(depth);
        let mut view = Ladder::default();
        book.view(depth, &mut view);
        prop_assert_eq!(view, wanted);
    }
}

#[test]
fn crossed_is_a_bid_at_or_above_an_ask() {
    let check = |levels: &[(Side, i64, u64)], crossed| assert_eq!(book_of(levels).is_crossed(), crossed);
    check(&[], false);
    check(&[(Side::Bid, 100, 1)], false);
    check(&[(Side::Bid, 100, 1), (Side::Ask, 101, 1)], false);
    check(&[(Side::Bid, 101, 1), (Side::Ask, 101, 1)], true);
    check(&[(Side::Bid, 102, 1), (Side::Ask, 101, 1)], true);
}

#[test]
fn a_book_stands_from_its_first_whole_reset() {
    let mut book = Book::new();
    book.apply_plain(&set(1, Side::Bid, 100, 1));
    assert!(!book.stands());
    book.apply_plain(&Event { seq: 2, ..Event::reset(SymbolId(0), ResetReason::Feed) });
    assert!(!book.stands());
    book.apply_plain(&set(3, Side::Bid, 99, 1));
    assert!(book.stands());
    assert_eq!(book.levels(Side::Bid).map(|level| level.price.0).collect::<Vec<_>>(), [99]);
}

#[test]
fn a_trade_counts_as_an_exchange_event_and_leaves_the_venues_number() {
    let mut book = book_of(&[]);
    book.apply_plain(&Event { number: 77, ..set(2, Side::Bid, 100, 1) });
    let trade = Event { seq: 3, last: true, engine: Nanos(5), number: 12, ..Event::new(Kind::Trade) };
    book.apply_plain(&trade);
    assert_eq!(book.mark(), Mark { seq: 3, event: 3, engine: Nanos(5), venue_seq: 77, ..Mark::default() });
    book.apply_plain(&Event::tick(Nanos(9)));
    assert_eq!(book.mark().event, 3, "what is not numbered does not concern a book");
}

#[test]
#[should_panic(expected = "events were lost")]
fn a_hole_in_the_numbers_is_not_applied() {
    book_of(&[]).apply_plain(&set(3, Side::Bid, 100, 1));
}

#[test]
fn a_cleared_book_does_not_stand_and_takes_up_anywhere() {
    let mut history = History::new(1 << 20);
    let mut book = Book::new();
    book.watch(1);
    book.apply(&Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) }, &mut history);
    book.apply(&set(2, Side::Bid, 100, 1), &mut history);
    book.clear(&mut history);
    assert!(!book.stands() && book.best(Side::Bid).is_none());
    book.apply(&set(50, Side::Bid, 100, 1), &mut history);
    book.apply(&Event { seq: 51, last: true, ..Event::reset(SymbolId(0), ResetReason::Gap) }, &mut history);
    book.apply(&set(52, Side::Ask, 101, 4), &mut history);
    let mut told = Ladder::default();
    book.event_changes(1, &mut told);
    assert_eq!(told.asks, [Level { price: Price(101), qty: Qty(4) }], "still watched");
    assert!(book.view_at(&history, 51, 0, &mut told).is_ok());
    assert!(book.view_at(&history, 2, 0, &mut told).is_err());
}

#[test]
fn a_depth_stays_watched_until_its_last_watcher_leaves() {
    let mut book = book_of(&[]);
    book.watch(5);
    book.watch(5);
    book.unwatch(5);
    book.apply_plain(&set(2, Side::Bid, 100, 1));
    let mut told = Ladder::default();
    assert_eq!(book.event_changes(5, &mut told), EventView::Changed);
    assert_eq!(told.bids, [Level { price: Price(100), qty: Qty(1) }]);
}

#[test]
#[should_panic(expected = "must go on recording")]
fn a_recorded_book_does_not_go_on_without_its_history() {
    let mut book = Book::new();
    let reset = Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) };
    book.apply(&reset, &mut History::new(1 << 20));
    book.apply_plain(&set(2, Side::Bid, 100, 1));
}
