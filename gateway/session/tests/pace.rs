//! Whom a worker waits for that reads the ring as fast as it can: `lossless` clients that are far behind, as long as they take something.

mod support;

use market::{Nanos, Side};
use session::{Ending, Limits};
use std::time::Duration;
use support::{Bench, level};

const PATIENCE: Duration = Duration::from_secs(5);

fn request(policy: &str) -> String {
    format!(
        r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","policy":"{policy}"}}}}"#
    )
}

/// Some messages, until so many bytes are appended.
fn append(bench: &mut Bench, bytes: usize) {
    for n in 0..bytes / 250 {
        bench.exchange_event(0, &[level(Side::Bid, 9_990, 1 + n as u64 % 7)]);
        bench.flush();
    }
}

fn waits_until(bench: &Bench) -> Option<Nanos> {
    bench.worker.waits_until(bench.now, PATIENCE)
}

#[test]
fn a_lossless_client_that_is_far_behind_is_waited_for_until_it_takes_nothing_for_too_long() {
    let mut bench = Bench::standing();
    let conn = bench.client(&request("lossless"));
    bench.stall(conn, 1_000);
    append(&mut bench, 100 << 10);
    assert_eq!(waits_until(&bench), None, "a little is nothing");
    append(&mut bench, 300 << 10);
    let begun = bench.now;
    assert_eq!(waits_until(&bench), Some(begun + PATIENCE));
    // It takes something, but far from all.
    bench.now = bench.now + Duration::from_secs(4);
    bench.sockets.room.insert(conn, 10_000);
    bench.worker.writable(conn, bench.now, &mut bench.sockets);
    assert_eq!(waits_until(&bench), Some(begun + Duration::from_secs(4) + PATIENCE));
    bench.now = bench.now + PATIENCE;
    assert_eq!(waits_until(&bench), None);
    append(&mut bench, 1 << 20);
    assert_eq!(bench.worker.counters.slow_closed, 1);
    assert_eq!(waits_until(&bench), None);
    assert!(!bench.sockets.ended.contains_key(&conn) || bench.sockets.ended[&conn] != Ending::Finished);
}

#[test]
fn who_has_caught_up_is_not_waited_for() {
    let mut bench = Bench::standing();
    let conn = bench.client(&request("lossless"));
    bench.stall(conn, 0);
    append(&mut bench, 400 << 10);
    assert!(waits_until(&bench).is_some());
    bench.drain(conn);
    assert_eq!(waits_until(&bench), None);
}

#[test]
fn nobody_waits_for_clients_that_are_merged() {
    let mut bench = Bench::standing();
    let conn = bench.client(&request("conflate"));
    bench.stall(conn, 0);
    append(&mut bench, 2 << 20);
    assert_eq!(waits_until(&bench), None);
    assert!(!bench.worker.wants_flush_for_lossless());
}

#[test]
fn a_turn_appends_no_more_than_a_lossless_client_may_be_behind() {
    let limits = Limits { log_bytes: 64 << 10, ..Limits::default() };
    let mut bench = Bench::new(limits);
    bench.reset(0, market::ResetReason::Feed);
    bench.flush();
    bench.client(&request("lossless"));
    let mut events = 0;
    while !bench.worker.wants_flush_for_lossless() {
        bench.exchange_event(0, &[level(Side::Bid, 9_990, 1 + events % 7)]);
        events += 1;
    }
    assert!((80..160).contains(&events), "half of what a log holds: {events}");
    bench.flush();
    assert!(!bench.worker.wants_flush_for_lossless());
}
