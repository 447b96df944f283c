//! Clients of both venues on one replay: each keeps books of a recording of the one and of the other, which are held against the
//! native protocol's, and at the end against what the venue itself said. They are Python's: `tests/clients/requirements.txt`, in the
//! Python that DEPTHCAST_PYTHON names.

use crate::{
    binance_truth, captures,
    captures::{Recording, import},
    kraken_truth,
    support::{
        self, run,
        script::{decimals_of, python, said_by, script},
    },
};
use gateway::Config;
use serde_json::Value;

/// How a library says that it is not there.
const MISSING: [&str; 3] =
    ["No module named 'ccxt", "No module named 'binance", "No module named 'websockets"];

/// What clients said to the end of a recording, each proved to have been so.
struct Followed {
    binance: Vec<Value>,
    kraken: Vec<Value>,
}

/// Replays a recording to clients of both venues at once, which tell one of so many books.
fn follow(recording: &Recording, symbol: &str, speed: &str, told: u32) -> Option<Followed> {
    let config = Config {
        feed: format!("journal:{}", recording.path().display()).parse().unwrap(),
        speed: speed.parse().unwrap(),
        hold: true,
        symbols: None,
        rate: None,
        workers: Some(3),
        ..support::config()
    };
    let gateway = gateway::start(config).expect("the gateway starts");
    let (address, ids) = (gateway.address(), gateway.ids());
    let client = |venue: &str| {
        let mut command = script(&python(), &format!("{venue}/replayed.py"), address);
        command.args([symbol, &told.to_string()]);
        command
    };
    let followed = run(async {
        // The first one lets the replay go.
        let mut events = binance_truth::Truth::begin(address, symbol).await;
        let mut times = kraken_truth::Truth::begin(address, symbol).await;
        let decimals = decimals_of(symbol, address).await;
        let (binance, kraken) = tokio::join!(
            said_by(client("binance"), &MISSING, async || events.follow().await),
            said_by(client("kraken"), &MISSING, async || times.follow().await),
        );
        let followed = Followed { binance: binance?, kraken: kraken? };
        let by_id = events.compare(ids, &followed.binance, decimals).await;
        let by_time = times.compare(address, &followed.kraken, decimals).await;
        assert_eq!((by_id.books, by_time.books), (followed.binance.len(), followed.kraken.len()));
        Some(followed)
    });
    gateway.shut_down("the test is over");
    followed
}

/// The best level and the number of levels of each side that a client said.
fn shape(said: &Value) -> [(f64, f64, usize); 2] {
    ["bids", "asks"].map(|name| {
        let side = said[name].as_array().unwrap();
        let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap();
        let levels = side.iter().map(|level| (number(&level[0]), number(&level[1])));
        let best = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0);
        let (price, qty) = if name == "bids" { levels.max_by(best) } else { levels.min_by(best) }.unwrap();
        (price, qty, side.len())
    })
}

/// What was said last of all, by as many clients as there are.
fn last<'a>(said: &'a [Value], by: &str) -> Vec<&'a Value> {
    let key = |said: &Value| said[by].to_string();
    let last = said.iter().map(key).max().unwrap();
    said.iter().filter(|said| key(said) == last).collect()
}

#[test]
fn clients_of_both_venues_come_to_the_last_book_of_binances() {
    let names = ["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"];
    let Some(recording) = import("binance", &names) else { return };
    let Some(Followed { binance, kraken }) = follow(&recording, "BTC/USDT", "40", 200) else { return };
    assert!(binance.len() > 25 && kraken.len() > 40, "{} {}", binance.len(), kraken.len());
    // As the captures' own documentation has it.
    let best = [(61_602.01, 1.67177), (61_602.02, 2.66795)];
    let levels = [1_971, 2_962];
    let wanted = |most: usize| {
        [(best[0].0, best[0].1, levels[0].min(most)), (best[1].0, best[1].1, levels[1].min(most))]
    };
    let ended = last(&binance, "id");
    assert_eq!(ended.len(), 2, "the procedure and the depth cache");
    ended.iter().for_each(|said| assert_eq!(shape(said), wanted(usize::MAX)));
    let ended = last(&kraken, "at");
    assert!(!ended.is_empty());
    for said in ended {
        assert_eq!(shape(said), wanted(said["depth"].as_u64().unwrap() as usize));
    }
}

#[test]
fn clients_of_both_venues_come_to_the_last_book_of_krakens() {
    let Some(recording) = import("kraken", &["ws/kraken_v1_book1000_20210417.txt.gz"]) else { return };
    let symbol = "XMR/USD";
    let Some(Followed { binance, kraken }) = follow(&recording, symbol, "3", 20) else { return };
    assert!(binance.len() > 10 && kraken.len() > 40, "{} {}", binance.len(), kraken.len());
    let checksums = &captures::checksums(&recording.files[0])[symbol];
    let proved = kraken.iter().filter_map(|said| said["checksum"].as_u64());
    let proved: Vec<u32> = proved.map(|checksum| u32::try_from(checksum).unwrap()).collect();
    assert!(proved.iter().all(|checksum| checksums.contains(checksum)), "the venue sent the same");
    let at_the_end = proved.iter().filter(|checksum| Some(*checksum) == checksums.last()).count();
    assert!(at_the_end >= 3, "the last one of the venue, at each depth");
}
