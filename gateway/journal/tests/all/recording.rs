//! A recording gives back what was written, notices what was changed, and survives being cut anywhere.

use crate::support::{instrument, instruments, level, record, segment};
use feed::FeedSink;
use journal::{JournalError, Reader, Writer, verify};
use market::{Epoch, Event, Kind, Nanos, Price, Qty, ResetReason, Side, SymbolId};
use proptest::prelude::*;
use std::{fs, path::Path};

const EPOCH: Epoch = Epoch(0x9c41_d7e0_a25b_7f3a);

fn read(dir: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let mut reader = match Reader::open(dir) {
        Ok(reader) => reader,
        Err(JournalError::Empty(_)) => return events,
        Err(error) => panic!("{error}"),
    };
    while reader.next_block(&mut events).unwrap().is_some() {}
    events
}

fn numbered() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![8 => Just(Kind::Level), 2 => Just(Kind::Trade), 1 => Just(Kind::Reset)];
    let near_or_any = |any: BoxedStrategy<u64>| prop_oneof![4 => 0..2_000u64, 1 => any];
    let place = (kind, any::<bool>(), any::<bool>(), any::<bool>(), 0..3u32);
    let numbers = (near_or_any(any::<u64>().boxed()), any::<i64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (place, numbers).prop_map(|((kind, ask, last, partial, symbol), (seq, price, qty, timestamp, number))| {
        Event {
            side: if ask { Side::Ask } else { Side::Bid },
            last,
            partial,
            symbol: SymbolId(symbol),
            seq,
            price: if kind == Kind::Reset { Price(0) } else { Price(price) },
            qty: Qty(qty),
            timestamp: Nanos(timestamp),
            number,
            ..Event::new(kind)
        }
    })
}

fn status() -> impl Strategy<Value = Event> {
    (0..3u32, any::<u64>(), any::<bool>()).prop_map(|(symbol, timestamp, gap)| Event {
        symbol: SymbolId(symbol),
        timestamp: Nanos(timestamp),
        ..Event::new(if gap { Kind::FeedGap } else { Kind::Listing })
    })
}

/// Whole exchange events, now and then a status; whether to sync behind each.
fn pushes() -> impl Strategy<Value = Vec<(Vec<Event>, bool)>> {
    let exchange_event = proptest::collection::vec(numbered(), 1..6).prop_map(|mut events| {
        events.last_mut().unwrap().last = true;
        events
    });
    let run = prop_oneof![6 => exchange_event, 1 => status().prop_map(|status| vec![status])];
    proptest::collection::vec((run, any::<bool>()), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn everything_that_has_a_meaning_comes_back(pushes in pushes()) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(dir.path(), EPOCH, &instruments(&["A/B", "C/D", "E/F"])).unwrap();
        for (events, sync) in &pushes {
            writer.push(events).unwrap();
            if *sync {
                writer.sync().unwrap();
            }
        }
        let wanted: Vec<Event> = pushes.into_iter().flat_map(|(events, _)| events).collect();
        prop_assert_eq!(writer.sync().unwrap(), wanted.len() as u64);
        prop_assert_eq!(read(dir.path()), wanted);
    }
}

#[test]
fn ticks_and_what_a_replay_tells_anew_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let others = [Kind::Crossed, Kind::FeedStalled, Kind::FeedEnded].map(Event::new);
    let live = Event { engine: Nanos(7), ingest: Nanos(9), ..level(1, 5, 100) };
    let events = [&[Event::tick(Nanos(4)), live][..], &others].concat();
    let writer = record(dir.path(), EPOCH, &["A/B"], &[&events]);
    assert_eq!(writer.records(), 1);
    assert_eq!(read(dir.path()), [level(1, 5, 100)]);
}

#[test]
fn instruments_that_were_listed_later_are_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = record(dir.path(), EPOCH, &["A/B"], &[&[level(1, 5, 100)]]);
    let id = writer.list(instrument("C/D")).unwrap();
    writer.push(&[Event { symbol: id, ..Event::new(Kind::Listing) }]).unwrap();
    writer.push(&[Event { symbol: id, ..level(1, 6, 100) }]).unwrap();
    writer.sync().unwrap();
    let mut reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.instruments().len(), 1);
    while reader.next_block(&mut Vec::new()).unwrap().is_some() {}
    assert_eq!(reader.instruments().get(id), Some(&instrument("C/D")));
}

