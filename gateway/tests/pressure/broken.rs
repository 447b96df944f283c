//! Connections that end where they should not: in the middle of a frame of either side.

use super::{
    BTC, ETH, config,
    peer::{Peer, masked},
    support::get_until,
    under_pressure,
};
use gateway::Config;
use serde_json::json;

#[test]
fn connections_broken_in_mid_frame_harm_nobody_and_leave_nothing_to_who_gets_their_number() {
    let config = Config { rate: Some(20_000), ..config() };
    under_pressure(config, |address| async move {
        let mut healthy = Peer::connect(address).await;
        healthy.subscribe(json!({"channel": "book", "symbol": [BTC], "depth": 10})).await;
        for round in 0..10 {
            let mut victims = Vec::new();
            for at in 0..8 {
                let mut peer = Peer::narrow(address).await;
                peer.send("subscribe", json!({"channel": "book", "symbol": [ETH], "depth": 1000})).await;
                peer.send("subscribe", json!({"channel": "trade", "symbol": [ETH], "snapshot": true})).await;
                if at % 2 == 0 {
                    let frame = masked(r#"{"method":"list"}"#);
                    peer.send_bytes(&frame[..1 + (round + at) % (frame.len() - 1)]).await;
                }
                victims.push(peer);
            }
            // Each stands with a frame that is partly written.
            get_until(address, "/v1/subscribers", |answer| {
                let rows = answer.json();
                let rows = rows["subscribers"].as_array().unwrap();
                rows.iter().filter(|row| row["bytes_pending"] != 0).count() >= victims.len()
            })
            .await;
            for (at, peer) in victims.into_iter().enumerate() {
                // Some go with a reset, some in good order; whoever comes next gets their numbers.
                if at % 3 == 0 {
                    drop(peer)
                } else {
                    peer.reset()
                }
                let mut next = Peer::connect(address).await;
                next.subscribe(json!({"channel": "bbo", "symbol": [BTC]})).await;
                next.until(|peer| peer.tracker.counters().updates > 0).await;
            }
            let updates = healthy.tracker.counters().updates;
            healthy.until(|peer| peer.tracker.counters().updates > updates + 50).await;
        }
        healthy.verify(BTC).await;
        assert_eq!(healthy.seen.snapshots.len(), 1, "{:?}", healthy.seen.snapshots);
        get_until(address, "/v1/subscribers", |answer| {
            answer.json()["subscribers"].as_array().unwrap().len() == 1
        })
        .await;
    });
}
