//! One worker, its clients, and what they see.

mod support;

use market::{Event, Kind, ResetReason, Side, SymbolId};
use serde_json::{Value, json};
use session::Limits;
use std::time::Duration;
use support::{Bench, TextBook, level, trade};

const BOOK: &str = r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT"},"req_id":1}"#;
const TRADE: &str = r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT"]}}"#;
const BBO: &str = r#"{"method":"subscribe","params":{"channel":"bbo","symbol":"BTCUSDT"}}"#;

fn data(message: &Value) -> &Value {
    &message["data"][0]
}

fn errors(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter(|message| message["success"] == false).filter_map(|m| m["code"].as_str()).collect()
}

#[test]
fn a_subscriber_gets_the_answer_a_snapshot_and_then_each_change() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    let messages = bench.messages(conn);
    let result = json!({"channel":"book","symbol":"BTC/USDT","depth":10,"interval_ms":0,"policy":"conflate",
        "epoch":"9c41d7e0a25b7f3a","seq":11,"recovered":false});
    assert_eq!(messages[0], json!({"method":"subscribe","success":true,"result":result,"req_id":1}));
    assert_eq!(
        (&messages[1]["type"], &data(&messages[1])["reason"]),
        (&json!("snapshot"), &json!("subscribe"))
    );
    let mut book = TextBook::new(10);
    book.apply(&messages[1]);
    assert_eq!((book.bids.len(), book.asks.len(), book.last), (5, 5, 11));

    bench.exchange_event(0, &[level(Side::Bid, 10_000, 0), level(Side::Ask, 10_001, 9)]);
    bench.exchange_event(0, &[trade(10_001, 1)]);
    bench.exchange_event(0, &[level(Side::Ask, 10_003, 1)]);
    bench.flush();
    let messages = bench.messages(conn);
    let ranges: Vec<_> =
        messages.iter().map(|m| (data(m)["first_seq"].clone(), data(m)["seq"].clone())).collect();
    assert_eq!(
        ranges,
        [(json!(12), json!(13)), (json!(14), json!(15))],
        "a trade makes no book message; its seq is covered"
    );
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!((book.bids.len(), book.asks.len()), (4, 5));
}

#[test]
fn all_that_is_pending_over_all_topics_is_one_write_with_trades_before_the_book() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.send(conn, TRADE);
    bench.send(conn, BBO);
    bench.messages(conn);
    let writes = bench.sockets.writes;
    for i in 0..20 {
        bench.exchange_event(0, &[trade(10_001, i + 1), level(Side::Ask, 10_001, 50 + i)]);
    }
    bench.flush();
    assert_eq!(bench.sockets.writes - writes, 1);
    let messages = bench.messages(conn);
    assert_eq!(messages.len(), 60);
    let first = |channel: &str| messages.iter().position(|message| message["channel"] == channel).unwrap();
    assert!(first("trade") < first("book"));
}

#[test]
fn clients_at_the_same_places_get_the_same_bytes_and_go_on_from_there() {
    for batch_bytes in [400, 64 << 10] {
        let mut bench = Bench::new(Limits { batch_bytes, ..Limits::default() });
        bench.reset(0, ResetReason::Feed);
        bench.flush();
        let mut both = || {
            let conn = bench.client(BOOK);
            bench.send(conn, TRADE);
            bench.messages(conn);
            conn
        };
        let (same, too, slow) = (both(), both(), both());
        let other = bench.client(BBO);
        bench.messages(other);
        let mut book = TextBook::new(10);
        bench.messages(slow);
        bench.stall(slow, 10);
        for turn in 0..4 {
            for i in 0..3 {
                bench.exchange_event(
                    0,
                    &[trade(10_001, turn * 3 + i), level(Side::Ask, 10_001, 50 + turn * 3 + i)],
                );
            }
            if turn == 2 {
                bench.drain(slow);
            }
            bench.flush();
            let messages = bench.messages(same);
            assert_eq!(messages.len(), 6, "with batches of {batch_bytes} bytes");
            assert_eq!(messages, bench.messages(too));
            let mut numbers = TextBook { last: bench.seq(0) - 6, ..TextBook::new(10) };
            for message in messages.iter().filter(|message| message["channel"] == "book") {
                assert_eq!(data(message)["first_seq"], numbers.last + 1);
                numbers.last = data(message)["seq"].as_u64().unwrap();
            }
        }
        bench.drain(slow);
        let late = bench.client(BOOK);
        bench.messages(late).iter().for_each(|message| book.apply(message));
        let of_slow = bench.messages(slow);
        let last = of_slow.iter().rfind(|message| message["channel"] == "book").unwrap();
        assert_eq!(
            data(last)["checksum"],
            u64::from(book.checksum()),
            "the slow one is right in its own way"
        );
    }
}

