//! What goes wrong in a scenario with faults, and that a receiver can notice and mend it.

mod support;

use feed::{FeedSource, FeedState};
use feed_sim::Simulator;
use market::{Event, Kind, Nanos, ResetReason, SymbolId};
use std::{collections::BTreeMap, time::Duration};
use support::{Books, START, exchange_events, from_toml, run, timeless};

const PLAIN: &str = "
symbols = 4
rate = 2000
[orders]
open = 40
value = 500
distance_ppm = 80
volatility_ppm = 10
mix = { limit = 2, cancel = 1, market = 1 }
";

fn with_fault(fault: &str) -> String {
    format!("{PLAIN}[[fault]]\n{fault}")
}

#[test]
fn a_gap_loses_whole_exchange_events_and_their_numbers() {
    let lossy = run(from_toml(&with_fault("kind = 'gap'\nevery_ms = 50")), 10);
    let whole = run(from_toml(PLAIN), 10);
    let mut rest = exchange_events(&whole);
    let mut lost = 0;
    for packet in exchange_events(&lossy) {
        lost += rest.by_ref().take_while(|other| *other != packet).count();
    }
    assert!((150..250).contains(&lost), "{lost} lost in 10 s at one in 50 ms");
}

#[test]
fn a_receiver_that_asks_for_a_refresh_after_each_gap_ends_with_the_right_books() {
    let mut simulator = Simulator::new(from_toml(&with_fault("kind = 'gap'\nevery_ms = 50"))).unwrap();
    let mut books = Books::default();
    let mut seqs = BTreeMap::<SymbolId, u64>::new();
    let mut gaps = 0;
    for elapsed in 0..10_000 {
        let mut events = Vec::new();
        simulator.poll(START + Duration::from_millis(elapsed), &mut events).unwrap();
        for event in &events {
            let seq = seqs.entry(event.symbol).or_default();
            if event.seq != *seq + 1 {
                gaps += 1;
                simulator.refresh(event.symbol);
            }
            *seq = event.seq;
            books.apply(event);
        }
    }
    // Whatever was lost last may not have been noticed yet: the next event of its symbol tells.
    (0..4).for_each(|id| simulator.refresh(SymbolId(id)));
    let mut events = Vec::new();
    simulator.poll(START + Duration::from_millis(9_999), &mut events).unwrap();
    assert!(gaps > 100, "{gaps} gaps in 10 s at one in 50 ms");
    let truth = run(from_toml(PLAIN), 10);
    let until = START + Duration::from_millis(9_999);
    let truth = &truth[..truth.partition_point(|event| event.timestamp <= until)];
    events.iter().for_each(|event| books.apply(event));
    assert_eq!(books, Books::of(truth));
}

#[test]
fn a_repeat_is_an_exchange_event_sent_twice() {
    let doubled = run(from_toml(&with_fault("kind = 'repeat'\nevery_ms = 50")), 10);
    let mut packets: Vec<&[Event]> = exchange_events(&doubled).collect();
    let sent = packets.len();
    packets.dedup();
    assert!((150..250).contains(&(sent - packets.len())), "{} repeats", sent - packets.len());
    assert_eq!(packets.concat(), run(from_toml(PLAIN), 10));
}

#[test]
fn a_reset_begins_a_book_anew_under_the_same_numbering() {
    let events = run(from_toml(&with_fault("kind = 'reset'\nevery_ms = 200")), 10);
    let mut seqs = BTreeMap::<SymbolId, u64>::new();
    let mut books = Books::default();
    let mut resets = 0;
    for packet in exchange_events(&events) {
        for event in packet {
            let seq = seqs.entry(event.symbol).or_default();
            *seq += 1;
            assert_eq!(event.seq, *seq);
            assert!(event.kind != Kind::Level || books.qty(event) != event.qty, "of another book: {event:?}");
            books.apply(event);
        }
        if packet[0].kind == Kind::Reset {
            resets += 1;
            assert_eq!(packet[0].reset_reason(), ResetReason::Feed);
        }
        assert!(!books.is_crossed(packet[0].symbol));
    }
    assert!((4 + 30..4 + 70).contains(&resets), "{resets} resets");
}

#[test]
fn a_stall_is_silence_and_then_what_was_meant_to_happen() {
    let config = || from_toml(&with_fault("kind = 'stall'\nevery_ms = 1500\nfor_ms = 400"));
    let mut simulator = Simulator::new(config()).unwrap();
    let mut all = Vec::new();
    let (mut watermark, mut silent_since, mut silences) = (Nanos::ZERO, START, 0);
    for elapsed in 0..60_000 {
        let now = START + Duration::from_millis(elapsed);
        let before = all.len();
        while simulator.poll(now, &mut all).unwrap().state == FeedState::Events {}
        let status = simulator.poll(now, &mut all).unwrap();
        if status.watermark > watermark {
            let silence = now.since(silent_since);
            if silence >= Duration::from_millis(100) {
                silences += 1;
                assert!(silence >= Duration::from_millis(400), "{silence:?}");
                let held_back =
                    all[before..].iter().filter(|event| event.engine < now - Duration::from_millis(1));
                assert!(held_back.count() > 400, "what was held back comes with its times");
            }
            silent_since = now;
        } else {
            assert_eq!(all.len(), before, "an event without a watermark");
            assert!(simulator.next_due().unwrap() > now);
        }
        watermark = status.watermark;
    }
    assert!((25..55).contains(&silences), "{silences} stalls in a minute at one in 1.5 s");
    assert!(all.iter().all(|event| event.engine == event.timestamp));
    let plain = run(from_toml(PLAIN), 60);
    assert_eq!(timeless(&all), timeless(&plain[..all.len()]), "nothing is lost");
}

#[test]
fn a_crossed_book_is_crossed_for_a_while() {
    let events = run(from_toml(&with_fault("kind = 'crossed'\nevery_ms = 500\nfor_ms = 100")), 10);
    let mut books = Books::default();
    let mut since = BTreeMap::<SymbolId, Nanos>::new();
    let mut spells = Vec::new();
    for packet in exchange_events(&events) {
        packet.iter().for_each(|event| books.apply(event));
        let symbol = packet[0].symbol;
        if books.is_crossed(symbol) {
            since.entry(symbol).or_insert(packet[0].timestamp);
        } else if let Some(start) = since.remove(&symbol) {
            spells.push(packet[0].timestamp.since(start));
        }
    }
    assert!((8..40).contains(&spells.len()), "{} spells", spells.len());
    assert!(spells.iter().all(|spell| *spell <= Duration::from_millis(100)), "{spells:?}");
    assert!(since.len() <= 1, "at most the last one stands");
    let plain = Books::of(&run(from_toml(PLAIN), 10));
    let symbols = (0..4).map(SymbolId).filter(|symbol| !since.contains_key(symbol));
    for (symbol, side) in symbols.flat_map(|symbol| market::Side::BOTH.map(|side| (symbol, side))) {
        assert_eq!(books.prices(symbol, side), plain.prices(symbol, side), "nothing of it remains");
    }
}
