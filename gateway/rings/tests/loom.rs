//! Every interleaving, and every value that the memory model lets a load return, of small models of the ring and of the
//! doorbell:
//! `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p rings --release --test loom`

#![cfg(loom)]

use loom::{future::block_on, thread};
use rings::{
    broadcast::{self, Polled, Reader, Writer},
    wait::{Doorbell, Listener, WaitStrategy},
};
use std::{future::poll_fn, sync::Arc};

const WORDS: usize = 2;

/// No two words of any two records are equal.
fn record(position: u64) -> [u64; WORDS] {
    std::array::from_fn(|word| 10 * (position + 1) + word as u64)
}

fn publish(writer: &mut Writer<WORDS>, records: u64) {
    for _ in 0..records {
        writer.publish(&record(writer.head()));
    }
}

/// Polls once. What comes must be the record that the position names, and positions must move by what was read or missed.
fn poll(reader: &mut Reader<WORDS>, limit: usize) -> Polled {
    let before = reader.position();
    let mut next = before;
    let polled = reader.poll(limit, |position, words| {
        assert_eq!((position, *words), (next, record(next)));
        next += 1;
    });
    let moved = match polled {
        Polled::Read(count) => count as u64,
        Polled::Empty => 0,
        Polled::Lagged { missed } => missed,
    };
    assert_eq!(reader.position(), before + moved);
    polled
}

fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

#[test]
fn a_record_is_whole_or_not_seen_while_the_writer_laps_two_readers() {
    check(3, || {
        let (mut writer, mut reader) = broadcast::ring::<WORDS>(1);
        let mut other = reader.clone();
        let reading = thread::spawn(move || {
            poll(&mut reader, 2);
        });
        let writing = thread::spawn(move || publish(&mut writer, 2));
        poll(&mut other, 2);
        reading.join().unwrap();
        writing.join().unwrap();
    });
}

#[test]
fn a_reader_accounts_for_every_record() {
    check(3, || {
        let (mut writer, mut reader) = broadcast::ring::<WORDS>(2);
        publish(&mut writer, 1);
        let writing = thread::spawn(move || {
            publish(&mut writer, 3);
            writer
        });
        poll(&mut reader, 1);
        poll(&mut reader, 2);
        let writer = writing.join().unwrap();
        while poll(&mut reader, 4) != Polled::Empty {}
        assert_eq!((reader.position(), reader.head()), (writer.head(), 4));
    });
}

#[test]
fn what_is_below_the_head_can_be_read() {
    check(3, || {
        let (mut writer, mut reader) = broadcast::ring::<WORDS>(2);
        let writing = thread::spawn(move || publish(&mut writer, 2));
        let head = reader.head();
        let polled = poll(&mut reader, 2);
        assert!(reader.position() >= head, "{polled:?} with the head at {head}");
        writing.join().unwrap();
    });
}

/// Reads `records`, asleep whenever there is none. A lost wake-up is a deadlock, which loom reports.
fn read(records: u64, mut reader: Reader<WORDS>, mut listener: Listener) {
    while reader.position() < records {
        if poll(&mut reader, 1) == Polled::Empty {
            block_on(poll_fn(|cx| listener.poll_wait(cx, || !reader.is_empty())));
        }
    }
}

#[test]
fn one_ring_wakes_two_sleepers() {
    check(2, || {
        let (mut writer, reader) = broadcast::ring::<WORDS>(2);
        let mut doorbell = Doorbell::new();
        let (one, two) = (doorbell.listener(WaitStrategy::Park), doorbell.listener(WaitStrategy::Park));
        let other = reader.clone();
        let reading = thread::spawn(move || read(1, reader, one));
        let writing = thread::spawn(move || {
            publish(&mut writer, 1);
            doorbell.ring();
        });
        read(1, other, two);
        reading.join().unwrap();
        writing.join().unwrap();
    });
}

#[test]
fn every_ring_is_heard() {
    check(3, || {
        let (mut writer, reader) = broadcast::ring::<WORDS>(2);
        let mut doorbell = Doorbell::new();
        let listener = doorbell.listener(WaitStrategy::Park);
        let writing = thread::spawn(move || {
            for _ in 0..2 {
                publish(&mut writer, 1);
                doorbell.ring();
            }
        });
        read(2, reader, listener);
        writing.join().unwrap();
    });
}

#[test]
fn two_threads_may_ring_one_bell() {
    check(2, || {
        let (mut writer, reader) = broadcast::ring::<WORDS>(2);
        let (mut second_writer, second) = broadcast::ring::<WORDS>(2);
        let mut doorbell = Doorbell::new();
        let mut listener = doorbell.listener(WaitStrategy::Park);
        let doorbell = Arc::new(doorbell);
        let bell = Arc::clone(&doorbell);
        let writing = thread::spawn(move || {
            publish(&mut writer, 1);
            doorbell.ring();
        });
        let also_writing = thread::spawn(move || {
            publish(&mut second_writer, 1);
            bell.ring();
        });
        while reader.is_empty() || second.is_empty() {
            block_on(poll_fn(|cx| listener.poll_wait(cx, || !reader.is_empty() && !second.is_empty())));
        }
        writing.join().unwrap();
        also_writing.join().unwrap();
    });
}