#[test]
fn a_connection_is_told_its_own_figures_every_ten_seconds_if_it_asks() {
    let mut bench = Bench::standing();
    let conn = bench.client(r#"{"method":"subscribe","params":{"channel":"stats"},"req_id":5}"#);
    bench.send(conn, BOOK);
    let answer = &bench.messages(conn)[0];
    assert_eq!((&answer["result"]["channel"], &answer["req_id"]), (&json!("stats"), &json!(5)));
    bench.send(conn, r#"{"method":"subscribe","params":{"channel":"stats"}}"#);
    assert_eq!(errors(&bench.messages(conn)), ["already_subscribed"]);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    bench.messages(conn);
    let stats = |bench: &mut Bench, seconds| {
        bench.now = bench.now + Duration::from_secs(seconds);
        bench.worker.timers(bench.now, &mut bench.sockets);
        bench.messages(conn).into_iter().filter(|message| message["channel"] == "stats").collect::<Vec<_>>()
    };
    assert_eq!(stats(&mut bench, 9), Vec::<Value>::new());
    let told = stats(&mut bench, 1);
    assert_eq!((told.len(), &data(&told[0])["lag_seq"], &data(&told[0])["gaps"]), (1, &json!(0), &json!(0)));
    assert!(data(&told[0])["bytes_sent"].as_u64() > Some(500), "{told:?}");
    bench.send(conn, r#"{"method":"unsubscribe","params":{"channel":"stats"}}"#);
    assert_eq!(stats(&mut bench, 11), Vec::<Value>::new());
}

#[test]
fn a_slow_client_gets_one_merge_that_says_so_and_is_right() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    let mut book = TextBook::new(10);
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    bench.stall(conn, 30);
    for i in 0..10 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000 - i, 1_000 + i as u64)]);
        bench.flush();
    }
    bench.exchange_event(0, &[level(Side::Bid, 9_000, 1), level(Side::Bid, 9_000, 0)]);
    bench.drain(conn);
    let messages = bench.messages(conn);
    assert_eq!(messages.len(), 2, "what was partly written, and one merge");
    assert_eq!(data(&messages[1])["conflated"], true);
    assert_eq!(data(&messages[1])["merged"], 9);
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!(book.last, 21);

    bench.exchange_event(0, &[level(Side::Bid, 9_999, 3)]);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(data(&messages[0])["conflated"], false, "in step again");
    messages.iter().for_each(|message| book.apply(message));
}

#[test]
fn a_merge_carries_the_oldest_and_the_newest_engine_time() {
    let mut bench = Bench::standing();
    let conn = bench
        .client(r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","stamps":true}}"#);
    bench.messages(conn);
    bench.stall(conn, 0);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    bench.tick(5);
    let oldest = bench.now;
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 2)]);
    bench.tick(5);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 3)]);
    bench.flush();
    bench.drain(conn);
    let messages = bench.messages(conn);
    let ts = &data(messages.last().unwrap())["ts"];
    assert_eq!((ts["engine_first"].as_u64(), ts["engine"].as_u64()), (Some(oldest.0), Some(bench.now.0)));
}

