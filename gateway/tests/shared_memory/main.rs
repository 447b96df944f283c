//! Exchange and gateways as processes of their own, with shared memory between them: killed, started again in any order, and with
//! several gateways on one feed.

#[path = "../support/mod.rs"]
mod support;
mod writer;

use serde_json::{Value, json};
use std::net::SocketAddr;
use support::{
    ask,
    client::Client,
    get, get_until,
    program::{Gateway, depthcast},
    request, run,
};
use wire::message::Channel;
use writer::{Feed, Writer};

const SYMBOLS: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];
const MARKET: &str = "--symbols 3 --rate 2000";

fn gateway(feed: &Feed, listen: &str) -> Gateway {
    let feed = feed.option();
    let small = ["--ring-slots", "16384", "--history-bytes", "8388608", "--workers", "1", "--tcp", "off"];
    let line: Vec<&str> = ["--listen", listen, "--feed", &feed].into_iter().chain(small).collect();
    Gateway::start(depthcast(&line))
}

/// A client that proves every message, and comes back by itself.
struct Prover(client::Client);

impl Prover {
    async fn connect(address: SocketAddr) -> Prover {
        let of = |channel| client::Subscription::new(channel, SYMBOLS);
        let options = client::Options::new(vec![of(Channel::Book), of(Channel::Trade)]);
        Prover(client::Client::connect(&address.to_string(), options).await.unwrap())
    }

    fn updates(&self) -> u64 {
        self.0.tracker().counters().updates
    }

    /// Snapshots for this reason.
    fn snapshots(&self, reason: &str) -> u64 {
        self.0.tracker().counters().snapshots.get(reason).copied().unwrap_or(0)
    }

    /// Takes messages until `enough`.
    async fn until(&mut self, enough: impl Fn(&Prover) -> bool) {
        while !enough(self) {
            match self.0.next().await {
                client::Event::Fault(fault) => panic!("{fault}"),
                client::Event::Update(client::Update::Refused { text, .. }) => panic!("{text}"),
                _ => {}
            }
        }
    }

    async fn take_50_updates(&mut self) {
        let enough = self.updates() + 50;
        self.until(|it| it.updates() >= enough).await;
    }
}

/// All books of a gateway, without its own numbers.
fn books(address: SocketAddr) -> Vec<[Value; 3]> {
    let book = |symbol| ask(address, &format!("/v1/book?symbol={symbol}&depth=0")).json();
    SYMBOLS.map(book).map(|book| ["bids", "asks", "checksum"].map(|what| book[what].clone())).into()
}

#[test]
fn gateways_that_are_killed_harm_nobody_and_get_their_books_again() {
    let feed = Feed::new("killed-gateways");
    let writer = Writer::start(&feed, MARKET);
    let steady = gateway(&feed, "127.0.0.1:0");
    let mut other = gateway(&feed, "127.0.0.1:0");
    let address = other.address;
    let other = run(async {
        get_until(steady.address, "/readyz", |answer| answer.status == 200).await;
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let mut undisturbed = Prover::connect(steady.address).await;
        let mut comes_back = Prover::connect(address).await;
        for _ in 0..3 {
            comes_back.take_50_updates().await;
            other.signal("KILL");
            drop(other);
            undisturbed.take_50_updates().await;
            other = gateway(&feed, &address.to_string());
            comes_back.take_50_updates().await;
            undisturbed.take_50_updates().await;
        }
        let reasons = undisturbed.0.tracker().counters().snapshots.clone();
        let (books, trades) = (SYMBOLS.len() as u64, reasons.get("subscribe").copied());
        assert!(trades >= Some(books) && reasons.len() == 1, "no book began anew: {reasons:?}");
        other
    });
    writer.end();
    for gateway in [&steady, &other] {
        run(get_until(gateway.address, "/metrics", |answer| answer.body.contains("depthcast_feed_ended 1")));
    }
    assert_eq!(books(steady.address), books(other.address));
}

