//! The REST of the Binance dialect beside its streams: a book that is fetched at any moment, and the events that come after, make
//! the gateway's book.

mod support;

use market::{Event, Kind, Nanos, ResetReason, Side, SymbolId};
use serde_json::{Value, json};
use session::{ConnId, Limits, OpenOptions, OpenStreams, TradeWindow, find_stream};
use std::collections::BTreeMap;
use support::{
    Bench,
    account::{Chance, Market},
    level,
};
use wire::{dialect::Dialect, message::Encoding};

const BTC: SymbolId = SymbolId(0);

/// Prices in hundredths with quantities in 1e-5: bids best first, then asks best first.
type Levels = [Vec<(i64, u64)>; 2];

/// A new connection that has named these streams with its request.
fn open(bench: &mut Bench, names: &[&str]) -> ConnId {
    let options = OpenOptions { dialect: Dialect::binance(false), ..OpenOptions::new(&Limits::default()) };
    let instruments = std::sync::Arc::clone(bench.worker.publisher().instruments());
    let names = names.iter().map(|name| find_stream(name, Encoding::Json, &instruments).unwrap()).collect();
    let conn = bench.worker.open(bench.now, &options);
    bench.sockets.received.remove(&conn);
    bench.sockets.room.remove(&conn);
    bench.sockets.ended.remove(&conn);
    bench.worker.open_streams(conn, &OpenStreams { names, ..OpenStreams::default() });
    bench.flush();
    conn
}

/// The answer to a request for a book.
fn fetch(bench: &mut Bench) -> Result<(u64, Levels), String> {
    let mut body = Vec::new();
    let answer = bench.worker.publisher_mut().push_depth(BTC, 5_000, &mut body);
    answer.map_err(|fault| fault.text().to_owned())?;
    let body: Value = serde_json::from_slice(&body).unwrap();
    Ok((id(&body["lastUpdateId"]), [levels(&body["bids"]), levels(&body["asks"])]))
}

fn id(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no id"))
}

fn levels(list: &Value) -> Vec<(i64, u64)> {
    let scaled = |text: &Value, scale: f64| {
        let text = text.as_str().unwrap();
        assert_eq!(text.split_once('.').map(|(_, fraction)| fraction.len()), Some(8), "{text}");
        (text.parse::<f64>().unwrap() * scale).round()
    };
    let pair = |level: &Value| (scaled(&level[0], 100.0) as i64, scaled(&level[1], 1e5) as u64);
    list.as_array().unwrap().iter().map(pair).collect()
}

/// A client that has a book of its own, as the venue's guide tells: the answer first, then the events that are newer.
struct Local {
    sides: [BTreeMap<i64, u64>; 2],
    last: u64,
    is_begun: bool,
}

impl Local {
    fn begin((last, sides): &(u64, Levels)) -> Local {
        let sides = [0, 1].map(|side| sides[side].iter().copied().collect());
        Local { sides, last: *last, is_begun: false }
    }

    /// Takes an event; whether it was newer.
    fn take(&mut self, event: &Value, exactly: bool) -> bool {
        let [first, last] = [id(&event["U"]), id(&event["u"])];
        if last <= self.last {
            assert!(!self.is_begun, "an old event after a new one: {event}");
            return false;
        }
        if exactly || self.is_begun {
            assert_eq!(first, self.last + 1, "{event}");
        }
        assert!(first <= self.last + 1, "a gap after {}: {event}", self.last);
        (self.last, self.is_begun) = (last, true);
        for (side, name) in self.sides.iter_mut().zip(["b", "a"]) {
            for (price, qty) in levels(&event[name]) {
                side.insert(price, qty);
            }
            side.retain(|_, qty| *qty > 0);
        }
        true
    }

    fn levels(&self) -> Levels {
        let [bids, asks] = &self.sides;
        let pair = |(price, qty): (&i64, &u64)| (*price, *qty);
        [bids.iter().rev().map(pair).collect(), asks.iter().map(pair).collect()]
    }
}

/// One connection to a stream of the book, until it ends.
struct Stream {
    name: &'static str,
    conn: ConnId,
    events: Vec<Value>,
    /// How many events it had when each book was fetched.
    fetched: Vec<(usize, (u64, Levels))>,
    ended: bool,
    /// Its socket takes nothing for now.
    stalled: bool,
}

impl Stream {
    fn open(bench: &mut Bench, name: &'static str) -> Stream {
        Stream {
            name,
            conn: open(bench, &[name]),
            events: Vec::new(),
            fetched: Vec::new(),
            ended: false,
            stalled: false,
        }
    }

    fn stall(&mut self, bench: &mut Bench) {
        bench.stall(self.conn, 0);
        self.stalled = true;
    }

    fn drain(&mut self, bench: &mut Bench) {
        // A worker has written all of a turn when it looks after its sockets.
        bench.flush();
        if !bench.sockets.ended.contains_key(&self.conn) {
            bench.drain(self.conn);
            self.stalled = false;
        }
    }

