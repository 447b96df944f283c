//! Writes a recording: gathers events into blocks, and makes them durable when asked. Knows nothing of what reads it.

use crate::{
    block::{self, Builder},
    error::JournalError,
    format::{self, LOCK_FILE, META_FILE, SegmentHeader},
    meta::{FORMAT, Meta},
    run::{self, Run},
    segment::{Fault, Next, Segment},
};
use feed::{FeedError, FeedSink};
use market::{Epoch, Event, Instrument, InstrumentError, Instruments, Kind, SymbolId};
use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// A segment is closed at the first write beyond this many bytes.
const SEGMENT_LIMIT: u64 = 256 << 20;

/// Appends a run to a recording.
///
/// Numbered events, listings and feed gaps are recorded. The rest is left out, because a replay makes it anew: ticks come
/// from its own clock (a feed's watermark never passes an event to come, so feed time at every event is the latest timestamp
/// so far), crossings from the books, stalls and the end from the replay itself. Of an event, `engine` and `ingest` are left
/// out: in a replay they are the times at which it was due and taken again.
///
/// [`FeedSink::push`] gathers, [`Writer::sync`] makes durable; call it in an interval of your choice (group commit). When the
/// disk is full, both fail and can be called again once there is room: nothing that was taken is lost meanwhile, and nothing
/// more is taken. What was pushed and not synced is lost when the process ends.
#[derive(Debug)]
pub struct Writer {
    meta: Meta,
    run_dir: PathBuf,
    segment: Open,
    segment_limit: u64,
    /// Bytes in the segments before the open one.
    closed_bytes: u64,
    block: Builder,
    /// Whole blocks that are not in the file yet, and the first record of them.
    pending: Vec<u8>,
    pending_first: u64,
    durable: u64,
    /// Whether a sync failed: what the disk holds is unknown from then on.
    is_unsafe: bool,
    _lock: File,
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Writer {
    /// Begins a run of `epoch` in the recording in `dir`, which is made if it does not exist. Earlier runs are not touched,
    /// and record numbers go on from theirs.
    ///
    /// # Errors
    /// If another writer has it, if the end of the run before is damaged so that the numbers cannot go on, or if the
    /// operating system refuses.
    pub fn open(dir: &Path, epoch: Epoch, instruments: &Instruments) -> Result<Writer, JournalError> {
        fs::create_dir_all(dir).map_err(JournalError::io("create", dir))?;
        let lock = lock(dir)?;
        let runs = run::runs(dir)?;
        let first_record = runs.last().map_or(Ok(1), next_record)?;
        let run = run::folders(dir)?.last().map_or(0, |&(number, _)| number) + 1;
        let meta = Meta { run, epoch, first_record, instruments: instruments.clone() };
        let run_dir = format::run_dir(dir, run);
        begin(dir, &run_dir, &meta)?;
        Ok(Writer {
            segment: Open::create(&run_dir, &meta, first_record)?,
            meta,
            run_dir,
            segment_limit: SEGMENT_LIMIT,
            closed_bytes: 0,
            block: Builder::new(first_record),
            pending: Vec::new(),
            pending_first: first_record,
            durable: first_record - 1,
            is_unsafe: false,
            _lock: lock,
        })
    }

    /// Appends an instrument to the run's table. To be called before its [`Kind::Listing`] is pushed; the listing carries it
    /// into the recording.
    ///
    /// # Errors
    /// As [`Instruments::push`].
    pub fn list(&mut self, instrument: Instrument) -> Result<SymbolId, InstrumentError> {
        self.meta.instruments.push(instrument)
    }

    /// The instruments of the run.
    pub fn instruments(&self) -> &Instruments {
        &self.meta.instruments
    }

    /// Writes all that was pushed and waits until the disk has it. Returns the number of the last record that survives a
    /// power cut now.
    ///
    /// # Errors
    /// If it cannot be written now (try again), or if the disk lost it: then no later call succeeds.
    pub fn sync(&mut self) -> Result<u64, JournalError> {
        self.block.close(&mut self.pending);
        self.write_pending()?;
        self.sync_segment()?;
        self.durable = self.records();
        Ok(self.durable)
    }

    /// The number of the last record taken. Records are numbered from 1 over all runs of the recording.
    pub fn records(&self) -> u64 {
        self.block.next_record() - 1
    }

    /// The number of the last record that survives a power cut.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Bytes of the run, those still in memory included.
    pub fn bytes(&self) -> u64 {
        self.closed_bytes + self.segment.len + (self.pending.len() + self.block.len()) as u64
    }

    fn take(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.check(events)?;
        self.write_pending()?;
        for event in events {
            if !is_recorded(event.kind) {
                continue;
            }
            self.block.push(event, &self.meta.instruments);
            if self.block.len() >= block::TARGET && (event.last || !event.kind.is_numbered()) {
                self.block.close(&mut self.pending);
            }
        }
        Ok(())
    }

    /// All or nothing: what has no place in a recording is refused before anything of the run of events is taken.
    fn check(&self, events: &[Event]) -> Result<(), JournalError> {
        let refused =
            |what| JournalError::Refused { run: self.run_dir.clone(), record: self.records() + 1, what };
        if self.is_unsafe {
            return Err(JournalError::Unsafe(self.run_dir.clone()));
        }
        let unknown =
            |event: &&Event| is_recorded(event.kind) && event.symbol.index() >= self.meta.instruments.len();
        if events.iter().any(|event| unknown(&event)) {
            return Err(refused("an event of an instrument that was not listed"));
        }
        let mut exchange_events = events.split_inclusive(|event| event.last || !event.kind.is_numbered());
        if exchange_events.any(|exchange_event| exchange_event.len() > block::MAX_EXCHANGE_EVENT) {
            return Err(refused("an exchange event of more than 2^19 events; cut it into several"));
        }
        match events.last() {
            Some(event) if event.kind.is_numbered() && !event.last => {
                Err(refused("an unfinished exchange event"))
            }
            _ => Ok(()),
        }
    }

    fn write_pending(&mut self) -> Result<(), JournalError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if self.segment.len >= self.segment_limit {
            self.sync_segment()?;
            let next = Open::create(&self.run_dir, &self.meta, self.pending_first)?;
            self.closed_bytes += self.segment.len;
            self.segment = next;
        }
        let Open { file, path, len } = &mut self.segment;
        // At a given place, so that a write that failed half way is simply written again.
        file.write_all_at(&self.pending, *len).map_err(JournalError::io("write", path))?;
        *len += self.pending.len() as u64;
        self.pending.clear();
        self.pending_first = self.block.first_record();
        Ok(())
    }

