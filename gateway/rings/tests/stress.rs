//! Real threads under load. Also for ThreadSanitizer:
//! `TSAN_OPTIONS=suppressions=tests/tsan.supp RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread
//! -Cunsafe-allow-abi-mismatch=sanitizer" CARGO_TARGET_DIR=target/tsan cargo test -p rings --target
//! x86_64-unknown-linux-gnu --test stress`

mod support;

use rings::{
    broadcast::{self, Polled, Reader, Storage, Writer},
    spsc,
    wait::{Doorbell, Listener, WaitStrategy},
};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    task::{Context, Wake, Waker},
    thread::{self, JoinHandle, Thread},
    time::Duration,
};
use support::mapped_twice;

const WORDS: usize = 7;
const SLOTS: usize = 32;
const ROUNDS: u64 = 4_000;

/// Longer than a test may take, so that nothing but a ring wakes a sleeper.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// Runs a test that stands still when a wake-up is lost.
fn check(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let testing = thread::spawn(move || {
        test();
        drop(done);
    });
    let end = ended.recv_timeout(Duration::from_secs(60));
    assert_eq!(end, Err::<(), _>(RecvTimeoutError::Disconnected), "somebody sleeps and is not woken");
    testing.join().unwrap();
}

/// Words that belong to their position and to each other: the last one is the checksum of the rest.
fn record(position: u64) -> [u64; WORDS] {
    let mut words = std::array::from_fn(|i| mix(position.wrapping_mul(WORDS as u64) + i as u64));
    words[WORDS - 1] = words[..WORDS - 1].iter().fold(position, |sum, &word| mix(sum ^ word));
    words
}

fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    value ^ value >> 29
}

fn publish_up_to<S: Storage<WORDS>>(writer: &mut Writer<WORDS, S>, head: u64) {
    while writer.head() < head {
        writer.publish(&record(writer.head()));
    }
}

/// What became of all the records, as one reader saw it.
#[derive(Default)]
struct Account {
    read: u64,
    missed: u64,
}

impl Account {
    /// Polls once and checks every record; false when there was nothing.
    fn poll<S: Storage<WORDS>>(&mut self, reader: &mut Reader<WORDS, S>) -> bool {
        let mut next = reader.position();
        match reader.poll(5, |position, words| {
            assert_eq!((position, words), (next, &record(next)));
            next += 1;
        }) {
            Polled::Read(count) => self.read += count as u64,
            Polled::Lagged { missed } => self.missed += missed,
            Polled::Empty => return false,
        }
        true
    }
}

/// How far a reader has come. One that is gone keeps nobody waiting.
#[derive(Default, Clone)]
struct Reached(Arc<AtomicU64>);

impl Drop for Reached {
    fn drop(&mut self) {
        self.0.store(u64::MAX, Ordering::Release);
    }
}

/// A reader in a thread of its own, which ends at position `end`.
fn follow<S: Storage<WORDS> + 'static>(
    mut reader: Reader<WORDS, S>,
    end: u64,
    reached: Reached,
    mut wait: impl FnMut(&Reader<WORDS, S>, bool) + Send + 'static,
) -> JoinHandle<Account> {
    thread::spawn(move || {
        let mut account = Account::default();
        while reader.position() < end {
            let found = account.poll(&mut reader);
            reached.0.store(reader.position(), Ordering::Release);
            wait(&reader, found);
        }
        account
    })
}

fn blocking<S: Storage<WORDS>>(mut listener: Listener) -> impl FnMut(&Reader<WORDS, S>, bool) {
    move |reader, found| match found {
        true => listener.reset(),
        false => listener.wait(FOR_EVER, || !reader.is_empty()),
    }
}

fn asynchronous<S: Storage<WORDS>>(mut listener: Listener) -> impl FnMut(&Reader<WORDS, S>, bool) {
    move |reader, found| match found {
        true => listener.reset(),
        false => block_on(std::future::poll_fn(|cx| listener.poll_wait(cx, || !reader.is_empty()))),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        thread::park();
    }
}

/// Every second burst fits into the ring, so that no reader may miss any of it; the others lap whoever is slow.
fn burst(round: u64) -> u64 {
    if round.is_multiple_of(2) { 1 + mix(round) % SLOTS as u64 } else { 2_000 }
}

