//! Writes a recording: gathers events into blocks, and makes them durable when asked. Knows nothing of what reads it.

use crate::{
    Books, Commit, Gap, GapReason, Retention,
    block::{self, Builder, Place, Sealer},
    checked,
    codec::Context,
    error::JournalError,
    files::Files,
    format::{self, Coding, Content, LOCK_FILE, META_FILE},
    gap,
    meta::Meta,
    retention,
    run::{self, Run},
    segment::{Fault, Next, Segment},
};
use feed::{FeedError, FeedSink};
use market::{Epoch, Event, Instrument, InstrumentError, Instruments, Kind, Nanos, SymbolId};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Books are written down when the records since are so many times as long as the books were, at least: so they stay a small part
/// of the recording.
const BOOKS_PART: usize = 4;

/// How a recording is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterOptions {
    /// Whether blocks are compressed, with Zstandard.
    pub compress: bool,
    /// A segment is closed at the first write beyond this many bytes.
    pub segment_bytes: u64,
    /// Books are written down when so many bytes of records were written since the last time: a seek has little more to read.
    pub books_after: usize,
    /// What is kept of closed segments.
    pub retention: Retention,
}

impl Default for WriterOptions {
    /// Not compressed, segments of 256 MiB, books each MiB, all kept.
    fn default() -> WriterOptions {
        let retention = Retention::default();
        WriterOptions { compress: false, segment_bytes: 256 << 20, books_after: 1 << 20, retention }
    }
}

/// Appends a run to a recording.
///
/// Numbered events, listings and feed gaps are recorded. The rest is left out, because a replay makes it anew: ticks come
/// from its own clock (a feed's watermark never passes an event to come, so feed time at every event is the latest timestamp
/// so far), crossings from the books, stalls and the end from the replay itself. Of an event, `engine` and `ingest` are left
/// out: in a replay they are the times at which it was due and taken again.
///
/// Now and then, and at the beginning of each segment, all books are written down, so that a recording can be read from its
/// middle.
///
/// [`FeedSink::push`] gathers, [`Writer::sync`] makes durable; call it in an interval of your choice (group commit).
/// [`Writer::flush`] is the half of it that does not wait for the disk. When the disk is full, all of them fail and can be called
/// again once there is room: nothing that was taken is lost meanwhile, and nothing more is taken. What was pushed and not
/// synced is lost when the process ends.
pub struct Writer {
    meta: Meta,
    dir: PathBuf,
    options: WriterOptions,
    files: Files,
    sealer: Sealer,
    block: Builder,
    books: Books,
    /// Bytes of records since the books were written down, and how many bytes that took.
    since_books: usize,
    books_len: usize,
    /// Instruments that `run.toml` tells.
    described: usize,
    /// Whole blocks that are not in the file yet.
    pending: Vec<u8>,
    durable: u64,
    /// Whether a sync failed: what the disk holds is unknown from then on.
    is_unsafe: bool,
    /// Whether a segment was closed since retention last had its way.
    rotated: bool,
    /// Held, not used.
    lock: Arc<File>,
}

impl Writer {
    /// Begins a run of `epoch` in the recording in `dir`, which is made if it does not exist. Earlier runs are not touched,
    /// and record numbers go on from theirs.
    ///
    /// # Errors
    /// If another writer has it, if the end of the run before is damaged so that the numbers cannot go on, or if the
    /// operating system refuses.
    pub fn open(dir: &Path, epoch: Epoch, instruments: &Instruments) -> Result<Writer, JournalError> {
        Writer::open_with(dir, epoch, instruments, WriterOptions::default())
    }

