//! Reads one run of a recording in its order, block by block. Knows nothing of pacing.

use crate::{
    Books, Gap, block, books,
    cache::{Blocks, Shared},
    codec::Context,
    error::{Damage, JournalError},
    format::{self, BlockHeader, SegmentHeader},
    gap,
    meta::FORMAT,
    run::{self, Run},
    segment::{Fault, Next, Segment},
};
use market::{Epoch, Event, Instruments, Kind, Nanos};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A block that was read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// What it is of.
    pub content: Content,
    /// The number of its first record, or of the one that follows.
    pub first_record: u64,
    /// The number of its last record, or of the one before it.
    pub last_record: u64,
    /// The feed time at its first record.
    pub first_time: Nanos,
    /// The feed time at its last record.
    pub last_time: Nanos,
}

/// What a block is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Whole exchange events.
    Events,
    /// Books as they stand there, or a part of them ([`Reader::books`]): whoever has read what is before knows them.
    Books,
    /// Something is missing. All books follow.
    Gap(Gap),
}

/// Reads a run in order.
///
/// Where a file ends in the middle of a block (the writer was killed, the power failed), the run ends cleanly before that
/// block; what cannot have been written so is an error.
#[derive(Debug)]
pub struct Reader {
    run: Run,
    segments: VecDeque<(u64, PathBuf)>,
    /// The first record of the segment that is open.
    segment: u64,
    open: Option<Segment>,
    instruments: Instruments,
    context: Context,
    /// The block that was read last, as it stands in the file, and a decompressed one.
    payload: Vec<u8>,
    header: Option<BlockHeader>,
    scratch: Vec<u8>,
    /// What others have read already, and may want to read.
    blocks: Option<Arc<Blocks>>,
    /// Where the last segment ended when it was read to its end.
    ended_at: Option<(u64, PathBuf, u64)>,
    /// Records before this one may have been removed by retention.
    kept: u64,
    /// The number that the next record must have. Behind damage, the least that it may have.
    next_record: u64,
    after_damage: bool,
    torn_bytes: u64,
}

impl Reader {
    /// Opens the newest run of the recording in `dir` that holds an event, at its beginning.
    ///
    /// # Errors
    /// If there is no recording, or none with an event, or if a run is damaged where it begins.
    pub fn open(dir: &Path) -> Result<Reader, JournalError> {
        let runs = run::runs(dir)?;
        if runs.is_empty() {
            return Err(JournalError::Missing(dir.to_owned()));
        }
        for run in runs.into_iter().rev() {
            let mut reader = Reader::of(run.clone())?;
            while let Some(block) = reader.next_block(&mut Vec::new())? {
                if block.content == Content::Events {
                    return Reader::of(run);
                }
            }
        }
        Err(JournalError::Empty(dir.to_owned()))
    }

    /// Reads this run from its beginning, or what retention has left of it.
    pub(crate) fn of(run: Run) -> Result<Reader, JournalError> {
        Ok(Reader {
            segments: run.segments()?.into(),
            segment: 0,
            open: None,
            instruments: run.meta.instruments.clone(),
            context: Context::default(),
            payload: Vec::new(),
            header: None,
            scratch: Vec::new(),
            blocks: None,
            ended_at: None,
            kept: run.kept()?,
            next_record: run.meta.first_record,
            after_damage: false,
            torn_bytes: 0,
            run,
        })
    }

    /// Reads this run from a block at `offset` of the segment that begins with `segment`; the record `next_record` is the first
    /// that is behind it.
    pub(crate) fn at(run: Run, segment: u64, offset: u64, next_record: u64) -> Result<Reader, JournalError> {
        let mut reader = Reader::of(run)?;
        reader.segments.retain(|&(first_record, _)| first_record >= segment);
        reader.next_record = segment;
        if reader.open_next()?
            && let Some(open) = &mut reader.open
        {
            open.skip_to(offset)?;
            reader.next_record = next_record;
        }
        Ok(reader)
    }

