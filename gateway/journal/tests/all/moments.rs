//! Any moment of a recording is found, with the books as they were, whatever is compressed, cut into segments or missing before
//! it.

use crate::support::{Model, exchange_events, instrument, instruments};
use book::{Image, Ladder, Mark};
use feed::FeedSink;
use journal::{Books, GapReason, Moment, Recording, Writer, WriterOptions, repair, verify};
use market::{Epoch, Event, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::{fs, path::Path, sync::Arc};

const EPOCH: Epoch = Epoch(11);
const SYMBOLS: [&str; 3] = ["A/B", "C/D", "E/F"];

/// A market of three symbols: resets, changes, trades, now and then a gap in the feed; as a sequencer gives it.
struct Market {
    random: Xoshiro256PlusPlus,
    time: u64,
    seqs: [Seq; 3],
    models: [Model; 3],
}

impl Market {
    fn new(seed: u64) -> Market {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Market { random, time: 1_000, seqs: [0; 3], models: Default::default() }
    }

    fn event(&mut self, kind: Kind, symbol: usize) -> Event {
        self.seqs[symbol] += 1;
        Event {
            symbol: SymbolId(symbol as u32),
            side: if self.random.random() { Side::Ask } else { Side::Bid },
            seq: self.seqs[symbol],
            price: Price(self.random.random_range(0..200)),
            qty: Qty(self.random.random_range(0..4u64) * 1_000),
            timestamp: Nanos(self.time),
            number: self.time * 3,
            ..Event::new(kind)
        }
    }

    /// The next exchange event.
    fn next(&mut self) -> Vec<Event> {
        let symbol = self.random.random_range(0..3);
        // Now and then several at one moment, now and then the venue's clock goes back.
        self.time += self.random.random_range(0..4);
        let mut events = Vec::new();
        if self.seqs[symbol] == 0 || self.random.random_ratio(1, 400) {
            let reset = self.event(Kind::Reset, symbol);
            events.push(Event {
                qty: Qty(ResetReason::Feed as u64),
                price: Price(0),
                side: Side::Bid,
                ..reset
            });
        }
        for _ in 0..self.random.random_range(1..6) {
            let kind = if self.random.random_ratio(1, 5) { Kind::Trade } else { Kind::Level };
            events.push(self.event(kind, symbol));
        }
        if self.random.random_ratio(1, 10) {
            events.iter_mut().for_each(|event| event.timestamp.0 -= 3);
        }
        events.last_mut().unwrap().last = true;
        events.iter().for_each(|event| self.models[symbol].apply(event));
        events
    }

    fn image(&self, symbol: usize) -> Image {
        let side = |side: Side| {
            let levels = self.models[symbol].sides[side.index()].iter();
            let mut levels: Vec<_> = levels.map(|(&price, &qty)| Level { price, qty }).collect();
            if side == Side::Bid {
                levels.reverse();
            }
            levels
        };
        let levels = Ladder { bids: side(Side::Bid), asks: side(Side::Ask) };
        let mark = Mark { seq: self.seqs[symbol], timestamp: Nanos(self.time), ..Mark::default() };
        Image {
            symbol: SymbolId(symbol as u32),
            ids: EPOCH.into(),
            levels: (self.seqs[symbol] > 0).then(|| Arc::new(levels)),
            mark,
            stale: false,
            position: 0,
            feed_time: Nanos(self.time),
        }
    }
}

fn options(compress: bool) -> WriterOptions {
    WriterOptions { compress, segment_bytes: 12_000, books_after: 2_000, ..WriterOptions::default() }
}

fn check(books: &Books, models: &[Model; 3], seqs: &[Seq; 3], what: &str) {
    for (at, (model, &seq)) in models.iter().zip(seqs).enumerate() {
        let symbol = SymbolId(at as u32);
        let Some(book) = books.get(symbol) else {
            assert_eq!(seq, 0, "{what}: {symbol:?} has no book");
            continue;
        };
        assert_eq!(book.seq(), seq, "{what}: {symbol:?}");
        for side in Side::BOTH {
            let levels: Vec<_> = book.levels().iter(side).map(|level| (level.price, level.qty)).collect();
            let wanted = model.sides[side.index()].iter().map(|(&price, &qty)| (price, qty));
            let wanted: Vec<_> = if side == Side::Bid { wanted.rev().collect() } else { wanted.collect() };
            assert_eq!(levels, wanted, "{what}: {symbol:?} {side:?}");
        }
    }
}

/// Writes exchange events one at a time, so that blocks are small: each [`Writer::sync`] ends one.
fn write(writer: &mut Writer, events: &[Event]) {
    for (at, exchange_event) in exchange_events(events).enumerate() {
        writer.push(exchange_event).unwrap();
        if at % 20 == 0 {
            writer.sync().unwrap();
        }
    }
    writer.sync().unwrap();
}

#[test]
fn the_books_at_any_moment_are_those_that_the_events_make() {
    for compress in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut market = Market::new(1);
        let events: Vec<Event> = (0..6_000).flat_map(|_| market.next()).collect();
        let mut writer =
            Writer::open_with(dir.path(), EPOCH, &instruments(&SYMBOLS), options(compress)).unwrap();
        write(&mut writer, &events);
        assert!(files(dir.path()) > 5);
        let report = verify(dir.path()).unwrap();
        assert_eq!((report.records, report.damage.first()), (events.len() as u64, None));

        let recording = Recording::open(dir.path()).unwrap();
        assert_eq!(recording.newest().unwrap(), 1);
        let (mut models, mut seqs): ([Model; 3], _) = (Default::default(), [0; 3]);
        let mut feed_time = Nanos::ZERO;
        let all: Vec<_> = exchange_events(&events).collect();
        for (at, exchange_event) in all.iter().enumerate() {
            let last = exchange_event.last().unwrap();
            exchange_event.iter().for_each(|event| models[event.symbol.index()].apply(event));
            seqs[last.symbol.index()] = last.seq;
            feed_time = feed_time.max(last.timestamp);
            if at % 97 != 0 {
                continue;
            }
            let what = format!("behind exchange event {at}, compressed: {compress}");
            let of_seq = recording.at(1, Moment::Seq(last.symbol, last.seq)).unwrap();
            let book = of_seq.books.get(last.symbol).unwrap();
            assert_eq!(book.seq(), last.seq, "{what}");
            let wanted = &models[last.symbol.index()].sides;
            assert_eq!(book.levels().len(Side::Bid), wanted[Side::Bid.index()].len(), "{what}");
            // Of several at one moment, the last one is meant.
            if all.get(at + 1).is_some_and(|next| next.iter().any(|event| event.timestamp > feed_time)) {
                let mut position = recording.at(1, Moment::Time(feed_time)).unwrap();
                check(&position.books, &models, &seqs, &what);
                assert_eq!(position.feed_time, feed_time);
                let mut rest = std::mem::take(&mut position.ahead);
                while position.reader.next_block(&mut rest).unwrap().is_some() {}
                let wanted: usize = all[at + 1..].iter().map(|events| events.len()).sum();
                assert_eq!(rest.len(), wanted, "{what}");
            }
        }
    }
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir.join("run-000001")).unwrap().count() - 1
}

