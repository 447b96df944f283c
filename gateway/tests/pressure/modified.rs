//! Subscriptions that are changed while data flows and while their client is slow.

use super::{
    BTC, ETH, config,
    peer::Peer,
    slow::{until_behind, until_full},
    under_pressure,
};
use gateway::Config;
use serde_json::json;
use std::net::SocketAddr;
use wire::message::SnapshotReason;

/// Numbers from a seed: a plain generator does.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

async fn change_minds(address: SocketAddr, mut peer: Peer, mut chance: Chance, changes: usize) -> u64 {
    let (mut depth, mut interval) = (10, 0);
    for symbol in [BTC, ETH] {
        peer.subscribe(json!({"channel": "trade", "symbol": symbol})).await;
    }
    peer.subscribe(json!({"channel": "book", "symbol": BTC, "depth": depth})).await;
    peer.until(|peer| peer.tracker.book(BTC).is_some()).await;
    for _ in 0..changes {
        if chance.below(4) == 0 {
            until_full(address, &peer).await;
            // Else it reads on before anything has happened that could be merged.
            until_behind(address, &peer, 50).await;
        }
        let (noted, snapshots) = (peer.seen.noted, peer.count(SnapshotReason::Modify));
        let mut params = json!({"channel": "book", "symbol": BTC});
        let before = (depth, interval);
        if chance.below(2) == 0 {
            depth = chance.pick(&[0, 1, 5, 10, 100]);
            params["depth"] = depth.into();
        }
        if chance.below(3) == 0 {
            interval = chance.pick(&[0, 0, 10, 100]);
            params["interval_ms"] = interval.into();
        }
        params["stamps"] = (chance.below(2) == 0).into();
        peer.send("modify", params).await;
        // Slow for a moment, whatever is under way.
        for _ in 0..chance.below(60) {
            peer.read(1 + chance.below(9) as usize).await;
        }
        let due = usize::from((depth, interval) != before);
        peer.until(|peer| peer.seen.noted > noted && peer.count(SnapshotReason::Modify) >= snapshots + due)
            .await;
        let updates = peer.tracker.counters().updates;
        peer.until(|peer| peer.tracker.counters().updates > updates + 2).await;
        assert_eq!(peer.count(SnapshotReason::Modify), snapshots + due, "{:?}", peer.seen.snapshots);
    }
    peer.verify(BTC).await;
    peer.tracker.counters().conflated
}

#[test]
fn subscriptions_change_in_midstream_without_a_hole() {
    let config = Config { rate: Some(5_000), ..config() };
    under_pressure(config, |address| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for seed in 1..=4 {
            let peer = if seed % 2 == 0 { Peer::narrow(address).await } else { Peer::connect(address).await };
            tasks.spawn(change_minds(address, peer, Chance(seed), 40));
        }
        let mut conflated = 0;
        while let Some(done) = tasks.join_next().await {
            conflated += done.unwrap();
        }
        assert!(conflated > 0, "nobody was slow");
    });
}

#[test]
fn the_policy_changes_in_midstream_without_a_snapshot() {
    let config = Config { rate: Some(5_000), ..config() };
    under_pressure(config, |address| async move {
        let mut peer = Peer::narrow(address).await;
        peer.subscribe(json!({"channel": "book", "symbol": BTC, "depth": 100})).await;
        for policy in ["lossless", "conflate"].into_iter().cycle().take(20) {
            until_full(address, &peer).await;
            let noted = peer.seen.noted;
            peer.send("modify", json!({"channel": "book", "symbol": BTC, "policy": policy})).await;
            for _ in 0..40 {
                peer.read(5).await;
            }
            peer.until(|peer| peer.seen.noted > noted).await;
        }
        peer.verify(BTC).await;
        assert_eq!(peer.seen.snapshots.len(), 1, "{:?}", peer.seen.snapshots);
    });
}
