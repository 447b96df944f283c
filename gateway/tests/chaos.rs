//! A client that believes nothing, under chaos: it notices just what was done to it, mends it, and holds the gateway's book in the end;
//! and nobody beside it sees anything.

mod support;

use client::{FaultKind, Tracker, Update};
use gateway::Config;
use market::Seq;
use serde_json::{Value, json};
use std::{cell::Cell, net::SocketAddr, ops::RangeInclusive};
use support::{client::Client, config, with_gateway};
use wire::message::{Channel, Verdict};

const SYMBOL: &str = "BTC/USDT";

/// What a client noticed.
#[derive(Debug, Default)]
struct Tally {
    holes: Vec<RangeInclusive<Seq>>,
    repeated: Vec<Seq>,
    wrong: Vec<Seq>,
    /// From where to where it waited for a snapshot: what was done there nobody could notice.
    blind: Vec<RangeInclusive<Seq>>,
}

/// A client of one symbol's book that subscribes anew when something is wrong.
struct Wary {
    client: Client,
    tracker: Tracker,
    tally: Tally,
    /// Since where it waits for a snapshot, if it does.
    blind_from: Option<Seq>,
    updates: u64,
    report: Option<Value>,
    verdict: Option<Verdict>,
}

impl Wary {
    async fn connect(address: SocketAddr) -> Wary {
        Wary {
            client: Client::connect(address).await,
            tracker: Tracker::new(),
            tally: Tally::default(),
            blind_from: None,
            updates: 0,
            report: None,
            verdict: None,
        }
    }

    async fn ask(&mut self, method: &str, params: Value) {
        self.client.send(json!({"method": method, "params": params})).await;
    }

    async fn chaos(&mut self, plan: Value) {
        let mut params = json!({"symbol": SYMBOL});
        params.as_object_mut().unwrap().extend(plan.as_object().unwrap().clone());
        self.ask("chaos", params).await;
    }

    async fn subscribe(&mut self, since: Option<String>) {
        self.ask("subscribe", json!({"channel": "book", "symbol": SYMBOL, "since": since})).await;
    }

    /// The last seq of the book, unless a new one is awaited.
    fn seq(&self) -> Seq {
        self.tracker.book(SYMBOL).filter(|_| self.blind_from.is_none()).map_or(0, |book| book.seq)
    }

    async fn step(&mut self) {
        let text = self.client.text().await;
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["method"] == "chaos" {
            assert_eq!(message["success"], true, "{message}");
            self.report = Some(message["result"].clone())
                .filter(|result| result["acts"].is_array())
                .or(self.report.take());
        }
        let fault = match self.tracker.on_text(text.as_bytes()) {
            Ok(Update::Book { book, snapshot, .. }) => {
                if let Some(from) = self.blind_from.filter(|_| snapshot.is_some()) {
                    self.tally.blind.push(from..=book.seq);
                    self.blind_from = None;
                }
                self.updates += 1;
                return;
            }
            Ok(Update::Verified(verified)) => {
                self.verdict = Some(verified.verdict);
                return;
            }
            Ok(_) => return,
            Err(_) if self.blind_from.is_some() => return,
            Err(fault) => fault,
        };
        let noticed_at = message["data"][0]["seq"].as_u64().unwrap();
        match fault.kind {
            FaultKind::Overlap { .. } => return self.tally.repeated.push(noticed_at),
            FaultKind::Gap { last, first_seq } => self.tally.holes.push(last + 1..=first_seq - 1),
            // A heartbeat says so.
            FaultKind::Lost { last, seq } => self.tally.holes.push(last + 1..=seq),
            FaultKind::Checksum { seq, .. } => self.tally.wrong.push(seq),
            other => panic!("{other} in {text}"),
        }
        self.blind_from = Some(noticed_at);
        self.ask("unsubscribe", json!({"channel": "book", "symbol": SYMBOL})).await;
        self.subscribe(None).await;
    }
}