#[test]
fn trades_of_a_slow_client_are_all_sent_or_named() {
    let limits = Limits { trades_bytes: 6 * 2 * size_of::<[u64; 9]>(), ..Limits::default() };
    let mut bench = Bench::new(limits);
    bench.reset(0, ResetReason::Feed);
    bench.flush();
    let conn = bench.client(TRADE);
    bench.messages(conn);
    bench.stall(conn, 10);
    for id in 1..=4 {
        bench.exchange_event(0, &[trade(10_000, id)]);
        bench.flush();
    }
    bench.drain(conn);
    let ids = |messages: &[Value]| -> Vec<u64> {
        messages.iter().filter_map(|message| data(message)["trade_id"].as_u64()).collect()
    };
    assert_eq!(ids(&bench.messages(conn)), [1, 2, 3, 4], "held: all of them, none merged");

    bench.stall(conn, 10);
    for id in 5..=40 {
        bench.exchange_event(0, &[trade(10_000, id)]);
        bench.flush();
    }
    bench.drain(conn);
    let messages = bench.messages(conn);
    let gap = messages.iter().position(|message| message["channel"] == "gap").expect("a gap is named");
    let lost = data(&messages[gap]);
    assert_eq!((&lost["reason"], &lost["from_seq"]), (&json!("slow_consumer"), &json!(17)));
    let after = data(&messages[gap + 1])["seq"].as_u64().unwrap();
    assert_eq!(after, lost["to_seq"].as_u64().unwrap() + 1, "dense behind the gap");
    assert_eq!(*ids(&messages).last().unwrap(), 40);
}

#[test]
fn lossless_walks_the_log_and_is_closed_when_too_far_behind() {
    let limits = Limits { lossless_bytes: 4_000, ..Limits::default() };
    let mut bench = Bench::new(limits);
    bench.reset(0, ResetReason::Feed);
    let request =
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","policy":"lossless"}}"#;
    let conn = bench.client(request);
    let mut book = TextBook::new(10);
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    bench.stall(conn, 10);
    for i in 0..8 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000, 1_000 + i)]);
        bench.flush();
    }
    bench.drain(conn);
    let messages = bench.messages(conn);
    assert_eq!(messages.len(), 8, "every message, although it was slow");
    messages.iter().for_each(|message| book.apply(message));

    bench.stall(conn, 10);
    for i in 0..40 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000, 2_000 + i)]);
        bench.flush();
    }
    bench.drain(conn);
    let messages = bench.messages(conn);
    assert_eq!(messages.last(), Some(&json!({"close": 4008})));
    assert_eq!(bench.worker.connections(), 0);
}

#[test]
fn a_connection_that_does_not_drain_while_closing_is_reset_in_bounded_time() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.stall(conn, 0);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    bench.send_frame(conn, 0x82, b"binary");
    assert!(!bench.sockets.ended.contains_key(&conn));
    bench.now = bench.now + Duration::from_secs(6);
    bench.worker.timers(bench.now, &mut bench.sockets);
    assert_eq!(bench.sockets.ended.get(&conn), Some(&session::Ending::Reset));
}

#[test]
fn a_token_resumes_exactly_where_the_client_was() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    let mut book = TextBook::new(10);
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    bench.worker.gone(conn);
    for i in 0..50 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000 - i % 7, 500 + i as u64), trade(10_000, i as u64)]);
    }
    bench.flush();
    let request = r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","since":"9c41d7e0a25b7f3a:BTC/USDT@10=11"}}"#;
    let conn = bench.client(request);
    let messages = bench.messages(conn);
    assert_eq!(
        (&messages[0]["result"]["recovered"], &messages[0]["result"]["seq"]),
        (&json!(true), &json!(11))
    );
    assert_eq!((&messages[1]["type"], &data(&messages[1])["first_seq"]), (&json!("update"), &json!(12)));
    book.apply(&messages[1]);
    assert_eq!((book.last, book.snapshots, messages.len()), (bench.seq(0), 1, 2));
    bench.exchange_event(0, &[level(Side::Ask, 10_001, 1)]);
    bench.flush();
    bench.messages(conn).iter().for_each(|message| book.apply(message));
}

#[test]
fn tokens_that_cannot_be_continued_get_a_snapshot_that_says_so() {
    let mut bench = Bench::standing();
    let mut check = |token: &str, reason: &str| {
        let request = format!(
            r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","since":"{token}"}}}}"#
        );
        let conn = bench.client(&request);
        let messages = bench.messages(conn);
        assert_eq!(messages[0]["result"]["recovered"], false, "{token}");
        assert_eq!(data(&messages[1])["reason"], reason, "{token}");
    };
    check("0000000000000001:BTC/USDT@10=11", "resume");
    check("9c41d7e0a25b7f3a:BTC/USDT@10=999", "resume");
    check("9c41d7e0a25b7f3a:BTC/USDT=11", "resume");
    check("9c41d7e0a25b7f3a:BTC/USDT@5=11", "modify");
    check("9c41d7e0a25b7f3a:BTC/USDT@10=3", "resume");
    check("9c41d7e0a25b7f3a:ETH/USDT@10=3", "subscribe");
}

