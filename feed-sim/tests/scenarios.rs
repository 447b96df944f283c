//! What each built-in scenario promises.

mod support;

use feed::FeedSource;
use feed_sim::{Scenario, SimConfig, Simulator};
use market::{Event, Kind, Price, Side, SymbolId};
use std::collections::{BTreeMap, BTreeSet};
use support::{Books, START, after_opening, config, exchange_events, run};

const SECOND: u64 = 1_000_000_000;

fn second_of(event: &Event) -> u64 {
    (event.timestamp.0 - START.0) / SECOND
}

fn count(events: &[Event], kind: Kind) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}

#[test]
fn every_scenario_numbers_densely_and_every_change_is_one() {
    for name in Scenario::names() {
        let events = run(config(name), 75);
        let mut books = Books::default();
        let mut counters = BTreeMap::<SymbolId, (u64, u64)>::new();
        let mut last = START;
        for packet in exchange_events(&events) {
            let (seq, trade_id) = counters.entry(packet[0].symbol).or_default();
            assert_eq!(packet[0].kind == Kind::Reset, *seq == 0, "{name}: a book begins with a reset, once");
            for event in packet {
                *seq += 1;
                assert_eq!(event.seq, *seq, "{name}: {event:?}");
                if event.kind == Kind::Trade {
                    *trade_id += 1;
                    assert!(!event.qty.is_zero() && event.number == *trade_id, "{name}: {event:?}");
                }
                if event.kind == Kind::Level {
                    assert_ne!(books.qty(event), event.qty, "{name}: changes nothing: {event:?}");
                    assert_eq!(event.number, 0);
                }
                assert!(event.price >= Price(0) && event.timestamp >= last, "{name}: {event:?}");
                last = event.timestamp;
                books.apply(event);
            }
            let after_levels = packet.iter().skip_while(|event| event.kind != Kind::Level);
            assert!(after_levels.clone().all(|event| event.kind == Kind::Level), "{name}: trades come first");
        }
        assert_eq!(counters.len(), 20, "{name}");
    }
}

#[test]
fn market_is_lively_in_every_symbol_in_every_second() {
    for seed in 1..=5 {
        let events = run(SimConfig { seed, ..config("market") }, 10);
        let mut counts = BTreeMap::<(SymbolId, u64), [usize; 2]>::new();
        for event in after_opening(&events, 20) {
            counts.entry((event.symbol, second_of(event))).or_default()
                [usize::from(event.kind == Kind::Trade)] += 1;
        }
        assert_eq!(counts.len(), 20 * 10);
        for (place, [levels, trades]) in counts {
            assert!(levels >= 20 && trades >= 5, "seed {seed}, {place:?}: {levels} changes, {trades} trades");
        }
    }
}

#[test]
fn market_keeps_deep_books_that_are_never_crossed() {
    let events = run(config("market"), 60);
    let mut books = Books::default();
    for packet in exchange_events(&events) {
        packet.iter().for_each(|event| books.apply(event));
        let symbol = packet[0].symbol;
        assert!(!books.is_crossed(symbol), "{packet:?}");
        for side in Side::BOTH {
            let depth = books.prices(symbol, side).len();
            assert!(depth >= 5, "{symbol:?} has {depth} levels of {side:?}");
        }
    }
    for id in (0..20).map(SymbolId) {
        assert!(Side::BOTH.iter().all(|&side| books.prices(id, side).len() >= 10), "{id:?}");
    }
}

#[test]
fn market_trades_at_prices_that_were_in_the_book() {
    let events = run(config("market"), 10);
    let mut books = Books::default();
    for packet in exchange_events(&events) {
        for trade in packet.iter().filter(|event| event.kind == Kind::Trade) {
            let resting = Event { side: trade.side.opposite(), ..*trade };
            assert!(books.qty(&resting) >= trade.qty, "nothing to trade with: {trade:?}");
        }
        packet.iter().for_each(|event| books.apply(event));
    }
}