    fn receive(&mut self, bench: &mut Bench) {
        for message in bench.messages(self.conn) {
            if message.get("close").is_some() {
                assert_eq!(message["close"], 1008);
                self.ended = true;
            } else if message["b"] == json!([]) && message["a"] == json!([]) {
                // Those who check see that something is missing, before the connection ends.
                let last = self.events.last().map(|event| id(&event["u"]));
                assert!(last.is_none_or(|last| id(&message["U"]) > last + 1), "{last:?}: {message}");
                self.ended = true;
            } else {
                assert!(!self.ended, "after the break: {message}");
                self.events.push(message);
            }
        }
        self.ended |= bench.sockets.ended.contains_key(&self.conn);
    }

    /// Each book that was fetched meanwhile goes on with the events that came from then on, and with any that came before.
    fn check(&self, truth: &BTreeMap<u64, Levels>, exactly: bool) -> usize {
        let mut joined = 0;
        for (seen, fetched) in &self.fetched {
            for begin in [0, *seen] {
                let mut local = Local::begin(fetched);
                for event in &self.events[begin..] {
                    if local.take(event, exactly) {
                        assert_eq!(local.levels(), truth[&local.last], "{} at {}", self.name, local.last);
                    }
                }
                joined += usize::from(local.is_begun);
            }
        }
        joined
    }
}

/// A market, and a worker with clients that are quick, slow, or gone after a while.
struct Scene {
    bench: Bench,
    market: Market,
    happens: Chance,
    truth: BTreeMap<u64, Levels>,
}

impl Scene {
    fn new(seed: u64) -> Scene {
        let (bench, market) = (Bench::new(Limits::default()), Market::default());
        Scene { bench, market, happens: Chance(seed), truth: BTreeMap::new() }
    }

    /// The next thing that happens, and perhaps some time.
    fn step(&mut self) {
        self.market.happen(&mut self.bench, &mut self.happens);
        let millis = [0, 0, 0, 1, 7, 30, 130, 1_100][self.happens.below(8) as usize];
        self.truth.insert(self.bench.seq(0), self.market.view(0, 0));
        if millis > 0 {
            self.bench.tick(millis);
        }
    }
}

/// Follows a market; how often a book was joined to a stream.
fn follow(seed: u64, restless: bool) -> usize {
    let mut scene = Scene::new(seed);
    // Nobody watches here, and the same is told.
    let mut unwatched = Scene::new(seed);
    let mut clients = Chance(seed ^ 0xC11E);
    let names = ["btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@100ms"];
    let mut streams = names.map(|name| Stream::open(&mut scene.bench, name));
    let (mut joined, mut last_told, mut last_fetched) = (0, 0, 0);
    for step in 0..1_500 {
        scene.step();
        unwatched.step();
        if clients.below(3) == 0 {
            scene.bench.flush();
        }
        // The third one is slow.
        match clients.below(40) {
            0 => streams[2].stall(&mut scene.bench),
            1 => streams[2].drain(&mut scene.bench),
            _ => {}
        }
        for stream in &mut streams {
            stream.receive(&mut scene.bench);
            last_told = stream.events.last().map_or(last_told, |event| last_told.max(id(&event["u"])));
        }
        let answer = fetch(&mut scene.bench);
        assert_eq!(answer, fetch(&mut unwatched.bench), "seed {seed} step {step}");
        if let Ok(fetched) = answer {
            assert_eq!(
                fetched.1, scene.truth[&fetched.0],
                "seed {seed} step {step}: the book at {}",
                fetched.0
            );
            assert!(fetched.0 >= last_told, "seed {seed} step {step}: {} after {last_told}", fetched.0);
            assert!(fetched.0 >= last_fetched, "seed {seed} step {step}: it went back");
            last_fetched = fetched.0;
            if clients.below(10) == 0 {
                for stream in &mut streams {
                    stream.fetched.push((stream.events.len(), fetched.clone()));
                }
            }
        }
        for (at, stream) in streams.iter_mut().enumerate() {
            let leaves = !stream.stalled && restless && clients.below(300) == 0;
            if stream.ended || leaves {
                if leaves && !stream.ended {
                    scene.bench.worker.gone(stream.conn);
                }
                joined += stream.check(&scene.truth, at == 0);
                *stream = Stream::open(&mut scene.bench, stream.name);
            }
        }
    }
    streams[2].drain(&mut scene.bench);
    scene.bench.tick(2_000);
    scene.bench.flush();
    for (at, stream) in streams.iter_mut().enumerate() {
        stream.receive(&mut scene.bench);
        joined += stream.check(&scene.truth, at == 0);
    }
    joined
}

