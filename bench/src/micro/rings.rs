//! The event ring: on one thread, and as a hop between two cores beside the same in shared memory, a bare atomic word and tokio's
//! broadcast.

use super::measure::{Item, Samples, Setup, Target, time};
use anyhow::Context;
use crossbeam::utils::CachePadded;
use market::Event;
use rings::{
    broadcast::{self, Mapped, Polled, Reader, Slot, Storage, Writer},
    shared_memory::SharedMemory,
};
use std::{
    hint::{black_box, spin_loop},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync;

pub const ITEMS: &[Item] = &[
    Item { name: "ring/publish-and-poll", target: None, measure: publish_and_poll },
    Item { name: "ring/hop", target: Some(Target::Nanos(100.0)), measure: hop },
    Item { name: "ring/hop-in-shared-memory", target: None, measure: mapped_hop },
    Item { name: "ring/hop-of-a-bare-atomic", target: None, measure: bare_hop },
    Item { name: "ring/hop-of-tokio-broadcast", target: None, measure: tokio_hop },
];

/// What the ring carries: a packed event.
type Words = [u64; Event::WORDS];
/// Both ends of a ring.
type Ends<S> = (Writer<{ Event::WORDS }, S>, Reader<{ Event::WORDS }, S>);
const SLOTS: usize = 1 << 12;
const ROUND_TRIPS: usize = 500_000;

fn publish_and_poll(setup: &Setup) -> anyhow::Result<Samples> {
    const RECORDS: usize = 5_000_000;
    let (mut writer, mut reader) = broadcast::ring(SLOTS);
    Ok(setup.measure(RECORDS, || {
        time(|| {
            for i in 0..RECORDS as u64 {
                writer.publish(black_box(&[i; Event::WORDS]));
                reader.poll(1, |_, words| {
                    black_box(words);
                });
            }
        })
    }))
}

fn hop(setup: &Setup) -> anyhow::Result<Samples> {
    hop_of(setup, broadcast::ring(SLOTS), broadcast::ring(SLOTS))
}

fn mapped_hop(setup: &Setup) -> anyhow::Result<Samples> {
    hop_of(setup, mapped_ring()?, mapped_ring()?)
}

/// A ring in a file that its two ends map apart, as two processes do.
fn mapped_ring() -> anyhow::Result<Ends<Mapped<{ Event::WORDS }>>> {
    const FIRST: usize = 8;
    let file = tempfile::tempfile_in("/dev/shm").context("make a file in /dev/shm")?;
    file.set_len((FIRST * 8 + SLOTS * size_of::<Slot<{ Event::WORDS }>>()) as u64)?;
    let map = || {
        let memory = Arc::new(SharedMemory::map(&file)?);
        Mapped::new(memory, 0, FIRST, SLOTS).map(Arc::new).context("the ring does not fit into its file")
    };
    Ok((Writer::new(map()?), Reader::new(map()?)))
}

/// There through one ring and back through another.
fn hop_of<S: Storage<{ Event::WORDS }>>(
    setup: &Setup,
    (mut there, mut arriving): Ends<S>,
    (mut back, mut returning): Ends<S>,
) -> anyhow::Result<Samples> {
    let echo = move || {
        if let Some(words) = take(&mut arriving) {
            back.publish(&words);
        }
    };
    setup.beside(echo, || round_trips(setup, |i| ring_round_trip(&mut there, &mut returning, i)))
}

fn ring_round_trip<S: Storage<{ Event::WORDS }>>(
    there: &mut Writer<{ Event::WORDS }, S>,
    returning: &mut Reader<{ Event::WORDS }, S>,
    number: u64,
) -> u64 {
    there.publish(&[number; Event::WORDS]);
    loop {
        if let Some(words) = take(returning) {
            return words[0];
        }
        spin_loop();
    }
}

fn take<S: Storage<{ Event::WORDS }>>(reader: &mut Reader<{ Event::WORDS }, S>) -> Option<Words> {
    let mut taken = None;
    match reader.poll(1, |_, words| taken = Some(*words)) {
        Polled::Lagged { missed } => unreachable!("missed {missed} of one record on its way"),
        Polled::Read(_) | Polled::Empty => taken,
    }
}

fn bare_hop(setup: &Setup) -> anyhow::Result<Samples> {
    let words = [const { CachePadded::new(AtomicU64::new(0)) }; 2];
    let [there, back] = &words;
    let echo = || back.store(there.load(Ordering::Acquire), Ordering::Release);
    setup.beside(echo, || {
        // Numbers go on over the rounds: the word of the last one may still be on its way.
        let mut number = 0;
        round_trips(setup, |i| {
            number += 1;
            there.store(number, Ordering::Release);
            while back.load(Ordering::Acquire) != number {
                spin_loop();
            }
            i
        })
    })
}

fn tokio_hop(setup: &Setup) -> anyhow::Result<Samples> {
    let (there, mut arriving) = sync::broadcast::channel::<Words>(SLOTS);
    let (back, mut returning) = sync::broadcast::channel::<Words>(SLOTS);
    let echo = move || {
        if let Ok(words) = arriving.try_recv() {
            // Nobody listens any more when the measurement is over.
            let _ = back.send(words);
        }
    };
    setup.beside(echo, || {
        round_trips(setup, |i| {
            let _ = there.send([i; Event::WORDS]);
            loop {
                if let Ok(words) = returning.try_recv() {
                    return words[0];
                }
                spin_loop();
            }
        })
    })
}

/// Times hops by round trips; each takes a number there and brings it back.
fn round_trips(setup: &Setup, mut round_trip: impl FnMut(u64) -> u64) -> Samples {
    let round = || {
        time(|| {
            for i in 0..ROUND_TRIPS as u64 {
                assert_eq!(round_trip(i), i, "another record came back");
            }
        })
    };
    setup.measure(ROUND_TRIPS, round).halved()
}
