//! In steady state an event allocates nothing, and neither does a merge; a long merge takes little.

use book::{Book, History, Ladder};
use market::{Event, Kind, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};

/// Exchange events that add, change and remove levels near the top, three levels each.
fn play(book: &mut Book, history: &mut History, from: Seq, to: Seq, out: &mut Ladder) {
    for seq in from..=to {
        let side = if seq % 2 == 0 { Side::Bid } else { Side::Ask };
        let offset = (seq * 7 % 23) as i64;
        let price = Price(if side == Side::Bid { 1_000 - offset } else { 1_001 + offset });
        let last = seq % 3 == 0;
        let event = Event {
            seq,
            side,
            price,
            qty: Qty(seq % 5),
            last,
            engine: Nanos(seq),
            ..Event::new(Kind::Level)
        };
        book.apply(&event, history);
        if last {
            book.event_changes(10, out);
            book.checksum(10);
        }
    }
}

#[test]
fn nothing_is_allocated_after_warming_up() {
    let mut history = History::new(128 << 10);
    let mut out = Ladder::default();
    let mut books = [Book::new(), Book::new()];
    for book in &mut books {
        book.watch(10);
        book.apply(
            &Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) },
            &mut history,
        );
        play(book, &mut history, 2, 30_000, &mut out);
    }
    let [_, book] = &mut books;
    book.catch_up(&history, 28_000, 30_000, 10, &mut out).expect("held");
    book.changes(&history, 27_999, 30_000, 0, &mut out).expect("held");

    let full = history.bytes();
    let counted = allocation_counter::measure(|| {
        play(book, &mut history, 30_001, 60_000, &mut out);
        book.catch_up(&history, 58_000, 60_000, 10, &mut out).expect("held");
        book.changes(&history, 57_999, 60_000, 0, &mut out).expect("held");
    });
    assert_eq!((counted.count_total, history.bytes()), (0, full));
}

#[test]
fn a_merge_takes_memory_by_the_levels_not_by_the_changes() {
    let mut history = History::new(64 << 20);
    let mut book = Book::new();
    let mut out = Ladder::default();
    book.apply(&Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) }, &mut history);
    for seq in 2..=400_000 {
        let price = Price((seq * 7_919 % 5_000) as i64);
        let event = Event { seq, price, qty: Qty(seq), last: true, ..Event::new(Kind::Level) };
        book.apply(&event, &mut history);
    }
    let counted = allocation_counter::measure(|| {
        book.changes(&history, 1, 400_000, 10, &mut out).expect("held");
    });
    assert!(counted.bytes_max < 2 << 20, "{} bytes for 5,000 levels", counted.bytes_max);
}
