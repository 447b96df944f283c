//! The queue from one thread to another, beside the library that it wraps and a queue for many threads.

use super::measure::{Item, Samples, Setup, Target, time};
use crossbeam::queue::ArrayQueue;
use market::Event;
use rings::spsc;
use std::hint::{black_box, spin_loop};

pub const ITEMS: &[Item] = &[
    Item { name: "queue/batches-of-16", target: Some(Target::Nanos(10.0)), measure: batches },
    Item { name: "queue/batches-of-16-of-bare-rtrb", target: None, measure: rtrb_batches },
    Item { name: "queue/one-by-one", target: None, measure: one_by_one },
    Item { name: "queue/one-by-one-of-crossbeam-array", target: None, measure: crossbeam_one_by_one },
];

/// A packed event.
type Words = [u64; Event::WORDS];
const RECORD: Words = [7; Event::WORDS];
const BATCH: [Words; 16] = [RECORD; 16];
const CAPACITY: usize = 4_096;
const RECORDS: usize = 5_000_000;

fn batches(setup: &Setup) -> anyhow::Result<Samples> {
    let (mut producer, mut consumer) = spsc::queue::<Words>(CAPACITY);
    let produce = || {
        producer.push_batch(black_box(&BATCH));
    };
    setup.beside(produce, || drain(setup, || consumer.pop_batch(BATCH.len(), swallow)))
}

fn rtrb_batches(setup: &Setup) -> anyhow::Result<Samples> {
    let (mut producer, mut consumer) = rtrb::RingBuffer::<Words>::new(CAPACITY);
    let produce = || {
        let _full = producer.push_partial_slice(black_box(&BATCH));
    };
    let mut consume = || {
        let chunk = consumer.read_chunk(consumer.slots().min(BATCH.len())).expect("so many are there");
        let count = chunk.len();
        chunk.into_iter().for_each(swallow);
        count
    };
    setup.beside(produce, || drain(setup, &mut consume))
}

fn one_by_one(setup: &Setup) -> anyhow::Result<Samples> {
    let (mut producer, mut consumer) = spsc::queue::<Words>(CAPACITY);
    let produce = || {
        let _full = producer.push(black_box(RECORD));
    };
    setup.beside(produce, || drain(setup, || consumer.pop().map_or(0, swallow_one)))
}

fn crossbeam_one_by_one(setup: &Setup) -> anyhow::Result<Samples> {
    let queue = ArrayQueue::<Words>::new(CAPACITY);
    let produce = || {
        let _full = queue.push(black_box(RECORD));
    };
    setup.beside(produce, || drain(setup, || queue.pop().map_or(0, swallow_one)))
}

/// Times how long it takes for so many records to arrive; `take` says how many it found.
fn drain(setup: &Setup, mut take: impl FnMut() -> usize) -> Samples {
    setup.measure(RECORDS, || {
        time(|| {
            let mut taken = 0;
            while taken < RECORDS {
                match take() {
                    0 => spin_loop(),
                    count => taken += count,
                }
            }
        })
    })
}

fn swallow(words: Words) {
    black_box(words);
}

fn swallow_one(words: Words) -> usize {
    swallow(words);
    1
}