#[test]
fn trades_resume_by_token_from_the_store() {
    let mut bench = Bench::standing();
    for id in 1..=5 {
        bench.exchange_event(0, &[trade(10_000, id)]);
    }
    bench.flush();
    let conn = bench.client(
        r#"{"method":"subscribe","params":{"channel":"trade","symbol":"BTC/USDT","since":"9c41d7e0a25b7f3a:BTC/USDT=13"}}"#,
    );
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["result"]["recovered"], true);
    let seqs: Vec<_> = messages[1..].iter().map(|m| (m["first_seq"].clone(), m["seq"].clone())).collect();
    assert_eq!(seqs, [(json!(14), json!(14)), (json!(15), json!(15)), (json!(16), json!(16))]);
}

#[test]
fn a_book_that_does_not_stand_yet_sends_its_snapshot_when_it_does() {
    let mut bench = Bench::new(Limits::default());
    let conn = bench.client(BOOK);
    assert_eq!(bench.messages(conn).len(), 1, "acknowledged");
    bench.reset(0, ResetReason::Feed);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (&data(&messages[0])["reason"], &data(&messages[0])["seq"]),
        (&json!("subscribe"), &json!(11))
    );
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    assert_eq!(data(&bench.messages(conn)[0])["first_seq"], 12);
}

#[test]
fn a_feed_gap_is_told_and_the_recovery_is_a_snapshot_that_says_so() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.send(conn, TRADE);
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.flush();
    bench.messages(conn);
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    bench.flush();
    let told = bench.messages(conn);
    assert_eq!(told, [json!({"channel":"status","data":[{"event":"feed_gap","symbol":"BTC/USDT"}]})]);
    bench.reset(0, ResetReason::Gap);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["channel"], "gap");
    assert_eq!(data(&messages[0])["from_seq"], 13);
    assert_eq!(data(&messages[1])["reason"], "feed_gap");
}

#[test]
fn a_hole_of_the_feed_is_named_to_those_who_resume_from_before_it() {
    let mut bench = Bench::standing();
    bench.exchange_event(0, &[trade(10_000, 1)]);
    let before = bench.seq(0);
    bench.exchange_event(0, &[trade(10_000, 2)]);
    bench.publish(Event { symbol: SymbolId(0), ..Event::new(Kind::FeedGap) });
    bench.reset(0, ResetReason::Gap);
    let recovered = bench.seq(0);
    bench.flush();
    let resume = format!(
        r#"{{"method":"subscribe","params":{{"channel":"trade","symbol":"BTC/USDT","since":"9c41d7e0a25b7f3a:BTC/USDT={before}"}}}}"#
    );
    for trades_after in [0, 1] {
        for id in 0..trades_after {
            bench.exchange_event(0, &[trade(10_000, 3 + id)]);
        }
        let conn = bench.client(&resume);
        bench.flush();
        let messages = bench.messages(conn);
        assert_eq!(data(&messages[1])["trade_id"], 2);
        let wanted = json!({"channel":"trade","symbol":"BTC/USDT","from_seq":before + 2,"to_seq":recovered,
            "reason":"feed_gap"});
        assert_eq!(messages[2], json!({"channel":"gap","data":[wanted]}));
        assert_eq!(messages.len() as u64, 3 + trades_after);
    }
}

#[test]
fn a_reset_of_the_feed_is_a_snapshot_for_all() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.messages(conn);
    bench.reset(0, ResetReason::Feed);
    bench.flush();
    let messages = bench.messages(conn);
    assert_eq!((messages.len(), &data(&messages[0])["reason"]), (1, &json!("feed_reset")));
}

