//! Many clients that never read, beside those that do.

use super::{
    BTC, ETH, config,
    peer::Peer,
    support::{
        self, get_until,
        program::{Gateway, depthcast},
    },
    under_pressure,
};
use gateway::{Config, FeedSpec};
use market::{Nanos, clock};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::{fs, io::Write, net::SocketAddr, time::Duration};
use tokio::{sync::watch, task::JoinSet};
use wire::message::SnapshotReason;

const SYMBOLS: [&str; 3] = [BTC, ETH, "SOL/USDT"];
const HEALTHY: usize = 100;
const STALLED: usize = 1_000;
/// The most that a stalled client may cost in memory of the gateway's own.
const EACH: usize = 64 << 10;
const SILENCE: Duration = Duration::from_secs(2);

/// So many connections at once need as many files on both sides.
fn allow_many_files() -> bool {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let enough = maximum.is_none_or(|most| most as usize > 2 * (STALLED + HEALTHY));
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    enough
}

/// Bytes of memory that no other process shares.
fn private_memory(process: u32) -> usize {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    private.map(|line| line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10).sum()
}

async fn rows(address: SocketAddr) -> Vec<Value> {
    support::get(address, "/v1/subscribers").await.json()["subscribers"].as_array().unwrap().clone()
}

fn pending(row: &Value) -> usize {
    row["bytes_pending"].as_u64().unwrap() as usize
}

/// Reads until it is told to stop; answers for how long nothing came at most.
async fn read_on(mut peer: Peer, stop: watch::Receiver<bool>) -> (Peer, Duration) {
    let mut silence = Duration::ZERO;
    while !*stop.borrow() {
        let began: Nanos = clock::now();
        peer.read(usize::MAX).await;
        silence = silence.max(clock::now().since(began));
    }
    (peer, silence)
}

async fn healthy(address: SocketAddr, at: usize) -> Peer {
    let mut peer = Peer::connect(address).await;
    let symbol = SYMBOLS[at % SYMBOLS.len()];
    let depth = [10, 1, 100, 0][at % 4];
    peer.subscribe(json!({"channel": "book", "symbol": symbol, "depth": depth})).await;
    peer.subscribe(json!({"channel": "trade", "symbol": symbol})).await;
    peer.subscribe(json!({"channel": "bbo", "symbol": symbol})).await;
    peer
}

async fn stalled(address: SocketAddr) -> Peer {
    let mut peer = Peer::narrow(address).await;
    peer.send("subscribe", json!({"channel": "book", "symbol": SYMBOLS, "depth": 100})).await;
    peer.send("subscribe", json!({"channel": "trade", "symbol": SYMBOLS, "snapshot": true})).await;
    peer
}

#[test]
fn a_thousand_stalled_clients_cost_little_and_nobody_notices_them() {
    if !allow_many_files() {
        eprintln!("SKIPPED: this system does not allow enough open files");
        return;
    }
    let gateway = Gateway::start(depthcast(&[
        "--listen=127.0.0.1:0",
        "--symbols=3",
        "--rate=600",
        "--workers=1",
        "--ring-slots=16384",
        "--history-bytes=8388608",
        "--trades-bytes=1048576",
        "--send-buffer=16384",
        "--http-requests-per-second=0",
    ]));
    let (address, process) = (gateway.address, gateway.process.id());
    support::run(async {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for at in 0..HEALTHY {
            tasks.spawn(read_on(healthy(address, at).await, stopped.clone()));
        }
        let before = private_memory(process);
        let mut idle = Vec::new();
        for _ in 0..STALLED {
            idle.push(stalled(address).await);
        }
        get_until(address, "/v1/subscribers", |answer| {
            let rows = answer.json();
            rows["subscribers"].as_array().unwrap().iter().filter(|row| pending(row) > 0).count() >= STALLED
        })
        .await;
        // They stay so for a while, and the others go on.
        let mut witness = healthy(address, 0).await;
        witness.until(|peer| peer.tracker.counters().updates > 600).await;
        witness.verify(SYMBOLS[0]).await;
        witness.reset();
        let grown = private_memory(process).saturating_sub(before);
        println!("{} bytes for each stalled client", grown / STALLED);
        assert!(grown <= STALLED * EACH, "{grown} bytes for {STALLED} stalled clients");
        let most = rows(address).await.iter().map(pending).max().unwrap();
        assert!(most <= EACH, "{most} bytes wait for one client");

        idle.into_iter().for_each(Peer::reset);
        get_until(address, "/v1/subscribers", |answer| {
            let rows = answer.json();
            let rows = rows["subscribers"].as_array().unwrap();
            rows.len() == HEALTHY && rows.iter().map(pending).sum::<usize>() < EACH
        })
        .await;
        stop.send(true).unwrap();
        let (mut updates, mut conflated) = (0, 0);
        while let Some(done) = tasks.join_next().await {
            let (peer, silence) = done.unwrap();
            assert!(silence < SILENCE, "nothing came for {silence:?}");
            assert!(peer.seen.gaps.is_empty());
            assert_eq!(peer.count(SnapshotReason::Subscribe), peer.seen.snapshots.len());
            updates += peer.tracker.counters().updates;
            conflated += peer.tracker.counters().conflated;
        }
        println!("{conflated} of {updates} updates of the others were merged");
        assert!(conflated * 100 <= updates, "{conflated} of {updates} were merged");
    });
}

/// Snapshots of all of a book are larger than a batch here.
const LARGE: &str = "symbols = 1\nrate = 500\n[even]\nlevels = 1000\nburst = 1\n";

#[test]
fn large_snapshots_of_stalled_clients_are_bounded_together_and_given_back() {
    let mut scenario = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    scenario.write_all(LARGE.as_bytes()).unwrap();
    let feed = FeedSpec::Sim(scenario.path().to_str().unwrap().into());
    let limit = 1 << 20;
    let config = Config { feed, symbols: None, rate: None, private_bytes: limit, ..config() };
    under_pressure(config, |address| async move {
        let whole = json!({"channel": "book", "symbol": BTC, "depth": 0});
        let mut healthy = Peer::connect(address).await;
        healthy.subscribe(whole.clone()).await;
        healthy.until(|peer| peer.tracker.book(BTC).is_some()).await;
        let mut idle = Vec::new();
        for _ in 0..50 {
            let mut peer = Peer::narrow(address).await;
            peer.send("subscribe", whole.clone()).await;
            idle.push(peer);
        }
        get_until(address, "/v1/subscribers", |answer| {
            let rows = answer.json();
            rows["subscribers"].as_array().unwrap().iter().filter(|row| row["topics"] == 1).count() == 51
        })
        .await;
        let updates = healthy.tracker.counters().updates;
        healthy.until(|peer| peer.tracker.counters().updates > updates + 200).await;
        let sum: usize = rows(address).await.iter().map(pending).sum();
        assert!(sum > limit / 2 && sum <= limit + 51 * 1024, "{sum} bytes wait in sockets");
        // Who comes now waits for room; it is there once the others are gone.
        let mut late = Peer::connect(address).await;
        late.subscribe(whole).await;
        idle.into_iter().for_each(Peer::reset);
        late.until(|peer| peer.tracker.counters().updates > 10).await;
        late.verify(BTC).await;
        assert_eq!(healthy.seen.snapshots.len(), 1, "{:?}", healthy.seen.snapshots);
        healthy.verify(BTC).await;
    });
}
