//! What importers make of each venue's own signs that something is missing: a checksum, a number, an id.

use crate::support::{Captured, import};
use journal::import::{Format, Tally};
use market::{Kind, ResetReason};

/// Imports lines, each received a second after the one before, as messages.
fn check(format: Format, messages: &[String], wanted: &[Kind]) -> Tally {
    let lines: Vec<_> = (1..).zip(messages).map(|(at, message)| format!("{at}.5: {message}")).collect();
    let captured = Captured::new(&[&lines.join("\n")]);
    let (import, events) = import(format, &captured.files);
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), wanted, "{}", import.tally());
    for (at, event) in events.iter().enumerate().filter(|(_, event)| event.kind == Kind::Reset) {
        let after_gap = events[..at].iter().any(|event| event.kind == Kind::FeedGap);
        let reason = if after_gap { ResetReason::Gap } else { ResetReason::Feed };
        assert_eq!(event.reset_reason(), reason);
    }
    import.tally().clone()
}

/// What was left out, how often, and where first.
fn skipped(tally: &Tally) -> Vec<(&str, u64, u64)> {
    tally.skipped.iter().map(|skipped| (&*skipped.reason, skipped.count, skipped.first.line)).collect()
}

fn okx(action: &str, bid: &str, rest: &str) -> String {
    format!(
        r#"{{"arg":{{"channel":"books","instId":"A-B"}},"action":"{action}","data":[{{"bids":[{bid}],"asks":[],"ts":"1000"{rest}}}]}}"#
    )
}

