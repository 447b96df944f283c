//! Captures and vendors' files: what an importer makes of them is whole and bounded, and the same if they are compressed.

use feed::{FeedSource, FeedState};
use flate2::{Compression, write::GzEncoder};
use journal::import::{Format, Import};
use market::{Event, Nanos};
use std::{fs, io::Write, path::PathBuf};
use tempfile::TempDir;

/// A capture of Binance's.
pub(crate) fn binance(data: &[u8]) {
    check(Format::Binance, &[("capture", data)]);
}

/// A capture of Kraken's.
pub(crate) fn kraken(data: &[u8]) {
    check(Format::Kraken, &[("capture", data)]);
}

/// A DBN file; a fragment, if it does not begin as one.
pub(crate) fn dbn(data: &[u8]) {
    check(Format::Dbn, &[("capture.frag", data)]);
}

/// A file of Databento's CSV.
pub(crate) fn databento_csv(data: &[u8]) {
    check(Format::DatabentoCsv, &[("capture", data)]);
}

/// A pair of LOBSTER's files, with a zero between them.
pub(crate) fn lobster(data: &[u8]) {
    let middle = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let (messages, books) = data.split_at(middle);
    let [message_name, book_name] = ["X_2012-01-03_0_1_message_1.csv", "X_2012-01-03_0_1_orderbook_1.csv"];
    check(Format::Lobster, &[(message_name, messages), (book_name, books.get(1..).unwrap_or_default())]);
}

/// A dataset of Tardis'.
pub(crate) fn tardis(data: &[u8]) {
    check(Format::TardisCsv, &[("capture", data)]);
}

thread_local! {
    static DIR: TempDir = tempfile::tempdir().expect("a folder for files");
}

fn check(format: Format, files: &[(&str, &[u8])]) {
    let Some(events) = import(format, files) else { return };
    // The shortest level is ["1","1"], which may take another one's place.
    let bytes: usize = files.iter().map(|(_, data)| data.len()).sum();
    assert!(events.len() <= bytes, "{} events of {bytes} bytes", events.len());
    if let Some(last) = events.last() {
        assert!(last.last || !last.kind.is_numbered(), "it ends within an exchange event");
    }
    let compressed: Vec<_> = files.iter().map(|&(name, data)| (name, gzip(data))).collect();
    let compressed: Vec<_> = compressed.iter().map(|(name, data)| (*name, &data[..])).collect();
    let again = import(format, &compressed);
    assert!(again.is_some_and(|again| again == events), "compressed it says something else");
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(data).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

/// What files say, if they can be imported.
fn import(format: Format, files: &[(&str, &[u8])]) -> Option<Vec<Event>> {
    let write = |&(name, data): &(&str, &[u8])| {
        let file: PathBuf = DIR.with(|dir| dir.path().join(name));
        fs::write(&file, data).expect("the file can be written");
        file
    };
    let files: Vec<PathBuf> = files.iter().map(write).collect();
    let mut import = Import::open(format, &files, &[]).ok()?;
    let mut events = Vec::new();
    while import.poll(Nanos::ZERO, &mut events).ok()?.state != FeedState::Ended {}
    let instruments = import.instruments();
    assert!(events.iter().all(|event| event.symbol.index() < instruments.len()));
    Some(events)
}