#[test]
fn a_lapped_worker_sends_one_snapshot_and_names_the_trades_that_it_missed() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.send(conn, TRADE);
    bench.messages(conn);
    let wanted = bench.worker.lapped();
    assert_eq!(wanted[0], SymbolId(0), "the watched one first");
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 77)]);
    let mut ladder = book::Ladder::default();
    ladder.bids.push(market::Level { price: market::Price(9_999), qty: market::Qty(5) });
    let image = book::Image {
        symbol: SymbolId(0),
        ids: support::EPOCH.into(),
        levels: Some(std::sync::Arc::new(ladder)),
        mark: book::Mark { seq: 12, event: 2, ..book::Mark::default() },
        stale: false,
        position: bench.position,
        feed_time: bench.now,
    };
    bench.worker.install(&image, bench.now);
    bench.exchange_event(0, &[level(Side::Bid, 9_998, 6)]);
    bench.flush();
    let mut book = TextBook::new(10);
    let messages = bench.messages(conn);
    messages.iter().for_each(|message| book.apply(message));
    assert_eq!((book.bids.len(), book.last, book.snapshots), (2, 13, 1));
    let gap = messages.iter().find(|message| message["channel"] == "gap").unwrap();
    assert_eq!((&data(gap)["reason"], &data(gap)["to_seq"]), (&json!("lagged"), &json!(12)));
}

#[test]
fn a_worker_that_was_lapped_while_a_replay_was_moved_back_begins_anew_there() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.send(conn, TRADE);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5), support::trade(10_000, 1)]);
    bench.flush();
    bench.messages(conn);
    assert!(bench.seq(0) > 5);
    bench.worker.lapped();
    let mut ladder = book::Ladder::default();
    ladder.bids.push(market::Level { price: market::Price(9_999), qty: market::Qty(5) });
    let image = book::Image {
        symbol: SymbolId(0),
        ids: support::EPOCH.into(),
        levels: Some(std::sync::Arc::new(ladder)),
        mark: book::Mark { seq: 5, event: 2, ..book::Mark::default() },
        stale: false,
        position: bench.position,
        feed_time: market::Nanos(7),
    };
    bench.worker.install(&image, bench.now);
    bench.flush();
    let messages = bench.messages(conn);
    let [book, trades] = ["book", "trade"].map(|channel| {
        messages
            .iter()
            .find(|message| message["channel"] == channel)
            .unwrap_or_else(|| panic!("{messages:?}"))
    });
    assert_eq!(
        (&trades["reason"], &trades["seq"], &trades["symbol"]),
        (&json!("seek"), &json!(5), &json!("BTC/USDT"))
    );
    assert_eq!((&data(book)["reason"], &data(book)["seq"]), (&json!("seek"), &json!(5)));
}

#[test]
fn a_lapped_worker_waits_for_a_book_that_ingest_does_not_have() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.messages(conn);
    bench.worker.lapped();
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 77)]);
    let image = book::Image {
        symbol: SymbolId(0),
        ids: support::EPOCH.into(),
        levels: None,
        mark: book::Mark { seq: 12, ..book::Mark::default() },
        stale: true,
        position: bench.position,
        feed_time: bench.now,
    };
    bench.worker.install(&image, bench.now);
    bench.reset(0, ResetReason::Gap);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 6)]);
    bench.flush();
    let mut book = TextBook::new(10);
    bench.messages(conn).iter().for_each(|message| book.apply(message));
    assert_eq!((book.bids.len(), book.last, book.snapshots), (6, 24, 1));
}

#[test]
fn a_heartbeat_names_a_quiet_symbol_also_to_who_resumed_beyond_its_last_message() {
    let mut bench = Bench::standing();
    let request = r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","depth":1,"heartbeat_ms":250,"since":"9c41d7e0a25b7f3a:BTC/USDT@1="}}"#;
    let other = bench.client(&request.replace(",\"since\":\"9c41d7e0a25b7f3a:BTC/USDT@1=\"", ""));
    bench.messages(other);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    bench.flush();
    let since = bench.seq(0);
    let conn = bench.client(&request.replace("@1=", &format!("@1={since}")));
    assert_eq!(bench.messages(conn)[0]["result"]["recovered"], true);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 6)]);
    bench.flush();
    for _ in 0..2 {
        bench.messages(conn);
        bench.now = bench.now + Duration::from_millis(300);
        bench.worker.timers(bench.now, &mut bench.sockets);
    }
    let messages = bench.messages(conn);
    let quiet = json!([{"channel": "book", "symbol": "BTC/USDT", "seq": since, "through": bench.seq(0)}]);
    assert_eq!(messages[0]["data"], quiet, "{messages:?}");
}

