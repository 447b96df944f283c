//! Long polling: each answer goes on exactly where the one before left off, whoever gives it, and there is none when there is
//! nothing to say.

mod support;

use market::{Event, Kind, ResetReason, Side, SymbolId};
use serde_json::{Value, json};
use session::{Limits, Poll};
use support::{
    Bench,
    account::{Account, Chance, Market, SYMBOLS},
    level, trade, wanted,
};
use wire::message::{Channel, ErrorCode, Interval, Policy, Subscribe};

const BTC: &[&str] = &["BTC/USDT"];

/// An answer: the cursor and the messages.
type Answer = (String, Vec<Value>);

fn ask(bench: &mut Bench, subscribe: &[Subscribe], cursor: Option<&str>) -> Option<Answer> {
    let publisher = bench.worker.publisher_mut();
    let cursor = cursor.map(|text| text.parse().unwrap());
    let poll = Poll::new(subscribe, &publisher.instruments().clone(), cursor).unwrap();
    let mut body = Vec::new();
    publisher.push_poll(&poll, bench.now, &mut body).then(|| {
        let answer: Value = serde_json::from_slice(&body).unwrap();
        (answer["cursor"].as_str().unwrap().to_owned(), answer["messages"].as_array().unwrap().clone())
    })
}

fn books(depth: u64) -> [Subscribe; 1] {
    [wanted(Channel::Book, BTC, depth, None)]
}

fn trades() -> [Subscribe; 1] {
    [wanted(Channel::Trade, BTC, 10, None)]
}

fn token(rest: &str) -> String {
    format!("9c41d7e0a25b7f3a:{rest}")
}

/// Type and reason of the only message.
fn only(answer: Option<Answer>) -> (Value, Value) {
    let (_, messages) = answer.expect("an answer");
    assert_eq!(messages.len(), 1, "{messages:?}");
    (messages[0]["type"].clone(), messages[0]["data"][0]["reason"].clone())
}

#[test]
fn the_first_poll_is_answered_with_a_snapshot_and_the_next_when_the_view_changes() {
    let mut bench = Bench::standing();
    let (cursor, messages) = ask(&mut bench, &books(10), None).unwrap();
    assert_eq!(cursor, token("BTC/USDT@10=11"));
    assert_eq!(messages[0]["data"][0]["reason"], "subscribe");
    assert_eq!(ask(&mut bench, &books(10), Some(&cursor)), None, "nothing is new");
    bench.exchange_event(0, &[trade(10_001, 1)]);
    assert_eq!(ask(&mut bench, &books(10), Some(&cursor)), None, "the view is the same");
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 7)]);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 100)]);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 8)]);
    bench.exchange_event(0, &[level(Side::Ask, 10_001, 9)]);
    let (next, messages) = ask(&mut bench, &books(10), Some(&cursor)).unwrap();
    assert_eq!(next, token("BTC/USDT@10=16"));
    assert_eq!(messages.len(), 1, "one message from the cursor on");
    let data = &messages[0]["data"][0];
    assert_eq!((&data["first_seq"], &data["seq"]), (&json!(12), &json!(16)));
    assert_eq!(data["conflated"], false);
    assert_eq!(ask(&mut bench, &books(10), Some(&next)), None);
}

#[test]
fn a_cursor_that_cannot_be_continued_gets_a_snapshot_that_says_why() {
    let mut bench = Bench::standing();
    let check = |bench: &mut Bench, depth, cursor: &str, reason: &str| {
        let answer = ask(bench, &books(depth), Some(cursor));
        assert_eq!(only(answer), (json!("snapshot"), json!(reason)), "from {cursor}");
    };
    check(&mut bench, 10, &token("ETH/USDT=4"), "subscribe");
    check(&mut bench, 10, "0000000000000001:BTC/USDT@10=11", "resume");
    check(&mut bench, 10, &token("BTC/USDT@10=12"), "resume");
    check(&mut bench, 10, &token("BTC/USDT=11"), "resume");
    check(&mut bench, 10, &token("BTC/USDT@5=11"), "modify");
    check(&mut bench, 0, &token("BTC/USDT@1000=11"), "modify");
    assert_eq!(ask(&mut bench, &books(5), Some(&token("BTC/USDT@10=11"))), None, "a deeper book is enough");
    bench.reset(0, ResetReason::Feed);
    check(&mut bench, 10, &token("BTC/USDT@10=11"), "resume");
}

#[test]
fn a_cursor_older_than_the_history_gets_a_snapshot() {
    let mut bench = Bench::new(Limits { history_bytes: 8 << 10, ..Limits::default() });
    bench.reset(0, ResetReason::Feed);
    let (cursor, _) = ask(&mut bench, &books(10), None).unwrap();
    for qty in 1..5_000 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000, qty)]);
    }
    let (next, _) = ask(&mut bench, &books(10), Some(&cursor)).unwrap();
    assert_eq!(only(ask(&mut bench, &books(10), Some(&cursor))), (json!("snapshot"), json!("resume")));
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 7)]);
    assert_eq!(only(ask(&mut bench, &books(10), Some(&next))), (json!("update"), Value::Null));
}