#[test]
fn behind_a_gap_the_books_are_those_that_it_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut market = Market::new(2);
    let mut writer = Writer::open_with(dir.path(), EPOCH, &instruments(&SYMBOLS), options(false)).unwrap();
    let before: Vec<Event> = (0..500).flat_map(|_| market.next()).collect();
    write(&mut writer, &before);
    let recording = Recording::open(dir.path()).unwrap();
    let end = recording.contents().unwrap()[0].times.unwrap().1;

    let missed: usize = (0..300).map(|_| market.next().len()).sum();
    let mut books = Books::default();
    (0..3).for_each(|symbol| books.install(&market.image(symbol)));
    let (models, seqs) = (std::mem::take(&mut market.models), market.seqs);
    market.models = Default::default();
    for (at, model) in models.iter().enumerate() {
        market.models[at].sides = model.sides.clone();
    }
    let goes_on = Nanos(market.time);
    writer.resume(GapReason::Lagged, missed as u64, goes_on, books).unwrap();
    market.time += 5;
    let behind: Vec<Event> = (0..500).flat_map(|_| market.next()).collect();
    write(&mut writer, &behind);

    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.damage), ((before.len() + behind.len()) as u64, vec![]));
    let [(1, gap)] = report.gaps[..] else { panic!("{:?}", report.gaps) };
    assert_eq!((gap.reason, gap.missed, gap.from, gap.to), (GapReason::Lagged, missed as u64, end, goes_on));
    assert_eq!(recording.contents().unwrap()[0].gaps, [gap]);

    check(&recording.at(1, Moment::Time(goes_on)).unwrap().books, &models, &seqs, "behind the gap");
    let position = recording.at(1, Moment::Time(Nanos(goes_on.0 - 1))).unwrap();
    assert_eq!((position.gap, position.feed_time), (Some(gap), end));
    check(&recording.at(1, Moment::Time(Nanos::MAX)).unwrap().books, &market.models, &market.seqs, "the end");
    let last = behind.last().unwrap();
    let position = recording.at(1, Moment::Seq(last.symbol, last.seq)).unwrap();
    assert_eq!(position.books.get(last.symbol).unwrap().seq(), last.seq);
}

