//! A simulator that runs is switched to other scenarios and rates: what it told before stays true.

mod support;

use feed::FeedSource;
use feed_sim::{Scenario, SimConfig, SimError, Simulator};
use market::{Event, Kind, Nanos, Side, SymbolId};
use std::{collections::BTreeMap, time::Duration};
use support::{Books, START, config, exchange_events, from_toml};

/// A simulator that is polled each millisecond, and all that it said.
struct Running {
    simulator: Simulator,
    now: Nanos,
    events: Vec<Event>,
}

impl Running {
    fn new(config: SimConfig) -> Running {
        Running { simulator: Simulator::new(config).unwrap(), now: START, events: Vec::new() }
    }

    /// What it says within so long.
    fn run(&mut self, time: Duration) -> &[Event] {
        let (begin, end) = (self.events.len(), self.now + time);
        while self.now < end {
            self.now = self.now + Duration::from_millis(1);
            self.simulator.poll(self.now, &mut self.events).unwrap();
        }
        &self.events[begin..]
    }

    fn switch(&self, scenario: &str) {
        self.simulator.switch().to(Some(scenario), None).unwrap();
    }

    /// Numbers are dense, no book was begun anew, and one that is told anew equals what was told of it so far.
    fn check(&mut self) {
        let mut seqs = BTreeMap::<SymbolId, u64>::new();
        for packet in exchange_events(&self.events) {
            let seq = seqs.entry(packet[0].symbol).or_default();
            assert_eq!(packet[0].kind == Kind::Reset, *seq == 0, "no book is begun anew");
            for event in packet {
                *seq += 1;
                assert_eq!(event.seq, *seq);
            }
        }
        let (symbol, before) = (SymbolId(0), self.events.len());
        self.simulator.refresh(symbol);
        self.run(Duration::from_secs(1));
        let at = (before..self.events.len()).find(|&at| self.events[at].kind == Kind::Reset).unwrap();
        let end = at + self.events[at..].iter().position(|event| event.last).unwrap() + 1;
        let (told, anew) = (Books::of(&self.events[..at]), Books::of(&self.events[at..end]));
        for side in Side::BOTH {
            assert_eq!(told.prices(symbol, side), anew.prices(symbol, side));
        }
        let levels = self.events[at..end].iter().filter(|event| event.kind == Kind::Level);
        assert!(levels.clone().count() > 5 && levels.clone().all(|event| told.qty(event) == event.qty));
    }
}

fn events_of(events: &[Event], kind: Kind) -> usize {
    events.iter().filter(|event| event.kind == kind).count()
}

#[test]
fn books_and_numbers_go_on_in_each_scenario_of_orders() {
    let mut running = Running::new(SimConfig { symbols: Some(2), ..config("market") });
    for scenario in ["calm", "open", "crash", "market"] {
        running.run(Duration::from_secs(2));
        running.switch(scenario);
        assert_eq!(running.simulator.switch().scenario(), scenario);
    }
    running.run(Duration::from_secs(2));
    running.check();
}

#[test]
fn the_scenario_begins_with_its_first_phase_at_the_moment_of_the_switch() {
    let mut running = Running::new(SimConfig { symbols: Some(1), ..config("calm") });
    let calm = running.run(Duration::from_secs(7)).len();
    let before = Books::of(&running.events).best(SymbolId(0), Side::Bid).unwrap();
    running.switch("crash");
    // Ten seconds at five times the calm rate, then a fall of a fifth in five.
    let begun = running.run(Duration::from_secs(7)).len();
    assert!(begun > calm * 3 && begun < calm * 8, "{calm} and {begun} events");
    running.run(Duration::from_secs(8));
    let after = Books::of(&running.events).best(SymbolId(0), Side::Bid).unwrap();
    assert!(after.0 < before.0 * 85 / 100, "{before:?} and {after:?}");
    running.check();
}

#[test]
fn traders_take_on_the_habits_of_the_scenario() {
    let mut running = Running::new(SimConfig { symbols: Some(2), rate: Some(2_000), ..config("market") });
    let trades_in_hundred = |running: &mut Running| {
        let events = running.run(Duration::from_secs(5));
        events_of(events, Kind::Trade) * 100 / events.len()
    };
    let lively = trades_in_hundred(&mut running);
    running.switch("calm");
    let calm = trades_in_hundred(&mut running);
    assert!(calm < lively / 2, "{calm} % and {lively} %");
}

#[test]
fn an_auction_ends_before_another_scenario_begins() {
    let mut running = Running::new(SimConfig { symbols: Some(2), ..config("open") });
    let in_auction = running.run(Duration::from_secs(5));
    assert_eq!(events_of(in_auction, Kind::Trade), 0);
    let books = Books::of(&running.events);
    assert!(books.is_crossed(SymbolId(0)) && books.is_crossed(SymbolId(1)));
    running.switch("market");
    let begun = running.run(Duration::from_millis(2));
    assert!(events_of(begun, Kind::Trade) > 2, "{begun:?}");
    let books = Books::of(&running.events);
    assert!(!books.is_crossed(SymbolId(0)) && !books.is_crossed(SymbolId(1)));
    running.run(Duration::from_secs(1));
    running.check();
}

#[test]
fn a_rate_that_was_chosen_stays_until_another_one_is() {
    let mut running = Running::new(SimConfig { rate: Some(5_000), ..config("even") });
    let switch = running.simulator.switch();
    running.run(Duration::from_millis(100));
    let mut check = |scenario, rate, wanted: usize| {
        switch.to(scenario, rate).unwrap();
        running.run(Duration::from_millis(20));
        let events = running.run(Duration::from_secs(1)).len();
        assert!(
            events.abs_diff(wanted) <= wanted / 20,
            "{scenario:?} {rate:?}: {events} instead of {wanted}"
        );
    };
    check(Some("burst4"), None, 5_000);
    check(None, Some(2_000), 2_000);
    check(Some("quiet"), None, 2_000);
    assert_eq!((switch.scenario(), switch.rate()), ("quiet".to_owned(), Some(2_000)));
    running.check();
}

#[test]
fn faults_are_those_of_the_scenario_and_a_crossed_book_is_mended() {
    let text = "symbols = 2\nrate = 2000\n[even]\nlevels = 10\nburst = 1\n\
                [[fault]]\nkind = \"crossed\"\nevery_ms = 50\nfor_ms = 300\n";
    let mut running = Running::new(from_toml(text));
    while !Books::of(&running.events).is_crossed(SymbolId(0)) {
        running.run(Duration::from_millis(1));
    }
    running.switch("even");
    running.run(Duration::from_secs(1));
    let mut books = Books::of(&running.events);
    assert!(!books.is_crossed(SymbolId(0)));
    for event in running.run(Duration::from_secs(2)) {
        books.apply(event);
        assert!(!books.is_crossed(event.symbol));
    }
}

#[test]
fn what_cannot_be_switched_to_is_refused_with_what_can() {
    let mut running = Running::new(config("market"));
    let switch = running.simulator.switch();
    let check = |scenario, rate, wanted: &str| {
        let error: SimError = switch.to(scenario, rate).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    };
    check(Some("boom"), None, "market, even, burst4");
    check(Some("even"), None, "a running 'market' cannot go over to 'even'");
    check(Some("calm"), Some(0), "1 to 100000000");
    check(None, None, "nothing to change");
    assert_eq!((switch.scenario(), switch.rate()), ("market".to_owned(), Some(1_000)));
    assert!(Scenario::names().any(|name| name == switch.scenario()));
    running.run(Duration::from_millis(10));
}
