//! How the simulator behaves as a feed: what it says does not depend on when it is asked, and when it says it does.

mod support;

use feed::{FeedSource, FeedState};
use feed_sim::{Pace, Scenario, SimConfig, Simulator};
use market::{Event, Kind, Nanos, ResetReason, SymbolId};
use proptest::prelude::*;
use std::time::Duration;
use support::{Books, START, after_opening, config, exchange_events, from_toml, run, timeless};

/// The real time of the first poll.
const NOW: Nanos = Nanos(1_800_000_000_000_000_000);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn simulator(scenario: &str) -> Simulator {
    Simulator::new(config(scenario)).unwrap()
}

/// Everything that is due at `now`.
fn drain(simulator: &mut Simulator, now: Nanos) -> Vec<Event> {
    let mut events = Vec::new();
    while simulator.poll(now, &mut events).unwrap().state == FeedState::Events {}
    events
}

#[test]
fn the_same_seed_and_start_give_the_same_events() {
    for name in Scenario::names() {
        assert_eq!(run(config(name), 20), run(config(name), 20), "{name}");
    }
}

#[test]
fn another_seed_gives_other_events() {
    for name in Scenario::names() {
        assert_ne!(run(config(name), 1), run(SimConfig { seed: 2, ..config(name) }, 1), "{name}");
    }
}

#[test]
fn another_start_moves_the_same_events_in_time() {
    let moved = Simulator::new(SimConfig { start: Some(START + ms(5)), ..config("market") }).unwrap();
    let mut moved = timeless(&drain(&mut { moved }, NOW));
    moved.iter_mut().for_each(|event| event.timestamp = event.timestamp - ms(5));
    assert_eq!(moved, timeless(&drain(&mut simulator("market"), NOW)));
}

#[test]
fn without_a_start_exchange_time_is_that_of_the_first_poll() {
    let mut simulator = Simulator::new(SimConfig { start: None, ..config("market") }).unwrap();
    let events = drain(&mut simulator, NOW);
    assert!(events.iter().all(|event| event.timestamp == NOW && event.engine == NOW));
}

const FAULTY: &str = "
symbols = 3
rate = 2000
[orders]
open = 40
value = 500
distance_ppm = 80
volatility_ppm = 10
mix = { limit = 2, cancel = 1, market = 1 }
[[phase]]
seconds = 1
auction = true
[[phase]]
seconds = 2
rate_percent = 250
[[fault]]
kind = 'gap'
every_ms = 50
[[fault]]
kind = 'repeat'
every_ms = 50
[[fault]]
kind = 'reset'
every_ms = 300
[[fault]]
kind = 'stall'
every_ms = 700
for_ms = 120
[[fault]]
kind = 'crossed'
every_ms = 200
for_ms = 30
";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn poll_times_do_not_matter(
        which in 0..11usize,
        steps in prop::collection::vec(prop_oneof![1u64..1_000_000, 1u64..400_000_000], 1..60),
    ) {
        let config = || Scenario::names().nth(which).map_or_else(|| from_toml(FAULTY), config);
        let mut simulator = Simulator::new(config()).unwrap();
        let mut events = Vec::new();
        let mut now = NOW;
        for step in steps {
            let status = simulator.poll(now, &mut events).unwrap();
            prop_assert!(events.iter().all(|event| event.timestamp <= status.watermark));
            now = now + Duration::from_nanos(step);
        }
        let seconds = (now.0 - NOW.0) / 1_000_000_000 + 1;
        let all = timeless(&run(config(), seconds));
        prop_assert_eq!(timeless(&events), &all[..events.len()]);
    }
}

#[test]
fn events_come_when_they_are_due_and_say_so() {
    let mut simulator = simulator("market");
    let opening = drain(&mut simulator, NOW);
    assert_eq!(exchange_events(&opening).count(), 20);
    let mut late = 0;
    for step in 1..1_000 {
        let now = NOW + ms(step);
        for event in drain(&mut simulator, now) {
            assert_eq!(event.engine.since(NOW), event.timestamp.since(START), "in step with real time");
            assert!(event.engine <= now && event.engine > NOW + ms(step - 1), "not when it was due");
            late += 1;
        }
    }
    assert!(late > 900, "{late} events in a second");
}

#[test]
fn after_a_stall_events_keep_the_times_at_which_they_were_meant_to_happen() {
    let mut simulator = simulator("even");
    drain(&mut simulator, NOW);
    let events = drain(&mut simulator, NOW + ms(10_000));
    assert_eq!(events.len(), 10_000);
    for (n, event) in events.iter().zip(1..).map(|(event, n)| (n, event)) {
        assert_eq!(event.engine, NOW + ms(n));
        assert_eq!(event.timestamp, START + ms(n));
    }
}

#[test]
fn the_watermark_goes_on_while_nothing_happens() {
    let mut simulator = simulator("quiet");
    drain(&mut simulator, NOW);
    let mut events = Vec::new();
    for elapsed in [1, 2, 500, 2_999] {
        let status = simulator.poll(NOW + ms(elapsed), &mut events).unwrap();
        assert_eq!((status.state, status.watermark), (FeedState::Idle, START + ms(elapsed)));
    }
    assert_eq!(simulator.poll(NOW + ms(3_000), &mut events).unwrap().state, FeedState::Events);
}

#[test]
fn nothing_is_due_before_the_time_that_it_tells() {
    let mut simulator = simulator("market");
    drain(&mut simulator, NOW);
    for _ in 0..1_000 {
        let due = simulator.next_due().unwrap();
        assert!(drain(&mut simulator, due - Duration::from_nanos(1)).is_empty());
        assert!(!drain(&mut simulator, due).is_empty());
    }
}