    /// As [`Writer::open`], with options.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open_with(
        dir: &Path,
        epoch: Epoch,
        instruments: &Instruments,
        options: WriterOptions,
    ) -> Result<Writer, JournalError> {
        fs::create_dir_all(dir).map_err(JournalError::io("create", dir))?;
        let lock = Arc::new(lock(dir)?);
        Writer::begin(dir, lock, epoch, instruments, options)
    }

    /// Begins another run of the same epoch in the same recording, to go on where nothing more can be promised for this one. It
    /// begins without books: [`Writer::resume`] gives it some.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn new_run(&self, instruments: &Instruments) -> Result<Writer, JournalError> {
        Writer::begin(&self.dir, Arc::clone(&self.lock), self.meta.epoch, instruments, self.options.clone())
    }

    fn begin(
        dir: &Path,
        lock: Arc<File>,
        epoch: Epoch,
        instruments: &Instruments,
        options: WriterOptions,
    ) -> Result<Writer, JournalError> {
        let runs = run::runs(dir)?;
        let first_record = runs.last().map_or(Ok(1), next_record)?;
        let run = run::folders(dir)?.last().map_or(0, |&(number, _)| number) + 1;
        let meta = Meta { run, epoch, first_record, instruments: instruments.clone() };
        let run_dir = format::run_dir(dir, run);
        begin(dir, &run_dir, &meta)?;
        let coding = if options.compress { Coding::Zstd } else { Coding::Plain };
        Ok(Writer {
            files: Files::create(run_dir, &meta, first_record)?,
            dir: dir.to_owned(),
            sealer: Sealer::new(coding).map_err(JournalError::io("compress for", dir))?,
            block: Builder::new(first_record),
            books: Books::default(),
            since_books: 0,
            books_len: 0,
            described: instruments.len(),
            pending: Vec::new(),
            durable: first_record - 1,
            is_unsafe: false,
            rotated: true,
            meta,
            options,
            lock,
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

    /// The epoch of the run.
    pub fn epoch(&self) -> Epoch {
        self.meta.epoch
    }

    /// Notes that `missed` events were not recorded, and goes on with `books`: those of all symbols, as they stand before
    /// the next event, at `feed_time`. Nothing is taken if it fails.
    ///
    /// # Errors
    /// As [`Writer::flush`]; and if a symbol was not listed.
    pub fn resume(
        &mut self,
        reason: GapReason,
        missed: u64,
        feed_time: Nanos,
        books: Books,
    ) -> Result<(), JournalError> {
        self.check_safe()?;
        if books.symbols() > self.meta.instruments.len() {
            return Err(self.refused("a book of an instrument that was not listed"));
        }
        self.make_room()?;
        self.close_block();
        let (from, record) = (self.block.feed_time(), self.block.next_record());
        let to = feed_time.max(from);
        let payload = gap::payload(&Gap { reason, missed, from, to });
        let place = Place { record, first_time: from, last_time: to };
        self.sealer.seal(&mut self.pending, Content::Gap, 1, place, &payload);
        self.block.reach(to);
        self.books = books;
        self.write_books();
        Ok(())
    }

    /// Writes all that was pushed and waits until the disk has it. Returns the number of the last record that survives a
    /// power cut now.
    ///
    /// # Errors
    /// If it cannot be written now (try again), or if the disk lost it: then no later call succeeds.
    pub fn sync(&mut self) -> Result<u64, JournalError> {
        let commit = self.flush()?;
        let outcome = commit.wait();
        self.conclude(&commit, outcome)
    }

    /// Writes all that was pushed, and says what is to be waited for until it is durable. [`Writer::conclude`] wants to be told.
    ///
    /// # Errors
    /// If it cannot be written now (try again), or if the disk lost something before: then no later call succeeds.
    pub fn flush(&mut self) -> Result<Commit, JournalError> {
        self.check_safe()?;
        self.close_block();
        self.write_pending()?;
        Ok(self.files.commit(self.records()))
    }

    /// Takes what came of waiting. Returns the number of the last record that survives a power cut now.
    ///
    /// # Errors
    /// That of the outcome; then no later call succeeds.
    pub fn conclude(
        &mut self,
        commit: &Commit,
        outcome: Result<(), JournalError>,
    ) -> Result<u64, JournalError> {
        // The kernel tells of a lost page once only; a second sync would succeed over the hole.
        self.is_unsafe |= outcome.is_err();
        outcome?;
        self.files.forget(commit);
        self.durable = self.durable.max(commit.record);
        Ok(self.durable)
    }

    /// Removes what the options do not keep; does nothing until a segment was closed. Returns how many bytes were removed.
    ///
    /// # Errors
    /// If it cannot be removed; it is tried again when the next segment was closed.
    pub fn retain(&mut self) -> Result<u64, JournalError> {
        if !std::mem::take(&mut self.rotated) {
            return Ok(0);
        }
        let (open, newest) = (self.files.open_record(), self.block.feed_time());
        retention::apply(&self.dir, self.options.retention, open, newest)
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
        self.files.bytes() + (self.pending.len() + self.block.len()) as u64
    }

    fn take(&mut self, events: &[Event]) -> Result<(), JournalError> {
        self.check(events)?;
        self.make_room()?;
        for event in events.iter().filter(|event| is_recorded(event.kind)) {
            self.block.push(event, &self.meta.instruments);
            self.books.apply(event);
            if self.block.len() >= block::TARGET && (event.last || !event.kind.is_numbered()) {
                self.close_block();
                if self.since_books >= self.options.books_after.max(BOOKS_PART * self.books_len) {
                    self.write_books();
                }
            }
        }
        Ok(())
    }

    /// All or nothing: what has no place in a recording is refused before anything of the run of events is taken.
    fn check(&self, events: &[Event]) -> Result<(), JournalError> {
        self.check_safe()?;
        let unknown =
            |event: &&Event| is_recorded(event.kind) && event.symbol.index() >= self.meta.instruments.len();
        if events.iter().any(|event| unknown(&event)) {
            return Err(self.refused("an event of an instrument that was not listed"));
        }
        let mut exchange_events = events.split_inclusive(|event| event.last || !event.kind.is_numbered());
        if exchange_events.any(|exchange_event| exchange_event.len() > block::MAX_EXCHANGE_EVENT) {
            return Err(self.refused("an exchange event of more than 2^19 events; cut it into several"));
        }
        match events.last() {
            Some(event) if event.kind.is_numbered() && !event.last => {
                Err(self.refused("an unfinished exchange event"))
            }
            _ => Ok(()),
        }
    }

    fn check_safe(&self) -> Result<(), JournalError> {
        if self.is_unsafe {
            return Err(JournalError::Unsafe(self.files.run_dir().to_owned()));
        }
        Ok(())
    }

    fn refused(&self, what: &'static str) -> JournalError {
        JournalError::Refused { run: self.files.run_dir().to_owned(), record: self.records() + 1, what }
    }

    /// Writes what is pending, and begins another segment if this one is long enough.
    fn make_room(&mut self) -> Result<(), JournalError> {
        self.write_pending()?;
        if self.files.open_bytes() < self.options.segment_bytes || !self.books.are_writable() {
            return Ok(());
        }
        self.close_block();
        self.write_pending()?;
        self.files.rotate(&self.meta, self.block.next_record())?;
        self.rotated = true;
        self.write_books();
        Ok(())
    }

    fn close_block(&mut self) {
        self.since_books += self.block.close(&mut self.sealer, &mut self.pending);
    }

    fn write_pending(&mut self) -> Result<(), JournalError> {
        if !self.pending.is_empty() {
            self.files.append(&self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// Writes down all books, behind a closed block; before them the instruments that a reader from here cannot know.
    fn write_books(&mut self) {
        if !self.books.are_writable() {
            return;
        }
        let before = self.pending.len();
        let place = Place::between(self.block.next_record(), self.block.feed_time());
        let listed = self.described..self.meta.instruments.len();
        if !listed.is_empty() {
            let (mut context, mut payload) = (Context::default(), Vec::new());
            context.begin_block();
            for at in listed.clone() {
                let listing = Event { symbol: SymbolId(at as u32), ..Event::new(Kind::Listing) };
                context.encode(&listing, &self.meta.instruments, &mut payload);
            }
            self.sealer.seal(&mut self.pending, Content::Listings, listed.len() as u32, place, &payload);
        }
        self.books.write(|payload, count| {
            self.sealer.seal(&mut self.pending, Content::Books, count, place, payload);
        });
        (self.since_books, self.books_len) = (0, self.pending.len() - before);
    }
}

impl FeedSink for Writer {
    fn push(&mut self, events: &[Event]) -> Result<(), FeedError> {
        self.take(events).map_err(|error| error.of_feed(self.files.run_dir()))
    }
}

fn is_recorded(kind: Kind) -> bool {
    kind.is_numbered() || matches!(kind, Kind::Listing | Kind::FeedGap)
}

/// Makes the run's folder and description, whole or not at all.
fn begin(dir: &Path, run_dir: &Path, meta: &Meta) -> Result<(), JournalError> {
    fs::create_dir(run_dir).map_err(JournalError::io("create", run_dir))?;
    checked::write(&run_dir.join(META_FILE), &meta.to_text())?;
    checked::sync_dir(dir)
}

/// Keeps other writers away as long as it is held.
pub(crate) fn lock(dir: &Path) -> Result<File, JournalError> {
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
        next_record = header.next_record();
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
        writer.options.segment_bytes = 200;
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
        writer.options.segment_bytes = 1;
        for seq in 1..=3 {
            writer.push(&events(seq..=seq)).unwrap();
            writer.sync().unwrap();
        }
        let path = writer.files.run_dir().join(format::segment_name(2));
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
        writer.files.break_open_file();
        let error = writer.push(&events(20_001..=20_001)).unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
        assert!(writer.sync().is_err());
        assert_eq!((writer.records(), writer.durable()), (20_000, 0));
        writer.files.mend_open_file();
        writer.push(&events(20_001..=20_001)).unwrap();
        assert_eq!(writer.sync().unwrap(), 20_001);
        assert_eq!(read(dir.path()), events(1..=20_001));
    }
}
