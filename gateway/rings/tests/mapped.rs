//! A ring in memory that others may write to as well: whatever they leave there, a reader goes on, keeps its count, and
//! takes no record that was not finished. DEPTHCAST_SEED says which garbage (that of the time).

mod support;

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use rings::{
    broadcast::{Mapped, Polled, Reader, Writer},
    shared_memory::SharedMemory,
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};
use support::{FIRST, file, map};

const WORDS: usize = 7;
const SLOTS: usize = 8;
/// Words of a slot: the version, and the record.
const SLOT: usize = WORDS + 1;

fn seed() -> u64 {
    let named = std::env::var("DEPTHCAST_SEED").ok().and_then(|text| text.parse().ok());
    #[allow(clippy::disallowed_methods, reason = "a seed, not a time")]
    let of_the_time = || SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_nanos() as u64;
    let seed = named.unwrap_or_else(of_the_time);
    println!("DEPTHCAST_SEED={seed}");
    seed
}

fn ring(memory: &Arc<SharedMemory>) -> Arc<Mapped<WORDS>> {
    Arc::new(Mapped::new(Arc::clone(memory), 0, FIRST, SLOTS).unwrap())
}

fn store(memory: &SharedMemory, word: usize, value: u64) {
    memory.words()[word].store(value, Ordering::Release);
}

/// A poll that accounts for every position it moves by.
fn poll(reader: &mut Reader<WORDS, Mapped<WORDS>>, limit: usize) -> (Polled, Vec<[u64; WORDS]>) {
    let mut next = reader.position();
    let mut records = Vec::new();
    let polled = reader.poll(limit, |position, words| {
        assert_eq!(position, next);
        next += 1;
        records.push(*words);
    });
    match polled {
        Polled::Read(count) => assert_eq!(count, records.len()),
        Polled::Empty => assert!(records.is_empty()),
        Polled::Lagged { missed } => next += missed,
    }
    assert_eq!(reader.position(), next);
    (polled, records)
}

/// Any number, and often one that a position or a version might have.
fn garbage(random: &mut StdRng, near: u64) -> u64 {
    match random.random_range(0..6) {
        0 => 0,
        1 => u64::MAX - random.random_range(0..4),
        2 => 1 << random.random_range(0..64),
        3 => near.wrapping_add(random.random_range(0..64)).wrapping_sub(32),
        4 => 2 * (near + random.random_range(0..64)),
        _ => random.next_u64(),
    }
}

#[test]
fn no_garbage_stops_a_reader_or_spoils_its_count() {
    let mut random = StdRng::seed_from_u64(seed());
    for _ in 0..300 {
        let file = file::<WORDS>(SLOTS);
        let memory = map(&file);
        let mut writer = Writer::new(ring(&memory));
        let mut reader = Reader::new(ring(&map(&file)));
        for _ in 0..100 {
            match random.random_range(0..4) {
                0 => (0..random.random_range(0..20)).for_each(|_| writer.publish(&[writer.head(); WORDS])),
                1 => {
                    let word = random.random_range(0..memory.words().len());
                    store(&memory, word, garbage(&mut random, reader.position()));
                }
                2 => reader = reader.clone(),
                _ => _ = poll(&mut reader, random.random_range(0..2 * SLOTS)),
            }
            assert!(reader.head() <= 1 << 62 && reader.position() < u64::MAX >> 1);
            let _ = reader.is_empty();
        }
    }
}

/// A writer that is killed leaves the record that it was about to write in any stage: no word of it, some, or all, and the
/// version not yet even.
#[test]
fn a_record_that_was_never_finished_is_never_taken() {
    for written in 0..2 * SLOTS as u64 {
        for words in 0..=WORDS {
            let file = file::<WORDS>(SLOTS);
            let memory = map(&file);
            let mut writer = Writer::new(ring(&memory));
            (0..written).for_each(|position| writer.publish(&[position; WORDS]));
            let slot = FIRST + written as usize % SLOTS * SLOT;
            store(&memory, slot, 2 * written + 1);
            (0..words).for_each(|word| store(&memory, slot + 1 + word, u64::MAX));

            let mut reader = Reader::new(ring(&map(&file)));
            let oldest = (written + 1).saturating_sub(SLOTS as u64);
            reader.jump_to(oldest);
            let kept: Vec<_> = (oldest..written).map(|position| [position; WORDS]).collect();
            let (polled, records) = poll(&mut reader, 100);
            let wanted = if kept.is_empty() { Polled::Empty } else { Polled::Read(kept.len()) };
            assert_eq!((polled, records), (wanted, kept));
            assert_eq!(poll(&mut reader, 100).0, Polled::Empty);
            reader.jump_to(written.saturating_sub(SLOTS as u64));
            if written >= SLOTS as u64 {
                let lagged = Polled::Lagged { missed: SLOTS as u64 };
                assert_eq!(poll(&mut reader, 100).0, lagged, "the record below the unfinished one is gone");
            }
        }
    }
}

#[test]
fn a_ring_has_to_lie_in_its_memory() {
    let file = file::<WORDS>(SLOTS);
    let memory = map(&file);
    let is_ring =
        |head, first, count| Mapped::<WORDS>::new(Arc::clone(&memory), head, first, count).is_some();
    assert!(is_ring(0, FIRST, SLOTS));
    assert!(!is_ring(0, FIRST, 2 * SLOTS), "beyond its end");
    assert!(!is_ring(0, FIRST + 1, SLOTS / 2), "between two lines");
    assert!(!is_ring(0, FIRST, SLOTS - 1), "no power of two");
    assert!(!is_ring(0, FIRST, 0), "none");
    assert!(!is_ring(FIRST + SLOTS * SLOT, FIRST, SLOTS), "the head beyond its end");
}
