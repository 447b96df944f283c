//! Reads one run of a recording from its beginning, block by block. Knows nothing of pacing.

use crate::{
    block,
    codec::Context,
    error::{Damage, JournalError},
    format::{BlockHeader, SegmentHeader},
    meta::FORMAT,
    run::{self, Run},
    segment::{Fault, Next, Segment},
};
use market::{Epoch, Event, Instruments, Nanos};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

/// A block that was read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The number of its first record.
    pub first_record: u64,
    /// The number of its last record.
    pub last_record: u64,
    /// The feed time at its first record.
    pub first_time: Nanos,
    /// The feed time at its last record.
    pub last_time: Nanos,
}

/// Reads a run in order.
///
/// Where a file ends in the middle of a block (the writer was killed, the power failed), the run ends cleanly before that
/// block; what cannot have been written so is an error.
#[derive(Debug)]
pub struct Reader {
    run: Run,
    segments: VecDeque<(u64, PathBuf)>,
    open: Option<Segment>,
    instruments: Instruments,
    context: Context,
    payload: Vec<u8>,
    /// The number that the next record must have. Behind damage, the least that it may have.
    next_record: u64,
    after_damage: bool,
    torn_bytes: u64,
}

impl Reader {
    /// Opens the newest run of the recording in `dir` that holds an event.
    ///
    /// # Errors
    /// If there is no recording, or none with an event, or if a run is damaged where it begins.
    pub fn open(dir: &Path) -> Result<Reader, JournalError> {
        let runs = run::runs(dir)?;
        if runs.is_empty() {
            return Err(JournalError::Missing(dir.to_owned()));
        }
        for run in runs.into_iter().rev() {
            if Reader::of(run.clone())?.next_block(&mut Vec::new())?.is_some() {
                return Reader::of(run);
            }
        }
        Err(JournalError::Empty(dir.to_owned()))
    }

    /// Reads this run.
    pub(crate) fn of(run: Run) -> Result<Reader, JournalError> {
        Ok(Reader {
            segments: run.segments()?.into(),
            open: None,
            instruments: run.meta.instruments.clone(),
            context: Context::default(),
            payload: Vec::new(),
            next_record: run.meta.first_record,
            after_damage: false,
            torn_bytes: 0,
            run,
        })
    }

    /// Whose numbering the events carry.
    pub fn epoch(&self) -> Epoch {
        self.run.meta.epoch
    }

    /// The instruments known so far: those of the run's beginning, and those listed in the blocks that were read.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Appends the events of the next block to `out`: whole exchange events, with `engine` and `ingest` zero. `None` at the
    /// end, be it whole or cut.
    ///
    /// # Errors
    /// If the block is damaged; nothing is appended then, and the next call goes on behind the damage.
    pub fn next_block(&mut self, out: &mut Vec<Event>) -> Result<Option<Block>, JournalError> {
        loop {
            let Some(segment) = &mut self.open else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            let offset = segment.offset();
            match segment.next(&mut self.payload) {
                Ok(Next::Whole(header)) => return self.take(header, offset, out).map(Some),
                Ok(Next::End { torn }) => {
                    let path = segment.path().to_owned();
                    self.open = None;
                    self.end(path, offset, torn)?;
                }
                Err(Fault::Failed(error)) => return Err(error),
                Err(Fault::Damaged { offset, what }) => {
                    let path = segment.path().to_owned();
                    self.open = None;
                    return Err(self.damage(path, offset, None, what));
                }
            }
        }
    }

    /// How many bytes of a block that was never finished stand at the end; known when the end was reached.
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// The number of the record behind the last one that was read.
    pub(crate) fn next_record(&self) -> u64 {
        self.next_record
    }

    /// Whether there was one.
    fn open_next(&mut self) -> Result<bool, JournalError> {
        let Some((first_record, path)) = self.segments.pop_front() else { return Ok(false) };
        match Segment::open(path.clone()) {
            Ok(Next::Whole((segment, header))) => {
                self.open = Some(segment);
                self.check_segment(header, first_record, path)?;
            }
            Ok(Next::End { torn }) => self.end(path, 0, torn)?,
            Err(Fault::Failed(error)) => return Err(error),
            Err(Fault::Damaged { offset, what }) => return Err(self.damage(path, offset, None, what)),
        }
        Ok(true)
    }

    fn check_segment(
        &mut self,
        header: SegmentHeader,
        first_record: u64,
        file: PathBuf,
    ) -> Result<(), JournalError> {
        if header.version > FORMAT {
            return Err(JournalError::Newer { file, version: header.version, known: FORMAT });
        }
        let meta = &self.run.meta;
        if (header.run, header.epoch, header.first_record) != (meta.run, meta.epoch.0, first_record) {
            return Err(self.damage(file, 0, None, "the segment belongs to another place"));
        }
        let follows =
            first_record == self.next_record || self.after_damage && first_record > self.next_record;
        let missing = self.next_record..first_record;
        self.next_record = first_record;
        self.after_damage = false;
        if follows {
            return Ok(());
        }
        Err(Damage {
            file,
            offset: 0,
            first_record: missing.start,
            last_record: Some(missing.end.saturating_sub(1)),
            what: "the segment before it is missing",
        }
        .into())
    }

    /// A file ended at `offset`, `torn` bytes before its length. Only the last one may do so in the middle of a block.
    fn end(&mut self, file: PathBuf, offset: u64, torn: u64) -> Result<(), JournalError> {
        if torn == 0 {
            return Ok(());
        }
        if let Some(&(next, _)) = self.segments.front() {
            return Err(self.damage(
                file,
                offset,
                Some(next.saturating_sub(1)),
                "it is cut, but goes on elsewhere",
            ));
        }
        self.torn_bytes += torn;
        Ok(())
    }

    fn take(
        &mut self,
        header: BlockHeader,
        offset: u64,
        out: &mut Vec<Event>,
    ) -> Result<Block, JournalError> {
        let path = |reader: &Reader| {
            reader.open.as_ref().map(|segment| segment.path().to_owned()).unwrap_or_default()
        };
        if header.first_record != self.next_record {
            return Err(self.damage(path(self), offset, None, "a block is not where it belongs"));
        }
        let before = out.len();
        let decoded = block::decode(&header, &self.payload, &mut self.context, &mut self.instruments, out);
        if let Err(what) = decoded {
            out.truncate(before);
            let error = self.damage(path(self), offset, Some(header.last_record()), what);
            return Err(error);
        }
        self.next_record = header.last_record() + 1;
        Ok(Block {
            first_record: header.first_record,
            last_record: header.last_record(),
            first_time: Nanos(header.first_time),
            last_time: Nanos(header.last_time),
        })
    }

    /// Notes that records from the next one on are lost, to `last_record` if that is known.
    fn damage(
        &mut self,
        file: PathBuf,
        offset: u64,
        last_record: Option<u64>,
        what: &'static str,
    ) -> JournalError {
        let first_record = self.next_record;
        match last_record {
            Some(last) => self.next_record = last.saturating_add(1),
            None => {
                self.open = None;
                self.after_damage = true;
            }
        }
        Damage { file, offset, first_record, last_record, what }.into()
    }
}