    /// Shares what it reads with others.
    pub(crate) fn sharing(self, blocks: Option<&Arc<Blocks>>) -> Reader {
        Reader { blocks: blocks.cloned(), ..self }
    }

    /// Once the end was reached: looks whether more was written since.
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub fn look_again(&mut self) -> Result<(), JournalError> {
        let Some((first_record, path, offset)) = self.ended_at.take() else { return Ok(()) };
        self.segments = self.run.segments()?.into();
        self.segments.retain(|&(first, _)| first > first_record);
        self.torn_bytes = 0;
        match Segment::open(path.clone()) {
            Ok(Next::Whole((mut segment, header))) if offset > 0 => {
                segment.skip_to(offset)?;
                self.check_owner(&header, first_record, path)?;
                self.segment = first_record;
                self.open = Some(segment);
            }
            // Its header was not written yet when the end was reached.
            Ok(_) => self.segments.push_front((first_record, path)),
            Err(Fault::Failed(error)) => return Err(error),
            Err(Fault::Damaged { offset, what }) => return Err(self.damage(path, offset, None, what)),
        }
        Ok(())
    }

    /// Whose numbering the events carry.
    pub fn epoch(&self) -> Epoch {
        self.run.meta.epoch
    }

    /// The instruments known so far: those of the run's beginning, and those listed in the blocks that were read.
    pub fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Appends the events of the next block to `out`, if it is of events: whole exchange events, with `engine` and `ingest` zero.
    /// `None` at the end, be it whole or cut.
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
            if let Some(shared) = self.blocks.as_ref().and_then(|blocks| blocks.get(segment.path(), offset)) {
                return self.take_shared(&shared, offset, out).map(Some);
            }
            match segment.next(&mut self.payload) {
                Ok(Next::Whole(header)) => match self.take(header, offset, out)? {
                    Some(block) => return Ok(Some(block)),
                    None => continue,
                },
                Ok(Next::End { torn }) => {
                    let (path, first_record) = (segment.path().to_owned(), self.segment);
                    self.open = None;
                    self.ended_at = Some((first_record, path.clone(), offset));
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
                self.segment = first_record;
                self.check_segment(header, first_record, path)?;
            }
            Ok(Next::End { torn }) => {
                self.ended_at = Some((first_record, path.clone(), 0));
                self.end(path, 0, torn)?;
            }
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
        self.check_owner(&header, first_record, file.clone())?;
        let follows = first_record == self.next_record
            || first_record > self.next_record && (self.after_damage || first_record <= self.kept);
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

    /// Whether a segment is one of this run, and of a format that is known.
    fn check_owner(
        &mut self,
        header: &SegmentHeader,
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
        Ok(())
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

    /// Takes the books of the block that was read last, if it is one of books, into `books`. Whether the set is complete with it;
    /// with the first block of a set all that was in `books` is forgotten.
    ///
    /// # Errors
    /// If the block is damaged.
    pub fn books(&mut self, books: &mut Books) -> Result<bool, JournalError> {
        let Some(header) = self.header.filter(|header| header.content == format::Content::Books) else {
            return Ok(false);
        };
        let symbols = self.instruments.len();
        let opened = block::open(&header, &self.payload, &mut self.scratch);
        let part = opened.map(|payload| {
            let first = crate::codec::take_varint(&mut &*payload) == Some(0);
            if first {
                books.clear();
            }
            books::read(payload, header.count, symbols, books)
        });
        match part {
            Ok(Some(part)) => Ok(part.is_last()),
            Ok(None) | Err(_) => {
                let offset = self.open.as_ref().map_or(0, |segment| segment.offset());
                Err(self.damage(self.path(), offset, None, "a block holds what is no books"))
            }
        }
    }

    /// The books in the block that was read last are not those that the events before it make.
    pub(crate) fn disagreement(&self) -> Damage {
        let offset = self.open.as_ref().map_or(0, |segment| segment.offset());
        let what = "the books that are written down before this place are not what the events before it make";
        Damage { file: self.path(), offset, first_record: self.next_record, last_record: None, what }
    }

    fn path(&self) -> PathBuf {
        self.open.as_ref().map(|segment| segment.path().to_owned()).unwrap_or_default()
    }

    /// Takes a block of events that another reader has read.
    fn take_shared(
        &mut self,
        shared: &Shared,
        offset: u64,
        out: &mut Vec<Event>,
    ) -> Result<Block, JournalError> {
        self.check_place(&shared.header, offset)?;
        if let Some(segment) = &mut self.open {
            segment.pass_to(shared.end)?;
        }
        out.extend_from_slice(&shared.events);
        self.header = Some(shared.header);
        self.next_record = shared.header.next_record();
        Ok(block_of(&shared.header, Content::Events))
    }

    /// Has others see a block of events that was read, if it holds nothing but those.
    fn share(&self, header: BlockHeader, offset: u64, events: &[Event]) {
        let (Some(blocks), Some(segment)) = (&self.blocks, &self.open) else { return };
        if !events.iter().any(|event| event.kind == Kind::Listing) {
            let shared = Shared { header, end: segment.offset(), events: events.to_vec() };
            blocks.insert(segment.path().to_owned(), offset, shared);
        }
    }

    /// Whether a block is the one that has to follow.
    fn check_place(&mut self, header: &BlockHeader, offset: u64) -> Result<(), JournalError> {
        if header.first_record != self.next_record {
            return Err(self.damage(self.path(), offset, None, "a block is not where it belongs"));
        }
        Ok(())
    }

    /// `None` for a block that only the reader itself needs.
    fn take(
        &mut self,
        header: BlockHeader,
        offset: u64,
        out: &mut Vec<Event>,
    ) -> Result<Option<Block>, JournalError> {
        self.header = None;
        self.check_place(&header, offset)?;
        let before = out.len();
        let content = match self.understand(&header, out) {
            Ok(content) => content,
            Err(what) => {
                let last_record = header.next_record().saturating_sub(1);
                return Err(self.damage(self.path(), offset, Some(last_record), what));
            }
        };
        self.header = Some(header);
        self.next_record = header.next_record();
        if content == Some(Content::Events) {
            self.share(header, offset, &out[before..]);
        }
        Ok(content.map(|content| block_of(&header, content)))
    }

    /// Takes what the block holds, or nothing of it.
    fn understand(
        &mut self,
        header: &BlockHeader,
        out: &mut Vec<Event>,
    ) -> Result<Option<Content>, &'static str> {
        let payload = block::open(header, &self.payload, &mut self.scratch)?;
        let (instruments, context) = (&mut self.instruments, &mut self.context);
        let before = out.len();
        match header.content {
            format::Content::Events => block::decode(header, payload, context, instruments, out)
                .inspect_err(|_| out.truncate(before))
                .map(|()| Some(Content::Events)),
            format::Content::Listings => {
                let listed = block::decode(header, payload, context, instruments, out);
                out.truncate(before);
                listed.map(|()| None)
            }
            format::Content::Books => {
                books::directory(&mut &*payload, header.count, instruments.len())
                    .ok_or("a block holds what is no books")?;
                Ok(Some(Content::Books))
            }
            format::Content::Gap => {
                let (from, to) = (Nanos(header.first_time), Nanos(header.last_time));
                let gap = gap::read(payload, from, to).ok_or("a block holds what is no gap")?;
                Ok(Some(Content::Gap(gap)))
            }
        }
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

fn block_of(header: &BlockHeader, content: Content) -> Block {
    Block {
        content,
        first_record: header.first_record,
        last_record: header.next_record() - 1,
        first_time: Nanos(header.first_time),
        last_time: Nanos(header.last_time),
    }
}
