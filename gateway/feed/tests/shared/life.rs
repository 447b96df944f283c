//! What an operator sees of a feed's beginning, its end and what is between.

use super::{
    Name,
    exchange::{Exchange, SLOTS, instruments},
    receiver::Receiver,
};
use feed::{
    FeedSink, FeedSource, FeedState,
    shared::{Notice, SharedError, SharedSink, SharedSource, SinkOptions},
};
use market::{Instrument, Instruments, Nanos};
use rings::wait::WaitStrategy;
use std::{fs, os::unix::fs::MetadataExt, process, time::Duration};

const MILLISECOND: u64 = 1_000_000;

fn notices(receiver: &Receiver) -> Vec<Notice> {
    receiver.notices.try_iter().collect()
}

fn attached(instruments: usize) -> Notice {
    Notice::Attached { process: process::id().into(), instruments }
}

#[test]
fn a_reader_that_is_there_first_waits_for_the_feed() {
    let name = Name::new();
    let mut reader = Receiver::open(&name.0);
    assert_eq!(reader.poll(Nanos(1)).state, FeedState::Idle);
    assert_eq!(notices(&reader), [Notice::Waiting], "it says so once");
    assert!(reader.source.instruments().is_empty());

    let mut exchange = Exchange::open(&name.0, 1, 3).unwrap();
    exchange.change(2, &[(true, 5, 7)], usize::MAX);
    reader.drain(Nanos(100 * MILLISECOND + 1));
    assert_eq!((notices(&reader), reader.source.instruments().len()), (vec![attached(3)], 3));
    assert_eq!(exchange.answer(), 3);
    reader.drain(Nanos(101 * MILLISECOND));
    assert_eq!(reader.book(2), Some(&exchange.books[2]));
    assert_eq!((reader.gaps, reader.surprises), (0, 0), "nothing was lost that it had");
}

#[test]
fn a_book_that_another_asked_for_does_not_disturb() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 2).unwrap();
    let mut first = Receiver::open(&name.0);
    first.drain(Nanos(1));
    exchange.answer();
    first.drain(Nanos(2));
    let mut second = Receiver::open(&name.0);
    second.drain(Nanos(3));
    assert_eq!(exchange.answer(), 2);
    exchange.change(1, &[(false, 4, 4)], usize::MAX);
    for reader in [&mut first, &mut second] {
        reader.drain(Nanos(4));
        assert_eq!(reader.book(1), Some(&exchange.books[1]));
        assert_eq!((reader.gaps, reader.surprises), (0, 0));
    }
}

#[test]
fn a_reader_that_is_too_slow_is_told_what_it_missed_and_gets_its_books_anew() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 2).unwrap();
    let mut reader = Receiver::open(&name.0);
    reader.drain(Nanos(1));
    exchange.answer();
    reader.drain(Nanos(2));
    for price in 0..2 * SLOTS as i64 {
        exchange.change(0, &[(true, price % 50, price as u64)], usize::MAX);
    }
    let _ = notices(&reader);
    assert_eq!(reader.poll(Nanos(3)).state, FeedState::Gap);
    assert_eq!(notices(&reader), [Notice::Lapped { missed: 2 * SLOTS as u64 }]);
    assert_eq!((reader.book(0), reader.book(1)), (None, None));
    assert_eq!(exchange.answer(), 2);
    reader.drain(Nanos(4));
    assert_eq!(reader.book(0), Some(&exchange.books[0]));
}

#[test]
fn silence_is_told_and_a_new_writer_is_taken_up() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 2).unwrap();
    let mut reader = Receiver::open(&name.0);
    let mut now = Nanos(5_000 * MILLISECOND);
    reader.drain(now);
    exchange.answer();
    reader.drain(now);
    assert_eq!(notices(&reader), [attached(2)]);

    drop(exchange);
    now.0 += 999 * MILLISECOND;
    reader.drain(now);
    assert_eq!(notices(&reader), []);
    now.0 += MILLISECOND;
    reader.drain(now);
    let silence = Duration::from_secs(1);
    assert_eq!(notices(&reader), [Notice::Silent { process: process::id().into(), silence }]);
    assert!(reader.book(1).is_some(), "the last books stand");

    let mut exchange = Exchange::open(&name.0, 2, 2).unwrap();
    now.0 += 100 * MILLISECOND;
    assert_eq!(reader.poll(now).state, FeedState::Gap);
    assert_eq!((notices(&reader), reader.gaps, reader.book(1)), (vec![attached(2)], 2, None));
    exchange.change(0, &[(true, 1, 1)], usize::MAX);
    exchange.answer();
    reader.drain(now);
    assert_eq!(reader.book(0), Some(&exchange.books[0]));
}