#[test]
fn a_book_and_the_events_after_it_make_the_gateways_book() {
    let seed = std::env::var("DEPTHCAST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = seed.map_or(1..41, |seed| seed..seed + 1);
    let joined: usize = seeds.map(|seed| follow(seed, seed % 2 == 0)).sum();
    assert!(joined > 100, "only {joined} books were joined to a stream");
}

#[test]
fn a_book_is_as_of_the_last_tenth_of_a_second_also_where_only_trades_follow() {
    let mut bench = Bench::standing();
    bench.tick(100);
    let begun = bench.seq(0);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    assert_eq!(fetch(&mut bench).unwrap().0, begun, "the bucket is open");
    bench.tick(99);
    assert_eq!(fetch(&mut bench).unwrap().0, begun, "as it is now");
    bench.tick(1);
    let (id, [bids, _]) = fetch(&mut bench).unwrap();
    assert_eq!((id, bids.last()), (begun + 1, Some(&(9_990, 5))));
    bench.exchange_event(0, &[support::trade(10_000, 7)]);
    bench.tick(1_000);
    assert_eq!(fetch(&mut bench).unwrap().0, begun + 1, "a trade changes no book");
}

#[test]
fn what_came_to_nothing_is_told_too_as_somebody_may_have_seen_it() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, &["btcusdt@depth"]);
    bench.tick(1_000);
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 500)]);
    bench.tick(100);
    let mut local = Local::begin(&fetch(&mut bench).unwrap());
    let before = local.levels();
    bench.exchange_event(0, &[level(Side::Bid, 10_000, 100)]);
    bench.tick(1_000);
    bench.flush();
    bench.messages(conn).iter().for_each(|event| assert!(local.take(event, false)));
    assert_eq!(local.levels(), fetch(&mut bench).unwrap().1);
    assert_ne!(local.levels(), before);
}

#[test]
fn the_end_of_the_feed_is_in_the_book_as_it_is_in_the_streams() {
    let mut bench = Bench::standing();
    let conn = open(&mut bench, &["btcusdt@depth"]);
    bench.tick(1_000);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    bench.publish(Event::new(Kind::FeedEnded));
    bench.flush();
    let told = id(&bench.messages(conn)[0]["u"]);
    assert_eq!(fetch(&mut bench).unwrap().0, told);
}

#[test]
fn a_book_that_cannot_be_told_is_refused() {
    let mut bench = Bench::new(Limits::default());
    assert!(fetch(&mut bench).unwrap_err().contains("has not begun"));
    bench.reset(0, ResetReason::Feed);
    bench.tick(1_000);
    let begun = bench.seq(0);
    assert_eq!(fetch(&mut bench).unwrap().0, begun);
    bench.publish(Event { symbol: BTC, ..Event::new(Kind::FeedGap) });
    assert!(fetch(&mut bench).unwrap_err().contains("is being recovered"));
    bench.reset(0, ResetReason::Gap);
    assert!(
        fetch(&mut bench).unwrap_err().contains("just written anew"),
        "what it was at the last end is gone"
    );
    bench.tick(100);
    assert_eq!(fetch(&mut bench).unwrap().0, bench.seq(0));
}

#[test]
fn a_worker_that_was_lapped_says_nothing_of_a_bucket_whose_beginning_it_does_not_know() {
    let mut bench = Bench::standing();
    bench.tick(100);
    bench.worker.lapped();
    assert!(fetch(&mut bench).unwrap_err().contains("is being recovered"));
    let image = book::Image {
        symbol: BTC,
        ids: support::EPOCH.into(),
        levels: Some(std::sync::Arc::new(book::Ladder::default())),
        mark: bench.worker.publisher().mark(BTC),
        stale: false,
        position: bench.position,
        feed_time: bench.now,
    };
    bench.worker.install(&image, bench.now);
    bench.exchange_event(0, &[level(Side::Bid, 9_990, 5)]);
    assert!(fetch(&mut bench).is_err());
    bench.tick(100);
    assert_eq!(fetch(&mut bench), Ok((bench.seq(0), [vec![(9_990, 5)], vec![]])));
}

fn trades(bench: &mut Bench, window: TradeWindow) -> Vec<u64> {
    let mut body = Vec::new();
    bench.worker.publisher_mut().push_trade_list(BTC, window, true, &mut body);
    let list: Value = serde_json::from_slice(&body).unwrap();
    list.as_array().unwrap().iter().map(|trade| id(&trade["a"])).collect()
}

#[test]
fn trades_are_asked_for_by_id_by_time_or_from_the_end() {
    let mut bench = Bench::standing();
    let begun = bench.now;
    for number in 1..=10 {
        bench.exchange_event(0, &[support::trade(10_000, number)]);
        bench.tick(10);
    }
    let at = |millis: u64| Some(Nanos(begun.0 + millis * 1_000_000));
    let all = TradeWindow { from_id: None, from: None, until: None, limit: 4 };
    let mut check = |window, wanted: &[u64]| assert_eq!(trades(&mut bench, window), wanted, "{window:?}");
    check(all, &[7, 8, 9, 10]);
    check(TradeWindow { from_id: Some(3), ..all }, &[3, 4, 5, 6]);
    check(TradeWindow { from_id: Some(11), ..all }, &[]);
    check(TradeWindow { from: at(70), ..all }, &[8, 9, 10]);
    check(TradeWindow { from: at(11), until: at(31), ..all }, &[3, 4]);
    check(TradeWindow { until: at(31), limit: 3, ..all }, &[2, 3, 4]);
}
