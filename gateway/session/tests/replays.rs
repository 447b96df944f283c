//! How a replay becomes a live subscription, from a boundary that somebody else has played up to.

mod support;

use session::{Boundary, ReplayEnd, ReplayWish};
use support::{Bench, EPOCH, trade};

#[test]
fn trades_go_on_live_from_a_boundary_before_the_first_one() {
    let mut bench = Bench::standing();
    let request =
        r#"{"method":"replay","params":{"channel":"trade","symbol":"ETH/USDT","then":"live"},"req_id":1}"#;
    let client = bench.client(request);
    let Some(ReplayWish::Begin(order)) = bench.worker.take_wishes().pop() else { panic!("it begins") };
    for number in 1..=3 {
        bench.exchange_event(1, &[trade(10_000, number)]);
    }
    // Nothing was played of a symbol of which nothing had happened.
    let boundary = Boundary { epoch: EPOCH, sent: vec![("ETH/USDT".to_owned(), 0)] };
    let (end, now) = (Some(ReplayEnd::Live(boundary)), bench.now);
    bench.worker.replayed(client, order.id, Vec::new(), end, now, &mut bench.sockets);
    bench.flush();
    let messages = bench.messages(client);
    assert_eq!(messages[0]["data"][0]["seq"], 0, "{messages:?}");
    let told: Vec<_> = messages[1..].iter().flat_map(|message| message["data"].as_array().unwrap()).collect();
    assert_eq!(told.len(), 3, "{messages:?}");
}