#[test]
fn the_rate_counts_events_in_all_symbols_together() {
    let check = |symbols, rate, seconds| {
        let config = SimConfig { symbols: Some(symbols), rate: Some(rate), ..config("market") };
        let events = run(config, seconds);
        let counted = after_opening(&events, symbols as usize).len() as u64;
        let wanted = rate * seconds;
        assert!(counted.abs_diff(wanted) < wanted / 20, "{counted} instead of {wanted}");
    };
    check(1, 1_000, 10);
    check(20, 20_000, 2);
    check(500, 50_000, 1);
}

#[test]
fn market_lists_named_pairs_first_and_numbered_ones_behind() {
    let simulator = Simulator::new(SimConfig { symbols: Some(21), ..config("market") }).unwrap();
    let instruments = simulator.instruments();
    let btc = &instruments[SymbolId(0)];
    assert_eq!((btc.symbol.as_str(), btc.venue_symbol.as_str()), ("BTC/USDT", "BTCUSDT"));
    assert_eq!((btc.tick_text().as_str(), btc.lot_text().as_str()), ("0.01", "0.00001"));
    assert_eq!(instruments[SymbolId(20)].symbol, "S0021/USDT");
}

#[test]
fn more_symbols_than_there_are_or_none_are_refused() {
    let check = |symbols, rate, complaint: &str| {
        let refused = Simulator::new(SimConfig { symbols, rate, ..config("market") });
        assert!(refused.unwrap_err().to_string().contains(complaint));
    };
    check(Some(0), None, "1 to 20000");
    check(Some(20_001), None, "1 to 20000");
    check(None, Some(0), "1 to 100000000");
    let largest = SimConfig { symbols: Some(20_000), ..config("quiet") };
    assert_eq!(Simulator::new(largest).unwrap().instruments().len(), 20_000);
}

/// Single changes of one of the ten best levels, `burst` of a symbol at once, bursts at exactly even distances.
#[track_caller]
fn check_even(events: &[Event], burst: usize, rate: u64) {
    let mut books = Books::of(&events[..events.len() - after_opening(events, 20).len()]);
    let changes = after_opening(events, 20);
    assert_eq!(changes.len() % burst, 0);
    for (n, event) in changes.iter().enumerate() {
        let turn = n / burst;
        assert!(event.kind == Kind::Level && event.last, "{event:?}");
        assert_eq!(event.symbol.index(), turn % 20, "in turn");
        assert_eq!(event.timestamp.0 - START.0, (turn * burst) as u64 * SECOND / rate, "evenly spaced");
        let best = books.prices(event.symbol, event.side);
        assert!(best[..10].contains(&event.price), "{event:?} is not among the ten best");
        assert!(!event.qty.is_zero() && event.qty != books.qty(event), "{event:?}");
        books.apply(event);
    }
}

#[test]
fn even_changes_one_level_at_a_time_at_even_distances() {
    check_even(&run(config("even"), 3), 1, 1_000);
    check_even(&run(SimConfig { rate: Some(7_777), ..config("even") }, 2), 1, 7_777);
}

#[test]
fn bursts_are_of_one_symbol_at_once_and_keep_the_rate() {
    for (name, burst) in [("burst4", 4), ("burst16", 16), ("burst64", 64)] {
        let events = run(config(name), 4);
        check_even(&events, burst, 1_000);
        let counted = after_opening(&events, 20).len();
        assert!(counted.abs_diff(4_000) <= burst, "{name}: {counted}");
    }
}

#[test]
fn surge_is_four_times_the_rate_every_other_five_seconds() {
    let events = run(SimConfig { rate: Some(500), ..config("surge") }, 20);
    let mut seconds = [0; 20];
    for event in after_opening(&events, 20) {
        assert!(event.kind == Kind::Level && event.last);
        seconds[second_of(event) as usize] += 1;
    }
    let [normal, surge] = [[500; 5], [2_000; 5]];
    assert_eq!(seconds.chunks(5).collect::<Vec<_>>(), [normal, surge, normal, surge]);
}