#[test]
fn the_end_is_told_and_is_none_for_the_next_writer() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 1).unwrap();
    let mut reader = Receiver::open(&name.0);
    reader.drain(Nanos(1));
    exchange.answer();
    exchange.change(0, &[(true, 3, 3)], usize::MAX);
    let book = exchange.books[0].clone();
    exchange.sink.end();
    assert!(!name.0.path().exists());
    assert_eq!(reader.drain(Nanos(2)).state, FeedState::Ended);
    assert_eq!(reader.book(0), Some(&book), "what was written before the end is read");
    assert_eq!(notices(&reader), [attached(1), Notice::Ended]);

    let mut exchange = Exchange::open(&name.0, 2, 1).unwrap();
    assert_eq!(reader.drain(Nanos(200 * MILLISECOND)).state, FeedState::Idle);
    exchange.answer();
    reader.drain(Nanos(201 * MILLISECOND));
    assert_eq!(reader.book(0), Some(&exchange.books[0]));
}

#[test]
fn feed_time_is_the_writers() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 1).unwrap();
    let mut reader = Receiver::open(&name.0);
    assert_eq!(reader.drain(Nanos(1)).watermark, exchange.now);
    exchange.beat();
    assert_eq!(reader.drain(Nanos(2)).watermark, exchange.now);
    exchange.change(0, &[(true, 3, 3)], usize::MAX);
    assert!(reader.drain(Nanos(3)).watermark < exchange.now, "it has not promised that yet");

    let before = reader.watermark;
    drop(exchange);
    let exchange = Exchange::open(&name.0, 2, 1).unwrap();
    let _ = notices(&reader);
    reader.drain(Nanos(300 * MILLISECOND));
    let by = before.since(exchange.now);
    assert_eq!(notices(&reader), [attached(1), Notice::Earlier { by }]);
}

fn options(slots: usize) -> SinkOptions {
    SinkOptions { slots, incarnation: 7, started: Nanos(7) }
}

#[track_caller]
fn check_refused<T>(result: Result<T, SharedError>, complaint: &str) {
    let error = result.err().expect("it is refused").to_string();
    assert!(error.contains(complaint), "{error}");
}

#[test]
fn there_is_one_writer() {
    let name = Name::new();
    let exchange = Exchange::open(&name.0, 1, 1).unwrap();
    let complaint = format!("is being written by process {}", process::id());
    check_refused(Exchange::open(&name.0, 2, 1), &complaint);
    assert_eq!(fs::metadata(name.0.path()).unwrap().mode() & 0o777, 0o600, "for its owner alone");
    drop(exchange);
    assert!(name.0.path().exists(), "as after kill -9");
    assert!(Exchange::open(&name.0, 2, 1).is_ok());
}

#[test]
fn what_is_no_feed_is_left_alone() {
    let name = Name::new();
    fs::write(name.0.path(), "something that somebody wants to keep").unwrap();
    check_refused(Exchange::open(&name.0, 1, 1), "is no feed");
    check_refused(SharedSource::open(name.0.clone(), WaitStrategy::Park, drop), "is no feed");
    assert!(fs::read_to_string(name.0.path()).unwrap().starts_with("something"));
    fs::remove_file(name.0.path()).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", name.0.path()).unwrap();
    assert!(Exchange::open(&name.0, 1, 1).is_err(), "a link leads elsewhere");
}

#[test]
fn a_ring_has_a_size_that_can_be() {
    let name = Name::new();
    check_refused(SharedSink::create(&name.0, &instruments(1), options(1_000)), "a power of two from 1024");
    let mut sink = SharedSink::create(&name.0, &instruments(1), options(1_024)).unwrap();
    let event = market::Event::new(market::Kind::Level);
    let error = sink.push(&vec![event; 257]).unwrap_err().to_string();
    assert!(error.contains("257 events does not fit, it may have 256 in a ring of 1024 slots"), "{error}");
}

#[test]
fn a_feed_that_comes_back_as_another_is_an_error() {
    let name = Name::new();
    let exchange = Exchange::open(&name.0, 1, 2).unwrap();
    let mut reader = Receiver::open(&name.0);
    drop(exchange);
    let finer = Instrument { price_decimals: 5, ..super::exchange::instrument(1) };
    let others = Instruments::new([super::exchange::instrument(0), finer]).unwrap();
    let _sink = SharedSink::create(&name.0, &others, options(SLOTS)).unwrap();
    let error = reader.source.poll(Nanos(200 * MILLISECOND), &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("feed shm:test-feed-") && error.contains("at place 1 ('S1/USDT'"), "{error}");
}

#[test]
fn how_soon_it_looks_again_is_the_operators_choice() {
    let name = Name::new();
    let mut exchange = Exchange::open(&name.0, 1, 1).unwrap();
    let mut check = |wait, lively: u64, quiet: u64| {
        let mut source = SharedSource::open(name.0.clone(), wait, drop).unwrap();
        let mut due_after = |now| {
            source.poll(now, &mut Vec::new()).unwrap();
            source.next_due().unwrap().since(now).as_micros() as u64
        };
        let now = Nanos(1_000 * MILLISECOND);
        due_after(now);
        exchange.answer();
        assert_eq!((due_after(now), due_after(now + Duration::from_millis(10))), (lively, quiet), "{wait}");
    };
    check(WaitStrategy::Spin, 0, 0);
    check(WaitStrategy::Backoff, 100, 1_000);
    check(WaitStrategy::Park, 1_000, 1_000);
}