#[test]
fn one_poll_is_bounded_and_ends_with_a_whole_exchange_event() {
    let mut simulator = Simulator::new(SimConfig { symbols: Some(1_000), ..config("market") }).unwrap();
    let mut events = Vec::new();
    for elapsed in 0..100 {
        events.clear();
        simulator.poll(NOW + ms(elapsed * 1_000), &mut events).unwrap();
        assert!(events.len() < 8_192 + 512, "{}", events.len());
        exchange_events(&events).for_each(drop);
    }
}

#[test]
fn while_held_time_stands_still() {
    let (mut simulator, mut other) = (simulator("market"), simulator("market"));
    let hold = simulator.pause_handle();
    let mut events = drain(&mut simulator, NOW);
    events.extend(drain(&mut simulator, NOW + ms(500)));

    hold.pause();
    for elapsed in [600, 5_500] {
        let mut none = Vec::new();
        let status = simulator.poll(NOW + ms(elapsed), &mut none).unwrap();
        assert_eq!((status.state, status.watermark), (FeedState::Idle, START + ms(500)));
        assert!(none.is_empty() && simulator.next_due().is_none());
    }

    hold.resume();
    assert!(drain(&mut simulator, NOW + ms(10_500)).is_empty());
    let resumed = drain(&mut simulator, NOW + ms(11_000));
    assert!(!resumed.is_empty());
    for event in &resumed {
        assert_eq!(event.engine.since(NOW + ms(10_500)), event.timestamp.since(START + ms(500)));
    }
    events.extend(resumed);
    let mut undisturbed = drain(&mut other, NOW);
    undisturbed.extend(drain(&mut other, NOW + ms(1_000)));
    assert_eq!(timeless(&events), timeless(&undisturbed));
}

#[test]
fn held_from_the_beginning_it_starts_when_it_is_let_go() {
    let mut simulator = Simulator::new(SimConfig { start: None, ..config("market") }).unwrap();
    let hold = simulator.pause_handle();
    hold.pause();
    let status = simulator.poll(NOW, &mut Vec::new()).unwrap();
    assert_eq!((status.state, status.watermark), (FeedState::Idle, Nanos::ZERO));
    hold.resume();
    assert_eq!(drain(&mut simulator, NOW + ms(70))[0].timestamp, NOW + ms(70));
}

#[test]
fn without_a_pace_events_come_as_fast_as_they_are_taken() {
    let mut simulator = simulator("quiet").with_pace(Pace::Max);
    let mut events = Vec::new();
    while events.len() < 20 * 60 * 24 {
        simulator.poll(NOW, &mut events).unwrap();
    }
    assert!(events.iter().all(|event| event.engine == NOW));
    assert!(events.last().unwrap().timestamp > START + Duration::from_secs(3_600 * 23));
}

#[test]
fn a_refresh_is_the_whole_book_as_one_exchange_event() {
    let (symbol, unknown) = (SymbolId(3), SymbolId(99));
    let mut simulator = simulator("market");
    let mut events = drain(&mut simulator, NOW);
    events.extend(drain(&mut simulator, NOW + ms(2_000)));
    let books = Books::of(&events);

    simulator.refresh(symbol);
    simulator.refresh(unknown);
    simulator.refresh(symbol);
    let answered = drain(&mut simulator, NOW + ms(2_000));
    assert_eq!(exchange_events(&answered).count(), 1, "asked twice, answered once");
    let [reset, levels @ ..] = &answered[..] else { panic!("no answer") };
    assert_eq!((reset.kind, reset.reset_reason(), reset.symbol), (Kind::Reset, ResetReason::Gap, symbol));
    assert!(levels.iter().all(|event| event.kind == Kind::Level));
    let mut refreshed = books.clone();
    answered.iter().for_each(|event| refreshed.apply(event));
    assert_eq!(refreshed, books);

    let next = events.iter().rfind(|event| event.symbol == symbol).unwrap().seq + 1;
    let numbers = answered.iter().map(|event| event.seq);
    assert!(numbers.eq(next..next + answered.len() as u64), "its events are numbered like all others");
}

#[test]
fn many_refreshes_leave_room_for_events_between_them() {
    let mut simulator = simulator("market");
    drain(&mut simulator, NOW);
    (0..20).for_each(|id| simulator.refresh(SymbolId(id)));
    let events = drain(&mut simulator, NOW + ms(1_000));
    let refreshes: Vec<usize> = exchange_events(&events)
        .enumerate()
        .filter(|(_, packet)| packet[0].kind == Kind::Reset)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(refreshes.len(), 20);
    assert!(refreshes.last().unwrap() > &20, "all at once: {refreshes:?}");
    let others: Vec<Event> = events
        .split_inclusive(|event| event.last)
        .filter(|packet| packet[0].kind != Kind::Reset)
        .flat_map(|packet| packet.iter().map(|event| Event { seq: 0, ..*event }))
        .collect();
    let all = run(config("market"), 1);
    let undisturbed: Vec<Event> =
        after_opening(&all, 20).iter().map(|event| Event { seq: 0, ..*event }).collect();
    assert_eq!(timeless(&others), timeless(&undisturbed), "they change nothing of what happens");
}

#[test]
fn nothing_is_allocated_once_it_is_warm() {
    for name in ["market", "even"] {
        let mut simulator = simulator(name).with_pace(Pace::Max);
        let mut events = Vec::with_capacity(8_192);
        let mut poll = |times: u32| {
            for _ in 0..times {
                events.clear();
                simulator.poll(NOW, &mut events).unwrap();
            }
        };
        poll(200);
        let allocated = allocation_counter::measure(|| poll(20));
        assert_eq!(allocated.count_total, 0, "{name} allocates in 80,000 events");
    }
}
