use super::stream::{Fate, Stream};
use market::{Nanos, SymbolId};
use std::{collections::HashMap, time::Duration};
use wire::message::{Chance, Channel, ChaosPlan};

fn stream(channel: Channel, symbol: &str, plan: ChaosPlan) -> Stream {
    Stream::new(SymbolId(0), symbol, channel, plan)
}

fn plan(seed: u64, chances: [f64; 4]) -> ChaosPlan {
    let [drop, repeat, reorder, corrupt] = chances.map(|chance| Chance::new(chance).unwrap());
    ChaosPlan { seed, drop, repeat, reorder, corrupt, ..ChaosPlan::default() }
}

fn fates(mut stream: Stream, count: usize) -> Vec<Fate> {
    (0..count).map(|_| stream.roll().0).collect()
}

#[test]
fn each_fate_comes_as_often_as_it_is_to() {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for fate in fates(stream(Channel::Book, "BTC/USDT", plan(1, [0.1, 0.2, 0.3, 0.05])), 100_000) {
        *counts.entry(format!("{fate:?}")).or_default() += 1;
    }
    for (fate, wanted) in
        [("Drop", 10_000), ("Repeat", 20_000), ("Reorder", 30_000), ("Corrupt", 5_000), ("Pass", 35_000)]
    {
        assert!(counts[fate].abs_diff(wanted) < 700, "{fate}: {counts:?}");
    }
}

#[test]
fn what_is_certain_always_happens_and_what_is_impossible_never() {
    let certain = fates(stream(Channel::Book, "BTC/USDT", plan(1, [0.0, 0.0, 1.0, 0.0])), 10_000);
    assert!(certain.iter().all(|fate| *fate == Fate::Reorder));
    let impossible = fates(stream(Channel::Book, "BTC/USDT", plan(1, [0.0; 4])), 10_000);
    assert!(impossible.iter().all(|fate| *fate == Fate::Pass));
}

#[test]
fn every_subscription_has_dice_of_its_own() {
    let of = |channel, symbol, seed| fates(stream(channel, symbol, plan(seed, [0.25; 4])), 50);
    let one = of(Channel::Book, "BTC/USDT", 1);
    assert_eq!(one, of(Channel::Book, "BTC/USDT", 1));
    for other in
        [of(Channel::Bbo, "BTC/USDT", 1), of(Channel::Book, "ETH/USDT", 1), of(Channel::Book, "BTC/USDT", 2)]
    {
        assert_ne!(one, other);
    }
}

#[test]
fn the_fate_of_a_message_does_not_depend_on_what_else_may_happen() {
    let drops = |chances| {
        let fates = fates(stream(Channel::Book, "BTC/USDT", plan(9, chances)), 1_000);
        fates.into_iter().map(|fate| fate == Fate::Drop).collect::<Vec<_>>()
    };
    assert_eq!(drops([0.1, 0.0, 0.0, 0.0]), drops([0.1, 0.3, 0.3, 0.3]));
}

#[test]
fn a_silence_comes_once() {
    let stall = Duration::from_millis(10);
    let mut stream = stream(Channel::Book, "BTC/USDT", ChaosPlan { stall, ..ChaosPlan::default() });
    let begun = Nanos(1_000_000_000);
    assert!(stream.begins_silence(begun) && !stream.begins_silence(begun));
    assert_eq!(stream.silent_until(), Some(begun + stall));
    stream.wake(begun);
    assert!(stream.silent_until().is_some());
    stream.wake(begun + stall);
    assert!(stream.silent_until().is_none() && !stream.begins_silence(begun + stall));
}