#[test]
fn what_has_no_place_in_a_recording_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = record(dir.path(), EPOCH, &["A/B"], &[]);
    let mut check = |events: &[Event], wanted: &str| {
        let error = writer.push(events).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
        assert_eq!(writer.records(), 0);
    };
    let unlisted = Event { symbol: SymbolId(1), ..level(1, 5, 100) };
    check(&[level(1, 5, 100), unlisted], "was not listed");
    check(&[level(1, 5, 100), Event { last: false, ..level(2, 5, 100) }], "unfinished exchange event");
    let mut huge = vec![Event { last: false, ..level(1, 5, 100) }; 1 << 19];
    huge.push(level(2, 5, 100));
    check(&huge, "cut it into several");
}

/// Three blocks: a book, changes, a trade.
fn small(dir: &Path) -> Vec<Event> {
    let book = [
        Event { number: 9, ..Event::reset(SymbolId(0), ResetReason::Feed) },
        Event { last: false, ..level(2, 5, 100) },
        level(3, 5, -7),
    ];
    let changes = [level(4, 8, 101), level(5, 9, 102)];
    let trade = [Event { kind: Kind::Trade, ..level(6, 9, 103) }];
    record(dir, EPOCH, &["A/B"], &[&book, &changes, &trade]);
    [&book[..], &changes, &trade].concat()
}

#[test]
fn a_file_cut_anywhere_is_a_clean_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let events = small(dir.path());
    let file = segment(dir.path(), 1, 1);
    let whole = fs::read(&file).unwrap();
    let block_ends: Vec<usize> = [0, 3, 5].iter().map(|&records| records_end(dir.path(), records)).collect();
    for cut in 0..whole.len() {
        fs::write(&file, &whole[..cut]).unwrap();
        let report = verify(dir.path()).unwrap();
        let records = if cut < block_ends[1] {
            0
        } else if cut < block_ends[2] {
            3
        } else {
            5
        };
        let kept = if cut < block_ends[0] { 0 } else { records_end_of(&block_ends, records) };
        assert_eq!((report.damage, report.records), (vec![], records as u64), "cut at {cut}");
        assert_eq!(report.torn_bytes, (cut - kept) as u64, "cut at {cut}");
        assert_eq!(read(dir.path()), events[..records], "cut at {cut}");
    }
}

fn records_end_of(block_ends: &[usize], records: usize) -> usize {
    block_ends[[0, 3, 5].iter().position(|&count| count == records).unwrap()]
}

/// How long a recording of the first `records` of [`small`] is.
fn records_end(dir: &Path, records: usize) -> usize {
    let events = read(dir);
    let other = tempfile::tempdir().unwrap();
    let blocks: Vec<&[Event]> = match records {
        0 => vec![],
        3 => vec![&events[..3]],
        _ => vec![&events[..3], &events[3..5]],
    };
    record(other.path(), EPOCH, &["A/B"], &blocks);
    fs::metadata(segment(other.path(), 1, 1)).unwrap().len() as usize
}

#[test]
fn every_flipped_bit_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    for file in [segment(dir.path(), 1, 1), dir.path().join("run-000001/run.toml")] {
        let whole = fs::read(&file).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &changed).unwrap();
            let report = verify(dir.path()).unwrap();
            assert!(!report.is_whole(), "bit {} of byte {} in {}", bit % 8, bit / 8, file.display());
        }
        fs::write(&file, &whole).unwrap();
    }
    assert!(verify(dir.path()).unwrap().is_whole());
}

#[test]
fn damage_is_named_and_what_stands_behind_it_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let file = segment(dir.path(), 1, 1);
    let end_of_first = records_end(dir.path(), 3);
    let mut bytes = fs::read(&file).unwrap();
    bytes[end_of_first + 50] ^= 1;
    fs::write(&file, bytes).unwrap();
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.first_seq, report.last_seq), (4, 1, 6));
    let [damage] = &report.damage[..] else { panic!("{report:?}") };
    assert_eq!((damage.offset, damage.first_record, damage.last_record), (end_of_first as u64, 4, Some(5)));
    assert_eq!(damage.file, file);
}

