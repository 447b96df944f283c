//! Captures of Binance against what the venue said beside its diffs: its best bid and ask at each update id.

use crate::support::{Model, captures, exchange_events, import, lines};
use feed::FeedSource;
use journal::import::{Format, Import};
use market::{Event, Instrument, Kind, Side, parse_fixed};
use simd_json::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

/// What the venue's tickers say of a market: best bid, its quantity, best ask, its quantity, by update id.
type Tickers = BTreeMap<u64, [String; 4]>;

/// The tickers by market.
fn tickers(files: &[PathBuf]) -> HashMap<String, Tickers> {
    let mut tickers: HashMap<String, Tickers> = HashMap::new();
    for line in files.iter().flat_map(|file| lines(file)).filter(|line| line.contains("\"stream\":")) {
        let mut json = line.split_once(' ').unwrap().1.as_bytes().to_vec();
        let value = simd_json::to_borrowed_value(&mut json).unwrap();
        if !value.get_str("stream").is_some_and(|stream| stream.ends_with("@bookTicker")) {
            continue;
        }
        let data = value.get("data").unwrap();
        let text = |key: &str| data.get_str(key).unwrap().to_owned();
        tickers
            .entry(text("s"))
            .or_default()
            .insert(data.get_u64("u").unwrap(), ["b", "B", "a", "A"].map(text));
    }
    tickers
}

fn agrees(model: &Model, ticker: &[String; 4], instrument: &Instrument) -> bool {
    let number = |text: &String, decimals| parse_fixed(text.as_bytes(), decimals).unwrap();
    let [bid, bid_qty, ask, ask_qty] = ticker;
    [(Side::Bid, bid, bid_qty), (Side::Ask, ask, ask_qty)].into_iter().all(|(side, price, qty)| {
        model.best(side).is_some_and(|(best, best_qty)| {
            best.0 == number(price, instrument.price_decimals)
                && best_qty.0 as i64 == number(qty, instrument.qty_decimals)
        })
    })
}

struct Outcome {
    instrument: Instrument,
    model: Model,
    applied: u64,
    equal: u64,
    different: u64,
    last: u64,
    trades: u64,
}

/// The markets of an import, each after all of its events.
fn replay_all(files: &[PathBuf]) -> (Import, Vec<Outcome>) {
    let (tickers, none) = (tickers(files), Tickers::new());
    let (import, events) = import(Format::Binance, files);
    let outcome = |(_, instrument): (_, &Instrument)| Outcome {
        instrument: instrument.clone(),
        model: Model::default(),
        applied: 0,
        equal: 0,
        different: 0,
        last: 0,
        trades: 0,
    };
    let mut outcomes: Vec<_> = import.instruments().iter().map(outcome).collect();
    for change in exchange_events(&events) {
        let outcome = &mut outcomes[change[0].symbol.index()];
        match change[0].kind {
            Kind::Trade => outcome.trades += 1,
            Kind::Level => {
                outcome.compare(change, tickers.get(&outcome.instrument.venue_symbol).unwrap_or(&none))
            }
            _ => change.iter().for_each(|event| outcome.model.apply(event)),
        }
    }
    (import, outcomes)
}

fn replay(files: &[PathBuf]) -> (Import, Outcome) {
    let (import, outcomes) = replay_all(files);
    let [outcome] = <[Outcome; 1]>::try_from(outcomes).unwrap_or_else(|_| panic!("these are of one market"));
    (import, outcome)
}

impl Outcome {
    fn compare(&mut self, change: &[Event], tickers: &Tickers) {
        change.iter().for_each(|event| self.model.apply(event));
        self.last = change[0].number;
        self.applied += 1;
        // The last ticker up to an id is known only where the capture has a later one.
        let is_known = tickers.last_key_value().is_some_and(|(&id, _)| id > self.last);
        if let Some((_, ticker)) = tickers.range(..=self.last).next_back().filter(|_| is_known) {
            let equal = agrees(&self.model, ticker, &self.instrument);
            *if equal { &mut self.equal } else { &mut self.different } += 1;
        }
    }

    fn best(&self, side: Side) -> (i64, u64) {
        self.model.best(side).map(|(price, qty)| (price.0, qty.0)).unwrap()
    }

