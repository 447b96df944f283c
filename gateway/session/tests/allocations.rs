//! From ring to socket nothing allocates once the buffers have grown, whoever listens; and what a slow client costs is bounded.

mod support;

use allocation_counter::{AllocationInfo, measure};
use market::{ResetReason, Side};
use session::{ConnId, Limits};
use support::{Bench, level, trade};
use wire::{dialect::Dialect, message::Encoding};

const EVENTS: u64 = 500;

/// The history is full soon: from then on what it keeps takes the place of what it kept.
fn standing() -> Bench {
    let mut bench = Bench::new(Limits { history_bytes: 256 << 10, ..Limits::default() });
    (0..2).for_each(|symbol| bench.reset(symbol, ResetReason::Feed));
    bench.flush();
    bench
}

fn subscribe(bench: &mut Bench, params: &str) -> ConnId {
    bench.client(&format!(r#"{{"method":"subscribe","params":{{{params}}}}}"#))
}

/// Two symbols change by turns, time goes on, and each eighth event the sockets have their go. What the clients hold is
/// forgotten, or the test itself would allocate.
fn round(bench: &mut Bench) {
    for i in 0..EVENTS {
        let symbol = (i % 2) as u32;
        bench.exchange_event(symbol, &[trade(10_001, i), level(Side::Ask, 10_001, 50 + i)]);
        if i % 8 == 7 {
            bench.tick(3);
            bench.flush();
        }
        if i % 100 == 0 {
            bench.sockets.received.values_mut().for_each(Vec::clear);
        }
    }
}

/// Counts one round after another has come to need what it needs: buffers, logs and the history, and the sockets of the test.
fn in_steady_state(bench: &mut Bench, mut round: impl FnMut(&mut Bench)) -> AllocationInfo {
    (0..60).for_each(|_| round(bench));
    bench.sockets.received.values_mut().for_each(Vec::clear);
    measure(|| round(bench))
}

#[test]
fn an_event_costs_no_allocation_whatever_is_subscribed() {
    let mut bench = standing();
    for symbol in ["BTC/USDT", "ETH/USDT"] {
        for depth in [1, 10, 100, 0] {
            for interval in [0, 10, 100] {
                subscribe(
                    &mut bench,
                    &format!(
                        r#""channel":"book","symbol":"{symbol}","depth":{depth},"interval_ms":{interval},"stamps":{}"#,
                        depth == 1
                    ),
                );
            }
        }
        for channel in ["trade", "bbo"] {
            subscribe(&mut bench, &format!(r#""channel":"{channel}","symbol":"{symbol}""#));
        }
    }
    let counted = in_steady_state(&mut bench, round);
    assert_eq!(counted.count_total, 0, "{counted:?} for {EVENTS} exchange events");
}

#[test]
fn nor_does_one_whose_messages_are_binary() {
    let mut bench = standing();
    let native = bench.open_speaking(Dialect::Native(Encoding::Sbe));
    for (channel, more) in
        [("book", r#","stamps":true"#), ("book", r#","interval_ms":10"#), ("trade", ""), ("bbo", "")]
    {
        let symbol = if more.contains("interval") { "ETH/USDT" } else { "BTC/USDT" };
        let params = format!(r#""channel":"{channel}","symbol":"{symbol}"{more}"#);
        bench.send(native, &format!(r#"{{"method":"subscribe","params":{{{params}}}}}"#));
    }
    let streams = bench.open_speaking(Dialect::Binance { combined: false, encoding: Encoding::Sbe });
    let names =
        ["depth", "depth20", "bestBidAsk", "trade"].map(|name| format!("\"btcusdt@{name}\"")).join(",");
    bench.send(streams, &format!(r#"{{"method":"SUBSCRIBE","params":[{names}],"id":1}}"#));
    let counted = in_steady_state(&mut bench, round);
    assert_eq!(counted.count_total, 0, "{counted:?} for {EVENTS} exchange events");
}

#[test]
fn a_hundred_subscribers_to_several_topics_cost_no_allocation() {
    let mut bench = standing();
    for i in 0..100 {
        let depth = [1, 10, 0][i % 3];
        let conn = subscribe(
            &mut bench,
            &format!(r#""channel":"book","symbol":["BTC/USDT","ETH/USDT"],"depth":{depth}"#),
        );
        bench.send(
            conn,
            r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT","ETH/USDT"]}}"#,
        );
    }
    let counted = in_steady_state(&mut bench, round);
    assert_eq!(counted.count_total, 0, "{counted:?} for {EVENTS} exchange events");
}

/// What waits for slow clients is merged when their sockets drain. That takes a message of its own, which all clients that stand
/// at the same place share, and for each of them the rest of what its socket took in part: two allocations for each at most, and
/// two KiB.
#[test]
fn slow_clients_cost_a_few_allocations_each_time_they_drain() {
    const SLOW: usize = 10;
    let mut bench = standing();
    let mut client = || subscribe(&mut bench, r#""channel":"book","symbol":"BTC/USDT","depth":10"#);
    let slow: Vec<ConnId> = (0..20).map(|_| client()).take(SLOW).collect();
    let stall_and_drain = |bench: &mut Bench| {
        slow.iter().for_each(|&conn| bench.stall(conn, 100));
        round(bench);
        slow.iter().for_each(|&conn| bench.drain(conn));
        bench.flush();
    };
    let counted = in_steady_state(&mut bench, stall_and_drain);
    assert!(counted.count_total <= 2 * SLOW as u64, "{counted:?} for {SLOW} clients that drained once");
    assert_eq!(counted.count_current, 0, "nothing is kept of it: {counted:?}");
    assert!(counted.bytes_max <= (SLOW as u64) * (2 << 10), "{counted:?} while {SLOW} clients were stalled");
}