#[test]
fn every_record_is_read_whole_or_counted_as_missed() {
    check(|| {
        let (writer, reader) = broadcast::ring::<WORDS>(SLOTS);
        lap_readers_of_every_strategy(writer, reader);
    });
}

#[test]
fn so_is_every_record_of_another_mapping() {
    check(|| {
        let [there, here] = mapped_twice::<WORDS>(SLOTS);
        lap_readers_of_every_strategy(Writer::new(there), Reader::new(here));
    });
}

fn lap_readers_of_every_strategy<S: Storage<WORDS> + 'static>(
    mut writer: Writer<WORDS, S>,
    reader: Reader<WORDS, S>,
) {
    let mut doorbell = Doorbell::new();
    let end = (0..ROUNDS).map(burst).sum();
    let fitting: u64 = (0..ROUNDS).step_by(2).map(burst).sum();
    let reached: [Reached; 4] = Default::default();
    let mut follow_with = |i: usize, strategy, asynchronously| {
        let (reader, reached, listener) = (reader.clone(), reached[i].clone(), doorbell.listener(strategy));
        match asynchronously {
            true => follow(reader, end, reached, asynchronous(listener)),
            false => follow(reader, end, reached, blocking(listener)),
        }
    };
    let readers = [
        follow_with(0, WaitStrategy::Spin, false),
        follow_with(1, WaitStrategy::Backoff, false),
        follow_with(2, WaitStrategy::Park, false),
        follow_with(3, WaitStrategy::Park, true),
    ];
    for round in 0..ROUNDS {
        let head = writer.head() + burst(round);
        publish_up_to(&mut writer, head);
        doorbell.ring();
        while reached.iter().any(|reached| reached.0.load(Ordering::Acquire) < head) {
            thread::yield_now();
        }
    }
    for account in readers.map(|reader| reader.join().unwrap()) {
        assert_eq!(account.read + account.missed, end);
        assert!(account.read >= fitting, "{} read of {fitting} that fitted", account.read);
    }
}

#[test]
fn two_sleepers_that_answer_each_other_never_both_sleep() {
    check(answer_each_other);
}

fn answer_each_other() {
    let mut doorbells = [Doorbell::new(), Doorbell::new()];
    let mine = doorbells[0].listener(WaitStrategy::Park);
    let theirs = doorbells[1].listener(WaitStrategy::Park);
    let [my_bell, their_bell] = doorbells;
    let (my_writer, their_reader) = broadcast::ring::<WORDS>(4);
    let (their_writer, my_reader) = broadcast::ring::<WORDS>(4);
    let their_side = thread::spawn(move || answer(their_writer, my_bell, their_reader, blocking(theirs), 0));
    answer(my_writer, their_bell, my_reader, asynchronous(mine), 1);
    their_side.join().unwrap();
}

/// Sends `ahead` records, then one for each record that comes.
fn answer(
    mut writer: Writer<WORDS>,
    bell: Doorbell,
    mut reader: Reader<WORDS>,
    mut wait: impl FnMut(&Reader<WORDS>, bool),
    ahead: u64,
) {
    const EXCHANGES: u64 = 10_000;
    let mut account = Account::default();
    while reader.position() < EXCHANGES {
        let wanted = (reader.position() + ahead).min(EXCHANGES);
        publish_up_to(&mut writer, wanted);
        bell.ring();
        let found = account.poll(&mut reader);
        wait(&reader, found);
    }
    publish_up_to(&mut writer, EXCHANGES);
    bell.ring();
    assert_eq!(account.read, EXCHANGES);
}

#[test]
fn a_queue_hands_over_everything_in_order() {
    const ITEMS: u64 = 200_000;
    let (mut producer, mut consumer) = spsc::queue::<u64>(64);
    let producing = thread::spawn(move || {
        let batches: Vec<u64> = (0..ITEMS).collect();
        let mut rest = &batches[..];
        while !rest.is_empty() {
            let batch = rest.len().min(17);
            let left = producer.push_batch(&rest[..batch]).len();
            rest = &rest[batch - left..];
            if left > 0 {
                thread::yield_now();
            }
        }
    });
    let mut next = 0;
    while !(consumer.is_abandoned() && consumer.is_empty()) {
        let taken = consumer.pop_batch(23, |item| {
            assert_eq!(item, next);
            next += 1;
        });
        if taken == 0 {
            thread::yield_now();
        }
    }
    producing.join().unwrap();
    assert_eq!(next, ITEMS);
}