/// The highest and the lowest trade of BTC/USDT, the one over the other in millionths.
fn range_ppm(events: &[Event]) -> i64 {
    let trades = events.iter().filter(|event| event.kind == Kind::Trade && event.symbol == SymbolId(0));
    let prices: Vec<i64> = trades.map(|event| event.price.0).collect();
    let (low, high) = (prices.iter().min().unwrap(), prices.iter().max().unwrap());
    (high - low) * 1_000_000 / low
}

#[test]
fn calm_has_fewer_events_and_moves_less_than_market() {
    let (calm, market) = (run(config("calm"), 60), run(config("market"), 60));
    assert!(after_opening(&calm, 20).len() * 4 < after_opening(&market, 20).len());
    assert!(count(&calm, Kind::Trade) * 8 < count(&market, Kind::Trade));
    let (calm, market) = (range_ppm(&calm), range_ppm(&market));
    assert!(calm * 2 < market, "calm moves {calm} ppm, market {market} ppm");
}

#[test]
fn open_gathers_orders_in_a_crossed_book_and_trades_them_at_one_price() {
    let events = run(config("open"), 30);
    let auction_end = START.0 + 10 * SECOND;
    let (before, after) = events.split_at(events.partition_point(|event| event.timestamp.0 < auction_end));
    assert_eq!(count(before, Kind::Trade), 0, "nothing trades before the auction ends");
    let mut books = Books::of(before);
    let crossed: BTreeSet<SymbolId> = (0..20).map(SymbolId).filter(|&id| books.is_crossed(id)).collect();
    assert_eq!(crossed.len(), 20, "all books are crossed by then");

    let mut opened = BTreeSet::new();
    for packet in exchange_events(after) {
        let symbol = packet[0].symbol;
        if packet[0].timestamp.0 == auction_end && opened.insert(symbol) {
            let trades = packet.iter().filter(|event| event.kind == Kind::Trade);
            let prices: BTreeSet<Price> = trades.map(|event| event.price).collect();
            assert_eq!(prices.len(), 1, "{symbol:?} opens at one price");
        }
        packet.iter().for_each(|event| books.apply(event));
        assert!(!books.is_crossed(symbol), "crossed after the auction: {packet:?}");
    }
    assert_eq!(opened, crossed);
}

#[test]
fn crash_falls_fast_through_many_levels_and_recovers() {
    let events = run(config("crash"), 40);
    let mut books = Books::default();
    let mut bids = BTreeMap::new();
    let mut most_levels = 0;
    for packet in exchange_events(&events) {
        packet.iter().for_each(|event| books.apply(event));
        let swept =
            |event: &&Event| event.kind == Kind::Level && event.side == Side::Bid && event.qty.is_zero();
        if packet[0].kind == Kind::Trade {
            most_levels = most_levels.max(packet.iter().filter(swept).count());
        }
        if let Some(bid) = books.best(SymbolId(0), Side::Bid) {
            bids.insert(second_of(&packet[0]), bid.0);
        }
        assert!(!books.is_crossed(packet[0].symbol));
    }
    let (calm, bottom, end) = (bids[&9], bids[&14], bids[&39]);
    assert!(bottom < calm * 85 / 100, "from {calm} to {bottom}");
    assert!(end > calm * 95 / 100, "from {bottom} to {end}");
    assert!(most_levels >= 15, "a sale went through {most_levels} levels");
}

#[test]
fn quiet_says_one_thing_a_minute_of_each_symbol() {
    let events = run(SimConfig { symbols: Some(30), ..config("quiet") }, 180);
    let mut counts = BTreeMap::<(SymbolId, u64), usize>::new();
    for event in after_opening(&events, 30) {
        *counts.entry((event.symbol, second_of(event) / 60)).or_default() += 1;
    }
    assert_eq!(counts.len(), 30 * 3);
    assert!(counts.values().all(|&count| count == 1));
}