#[test]
fn an_end_that_was_never_written_out_is_torn_and_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let events = small(dir.path());
    let file = segment(dir.path(), 1, 1);
    let mut bytes = fs::read(&file).unwrap();
    bytes.resize(bytes.len() + 10_000, 0);
    fs::write(&file, bytes).unwrap();
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.damage, report.records, report.torn_bytes), (vec![], 6, 10_000));
    assert_eq!(read(dir.path()), events);
}

#[test]
fn a_second_run_touches_nothing_and_numbers_on() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let file = segment(dir.path(), 1, 1);
    let torn = &fs::read(&file).unwrap()[..records_end(dir.path(), 5) + 3];
    fs::write(&file, torn).unwrap();

    let writer = record(dir.path(), Epoch(2), &["X/Y"], &[&[level(1, 50, 7)], &[level(2, 51, 7)]]);
    assert_eq!((writer.records(), writer.durable()), (7, 7));
    assert_eq!(fs::read(&file).unwrap(), torn);
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.records, report.first_seq, report.last_seq, report.torn_bytes), (7, 1, 7, 3));
    assert!(report.is_whole());

    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!((reader.epoch(), reader.instruments().find("X/Y")), (Epoch(2), Some(SymbolId(0))));
    fs::remove_dir_all(dir.path().join("run-000001")).unwrap();
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.damage[0].first_record, report.damage[0].last_record), (1, Some(5)));
}

#[test]
fn a_run_without_an_event_gives_way_to_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let events = small(dir.path());
    record(dir.path(), Epoch(2), &["X/Y"], &[]);
    assert_eq!(Reader::open(dir.path()).unwrap().epoch(), EPOCH);
    assert_eq!(read(dir.path()), events);
    fs::create_dir(dir.path().join("run-000003")).unwrap();
    assert!(verify(dir.path()).unwrap().is_whole(), "a run that was not even described holds nothing");
    assert_eq!(record(dir.path(), Epoch(4), &["X/Y"], &[]).records(), 6);
    assert!(dir.path().join("run-000004/run.toml").exists());
}

#[test]
fn one_writer_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = record(dir.path(), EPOCH, &["A/B"], &[]);
    let second = Writer::open(dir.path(), EPOCH, &instruments(&["A/B"]));
    assert!(matches!(second, Err(JournalError::Busy(_))));
    drop(first);
    record(dir.path(), EPOCH, &["A/B"], &[]);
}

#[test]
fn a_later_format_is_refused_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let file = dir.path().join("run-000001/run.toml");
    let text = fs::read_to_string(&file).unwrap();
    let body =
        text.split("# crc32c").next().unwrap().replace("format = 2", "format = 3\nof_the_future = true");
    fs::write(&file, format!("{body}# crc32c {:08x}\n", crc32c::crc32c(body.as_bytes()))).unwrap();
    let error = verify(dir.path()).unwrap_err().to_string();
    assert!(error.contains("run.toml is of recording format 3, this program reads up to 2"), "{error}");
}

#[test]
fn no_recording_is_said_to_be_none() {
    let dir = tempfile::tempdir().unwrap();
    for missing in [dir.path().to_owned(), dir.path().join("nowhere")] {
        assert!(matches!(verify(&missing), Err(JournalError::Missing(_))));
        assert!(matches!(Reader::open(&missing), Err(JournalError::Missing(_))));
    }
}

#[test]
fn an_event_takes_at_most_24_bytes_even_of_a_thousand_instruments_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..1_000).map(|i| format!("S{i}/USDT")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // Prices of millions of ticks, quantities of up to 10^9 lots, a nanosecond clock: all by a multiplicative hash.
    let any = |i: u64, below: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20 & (below - 1);
    let events: Vec<Event> = (0..100_000u64)
        .map(|i| Event {
            symbol: SymbolId((i % 1_000) as u32),
            side: if any(i, 2) == 0 { Side::Bid } else { Side::Ask },
            qty: Qty(any(i, 1 << 30)),
            number: 50_093_239_189 + i,
            ..level(
                i / 1_000 + 1,
                1_723_161_255_208_000_000 + i * 1_000_003,
                6_000_000 + any(i, 4_096) as i64,
            )
        })
        .collect();
    let writer = record(dir.path(), EPOCH, &names, &[&events]);
    let bytes = writer.bytes() as f64 / writer.records() as f64;
    assert!(bytes <= 24.0, "{bytes}");
    assert_eq!(read(dir.path()), events);
}