#[test]
fn a_reader_from_the_middle_knows_what_was_listed_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open_with(dir.path(), EPOCH, &instruments(&["A/B"]), options(true)).unwrap();
    let mut market = Market::new(3);
    market.seqs = [1; 3];
    for name in ["C/D", "E/F"] {
        let symbol = writer.list(instrument(name)).unwrap();
        writer.push(&[Event { symbol, ..Event::new(Kind::Listing) }]).unwrap();
    }
    let events: Vec<Event> = (0..3_000).flat_map(|_| market.next()).collect();
    write(&mut writer, &events);
    let recording = Recording::open(dir.path()).unwrap();
    let position = recording.at(1, Moment::Time(Nanos::MAX)).unwrap();
    assert_eq!(position.reader.instruments().find("E/F"), Some(SymbolId(2)));
    assert!(verify(dir.path()).unwrap().is_whole());
}

/// A recording with everything in it, in small: events, listings, books, a gap, compressed.
fn small(dir: &Path, compress: bool) -> usize {
    let options = WriterOptions { books_after: 1, ..options(compress) };
    let mut writer = Writer::open_with(dir, EPOCH, &instruments(&SYMBOLS[..2]), options).unwrap();
    let symbol = writer.list(instrument(SYMBOLS[2])).unwrap();
    writer.push(&[Event { symbol, ..Event::new(Kind::Listing) }]).unwrap();
    let mut market = Market::new(4);
    let mut events: Vec<Event> = (0..20).flat_map(|_| market.next()).collect();
    write(&mut writer, &events);
    let mut books = Books::default();
    (0..3).for_each(|symbol| books.install(&market.image(symbol)));
    writer.resume(GapReason::Disk, 7, Nanos(market.time), books).unwrap();
    let behind: Vec<Event> = (0..10).flat_map(|_| market.next()).collect();
    write(&mut writer, &behind);
    events.extend(behind);
    events.len() + 1
}

#[test]
fn cut_anywhere_it_is_a_clean_prefix_and_repair_leaves_whole_records() {
    for compress in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let records = small(dir.path(), compress) as u64;
        let file = crate::support::segment(dir.path(), 1, 1);
        let whole = fs::read(&file).unwrap();
        let mut before = 0;
        for cut in 0..=whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            let report = verify(dir.path()).unwrap();
            assert_eq!(report.damage.first(), None, "cut at {cut}");
            assert!(report.records >= before, "cut at {cut}");
            before = report.records;
            // A look from the middle finds no more than is whole, and no half a set of books.
            Recording::open(dir.path()).unwrap().at(1, Moment::Time(Nanos::MAX)).unwrap();

            let repaired = repair(dir.path()).unwrap();
            let torn: u64 = repaired.cut.iter().map(|&(_, bytes)| bytes).sum();
            assert_eq!(torn, report.torn_bytes, "cut at {cut}");
            let again = verify(dir.path()).unwrap();
            assert_eq!((again.records, again.torn_bytes), (report.records, 0), "cut at {cut}");
        }
        assert_eq!(before, records);
    }
}

#[test]
fn every_flipped_bit_is_noticed_in_whatever_block() {
    for compress in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        small(dir.path(), compress);
        let file = crate::support::segment(dir.path(), 1, 1);
        let whole = fs::read(&file).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &changed).unwrap();
            let report = verify(dir.path()).unwrap();
            assert!(!report.is_whole(), "bit {} of byte {}, compressed: {compress}", bit % 8, bit / 8);
        }
    }
}

#[test]
fn damage_is_no_end_and_is_not_repaired_away() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path(), false);
    let file = crate::support::segment(dir.path(), 1, 1);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert_eq!(repair(dir.path()).unwrap().cut, []);
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_growing_recording_is_looked_into_as_far_as_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut market = Market::new(5);
    let mut writer = Writer::open_with(dir.path(), EPOCH, &instruments(&SYMBOLS), options(false)).unwrap();
    let recording = Recording::open(dir.path()).unwrap();
    assert!(recording.newest().is_err());
    for round in 0..40 {
        let events: Vec<Event> = (0..50).flat_map(|_| market.next()).collect();
        write(&mut writer, &events);
        let now = recording.at(1, Moment::Time(Nanos::MAX)).unwrap();
        check(&now.books, &market.models, &market.seqs, &format!("round {round}"));
        assert_eq!(recording.contents().unwrap()[0].records.end, writer.records() + 1);
    }
}
