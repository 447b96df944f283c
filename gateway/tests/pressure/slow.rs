//! Clients that read a little at a time.

use super::{BTC, ETH, config, peer::Peer, support::get_until, under_pressure};
use gateway::Config;
use serde_json::json;
use std::net::SocketAddr;

/// How the gateway sees a client.
pub async fn row_of(address: SocketAddr, peer: &Peer) -> Option<serde_json::Value> {
    let wanted = peer.local_address().to_string();
    let rows = super::support::get(address, "/v1/subscribers").await.json();
    rows["subscribers"].as_array().unwrap().iter().find(|row| row["address"] == wanted).cloned()
}

/// Waits until the socket of a client that does not read is full.
pub async fn until_full(address: SocketAddr, peer: &Peer) {
    while row_of(address, peer).await.is_some_and(|row| row["bytes_pending"] == 0) {
        tokio::task::yield_now().await;
    }
}

/// Waits until a client that does not read is behind, by so many numbers.
pub async fn until_behind(address: SocketAddr, peer: &Peer, numbers: u64) {
    while row_of(address, peer).await.is_some_and(|row| row["lag_seq"].as_u64() < Some(numbers)) {
        tokio::task::yield_now().await;
    }
}

/// Reads a few bytes at a time, and now and then nothing until the gateway can write no more.
async fn crawl(address: SocketAddr, peer: &mut Peer, reads: usize) {
    for at in 0..reads {
        peer.read(1 + at % 7).await;
        if at % 64 == 0 {
            until_full(address, peer).await;
        }
    }
}

#[test]
fn who_reads_a_few_bytes_at_a_time_is_merged_and_right() {
    let config = Config { rate: Some(20_000), ..config() };
    under_pressure(config, |address| async move {
        let mut peer = Peer::narrow(address).await;
        for params in [
            json!({"channel": "trade", "symbol": [BTC, ETH], "policy": "lossless"}),
            json!({"channel": "book", "symbol": [BTC], "depth": 100}),
            json!({"channel": "book", "symbol": [ETH], "depth": 0, "interval_ms": 10}),
            json!({"channel": "bbo", "symbol": [BTC, ETH]}),
        ] {
            peer.subscribe(params).await;
        }
        crawl(address, &mut peer, 2_000).await;
        let trades = peer.tracker.counters().trades;
        peer.until(|peer| {
            let counters = peer.tracker.counters();
            counters.conflated >= 3 && counters.trades > trades + 50
        })
        .await;
        peer.verify(BTC).await;
        peer.verify(ETH).await;
        let counters = peer.tracker.counters();
        assert!(counters.merged > counters.conflated, "{counters:?}");
        assert_eq!(counters.trade_id_jumps, 0);
    });
}

#[test]
fn lossless_is_every_message_or_a_close_and_then_a_resume() {
    let config = Config { rate: Some(20_000), ..config() };
    under_pressure(config, |address| async move {
        let params = |channel: &str| json!({"channel": channel, "symbol": [BTC, ETH], "policy": "lossless"});
        let mut peer = Peer::narrow(address).await;
        peer.subscribe(params("book")).await;
        peer.subscribe(params("trade")).await;
        crawl(address, &mut peer, 300).await;
        // A slow moment that is made up for costs nothing.
        peer.until(|peer| peer.tracker.counters().updates > 500).await;
        assert_eq!((peer.tracker.counters().conflated, peer.seen.gaps.len()), (0, 0));
        assert_eq!(peer.seen.snapshots.len(), 2, "{:?}", peer.seen.snapshots);
        // One that is not costs the connection, in bounded time.
        let closed = get_until(address, "/metrics", |answer| {
            let closed = answer.body.lines().find(|line| line.contains("slow") && line.contains("total"));
            closed.is_some_and(|line| !line.ends_with(" 0"))
        });
        closed.await;
        assert_eq!(peer.until_closed().await, 4008);
        assert_eq!((peer.tracker.counters().conflated, peer.seen.gaps.len()), (0, 0), "up to the close");
        let token = peer.tracker.token().unwrap().to_string();
        peer.reconnect().await;
        let trades = peer.tracker.counters().trades;
        for channel in ["book", "trade"] {
            let mut params = params(channel);
            params["since"] = token.clone().into();
            peer.subscribe(params).await;
        }
        peer.until(|peer| peer.tracker.counters().trades > trades + 20).await;
        peer.verify(BTC).await;
        peer.verify(ETH).await;
    });
}