    fn levels(&self) -> [usize; 2] {
        [self.model.sides[0].len(), self.model.sides[1].len()]
    }
}

#[test]
fn spot_books_agree_with_the_tickers_over_midnight() {
    let Some(files) = captures(&["binance/spot_btcusdt_20240808.gz", "binance/spot_btcusdt_20240809.gz"])
    else {
        return;
    };
    let (import, outcome) = replay(&files);
    let instrument = &outcome.instrument;
    assert_eq!((&*instrument.symbol, &*instrument.venue_symbol), ("BTC/USDT", "BTCUSDT"));
    assert_eq!((instrument.price_decimals, instrument.qty_decimals), (2, 6));
    // In two cases the capture lacks the ticker of the last change before the diff.
    assert_eq!((outcome.applied, outcome.equal, outcome.different), (6_493, 6_490, 2));
    assert_eq!(
        (outcome.best(Side::Bid), outcome.best(Side::Ask)),
        ((6_160_201, 1_671_770), (6_160_202, 2_667_950))
    );
    assert_eq!((outcome.levels(), outcome.last), ([1_971, 2_962], 50_093_696_318));
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.gaps, outcome.trades, tally.trades), (1, 0, 19_904, 19_904));
    let skipped: Vec<_> = tally.skipped.iter().map(|skipped| (&*skipped.reason, skipped.count)).collect();
    assert_eq!(
        skipped,
        [("bookTicker", 28_040 + 45_134), ("book update that the book holds already", 2)],
        "{tally}"
    );
}

#[test]
fn usd_margined_books_agree_with_the_tickers() {
    let Some(files) = captures(&["binance/usdm_btcusdt_20240808.gz"]) else { return };
    let (import, outcome) = replay(&files);
    assert_eq!((outcome.applied, outcome.equal, outcome.different), (6_547, 6_545, 0));
    assert_eq!((outcome.best(Side::Bid), outcome.best(Side::Ask)), ((616_597, 1_486), (616_598, 981)));
    assert_eq!((outcome.levels(), outcome.last, outcome.trades), ([5_018, 4_578], 5_123_135_475_514, 21_313));
    assert_eq!(import.tally().gaps, 0);
}

#[test]
fn coin_margined_books_agree_with_the_tickers_over_midnight() {
    let names = ["binance/coinm_btcusd_perp_20240808.gz", "binance/coinm_btcusd_perp_20240809.gz"];
    let Some(files) = captures(&names) else { return };
    let (_, outcome) = replay(&files);
    assert_eq!(outcome.instrument.symbol, "BTCUSD_PERP");
    assert_eq!((outcome.applied, outcome.equal, outcome.different), (44_772, 44_770, 0));
    assert_eq!((outcome.best(Side::Bid), outcome.best(Side::Ask)), ((616_000, 27), (616_001, 1_647)));
    assert_eq!((outcome.levels(), outcome.last, outcome.trades), ([1_510, 1_733], 1_007_206_781_963, 5_235));
}

#[test]
fn snapshots_from_rest_beside_the_stream_are_continued_by_it() {
    let names = ["ws/binance_spot_alts_20211012.ws.txt.gz", "ws/binance_spot_alts_20211012.rest.txt.gz"];
    let Some(files) = captures(&names) else { return };
    let (import, outcomes) = replay_all(&files);
    let symbols: Vec<_> = outcomes.iter().map(|outcome| &*outcome.instrument.symbol).collect();
    assert_eq!(symbols, ["NKN/USDT", "BLZ/ETH", "LRC/BTC", "RUNE/EUR"]);
    let sum = |count: fn(&Outcome) -> u64| outcomes.iter().map(count).sum::<u64>();
    assert_eq!((sum(|outcome| outcome.equal), sum(|outcome| outcome.different)), (141, 0));
    let tally = import.tally();
    assert_eq!((tally.snapshots, tally.gaps), (4, 0), "{tally}");
    let stale = tally.skipped.iter().find(|skipped| skipped.reason.contains("holds already"));
    assert_eq!(tally.updates + stale.map_or(0, |skipped| skipped.count), 177, "{tally}");
    assert_eq!(sum(|outcome| outcome.trades), 2, "aggTrade, as there is no trade");
}
