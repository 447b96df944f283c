//! More than one worker: a client cannot tell which it is served by.

use super::{BTC, ETH, config, peer::Peer, slow::row_of, support, under_pressure};
use gateway::{Config, Threads};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tokio::task::JoinSet;

const WORKERS: u16 = 3;
/// Messages that the streams of a topic have in common, at least.
const IN_COMMON: usize = 15;
/// Depth and interval of a book; its top goes at the same interval.
const VIEWS: [(u32, u32); 4] = [(10, 0), (1, 100), (0, 0), (100, 10)];
/// Book, top and trades of two symbols.
const TOPICS: usize = 6;

/// The messages of each topic by their last number, without what tells whom they were sent to.
type Streams = HashMap<String, BTreeMap<u64, String>>;

fn add(streams: &mut Streams, mut text: String) {
    assert!(!text.contains("\"conflated\":true"), "nobody is slow here: {text}");
    let message: Value = serde_json::from_str(&text).unwrap();
    if message["type"] != "update" {
        return;
    }
    let data = &message["data"][0];
    let topic = format!("{} {}", message["channel"], data["symbol"]);
    let seq = message["seq"].as_u64().or(data["seq"].as_u64()).unwrap();
    for member in ["epoch", "first_seq"] {
        let begin = text.find(&format!("\"{member}\":")).unwrap();
        let end = begin + text[begin..].find(',').unwrap() + 1;
        text.replace_range(begin..end, "");
    }
    streams.entry(topic).or_default().insert(seq, text);
}

/// Reads until everybody's streams have begun, and then that much more of each.
async fn listen(mut peer: Peer, begun: Arc<AtomicUsize>, everybody: usize) -> Streams {
    let mut streams = Streams::new();
    let mut wanted = None;
    let mut counted = false;
    loop {
        for text in peer.texts.as_mut().map(std::mem::take).unwrap() {
            add(&mut streams, text);
        }
        if !counted && streams.len() == TOPICS {
            counted = true;
            begun.fetch_add(1, Relaxed);
        }
        let length = |streams: &Streams, topic: &String| streams[topic].len();
        if begun.load(Relaxed) == everybody {
            let wanted: &HashMap<String, usize> = wanted.get_or_insert_with(|| {
                streams.keys().map(|topic| (topic.clone(), length(&streams, topic) + IN_COMMON)).collect()
            });
            if wanted.iter().all(|(topic, &wanted)| length(&streams, topic) > wanted) {
                return streams;
            }
        }
        peer.read(usize::MAX).await;
    }
}

/// Two streams are equal from where both have begun to where the first of them ends.
fn compare(topic: &str, one: &BTreeMap<u64, String>, other: &BTreeMap<u64, String>) {
    let ends = [one, other].map(|stream| (*stream.keys().next().unwrap(), *stream.keys().last().unwrap()));
    let common = ends[0].0.max(ends[1].0)..=ends[0].1.min(ends[1].1);
    let [one, other] = [one, other].map(|stream| stream.range(common.clone()).collect::<Vec<_>>());
    assert!(one.len() >= IN_COMMON, "{topic}: only {} in common", one.len());
    assert_eq!(one, other, "{topic}");
}

#[test]
fn every_worker_sends_the_same_streams() {
    let config = Config {
        workers: Some(WORKERS),
        threads: Threads::Split,
        rate: Some(600),
        send_buffer: support::config().send_buffer,
        ..config()
    };
    under_pressure(config, |address| async move {
        let everybody = VIEWS.len() * usize::from(WORKERS);
        let begun = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for (depth, interval) in VIEWS {
            for _ in 0..WORKERS {
                let mut peer = Peer::connect(address).await;
                peer.texts = Some(Vec::new());
                let symbols = [BTC, ETH];
                let book =
                    json!({"channel": "book", "symbol": symbols, "depth": depth, "interval_ms": interval});
                peer.subscribe(book).await;
                peer.subscribe(json!({"channel": "bbo", "symbol": symbols, "interval_ms": interval})).await;
                peer.subscribe(json!({"channel": "trade", "symbol": symbols})).await;
                let row = row_of(address, &peer).await.unwrap();
                let worker = row["id"].as_str().unwrap().split('-').next().unwrap().to_owned();
                let begun = Arc::clone(&begun);
                tasks.spawn(async move { ((depth, interval), worker, listen(peer, begun, everybody).await) });
            }
        }
        let mut by_view: HashMap<_, Vec<(String, Streams)>> = HashMap::new();
        while let Some(done) = tasks.join_next().await {
            let (view, worker, streams) = done.unwrap();
            by_view.entry(view).or_default().push((worker, streams));
        }
        for (view, peers) in by_view {
            let workers: BTreeSet<_> = peers.iter().map(|(worker, _)| worker).collect();
            assert!(workers.len() > 1, "{view:?} is watched at {workers:?} only");
            for (_, other) in &peers[1..] {
                for (topic, stream) in &peers[0].1 {
                    compare(topic, stream, &other[topic]);
                }
            }
        }
    });
}