    fn sync_segment(&mut self) -> Result<(), JournalError> {
        if self.is_unsafe {
            return Err(JournalError::Unsafe(self.run_dir.clone()));
        }
        let synced = self.segment.file.sync_data().map_err(JournalError::io("sync", &self.segment.path));
        // The kernel tells of a lost page once only; a second sync would succeed over the hole.
        self.is_unsafe = synced.is_err();
        synced
    }
}

impl FeedSink for Writer {
    fn push(&mut self, events: &[Event]) -> Result<(), FeedError> {
        self.take(events).map_err(|error| error.of_feed(&self.run_dir))
    }
}

fn is_recorded(kind: Kind) -> bool {
    kind.is_numbered() || matches!(kind, Kind::Listing | Kind::FeedGap)
}

impl Open {
    /// Makes a segment and makes that durable. One that is left over from a try that failed is begun again.
    fn create(run_dir: &Path, meta: &Meta, first_record: u64) -> Result<Open, JournalError> {
        let path = run_dir.join(format::segment_name(first_record));
        let header = SegmentHeader { version: FORMAT, run: meta.run, epoch: meta.epoch.0, first_record };
        let file = File::create(&path).map_err(JournalError::io("create", &path))?;
        file.write_all_at(&header.to_bytes(), 0).map_err(JournalError::io("write", &path))?;
        file.sync_all().map_err(JournalError::io("sync", &path))?;
        sync_dir(run_dir)?;
        Ok(Open { file, path, len: SegmentHeader::LEN as u64 })
    }
}

/// Makes the run's folder and description, whole or not at all.
fn begin(dir: &Path, run_dir: &Path, meta: &Meta) -> Result<(), JournalError> {
    fs::create_dir(run_dir).map_err(JournalError::io("create", run_dir))?;
    let draft = run_dir.join(format!("{META_FILE}.part"));
    fs::write(&draft, meta.to_text()).map_err(JournalError::io("write", &draft))?;
    File::open(&draft).and_then(|file| file.sync_all()).map_err(JournalError::io("sync", &draft))?;
    fs::rename(&draft, run_dir.join(META_FILE)).map_err(JournalError::io("rename", &draft))?;
    sync_dir(run_dir)?;
    sync_dir(dir)
}

fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(JournalError::io("sync", dir))
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK_FILE);
    let file = File::create(&path).map_err(JournalError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Busy(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock", &path)(error)),
    }
}

/// The number that the record behind the end of `run` gets. Headers are enough to tell; what they head may be damaged.
fn next_record(run: &Run) -> Result<u64, JournalError> {
    let Some((mut next_record, path)) = run.segments()?.pop() else { return Ok(run.meta.first_record) };
    let damaged = |fault, next_record| match fault {
        Fault::Failed(error) => error,
        Fault::Damaged { offset, what } => {
            crate::Damage { file: path.clone(), offset, first_record: next_record, last_record: None, what }
                .into()
        }
    };
    let Next::Whole((mut segment, _)) =
        Segment::open(path.clone()).map_err(|fault| damaged(fault, next_record))?
    else {
        return Ok(next_record);
    };
    let mut payload = Vec::new();
    while let Next::Whole(header) = segment.next(&mut payload).map_err(|fault| damaged(fault, next_record))? {
        next_record = header.last_record() + 1;
    }
    Ok(next_record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reader, verify};
    use market::{Nanos, Price, Qty, Status};

    fn writer(dir: &Path) -> Writer {
        let instrument = Instrument {
            symbol: "A/B".into(),
            venue_symbol: "AB".into(),
            price_decimals: 2,
            qty_decimals: 3,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        Writer::open(dir, Epoch(1), &Instruments::new([instrument]).unwrap()).unwrap()
    }

    fn events(seqs: std::ops::RangeInclusive<u64>) -> Vec<Event> {
        let level = Event { last: true, ..Event::new(Kind::Level) };
        seqs.map(|seq| Event { seq, timestamp: Nanos(seq * 1_000), qty: Qty(seq * 7), ..level }).collect()
    }

    fn read(dir: &Path) -> Vec<Event> {
        let mut reader = Reader::open(dir).unwrap();
        let mut events = Vec::new();
        while reader.next_block(&mut events).unwrap().is_some() {}
        events
    }

    #[test]
    fn a_run_goes_on_over_many_segments_and_none_may_be_missing() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        writer.segment_limit = 200;
        for seq in 1..=30 {
            writer.push(&events(seq..=seq)).unwrap();
            writer.sync().unwrap();
        }
        let bytes = writer.bytes();
        drop(writer);
        let run = run::runs(dir.path()).unwrap().pop().unwrap();
        let segments = run.segments().unwrap();
        assert!(segments.len() > 5, "{segments:?}");
        assert_eq!(bytes, segments.iter().map(|(_, path)| fs::metadata(path).unwrap().len()).sum::<u64>());
        assert_eq!((read(dir.path()), next_record(&run).unwrap()), (events(1..=30), 31));

        let (first_record, path) = &segments[2];
        fs::remove_file(path).unwrap();
        let report = verify(dir.path()).unwrap();
        let [damage] = &report.damage[..] else { panic!("{report:?}") };
        assert_eq!((damage.first_record, damage.last_record), (*first_record, Some(segments[3].0 - 1)));
        assert_eq!((report.records, report.last_seq), (30 - (segments[3].0 - first_record), 30));
    }

    #[test]
    fn a_segment_that_is_cut_before_the_last_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        writer.segment_limit = 1;
        for seq in 1..=3 {
            writer.push(&events(seq..=seq)).unwrap();
            writer.sync().unwrap();
        }
        let path = writer.run_dir.join(format::segment_name(2));
        let len = fs::metadata(&path).unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(len - 1).unwrap();
        let report = verify(dir.path()).unwrap();
        assert_eq!((report.records, report.last_seq, report.torn_bytes), (2, 3, 0));
        assert_eq!((report.damage[0].first_record, report.damage[0].last_record), (2, Some(2)));
    }

    #[test]
    fn a_disk_that_refuses_for_a_while_loses_nothing_that_was_taken() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(dir.path());
        writer.push(&events(1..=20_000)).unwrap();
        let open = std::mem::replace(&mut writer.segment.file, File::open(&writer.segment.path).unwrap());
        let error = writer.push(&events(20_001..=20_001)).unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
        assert!(writer.sync().is_err());
        assert_eq!((writer.records(), writer.durable()), (20_000, 0));
        writer.segment.file = open;
        writer.push(&events(20_001..=20_001)).unwrap();
        assert_eq!(writer.sync().unwrap(), 20_001);
        assert_eq!(read(dir.path()), events(1..=20_001));
    }
}
