//! LOBSTER's pairs of files: each message, applied to the book before it, gives the book behind it.

use crate::support::{Captured, Model, captures, exchange_events, import, lines};
use feed::FeedSource;
use journal::import::Format;
use market::{Kind, Price, Qty, Side};

const MESSAGES: &str = "lobster/AAPL_2012-06-21_34200000_57600000_message_10.csv.gz";
const BOOKS: &str = "lobster/AAPL_2012-06-21_34200000_57600000_orderbook_10.csv.gz";

type Levels = [Vec<(Price, Qty)>; 2];

/// The nine best levels of each side: the tenth may come from behind what the files hold.
fn best(model: &Model) -> Levels {
    let level = |(&price, &qty): (&Price, &Qty)| (price, qty);
    let [bids, asks] = &model.sides;
    [bids.iter().rev().take(9).map(level).collect(), asks.iter().take(9).map(level).collect()]
}

#[test]
fn each_message_leads_from_one_book_to_the_next() {
    let Some(files) = captures(&[MESSAGES, BOOKS]) else { return };
    let (import, events) = import(Format::Lobster, &files);
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.gaps, tally.trades, tally.skipped.len()), (1, 0, 159, 0), "{tally}");
    let instrument = &import.instruments()[market::SymbolId(0)];
    assert_eq!((&*instrument.symbol, instrument.price_decimals, instrument.qty_decimals), ("AAPL", 2, 0));
    let ends = [events.first(), events.last()].map(|event| event.unwrap().timestamp.to_string());
    assert_eq!(ends, ["2012-06-21T13:30:00.004241176Z", "2012-06-21T13:30:49.086375027Z"]);

    let mut changes = exchange_events(&events).filter(|change| change[0].kind != Kind::Trade);
    let mut model = Model::default();
    changes.next().unwrap().iter().for_each(|event| model.apply(event));
    let mut equal = 0;
    for line in lines(&files[0]).skip(1) {
        let cells: Vec<i64> = line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect();
        let [kind, _, size, price, direction] = cells[..] else { panic!("{line}") };
        let mut applied = Model { sides: model.sides.clone() };
        let side = if direction == 1 { Side::Bid } else { Side::Ask };
        let qty = applied.sides[side.index()].entry(Price(price / 100)).or_default();
        match kind {
            1 => qty.0 += size as u64,
            2..=4 => qty.0 -= size as u64,
            _ => {}
        }
        applied.sides[side.index()].retain(|_, qty| !qty.is_zero());
        if kind != 5 {
            changes.next().unwrap().iter().for_each(|event| model.apply(event));
        }
        equal += usize::from(best(&model) == best(&applied));
    }
    assert_eq!((equal, changes.count()), (998, 0));
}

const PAIR: [&str; 2] = ["X_2012-01-03_0_1_message_1.csv", "X_2012-01-03_0_1_orderbook_1.csv"];

fn pair(messages: &str, books: &str) -> Captured {
    let mut captured = Captured::new(&[]);
    captured.add_named(PAIR[0], messages.as_bytes());
    captured.add_named(PAIR[1], books.as_bytes());
    captured
}

#[test]
fn a_trade_has_the_side_that_the_order_had_not_and_a_missing_level_is_none() {
    let messages =
        "34200.5,1,7,18,5853300,1\n34201.0,4,7,8,5853300,1\n34202,5,0,3,5853350,-1\n34203,7,0,0,-1,-1";
    let book = |bid| format!("9999999999,0,5853300,{bid}\n");
    let books = [book(18), book(10), book(10), book(10)].concat();
    let (import, events) = import(Format::Lobster, &pair(messages, &books).files);
    let told: Vec<_> =
        events.iter().map(|event| (event.kind, event.side, event.price.0, event.qty.0)).collect();
    let wanted = [
        (Kind::Reset, Side::Bid, 0, 0),
        (Kind::Level, Side::Bid, 585_330, 18),
        (Kind::Trade, Side::Ask, 585_330, 8),
        (Kind::Level, Side::Bid, 585_330, 10),
        (Kind::Trade, Side::Bid, 585_335, 3),
    ];
    assert_eq!(told, wanted);
    assert_eq!(events[4].timestamp.to_string(), "2012-01-03T14:30:02.000000000Z");
    assert!(import.tally().to_string().contains("left out 1 x trading halt"), "{}", import.tally());
}

#[test]
fn files_that_are_no_pair_are_refused_with_what_is_wanted() {
    let message = "34200.5,1,7,18,5853300,1";
    let check = |captured: Captured, wanted: &[&str]| captured.check_refused(Format::Lobster, &[], wanted);
    check(Captured::new(&[message]), &["capture0", "MESSAGE ORDERBOOK"]);
    check(Captured::new(&[message, "1,1,1,1"]), &["capture0", "TICKER_YYYY-MM-DD"]);
    let mut turned = pair(message, "2,1,1,1");
    turned.files.reverse();
    check(turned, &["orderbook", "MESSAGE ORDERBOOK"]);
    check(pair(message, ""), &["message_1.csv:1", "no row for this message"]);
    check(pair(message, "2,1,1,1\n2,1,1,1"), &["orderbook_1.csv:2", "no row for this book"]);
    check(pair(message, "2,1,1"), &["orderbook_1.csv:1", "the row is no book"]);
    check(pair(message, "2,1,x,1"), &["orderbook_1.csv:1", "'x' is no whole number"]);
    check(pair("noon,1,7,18,5,1", "2,1,1,1"), &["message_1.csv:1", "'noon' is no time"]);
    check(pair("1.5,9,7,18,5,1", "2,1,1,1"), &["message_1.csv:1", "no type of event '9'"]);
    check(pair("1.5,4,7,18,5,0", "2,1,1,1"), &["message_1.csv:1", "no direction '0'"]);
}