#[test]
fn a_heartbeat_lets_tokens_of_quiet_symbols_grow() {
    let mut bench = Bench::standing();
    let conn = bench.client(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","depth":1,"heartbeat_ms":250}}"#,
    );
    bench.now = bench.now + Duration::from_millis(300);
    bench.worker.timers(bench.now, &mut bench.sockets);
    bench.messages(conn);
    bench.exchange_event(0, &[level(Side::Bid, 9_000, 1)]);
    bench.flush();
    bench.now = bench.now + Duration::from_millis(300);
    bench.worker.timers(bench.now, &mut bench.sockets);
    let messages = bench.messages(conn);
    assert_eq!(messages[0]["channel"], "heartbeat");
    let quiet = json!([{"channel":"book","symbol":"BTC/USDT","seq":11,"through":12}]);
    assert_eq!(messages[0]["data"], quiet);
}

#[test]
fn verify_tells_right_from_wrong_at_any_held_exchange_event() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    let checksum = data(&bench.messages(conn)[1])["checksum"].clone();
    bench.exchange_event(0, &[trade(10_000, 1)]);
    bench.flush();
    let mut check = |seq: u64, checksum: &Value, verdict: &str, more: usize| {
        let request = format!(
            r#"{{"method":"verify","params":{{"symbol":"BTC/USDT","seq":{seq},"checksum":{checksum}}},"req_id":"v"}}"#
        );
        bench.send(conn, &request);
        let messages = bench.messages(conn);
        assert_eq!((&messages[0]["result"]["verdict"], messages.len()), (&json!(verdict), 1 + more), "{seq}");
        messages.last().cloned()
    };
    check(11, &checksum, "ok", 0);
    check(12, &checksum, "ok", 0);
    check(5, &checksum, "unknown", 0);
    check(99, &checksum, "unknown", 0);
    let snapshot = check(12, &json!(1), "mismatch", 1).unwrap();
    assert_eq!(data(&snapshot)["reason"], "verify_mismatch");
}