fn sum(text: &str) -> String {
    format!(r#","checksum":{}"#, crc32fast::hash(text.as_bytes()) as i32)
}

#[test]
fn a_signed_checksum_that_differs_is_a_gap() {
    let messages = [
        okx("snapshot", r#"["1.10","2"]"#, &sum("1.10:2")),
        okx("update", r#"["1.2","3"]"#, &sum("1.2:3:1.10:2")),
        okx("update", r#"["1.3","3"]"#, &sum("1.3:3:1.20:3:1.10:2")),
        okx("update", r#"["1.3","0"]"#, &sum("1.2:3:1.10:2")),
        okx("snapshot", r#"["1.10","2"]"#, &sum("1.1:2")),
        okx("snapshot", r#"["1.10","2"]"#, &sum("1.10:2")),
    ];
    let wanted = [Kind::Reset, Kind::Level, Kind::Level, Kind::FeedGap, Kind::Reset, Kind::Level];
    let tally = check(Format::Okx, &messages, &wanted);
    let left_out = [
        ("book update whose checksum differs", 1, 3),
        ("book update without a snapshot that it continues", 1, 4),
        ("book snapshot whose checksum differs", 1, 5),
    ];
    assert_eq!(skipped(&tally), left_out);
    assert_eq!((tally.snapshots, tally.updates, tally.gaps), (2, 1, 2));
}

#[test]
fn okx_numbers_are_a_chain_where_there_are_some() {
    let seq = |last: i64, previous: i64| format!(r#","seqId":{last},"prevSeqId":{previous}"#);
    let messages = [
        okx("snapshot", r#"["1","2"]"#, &seq(10, -1)),
        okx("update", r#"["1","3"]"#, &seq(15, 10)),
        okx("update", "", &seq(15, 15)),
        // The venue begins its numbers anew.
        okx("update", r#"["1","4"]"#, &seq(3, 15)),
        okx("update", r#"["1","5"]"#, &seq(9, 7)),
    ];
    let tally =
        check(Format::Okx, &messages, &[Kind::Reset, Kind::Level, Kind::Level, Kind::Level, Kind::FeedGap]);
    assert_eq!(skipped(&tally), [("book update behind a hole in the venue's numbering", 1, 5)]);
}

#[test]
fn markets_of_two_products_do_not_become_one() {
    let trade = |product: &str| {
        format!(
            r#"{{"action":"update","arg":{{"instType":"{product}","channel":"trade","instId":"BTCUSDT"}},"data":[["1000","1.5","2","buy"]]}}"#
        )
    };
    check(Format::Bitget, &[trade("sp"), trade("SP")], &[Kind::Trade, Kind::Trade]);
    let lines = format!("1.5: {}\n2.5: {}", trade("sp"), trade("mc"));
    Captured::new(&[&lines]).check_refused(Format::Bitget, &[], &["capture0:2", "another instType"]);
}

#[test]
fn trades_that_are_sent_newest_first_are_taken_in_their_order() {
    let trades = r#"{"action":"update","arg":{"instType":"sp","channel":"trade","instId":"BTCUSDT"},"data":[["2000","1.6","2","buy"],["1000","1.5","2","sell"]]}"#;
    let (_, events) = import(Format::Bitget, &Captured::new(&[&format!("1: {trades}")]).files);
    let taken: Vec<_> = events.iter().map(|event| (event.number, event.price.0, event.timestamp.0)).collect();
    assert_eq!(taken, [(1, 15, 1_000_000_000), (2, 16, 2_000_000_000)]);
}

#[test]
fn a_seq_that_is_left_out_is_a_gap() {
    let whole = |seq: u64| {
        format!(
            r#"{{"feed":"book_snapshot","product_id":"PI_X","timestamp":1000,"seq":{seq},"bids":[{{"price":1.5,"qty":2.0}}],"asks":[]}}"#
        )
    };
    let change = |seq: u64| {
        format!(
            r#"{{"feed":"book","product_id":"PI_X","side":"buy","seq":{seq},"price":1.5,"qty":3.0,"timestamp":1000}}"#
        )
    };
    let messages = [change(6), whole(7), change(7), change(8), change(10), change(11), whole(11), change(12)];
    let wanted =
        [Kind::Reset, Kind::Level, Kind::Level, Kind::FeedGap, Kind::Reset, Kind::Level, Kind::Level];
    let tally = check(Format::KrakenFutures, &messages, &wanted);
    let left_out = [
        ("book update without a snapshot that it continues", 2, 1),
        ("book update that the book holds already", 1, 3),
        ("book update behind a hole in the venue's numbering", 1, 5),
    ];
    assert_eq!(skipped(&tally), left_out);
}

#[test]
fn an_answer_names_its_market_by_what_was_asked() {
    let diff = |symbol: &str, first: u64| {
        format!(
            r#"1.5: {{"stream":"x@depth","data":{{"e":"depthUpdate","E":1000,"s":"{symbol}","U":{first},"u":{first},"b":[],"a":[["2","1"]]}}}}"#
        )
    };
    let answer = |query: &str| {
        format!(
            r#"https://api.binance.us/api/v3/depth?{query} -> 1.6: {{"lastUpdateId":6,"bids":[],"asks":[]}}"#
        )
    };
    let stream = [diff("BTCUSD", 7), diff("ETHUSD", 8)].join("\n");
    let captured = Captured::new(&[&stream, &answer("limit=1000&symbol=BTCUSD")]);
    let (import, events) = import(Format::Binance, &captured.files);
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), [Kind::Reset, Kind::Level]);
    let symbol = &feed::FeedSource::instruments(&import)[events[0].symbol].symbol;
    assert_eq!((&**symbol, events[1].number), ("BTC/USD", 7));
    Captured::new(&[&stream, &answer("limit=1000")]).check_refused(
        Format::Binance,
        &[],
        &["capture1:1", "names no symbol"],
    );
}

#[test]
fn diffs_wait_for_the_order_book_that_they_are_later_than() {
    let diff = |time: u64| {
        format!(
            r#"1.5: {{"event":"data","channel":"diff_order_book_btcusd","data":{{"microtimestamp":"{time}","bids":[["1.5","2"]],"asks":[]}}}}"#
        )
    };
    let book = r#"https://www.bitstamp.net/api/v2/order_book/btcusd/ -> 1.6: {"microtimestamp":"20","bids":[],"asks":[]}"#;
    let other = r#"https://www.bitstamp.net/api/v2/ticker/btcusd/ -> 1.7: {"last":"1"}"#;
    let captured =
        Captured::new(&[&[diff(10), diff(20), diff(30)].join("\n"), &[book, other, book].join("\n")]);
    let (import, events) = import(Format::Bitstamp, &captured.files);
    let taken: Vec<_> = events.iter().map(|event| (event.kind, event.timestamp.0)).collect();
    assert_eq!(taken, [(Kind::Reset, 20_000), (Kind::Level, 30_000)]);
    let left_out = [
        ("book update that the book holds already", 2, 1),
        ("answer to a REST request", 1, 2),
        ("book snapshot of a book that stands", 1, 3),
    ];
    assert_eq!(skipped(import.tally()), left_out);
}

#[test]
fn a_change_that_follows_another_than_the_last_is_a_gap() {
    let book = |kind: &str, id: u64, previous: u64, bid: &str| {
        format!(
            r#"{{"method":"subscription","params":{{"channel":"book.BTC-PERPETUAL.raw","data":{{"type":"{kind}","timestamp":1000,"change_id":{id},"prev_change_id":{previous},"bids":[{bid}],"asks":[]}}}}}}"#
        )
    };
    let messages = [
        book("snapshot", 10, 0, r#"["new",1.5,2.0]"#),
        book("change", 17, 10, r#"["delete",1.5,0.0],["new",1.0,3.0]"#),
        book("change", 19, 18, r#"["change",1.0,4.0]"#),
        book("snapshot", 20, 0, ""),
    ];
    let wanted = [Kind::Reset, Kind::Level, Kind::Level, Kind::Level, Kind::FeedGap, Kind::Reset];
    let tally = check(Format::Deribit, &messages, &wanted);
    assert_eq!(skipped(&tally), [("book update behind a hole in the venue's numbering", 1, 3)]);
}

#[test]
fn an_id_that_is_not_known_is_a_gap() {
    let book = |table: &str, action: &str, rows: &str| {
        format!(r#"{{"table":"{table}","action":"{action}","filter":{{"symbol":"XBTUSD"}},"data":[{rows}]}}"#)
    };
    let level = |id: u64, rest: &str| format!(r#"{{"symbol":"XBTUSD","id":{id},"side":"Buy"{rest}}}"#);
    let whole = |id| level(id, r#","size":10,"price":1.5"#);
    let messages = [
        book("orderBookL2", "update", &level(1, r#","size":5"#)),
        book("orderBookL2", "partial", &whole(1)),
        book("orderBookL2_25", "partial", &whole(1)),
        book("orderBookL2", "update", &level(1, r#","size":5"#)),
        book("orderBookL2", "delete", &level(1, "")),
        book("orderBookL2", "update", &format!("{},{}", whole(1), level(2, r#","size":5"#))),
        book("orderBookL2", "insert", &whole(1)),
        book("orderBookL2", "partial", ""),
    ];
    let wanted = [Kind::Reset, Kind::Level, Kind::Level, Kind::Level, Kind::FeedGap, Kind::Reset];
    let tally = check(Format::Bitmex, &messages, &wanted);
    let left_out = [
        ("book update without a snapshot that it continues", 2, 1),
        ("book beside one of another table", 1, 3),
        ("book update behind a hole in the venue's numbering", 1, 6),
    ];
    assert_eq!(skipped(&tally), left_out);
}

#[test]
fn a_new_connection_is_a_gap_where_a_hole_would_not_show() {
    let diff = |at: u64| {
        format!(
            r#"{at}: {{"event":"data","channel":"diff_order_book_btcusd","data":{{"microtimestamp":"{at}","bids":[["1.5","{at}"]],"asks":[]}}}}"#
        )
    };
    let book = |at: u64| {
        format!(
            r#"https://h/api/v2/order_book/btcusd/ -> {at}: {{"microtimestamp":"{at}","bids":[],"asks":[]}}"#
        )
    };
    let connection = "wss://ws.bitstamp.net <-> 1.0".to_owned();
    let lines = [connection.clone(), book(1), diff(2), connection, diff(5), book(6), diff(7)];
    let (import, events) = import(Format::Bitstamp, &Captured::new(&[&lines.join("\n")]).files);
    let taken: Vec<_> = events.iter().map(|event| (event.kind, event.number)).collect();
    let wanted = [(Kind::Reset, 1), (Kind::Level, 2), (Kind::FeedGap, 0), (Kind::Reset, 6), (Kind::Level, 7)];
    assert_eq!(taken, wanted);
    assert_eq!(events[3].reset_reason(), ResetReason::Gap);
    let left_out = [
        ("connection", 2, 1),
        ("book of before a new connection", 1, 4),
        ("book update that the book holds already", 1, 5),
    ];
    assert_eq!(skipped(import.tally()), left_out);
}
