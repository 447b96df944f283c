//! Garbage in the file, anywhere, at any time.

use super::{Name, exchange::Exchange, receiver::Receiver, story::seed};
use feed::{FeedSource, shared::SharedSource};
use market::Nanos;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use rings::wait::WaitStrategy;
use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
};

/// Words that say how the file is laid out, and what is in it now.
const HEADER: u64 = 64;

fn spoil(file: &File, random: &mut StdRng) {
    let words = file.metadata().unwrap().len() / 8;
    let word = match random.random_range(0..3) {
        0 => random.random_range(0..HEADER),
        1 => random.random_range(words - 8 * 1_024..words),
        _ => random.random_range(0..words),
    };
    let value = match random.random_range(0..4) {
        0 => random.next_u64(),
        1 => random.random_range(0..5_000),
        2 => u64::MAX,
        _ => 1 << random.random_range(0..64),
    };
    file.write_all_at(&value.to_ne_bytes(), word * 8).unwrap();
}

/// What comes is checked where it comes: whole exchange events of one known symbol each, in an order that ends.
#[test]
fn no_garbage_makes_a_reader_panic_or_take_half_an_exchange_event() {
    let seed = seed();
    println!("DEPTHCAST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..100 {
        let name = Name::new();
        let mut exchange = Exchange::open(&name.0, 1, 3).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(name.0.path()).unwrap();
        let mut reader = Receiver::open(&name.0);
        for round in 0..200 {
            let now = Nanos(round * 300_000_000);
            if random.random_bool(0.2) {
                spoil(&file, &mut random);
            }
            let price = random.random_range(0..30);
            exchange.change(round as usize % 3, &[(true, price, 1), (false, price, round)], usize::MAX);
            exchange.beat();
            exchange.answer();
            // A feed that is damaged may be refused.
            if SharedSource::open(name.0.clone(), WaitStrategy::Park, drop).is_err() {
                break;
            }
            let mut events = Vec::new();
            if reader.source.poll(now, &mut events).is_err() {
                break;
            }
            let ends = |event: &market::Event| !event.kind.is_numbered() || event.last && !event.partial;
            assert!(events.last().is_none_or(ends), "{events:?}");
            for run in events.split_inclusive(ends) {
                assert!(run.iter().all(|event| event.symbol == run[0].symbol), "{run:?}");
                assert!(run[0].symbol.index() < reader.source.instruments().len());
            }
        }
    }
}
