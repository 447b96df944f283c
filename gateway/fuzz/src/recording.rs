//! Recordings: `verify` and `Reader` take whatever stands in the files, and agree on it.

use journal::{JournalError, Reader, Writer};
use market::{Epoch, Instrument, Instruments, Price, Qty, Status};
use std::{cell::RefCell, fs, path::PathBuf};
use tempfile::TempDir;

/// What a segment is called that begins with the first record.
const SEGMENT: &str = "00000000000000000001.events";

/// A byte that says what follows, then that: 0 a segment, 2 the description of the run; 1 and 3 the same with their checksums made
/// right, so that what is under them is read.
pub(crate) fn check(data: &[u8]) {
    let Some((&what, bytes)) = data.split_first() else { return };
    PLACE.with_borrow(|place| {
        let (mut description, mut segment) = (place.description.clone(), Vec::new());
        match what % 4 {
            0 => segment.extend_from_slice(bytes),
            1 => segment = sealed(bytes),
            2 => description = bytes.to_vec(),
            _ => description = described(bytes),
        }
        place.write("run.toml", &description);
        place.write(SEGMENT, &segment);
        agree(place);
    });
}

fn agree(place: &Place) {
    let report = journal::verify(place.dir.path());
    let read = read(place);
    let Ok(report) = report else {
        assert!(read.is_err(), "what cannot be verified cannot be read");
        return;
    };
    match read {
        Ok(records) => {
            assert_eq!(records, report.records);
            assert!(report.is_whole(), "what is read to its end is whole: {report:?}");
        }
        Err(JournalError::Empty(_)) => assert_eq!(report.records, 0),
        Err(error) => assert!(!report.is_whole(), "it is whole, and then: {error}"),
    }
}

/// How many records there are, if all can be read.
fn read(place: &Place) -> Result<u64, JournalError> {
    let mut reader = Reader::open(place.dir.path())?;
    let (mut records, mut events) = (0, Vec::new());
    while let Some(block) = reader.next_block(&mut events)? {
        assert_eq!(events.len() as u64, block.last_record - block.first_record + 1);
        assert!(events.iter().all(|event| event.symbol.index() < reader.instruments().len()));
        records += events.len() as u64;
        events.clear();
    }
    Ok(records)
}

/// Where a recording stands, and what describes its run.
struct Place {
    dir: TempDir,
    run: PathBuf,
    description: Vec<u8>,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().expect("a folder for files");
        let instrument = Instrument {
            symbol: "BTC/USDT".into(),
            venue_symbol: "BTCUSDT".into(),
            price_decimals: 2,
            qty_decimals: 3,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        let instruments = Instruments::new([instrument]).expect("one instrument");
        drop(Writer::open(dir.path(), Epoch(1), &instruments).expect("a new recording"));
        let run = dir.path().join("run-000001");
        let description = fs::read(run.join("run.toml")).expect("the writer has written it");
        Place { dir, run, description }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.run.join(name), bytes).expect("the file can be written");
    }
}

thread_local! {
    static PLACE: RefCell<Place> = RefCell::new(Place::new());
}

/// Lengths of the headers of a segment and of a block, each with its checksum at its end, a block's behind that of what follows.
const HEADERS: [usize; 2] = [36, 48];

/// A segment with its checksums where they belong, as far as its headers can be followed.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut segment = bytes.to_vec();
    let [of_segment, of_block] = HEADERS;
    let Some((header, mut rest)) = segment.split_at_mut_checked(of_segment) else { return segment };
    close(header);
    while let Some((header, behind)) = rest.split_at_mut_checked(of_block) {
        let length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let (payload, behind) = behind.split_at_mut(length.min(behind.len()));
        header[40..44].copy_from_slice(&crc32c::crc32c(payload).to_le_bytes());
        close(header);
        rest = behind;
    }
    segment
}

/// A description with its checksum as the last line.
fn described(text: &[u8]) -> Vec<u8> {
    [text, format!("# crc32c {:08x}\n", crc32c::crc32c(text)).as_bytes()].concat()
}

fn close(header: &mut [u8]) {
    let end = header.len() - 4;
    let sum = crc32c::crc32c(&header[..end]).to_le_bytes();
    header[end..].copy_from_slice(&sum);
}