impl Tally {
    /// Whether each act was noticed, and nothing else.
    fn check(&self, acts: &[Value]) {
        let number = |act: &Value, name: &str| act[name].as_u64().unwrap();
        let of = |kinds: &'static [&str]| {
            let is_of =
                move |act: &&Value| act["channel"] == "book" && kinds.contains(&act["act"].as_str().unwrap());
            acts.iter().filter(is_of)
        };
        let is_blind = |seq| self.blind.iter().any(|range| range.contains(&seq));
        for act in of(&["drop", "reorder"]) {
            let is_in = |hole: &RangeInclusive<Seq>| hole.contains(&number(act, "seq"));
            assert!(
                self.holes.iter().any(is_in) || is_blind(number(act, "seq")),
                "unnoticed: {act} in {self:?}"
            );
        }
        for hole in &self.holes {
            let mut from = *hole.start();
            while from <= *hole.end() {
                let next = of(&["drop", "reorder"]).find(|act| number(act, "first_seq") == from);
                from = number(
                    next.unwrap_or_else(|| panic!("nothing was left out at {from}, in {hole:?}")),
                    "seq",
                ) + 1;
            }
            assert_eq!(from, hole.end() + 1);
        }
        for (kind, noticed) in [(&["corrupt"], &self.wrong), (&["repeat"], &self.repeated)] {
            let done: Vec<Seq> = of(kind).map(|act| number(act, "seq")).collect();
            assert!(
                done.iter().all(|seq| noticed.contains(seq) || is_blind(*seq)),
                "{kind:?}: {done:?}, {self:?}"
            );
            assert!(noticed.iter().all(|seq| done.contains(seq)), "{kind:?}: {done:?}, {self:?}");
        }
    }
}

fn allowing() -> Config {
    Config { allow_chaos: true, requests_per_second: 0, ..config() }
}

#[test]
fn a_client_notices_just_what_is_done_and_mends_it_and_others_see_nothing() {
    for seed in [1, 2, 3] {
        with_gateway(allowing(), |address| async move {
            let end = Cell::new(Seq::MAX);
            let innocent = async {
                let mut innocent = Wary::connect(address).await;
                innocent.subscribe(None).await;
                while innocent.seq() < end.get() {
                    innocent.step().await;
                }
                let counters = innocent.tracker.counters();
                assert_eq!((counters.faults, counters.dropped), (0, 0));
                assert_eq!(counters.snapshots.values().sum::<u64>(), 1);
            };
            let wary = async { end.set(is_noticed_and_mended(address, seed).await) };
            tokio::join!(innocent, wary);
        });
    }
}

/// A client under chaos that notices all of it. Where it stands in the end.
async fn is_noticed_and_mended(address: SocketAddr, seed: u64) -> Seq {
    let mut wary = Wary::connect(address).await;
    wary.chaos(json!({"seed": seed, "drop": 0.02, "repeat": 0.02, "reorder": 0.02, "corrupt": 0.02})).await;
    wary.subscribe(None).await;
    while wary.updates < 600 {
        wary.step().await;
    }
    // No chances: it ends.
    wary.chaos(json!({})).await;
    wary.ask("chaos", json!({"report": true})).await;
    while wary.report.is_none() {
        wary.step().await;
    }
    let report = wary.report.take().unwrap();
    let acts = report["acts"].as_array().unwrap();
    let last = acts.iter().filter_map(|act| act["seq"].as_u64()).max().unwrap();
    while wary.seq() <= last {
        wary.step().await;
    }
    wary.tally.check(acts);
    let Tally { holes, repeated, wrong, .. } = &wary.tally;
    assert!(holes.len() > 5 && repeated.len() > 3 && wrong.len() > 3, "{report}: {:?}", wary.tally);
    // What the gateway says of the book in the end.
    let book = wary.tracker.book(SYMBOL).unwrap();
    let params = json!({"symbol": SYMBOL, "seq": book.seq, "checksum": book.ladder.checksum(10)});
    wary.ask("verify", params).await;
    while wary.verdict.is_none() {
        wary.step().await;
    }
    assert_eq!(wary.verdict, Some(Verdict::Ok));
    last
}

#[test]
fn who_is_cut_off_again_and_again_resumes_each_time_without_a_snapshot() {
    with_gateway(allowing(), |address| async move {
        let mut wary = Wary::connect(address).await;
        for round in 1..=5_u64 {
            let since = wary.tracker.token().map(|token| token.to_string());
            wary.chaos(json!({"disconnect_after": 20})).await;
            wary.subscribe(since).await;
            let texts = wary.client.texts_until_cut().await;
            let updates = texts.iter().filter(|text| text.contains(r#""type":"update""#)).count();
            assert_eq!(updates, 20, "in round {round}");
            for text in texts {
                wary.tracker.on_text(text.as_bytes()).unwrap();
            }
            wary.client = Client::connect(address).await;
            wary.tracker.reconnected();
        }
        let counters = wary.tracker.counters();
        assert_eq!((counters.faults, counters.snapshots.values().sum::<u64>()), (0, 1));
        assert!(wary.tracker.through(Channel::Book, SYMBOL).is_some());
    });
}

#[test]
fn without_the_operators_leave_a_client_is_told_how_to_get_it() {
    with_gateway(config(), |address| async move {
        let mut client = Client::connect(address).await;
        let answer = client.ask("chaos", json!({"symbol": SYMBOL, "drop": 0.5})).await;
        assert_eq!(answer["code"], "not_allowed");
        assert!(answer["error"].as_str().unwrap().contains("--allow-chaos"), "{answer}");
    });
}
