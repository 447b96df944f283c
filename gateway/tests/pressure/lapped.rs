//! Workers that the ring has overtaken.

use super::{BTC, ETH, config, peer::Peer, under_pressure};
use gateway::{Config, FeedSpec, Threads};
use serde_json::json;
use std::io::Write;
use wire::message::{GapReason, SnapshotReason};

/// A second of calm, then one of far more than a worker can read in the time that a ring of 1,024 slots lasts.
const STORM: &str = r#"
symbols = 2
rate = 3000
[orders]
open = 150
value = 500
distance_ppm = 80
volatility_ppm = 10
mix = { limit = 2, cancel = 1, market = 1 }
[[phase]]
seconds = 1
[[phase]]
seconds = 1
rate_percent = 10000
"#;

#[test]
fn clients_of_a_lapped_worker_get_a_snapshot_and_their_trades_name_the_gap() {
    let mut scenario = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    scenario.write_all(STORM.as_bytes()).unwrap();
    let feed = FeedSpec::Sim(scenario.path().to_str().unwrap().into());
    let config = Config { feed, rate: None, ring_slots: 1024, threads: Threads::Split, ..config() };
    under_pressure(config, |address| async move {
        let mut peers = Vec::new();
        for (depth, interval_ms) in [(10, 0), (0, 100), (1, 10)] {
            let mut peer = Peer::connect(address).await;
            let book =
                json!({"channel": "book", "symbol": [BTC, ETH], "depth": depth, "interval_ms": interval_ms});
            peer.subscribe(book).await;
            peer.subscribe(json!({"channel": "trade", "symbol": [BTC, ETH]})).await;
            peer.subscribe(json!({"channel": "bbo", "symbol": [BTC, ETH]})).await;
            peers.push(peer);
        }
        let mut tasks = tokio::task::JoinSet::new();
        for mut peer in peers {
            tasks.spawn(async move {
                let lapped = |peer: &Peer| {
                    peer.count(SnapshotReason::Lagged) >= 4 && peer.seen.gaps.contains(&GapReason::Lagged)
                };
                peer.until(lapped).await;
                let trades = peer.tracker.counters().trades;
                peer.until(|peer| peer.tracker.counters().trades > trades + 20).await;
                for symbol in [BTC, ETH] {
                    // What a book was before the last time that its worker was lapped is not known.
                    let asked = peer.seen.verdicts.len();
                    peer.ask_verify(symbol).await;
                    peer.until(|peer| peer.seen.verdicts.len() > asked).await;
                }
                assert!(!peer.seen.verdicts.contains(&wire::message::Verdict::Mismatch));
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
}
