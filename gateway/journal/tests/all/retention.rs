//! What retention leaves is whole, and what it took is not taken for lost.

use crate::support::{instruments, level};
use feed::FeedSink;
use journal::{Moment, Reader, Recording, Retention, Writer, WriterOptions, verify};
use market::{Epoch, Event, Nanos, ResetReason, Side, SymbolId};
use std::{fs, path::Path, time::Duration};

fn options(retention: Retention) -> WriterOptions {
    WriterOptions { segment_bytes: 1_000, retention, ..WriterOptions::default() }
}

fn writer(dir: &Path, retention: Retention) -> Writer {
    Writer::open_with(dir, Epoch(1), &instruments(&["A/B"]), options(retention)).unwrap()
}

/// Seconds 1 to `count`, each a level of its own, in segments of about 20.
fn fill(writer: &mut Writer, count: u64) {
    writer.push(&[Event { seq: 1, last: true, ..Event::reset(SymbolId(0), ResetReason::Feed) }]).unwrap();
    for second in 2..=count {
        writer.push(&[level(second, second * 1_000_000_000, (second % 50) as i64)]).unwrap();
        writer.sync().unwrap();
        writer.retain().unwrap();
    }
}

fn bytes(dir: &Path) -> u64 {
    let runs = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = runs.flat_map(|run| fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path()));
    let segments = files.filter(|path| path.extension().is_some_and(|ending| ending == "events"));
    segments.map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn so_many_bytes_are_kept_and_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), Retention { bytes: Some(5_000), age: None });
    fill(&mut writer, 1_000);
    let kept = bytes(dir.path());
    assert!((3_000..7_500).contains(&kept), "{kept}");

    let report = verify(dir.path()).unwrap();
    assert_eq!((report.last_seq, report.damage), (1_000, vec![]));
    assert!(report.first_seq > 500, "{}", report.first_seq);
    // The books are those that all the events made, also those that are gone.
    let recording = Recording::open(dir.path()).unwrap();
    let contents = &recording.contents().unwrap()[0];
    assert_eq!(contents.records, report.first_seq..1_001);
    let end = recording.at(1, Moment::Time(Nanos::MAX)).unwrap();
    assert_eq!(end.books.get(SymbolId(0)).unwrap().levels().len(Side::Bid), 50);
    let mut events = Vec::new();
    let mut reader = Reader::open(dir.path()).unwrap();
    while reader.next_block(&mut events).unwrap().is_some() {}
    assert_eq!(events.len() as u64, report.records);
    // A moment before that is told to be before it.
    let early = recording.at(1, Moment::Time(Nanos(5_000_000_000))).unwrap();
    assert!(early.feed_time > Nanos(5_000_000_000), "{:?}", early.feed_time);
}

#[test]
fn what_is_too_old_goes() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(dir.path(), Retention { bytes: None, age: Some(Duration::from_secs(100)) });
    fill(&mut writer, 1_000);
    let report = verify(dir.path()).unwrap();
    assert!((820..=900).contains(&report.first_seq), "{}", report.first_seq);
    assert!(report.is_whole());
}

#[test]
fn runs_go_when_all_of_them_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    fill(&mut writer(dir.path(), Retention::default()), 100);
    fill(&mut writer(dir.path(), Retention { bytes: Some(2_000), age: None }), 300);
    assert!(!dir.path().join("run-000001").exists());
    let report = verify(dir.path()).unwrap();
    assert_eq!((report.last_seq, report.damage), (400, vec![]));
    assert_eq!(writer(dir.path(), Retention::default()).records(), 400);
}

#[test]
fn a_segment_that_is_missing_for_no_reason_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    fill(&mut writer(dir.path(), Retention { bytes: Some(5_000), age: None }), 400);
    let report = verify(dir.path()).unwrap();
    let mut segments: Vec<_> =
        fs::read_dir(dir.path().join("run-000001")).unwrap().map(|entry| entry.unwrap().path()).collect();
    segments.sort();
    fs::remove_file(&segments[1]).unwrap();
    let again = verify(dir.path()).unwrap();
    assert_eq!((again.damage.len(), again.first_seq), (1, report.first_seq));
}
