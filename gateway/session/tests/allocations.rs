//! From ring to socket nothing allocates once the buffers have grown.

mod support;

use market::Side;
use support::{Bench, level, trade};

#[test]
fn an_event_costs_no_allocation_in_steady_state() {
    let mut bench = Bench::standing();
    for depth in [1, 10, 0] {
        let stamps = depth == 1;
        for _ in 0..3 {
            bench.client(&format!(
                r#"{{"method":"subscribe","params":{{"channel":"book","symbol":"BTC/USDT","depth":{depth},"stamps":{stamps}}}}}"#
            ));
        }
    }
    for channel in ["trade", "bbo"] {
        bench.client(&format!(
            r#"{{"method":"subscribe","params":{{"channel":"{channel}","symbol":"BTC/USDT"}}}}"#
        ));
    }
    let round = |bench: &mut Bench| {
        for i in 0..500 {
            bench.exchange_event(0, &[trade(10_001, i), level(Side::Ask, 10_001, 50 + i)]);
            if i % 8 == 7 {
                bench.flush();
            }
            if i % 100 == 0 {
                bench.sockets.received.values_mut().for_each(Vec::clear);
            }
        }
    };
    // Buffers, logs and the history grow to what they need; the sockets of the test too.
    for _ in 0..40 {
        round(&mut bench);
    }
    bench.sockets.received.values_mut().for_each(Vec::clear);
    let counted = allocation_counter::measure(|| round(&mut bench));
    // The history takes a new chunk of its pool now and then until the pool is full; nothing else may.
    assert!(counted.count_total <= 8, "{counted:?} for 500 exchange events");
}
