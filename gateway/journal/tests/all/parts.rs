//! Parts of a recording that many look into: of some symbols, from blocks that others have read, and beyond the end while it is
//! being written.

use crate::support::{instruments, level, record, segment};
use book::{Image, Ladder, Mark};
use feed::{FeedSink, FeedSource, FeedState};
use journal::{Books, GapReason, Part, Recording, Remote, Replay, ReplayOptions, Writer, WriterOptions};
use market::{Epoch, Event, Kind, Level, Nanos, Price, Qty, ResetReason, Speed, SymbolId};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{fs, sync::Arc};

const EPOCH: Epoch = Epoch(7);

fn play(recording: &Arc<Recording>, symbols: &[u32]) -> Replay {
    let part = Part { run: 1, symbols: symbols.iter().map(|&symbol| SymbolId(symbol)).collect() };
    let options = ReplayOptions { remote: Remote::new(Speed::MAX), ..ReplayOptions::default() };
    Replay::of_part(recording, part, options).unwrap()
}

/// What is played up to the present end.
fn rest(replay: &mut Replay) -> Vec<Event> {
    let mut events = Vec::new();
    while replay.poll(Nanos(1), &mut events).unwrap().state != FeedState::Ended {}
    events.iter().map(|event| Event { engine: Nanos::ZERO, ingest: Nanos::ZERO, ..*event }).collect()
}

/// Exchange events of three symbols in any order.
fn lively(count: u64, seed: u64) -> Vec<Event> {
    println!("seed {seed}");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut seqs = [0; 3];
    let mut events = Vec::new();
    for time in 0..count {
        let symbol = random.random_range(0..3);
        for _ in 0..random.random_range(1..=3_u32) {
            seqs[symbol] += 1;
            let price = random.random_range(1..500);
            let event = level(seqs[symbol], 1_000 + time, price);
            events.push(Event { symbol: SymbolId(symbol as u32), last: false, ..event });
        }
        events.last_mut().unwrap().last = true;
    }
    events
}

#[test]
fn a_part_is_all_that_was_recorded_of_its_symbols() {
    let dir = tempfile::tempdir().unwrap();
    let events = lively(60_000, rand::random());
    record(dir.path(), EPOCH, &["A/B", "C/D", "E/F"], &[&events]);
    let recording = Arc::new(Recording::open(dir.path()).unwrap().sharing_blocks(1 << 20));
    for symbols in [&[0][..], &[1], &[2, 0], &[]] {
        let wanted = |event: &&Event| symbols.is_empty() || symbols.contains(&event.symbol.0);
        let wanted: Vec<Event> = events.iter().filter(wanted).copied().collect();
        assert!(rest(&mut play(&recording, symbols)) == wanted, "of {symbols:?}");
    }
}

#[test]
fn a_block_that_one_has_read_is_there_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let events = lively(2_000, rand::random());
    record(dir.path(), EPOCH, &["A/B", "C/D", "E/F"], &[&events]);
    let shared = Arc::new(Recording::open(dir.path()).unwrap().sharing_blocks(64 << 20));
    let first = rest(&mut play(&shared, &[1]));
    // The disk forgets; whoever reads it for the first time is told so.
    let file = segment(dir.path(), 1, 1);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&file, bytes).unwrap();
    assert!(rest(&mut play(&shared, &[1])) == first);
    let alone = Arc::new(Recording::open(dir.path()).unwrap());
    let part = Part { run: 1, symbols: vec![SymbolId(1)] };
    assert!(Replay::of_part(&alone, part, ReplayOptions::default()).is_err());
}

#[test]
fn what_is_written_after_the_end_was_reached_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let events = lively(300_000, rand::random());
    let options = WriterOptions { segment_bytes: 1 << 20, ..WriterOptions::default() };
    let table = instruments(&["A/B", "C/D", "E/F"]);
    let mut writer = Writer::open_with(dir.path(), EPOCH, &table, options).unwrap();
    let recording = Arc::new(Recording::open(dir.path()).unwrap().sharing_blocks(1 << 20));
    let mut replay = None;
    let mut seen = Vec::new();
    let is_end = |event: &Event| event.last;
    let whole: Vec<&[Event]> = events.split_inclusive(is_end).collect();
    for part in whole.chunks(20_000) {
        part.iter().for_each(|exchange_event| writer.push(exchange_event).unwrap());
        writer.flush().unwrap();
        let replay = replay.get_or_insert_with(|| play(&recording, &[]));
        replay.look_again().unwrap();
        seen.extend(rest(replay));
        // There is nothing more, however often it looks.
        replay.look_again().unwrap();
        assert!(rest(replay).is_empty());
    }
    assert!(
        fs::read_dir(segment(dir.path(), 1, 1).parent().unwrap()).unwrap().count() > 3,
        "it has several segments"
    );
    assert!(seen == events, "{} of {}", seen.len(), events.len());
}

#[test]
fn from_within_a_gap_the_books_are_stale_until_those_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let begin = Event { qty: Qty(ResetReason::Feed as u64), last: false, ..level(1, 1_000, 0) };
    let before = [Event { kind: Kind::Reset, price: Price(0), ..begin }, level(2, 1_000, 5)];
    let mut writer = record(dir.path(), EPOCH, &["A/B"], &[&before]);
    let mark = Mark { seq: 9, timestamp: Nanos(2_000), ..Mark::default() };
    let levels = Ladder { bids: vec![Level { price: Price(7), qty: Qty(1) }], asks: Vec::new() };
    let (symbol, levels) = (SymbolId(0), Some(Arc::new(levels)));
    let (stale, position, feed_time) = (false, 0, mark.timestamp);
    let mut books = Books::default();
    books.install(&Image { symbol, ids: EPOCH.into(), levels, mark, stale, position, feed_time });
    writer.resume(GapReason::Lagged, 7, Nanos(2_000), books).unwrap();
    writer.push(&[level(10, 2_100, 8)]).unwrap();
    writer.sync().unwrap();

    let recording = Arc::new(Recording::open(dir.path()).unwrap());
    let part = Part { run: 1, symbols: vec![SymbolId(0)] };
    let remote = Remote::new(Speed::MAX);
    let options = ReplayOptions { remote, from: Some(Nanos(1_500)), ..ReplayOptions::default() };
    let events = rest(&mut Replay::of_part(&recording, part, options).unwrap());
    let told: Vec<(Kind, u64)> = events.iter().map(|event| (event.kind, event.seq)).collect();
    let wanted = [
        (Kind::Reset, 2),
        (Kind::Level, 2),
        (Kind::FeedGap, 0),
        (Kind::Reset, 9),
        (Kind::Level, 9),
        (Kind::Level, 10),
    ];
    assert_eq!(told, wanted);
}
