//! Captures: what an importer makes of a file is whole and bounded, and the same if the file is compressed.

use feed::{FeedSource, FeedState};
use flate2::{Compression, write::GzEncoder};
use journal::import::{Format, Import};
use market::{Event, Nanos};
use std::{fs, io::Write, path::PathBuf};
use tempfile::TempDir;

/// A capture of Binance's.
pub(crate) fn binance(data: &[u8]) {
    check(Format::Binance, data);
}

/// A capture of Kraken's.
pub(crate) fn kraken(data: &[u8]) {
    check(Format::Kraken, data);
}

thread_local! {
    static DIR: TempDir = tempfile::tempdir().expect("a folder for files");
}

fn check(format: Format, data: &[u8]) {
    let Some(events) = import(format, data) else { return };
    // The shortest level is ["1","1"], which may take another one's place.
    assert!(events.len() <= data.len(), "{} events of {} bytes", events.len(), data.len());
    if let Some(last) = events.last() {
        assert!(last.last || !last.kind.is_numbered(), "it ends within an exchange event");
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(data).expect("memory takes it");
    let gzip = gzip.finish().expect("memory takes it");
    assert!(import(format, &gzip).is_some_and(|again| again == events), "compressed it says something else");
}

/// What a file says, if it can be imported.
fn import(format: Format, data: &[u8]) -> Option<Vec<Event>> {
    let file: PathBuf = DIR.with(|dir| dir.path().join("capture"));
    fs::write(&file, data).expect("the file can be written");
    let mut import = Import::open(format, &[file], &[]).ok()?;
    let mut events = Vec::new();
    while import.poll(Nanos::ZERO, &mut events).ok()?.state != FeedState::Ended {}
    let instruments = import.instruments();
    assert!(events.iter().all(|event| event.symbol.index() < instruments.len()));
    Some(events)
}