#[test]
fn modify_changes_a_live_subscription() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.messages(conn);
    bench.send(conn, r#"{"method":"modify","params":{"channel":"book","symbol":"BTC/USDT","depth":1}}"#);
    let messages = bench.messages(conn);
    assert_eq!((&messages[0]["method"], &data(&messages[1])["reason"]), (&json!("modify"), &json!("modify")));
    assert_eq!(data(&messages[1])["bids"].as_array().unwrap().len(), 1);
    bench.send(conn, r#"{"method":"modify","params":{"channel":"book","symbol":"BTC/USDT","stamps":true}}"#);
    assert_eq!(bench.messages(conn).len(), 1, "stamps change nothing of the book");
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    let message = &bench.messages(conn)[0];
    assert!(data(message)["ts"].is_object() && data(message)["first_seq"] == 12);
    bench.send(conn, r#"{"method":"list"}"#);
    assert_eq!(bench.messages(conn)[0]["result"]["subscriptions"][0]["depth"], 1);
}

#[test]
fn each_mistake_has_its_answer_and_harms_nothing_else() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.messages(conn);
    let mut check = |request: &str, code: &str| {
        bench.send(conn, request);
        let messages = bench.messages(conn);
        assert_eq!(errors(&messages), [code], "{request}");
        assert!(messages[0]["error"].as_str().unwrap().len() > 10);
    };
    check("{", "bad_json");
    check(r#"{"method":"fly"}"#, "bad_method");
    check(r#"{"method":"subscribe","params":{"channel":"book","symbol":"NO/PE"}}"#, "bad_symbol");
    check(r#"{"method":"subscribe","params":{"channel":"book","symbol":"ETH/USDT","depth":7}}"#, "bad_depth");
    check(r#"{"method":"subscribe","params":{"channel":"bok","symbol":"ETH/USDT"}}"#, "bad_channel");
    check(r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTCUSDT"}}"#, "already_subscribed");
    check(r#"{"method":"unsubscribe","params":{"channel":"trade","symbol":"BTC/USDT"}}"#, "not_subscribed");
    check(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"ETH/USDT","since":"x"}}"#,
        "bad_token",
    );
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 1)]);
    bench.flush();
    assert_eq!(bench.messages(conn).len(), 1, "the subscription goes on");
}

#[test]
fn a_bad_symbol_does_not_spoil_the_others() {
    let mut bench = Bench::standing();
    let conn = bench.client(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":["NO/PE","BTC/USDT"]},"req_id":"both"}"#,
    );
    let messages = bench.messages(conn);
    assert_eq!(messages.len(), 3);
    assert_eq!((&messages[0]["symbol"], &messages[0]["req_id"]), (&json!("NO/PE"), &json!("both")));
    assert_eq!((&messages[1]["success"], &messages[1]["req_id"]), (&json!(true), &json!("both")));
}

#[test]
fn too_many_requests_are_refused_and_ten_refusals_in_a_row_close() {
    let mut bench = Bench::standing();
    let conn = bench.open();
    for _ in 0..50 {
        bench.send(conn, r#"{"method":"list"}"#);
    }
    assert_eq!(errors(&bench.messages(conn)), Vec::<&str>::new());
    bench.send(conn, r#"{"method":"list","req_id":7}"#);
    let refused = &bench.messages(conn)[0];
    assert_eq!((&refused["code"], &refused["req_id"]), (&json!("rate_limited"), &json!(7)));
    assert!(refused["retry_after_ms"].as_u64().unwrap() <= 200);
    bench.send(conn, r#"{"method":"ping"}"#);
    assert_eq!(bench.messages(conn)[0]["method"], "pong", "pings have a budget of their own");
    for _ in 0..10 {
        bench.send(conn, r#"{"method":"list"}"#);
    }
    assert_eq!(bench.messages(conn).last(), Some(&json!({"close": 4029})));
}

#[test]
fn frames_that_are_not_for_this_endpoint_close_with_their_code() {
    let mut bench = Bench::standing();
    let mut check = |first: u8, payload: &[u8], code: Option<u16>| {
        let conn = bench.client(BOOK);
        bench.messages(conn);
        bench.send_frame(conn, first, payload);
        assert_eq!(bench.messages(conn), [json!({"close": code})]);
        assert!(bench.sockets.ended.contains_key(&conn));
    };
    check(0x82, b"binary", Some(1003));
    check(0x81, b"\xFF", Some(1007));
    check(0xC1, b"{}", Some(1002));
    check(0x88, &1000u16.to_be_bytes(), Some(1000));
    check(0x88, b"", None);
}

#[test]
fn a_client_that_answers_no_ping_is_closed() {
    let mut bench = Bench::standing();
    let (silent, alive) = (bench.open(), bench.open());
    for _ in 0..8 {
        bench.now = bench.now + Duration::from_secs(10);
        bench.send_frame(alive, 0x8A, b"depthcast");
        bench.worker.timers(bench.now, &mut bench.sockets);
    }
    assert!(bench.sockets.ended.contains_key(&silent));
    assert!(!bench.sockets.ended.contains_key(&alive));
}

#[test]
fn the_end_of_the_feed_is_told_behind_all_data() {
    let mut bench = Bench::standing();
    let request =
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","policy":"lossless"}}"#;
    let (fast, slow) = (bench.client(request), bench.client(request));
    bench.messages(fast);
    bench.messages(slow);
    bench.stall(slow, 10);
    for i in 0..5 {
        bench.exchange_event(0, &[level(Side::Bid, 10_000, 1_000 + i)]);
    }
    bench.publish(Event::new(Kind::FeedEnded));
    bench.flush();
    bench.drain(slow);
    for conn in [fast, slow] {
        let messages = bench.messages(conn);
        assert_eq!(messages.len(), 6);
        assert_eq!(data(&messages[5])["event"], "feed_ended");
    }
}

#[test]
fn a_shutdown_is_announced_before_the_close() {
    let mut bench = Bench::standing();
    let conn = bench.client(BOOK);
    bench.messages(conn);
    bench.worker.shut_down(bench.now, "deploy", || Duration::from_millis(1840), &mut bench.sockets);
    let status =
        json!({"channel":"status","data":[{"event":"shutdown","retry_after_ms":1840,"reason":"deploy"}]});
    assert_eq!(bench.messages(conn), [status, json!({"close": 1001})]);
}