#[test]
fn trades_begin_now_and_go_on_from_the_cursor_each_once() {
    let mut bench = Bench::standing();
    bench.exchange_event(0, &[trade(10_001, 1)]);
    let (cursor, messages) = ask(&mut bench, &trades(), None).unwrap();
    assert_eq!((cursor, messages), (token("BTC/USDT=12"), vec![]));
    let with_past = [Subscribe { snapshot: Some(true), ..trades()[0].clone() }];
    assert_eq!(only(ask(&mut bench, &with_past, None)).0, "snapshot");
    bench.exchange_event(0, &[trade(10_001, 2), trade(10_001, 3)]);
    bench.exchange_event(0, &[trade(10_001, 4)]);
    let (cursor, messages) = ask(&mut bench, &trades(), Some(&token("BTC/USDT=12"))).unwrap();
    assert_eq!(cursor, token("BTC/USDT=15"));
    let ranges: Vec<_> = messages.iter().map(|m| (m["first_seq"].clone(), m["seq"].clone())).collect();
    assert_eq!(ranges, [(json!(13), json!(14)), (json!(15), json!(15))]);
    assert_eq!(ask(&mut bench, &trades(), Some(&cursor)), None);
}

#[test]
fn trades_that_are_no_longer_held_or_that_the_feed_lost_are_named() {
    let mut bench = Bench::new(Limits { trades_bytes: 2_000, ..Limits::default() });
    bench.reset(0, ResetReason::Feed);
    (1..100).for_each(|id| bench.exchange_event(0, &[trade(10_001, id)]));
    let (_, messages) = ask(&mut bench, &trades(), Some(&token("BTC/USDT=11"))).unwrap();
    let gap = &messages[0]["data"][0];
    assert_eq!((&gap["from_seq"], &gap["reason"]), (&json!(12), &json!("resume")));
    assert_eq!(messages[1]["first_seq"].as_u64(), gap["to_seq"].as_u64().map(|seq| seq + 1));

    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    let cursor = token("BTC/USDT=110");
    assert_eq!(ask(&mut bench, &trades(), Some(&cursor)), None);
    bench.reset(0, ResetReason::Gap);
    let (cursor, messages) = ask(&mut bench, &trades(), Some(&cursor)).unwrap();
    assert_eq!(messages[0]["data"][0]["reason"], "feed_gap");
    assert_eq!(cursor, token("BTC/USDT=121"));
    let (_, messages) = ask(&mut bench, &trades(), Some("0000000000000001:BTC/USDT=5")).unwrap();
    assert_eq!(messages[0]["data"][0]["to_seq"], 121, "of an earlier numbering nothing can be told");
}

#[test]
fn nothing_is_told_of_a_book_that_does_not_stand() {
    let mut bench = Bench::new(Limits::default());
    let (cursor, messages) = ask(&mut bench, &books(10), None).unwrap();
    assert_eq!((cursor.as_str(), messages), ("9c41d7e0a25b7f3a:", vec![]));
    bench.reset(0, ResetReason::Feed);
    let (cursor, messages) = ask(&mut bench, &books(10), Some(&cursor)).unwrap();
    assert_eq!(messages[0]["data"][0]["reason"], "subscribe");
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    assert_eq!(ask(&mut bench, &books(10), Some(&cursor)), None);
    let (begun, messages) = ask(&mut bench, &books(10), None).unwrap();
    assert_eq!((begun.as_str(), messages), ("9c41d7e0a25b7f3a:", vec![]));
    bench.reset(0, ResetReason::Gap);
    assert_eq!(only(ask(&mut bench, &books(10), Some(&cursor))), (json!("snapshot"), json!("resume")));
}

#[test]
fn who_was_never_sent_the_top_of_a_lost_book_gets_it_although_it_comes_back_the_same() {
    let mut bench = Bench::standing();
    let both = [wanted(Channel::Bbo, BTC, 10, None), trades()[0].clone()];
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    let (cursor, messages) = ask(&mut bench, &both, None).unwrap();
    assert_eq!(messages, Vec::<Value>::new());
    bench.reset(0, ResetReason::Gap);
    let (_, messages) = ask(&mut bench, &both, Some(&cursor)).expect("the top");
    assert!(messages.iter().any(|message| message["channel"] == "bbo"), "{messages:?}");
}

