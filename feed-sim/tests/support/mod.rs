//! A receiver of the feed, as simple as can be, and the simulations that it listens to.
#![allow(dead_code, reason = "each test program uses its part")]

use feed::FeedSource;
use feed_sim::{Pace, Scenario, SimConfig, Simulator};
use market::{Event, Kind, Nanos, Price, Qty, Side, SymbolId};
use std::{collections::BTreeMap, time::Duration};

/// The exchange time at which simulations start.
pub const START: Nanos = Nanos(1_767_603_600_000_000_000);

pub fn config(scenario: &str) -> SimConfig {
    let scenario = Scenario::builtin(scenario).unwrap();
    SimConfig { scenario, symbols: None, rate: None, seed: 1, start: Some(START) }
}

pub fn from_toml(text: &str) -> SimConfig {
    SimConfig { scenario: Scenario::from_toml(text).unwrap(), ..config("market") }
}

/// Everything that happens in the first `seconds`.
pub fn run(config: SimConfig, seconds: u64) -> Vec<Event> {
    let mut simulator = Simulator::new(config).unwrap().with_pace(Pace::Max);
    let end = START + Duration::from_secs(seconds);
    let mut events = Vec::new();
    while simulator.poll(START, &mut events).unwrap().watermark < end {}
    events.truncate(events.partition_point(|event| event.timestamp < end));
    events
}

/// The exchange events in a run of events, checked to be whole and each of one symbol at one time.
pub fn exchange_events(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    assert!(events.last().is_none_or(|event| event.last), "an unfinished exchange event");
    events.split_inclusive(|event| event.last).inspect(|packet| {
        let first = packet[0];
        let belongs = |event: &Event| event.symbol == first.symbol && event.timestamp == first.timestamp;
        assert!(packet.iter().all(belongs), "mixed: {packet:?}");
    })
}

/// What does not depend on real time.
pub fn timeless(events: &[Event]) -> Vec<Event> {
    events.iter().map(|event| Event { engine: Nanos::ZERO, ingest: Nanos::ZERO, ..*event }).collect()
}

/// What happened after the books were opened.
pub fn after_opening(events: &[Event], symbols: usize) -> &[Event] {
    let ends = events.iter().enumerate().filter(|(_, event)| event.last).map(|(place, _)| place + 1);
    &events[ends.take(symbols).last().unwrap()..]
}

/// A receiver's books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books(BTreeMap<SymbolId, [BTreeMap<Price, Qty>; 2]>);

impl Books {
    pub fn of(events: &[Event]) -> Books {
        let mut books = Books::default();
        events.iter().for_each(|event| books.apply(event));
        books
    }

    pub fn apply(&mut self, event: &Event) {
        let book = self.0.entry(event.symbol).or_default();
        let side = &mut book[event.side.index()];
        match event.kind {
            Kind::Reset => *book = Default::default(),
            Kind::Level if event.qty.is_zero() => _ = side.remove(&event.price),
            Kind::Level => _ = side.insert(event.price, event.qty),
            _ => {}
        }
    }

    /// The quantity at a level; zero if there is none.
    pub fn qty(&self, event: &Event) -> Qty {
        let book = self.0.get(&event.symbol);
        book.and_then(|book| book[event.side.index()].get(&event.price)).copied().unwrap_or(Qty::ZERO)
    }

    /// The prices of a side, the best first.
    pub fn prices(&self, symbol: SymbolId, side: Side) -> Vec<Price> {
        let mut prices: Vec<Price> = self.0[&symbol][side.index()].keys().copied().collect();
        if side == Side::Bid {
            prices.reverse();
        }
        prices
    }

    pub fn best(&self, symbol: SymbolId, side: Side) -> Option<Price> {
        let prices = &self.0.get(&symbol)?[side.index()];
        if side == Side::Bid { prices.keys().next_back() } else { prices.keys().next() }.copied()
    }

    pub fn is_crossed(&self, symbol: SymbolId) -> bool {
        let tops = (self.best(symbol, Side::Bid), self.best(symbol, Side::Ask));
        matches!(tops, (Some(bid), Some(ask)) if bid >= ask)
    }
}