#[test]
fn writers_that_are_killed_are_followed_by_the_next_and_no_book_is_wrong() {
    let feed = Feed::new("killed-writers");
    let gateways = [gateway(&feed, "127.0.0.1:0"), gateway(&feed, "127.0.0.1:0")];
    assert_eq!(ask(gateways[0].address, "/readyz").status, 503, "there is no feed yet");
    let mut writer = Writer::start(&feed, MARKET);
    let writer = run(async {
        for gateway in &gateways {
            get_until(gateway.address, "/readyz", |answer| answer.status == 200).await;
        }
        let mut provers =
            [Prover::connect(gateways[0].address).await, Prover::connect(gateways[1].address).await];
        for round in 1..=3 {
            for prover in &mut provers {
                prover.take_50_updates().await;
            }
            writer.kill();
            writer = Writer::start(&feed, &format!("{MARKET} --seed {}", round + 1));
            for prover in &mut provers {
                // Each has as many books as there are symbols.
                prover.until(|it| it.snapshots("feed_gap") >= round * SYMBOLS.len() as u64).await;
            }
        }
        for prover in &mut provers {
            prover.take_50_updates().await;
        }
        writer
    });
    writer.end();
    for gateway in &gateways {
        run(get_until(gateway.address, "/metrics", |answer| answer.body.contains("depthcast_feed_ended 1")));
    }
    assert_eq!(books(gateways[0].address), books(gateways[1].address));
}

#[test]
fn a_gateway_that_falls_a_ring_behind_says_so_and_no_book_is_wrong() {
    let feed = Feed::new("lapped");
    let _writer = Writer::start(&feed, "--symbols 3 --rate 20000 --ring-slots 1024");
    let [stops, witness] = [(); 2].map(|()| gateway(&feed, "127.0.0.1:0"));
    run(async {
        get_until(stops.address, "/readyz", |answer| answer.status == 200).await;
        get_until(witness.address, "/readyz", |answer| answer.status == 200).await;
        let mut prover = Prover::connect(stops.address).await;
        let mut other = Prover::connect(witness.address).await;
        prover.take_50_updates().await;
        stops.signal("STOP");
        let enough = other.updates() + 5_000;
        other.until(|it| it.updates() >= enough).await;
        stops.signal("CONT");
        prover.until(|it| it.snapshots("feed_gap") >= SYMBOLS.len() as u64).await;
        prover.take_50_updates().await;
    });
}

#[test]
fn a_feed_that_shows_no_life_is_told_and_its_last_books_are_served() {
    let feed = Feed::new("silent");
    let writer = Writer::start(&feed, MARKET);
    let gateway = gateway(&feed, "127.0.0.1:0");
    let address = gateway.address;
    run(async {
        get_until(address, "/readyz", |answer| answer.status == 200).await;
        let mut client = Client::connect(address).await;
        client.subscribe(json!({"channel": "book", "symbol": ["BTC/USDT"]})).await;
        let json = [("content-type", "application/json")];
        let held = request(address, "POST", "/v1/admin/pause", &json).await;
        assert_eq!(
            (held.status, &held.json()["code"]),
            (409, &json!("not_allowed")),
            "nobody holds an exchange"
        );
        writer.kill();
        let stalled = |message: &Value| message["data"][0]["event"] == "feed_stalled";
        client.json_where(stalled).await;
        assert_eq!(get(address, "/readyz").await.status, 503);
        assert_eq!(get(address, "/v1/book?symbol=BTC/USDT&depth=10").await.status, 200);

        let _writer = Writer::start(&feed, MARKET);
        let snapshot = client.json_where(|message| message["type"] == "snapshot").await;
        assert_eq!(snapshot["data"][0]["reason"], "feed_gap");
        get_until(address, "/readyz", |answer| answer.status == 200).await;
    });
}