#[test]
fn one_cursor_stands_for_all_channels_of_a_symbol_and_all_symbols() {
    let mut bench = Bench::standing();
    bench.reset(1, ResetReason::Feed);
    let all = [Channel::Book, Channel::Trade, Channel::Bbo].map(|channel| wanted(channel, &SYMBOLS, 5, None));
    let (cursor, messages) = ask(&mut bench, &all, None).unwrap();
    assert_eq!(cursor, token("BTC/USDT@5=11,ETH/USDT@5=11"));
    assert_eq!(messages.len(), 4, "a book and a top of each");
    bench.exchange_event(1, &[trade(10_001, 1), level(Side::Ask, 10_005, 3)]);
    let (cursor, messages) = ask(&mut bench, &all, Some(&cursor)).unwrap();
    let told: Vec<_> = messages.iter().map(|message| &message["channel"]).collect();
    assert_eq!(told, ["trade", "book"], "the top is as it was, and so is the other symbol");
    assert_eq!(cursor, token("BTC/USDT@5=11,ETH/USDT@5=13"));
    let top = [wanted(Channel::Bbo, BTC, 10, None)];
    assert_eq!(only(ask(&mut bench, &top, Some(&token("ETH/USDT=13")))).0, "snapshot");
    assert_eq!(ask(&mut bench, &top, Some(&token("BTC/USDT=11"))), None);
    bench.exchange_event(0, &[level(Side::Ask, 10_001, 3)]);
    let (_, messages) = ask(&mut bench, &top, Some(&token("BTC/USDT=11"))).unwrap();
    assert_eq!(
        (&messages[0]["type"], &messages[0]["data"][0]["ask_qty"]),
        (&json!("update"), &json!(0.00003))
    );
}

#[test]
fn more_trades_than_an_answer_holds_come_with_the_next_one() {
    let mut bench = Bench::standing();
    (1..=2_000).for_each(|id| bench.exchange_event(0, &[trade(10_001, id)]));
    let (mut cursor, mut ids, mut answers) = (token("BTC/USDT=11"), Vec::new(), 0);
    while let Some((next, messages)) = ask(&mut bench, &trades(), Some(&cursor)) {
        assert!(messages.iter().map(|message| message.to_string().len()).sum::<usize>() < 70_000);
        let entries = messages.iter().flat_map(|message| message["data"].as_array().unwrap());
        ids.extend(entries.map(|trade| trade["trade_id"].as_u64().unwrap()));
        (cursor, answers) = (next, answers + 1);
    }
    assert_eq!(ids, (1..=2_000).collect::<Vec<_>>());
    assert!(answers > 2, "{answers} answers");
}

#[test]
fn messages_carry_stamps_where_they_are_wanted() {
    let mut bench = Bench::standing();
    let stamped = [Subscribe { stamps: true, ..books(10)[0].clone() }];
    let (_, messages) = ask(&mut bench, &stamped, None).unwrap();
    assert_eq!(messages[0]["data"][0]["ts"]["engine"], bench.now.0);
    let (_, messages) = ask(&mut bench, &books(10), None).unwrap();
    assert_eq!(messages[0]["data"][0].get("ts"), None);
}

#[test]
fn what_a_poll_cannot_have_is_refused() {
    let bench = Bench::standing();
    let instruments = bench.worker.publisher().instruments().clone();
    let check = |change: Subscribe, code| {
        assert_eq!(Poll::new(&[change], &instruments, None).unwrap_err().code, code);
    };
    check(Subscribe { policy: Policy::Lossless, ..books(10)[0].clone() }, ErrorCode::BadPolicy);
    check(
        Subscribe { interval: Interval::new(100).unwrap(), ..books(10)[0].clone() },
        ErrorCode::BadInterval,
    );
    check(wanted(Channel::Stats, &[], 10, None), ErrorCode::BadChannel);
}

/// Polls at odd moments, also from cursors of long ago.
fn keeps_account(seed: u64) {
    let mut chance = Chance(seed);
    let (history_bytes, trades_bytes) = [(1 << 20, 32 << 20), (64 << 10, 2_000)][chance.below(2) as usize];
    let mut bench = Bench::new(Limits { history_bytes, trades_bytes, ..Limits::default() });
    let mut market = Market::default();
    let depth = [1, 5, 10, 0][chance.below(4) as usize];
    let all =
        [Channel::Trade, Channel::Book, Channel::Bbo].map(|channel| wanted(channel, &SYMBOLS, depth, None));
    let mut kept: Vec<(String, Account)> = Vec::new();
    for round in 0..300 {
        for _ in 0..chance.below(12) {
            market.happen(&mut bench, &mut chance);
        }
        if round % 3 == 0 {
            bench.flush();
        }
        let old = chance.below(4) == 0 && !kept.is_empty();
        let at = if old { chance.below(kept.len() as u64) as usize } else { kept.len().saturating_sub(1) };
        let (mut cursor, mut account) = match kept.get(at) {
            Some((cursor, account)) => (Some(cursor.clone()), account.clone()),
            None => (None, Account::unbegun(depth as usize, &bench)),
        };
        let mut answers = 0;
        while let Some((next, messages)) = ask(&mut bench, &all, cursor.as_deref()) {
            answers += 1;
            assert!(answers < 20, "the same again and again: {messages:?}");
            messages.iter().for_each(|message| account.take(message));
            account.come_back(&next);
            kept.push((next.clone(), account.clone()));
            cursor = Some(next);
        }
        account.check_standing(&market, &bench);
    }
}

#[test]
fn whatever_the_cursor_the_book_is_exact_and_no_trade_is_lost() {
    for seed in 0..40 {
        println!("seed {seed}");
        keeps_account(seed);
    }
}
