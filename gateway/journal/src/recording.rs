//! A recording to look into: what it holds, and its books at any moment of it. Knows nothing of pacing.

use crate::{
    Books, Content, Gap, JournalError, Reader,
    cache::Blocks,
    index::Indexes,
    run::{self, Run},
};
use market::{Epoch, Event, Instruments, Nanos, Seq, SymbolId};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A recording, which may be growing.
#[derive(Debug)]
pub struct Recording {
    dir: PathBuf,
    indexes: Indexes,
    blocks: Option<Arc<Blocks>>,
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// When feed time was this; what happened exactly then is included.
    Time(Nanos),
    /// When this was the last number of the symbol; of an exchange event that has it in its midst, before that.
    Seq(SymbolId, Seq),
}

/// What one run holds, as far as it is whole.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The run's number, from 1.
    pub run: u32,
    /// Whose numbering its events carry.
    pub epoch: Epoch,
    /// The instruments when it began.
    pub instruments: Instruments,
    /// The numbers of its first record and of the one behind its last: equal while there is none.
    pub records: std::ops::Range<u64>,
    /// The feed time at its first and at its last record.
    pub times: Option<(Nanos, Nanos)>,
    /// How long its segments are.
    pub bytes: u64,
    /// What is missing in it.
    pub gaps: Vec<Gap>,
}

/// A run from some moment on.
#[derive(Debug)]
pub struct Position {
    /// Reads what follows.
    pub reader: Reader,
    /// All books before that.
    pub books: Books,
    /// The feed time of the last event before that.
    pub feed_time: Nanos,
    /// Events that follow before those of the reader: it has read them already.
    pub ahead: Vec<Event>,
    /// The gap in which the moment lies: the books are those of its beginning.
    pub gap: Option<Gap>,
}

impl Recording {
    /// Looks into `dir`.
    ///
    /// # Errors
    /// If there is no recording, or it cannot be read.
    pub fn open(dir: &Path) -> Result<Recording, JournalError> {
        if run::folders(dir)?.is_empty() {
            return Err(JournalError::Missing(dir.to_owned()));
        }
        Ok(Recording { dir: dir.to_owned(), indexes: Indexes::default(), blocks: None })
    }

    /// Keeps the blocks that were read last, up to so many bytes of events, for others who read the same part.
    #[must_use]
    pub fn sharing_blocks(self, bytes: u64) -> Recording {
        Recording { blocks: Some(Arc::new(Blocks::new(bytes))), ..self }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What each of its runs holds now, the oldest first.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn contents(&self) -> Result<Vec<Contents>, JournalError> {
        run::runs(&self.dir)?.into_iter().map(|run| self.contents_of(&run)).collect()
    }

    /// The number of the newest run that holds events.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn newest(&self) -> Result<u32, JournalError> {
        for run in run::runs(&self.dir)?.into_iter().rev() {
            if self.contents_of(&run)?.times.is_some() {
                return Ok(run.meta.run);
            }
        }
        Err(JournalError::Empty(self.dir.clone()))
    }

    fn contents_of(&self, run: &Run) -> Result<Contents, JournalError> {
        let first_record = run.meta.first_record;
        let mut contents = Contents {
            run: run.meta.run,
            epoch: run.meta.epoch,
            instruments: run.meta.instruments.clone(),
            records: first_record..first_record,
            times: None,
            bytes: 0,
            gaps: Vec::new(),
        };
        for (at, (first_record, path)) in run.segments()?.iter().enumerate() {
            let index = self.indexes.outline_of(path, *first_record)?;
            if at == 0 {
                contents.records = *first_record..*first_record;
            }
            contents.records.end = index.next_record;
            contents.bytes += index.bytes;
            contents.gaps.extend(&index.gaps);
            if let Some((first, last)) = index.times {
                contents.times = Some((contents.times.map_or(first, |(earlier, _)| earlier), last));
            }
        }
        Ok(contents)
    }

    /// The books at a moment of a run, and a reader of what follows.
    ///
    /// # Errors
    /// If there is no such run, or it is damaged there.
    pub fn at(&self, run: u32, moment: Moment) -> Result<Position, JournalError> {
        let run = self.run(run)?;
        let mut position = self.nearest(run, moment)?;
        position.advance(moment)?;
        Ok(position)
    }

    /// The beginning of a run, or of what retention has left of it.
    ///
    /// # Errors
    /// If there is no such run, or it is damaged there.
    pub fn beginning(&self, run: u32) -> Result<Position, JournalError> {
        self.first(self.run(run)?)
    }

    fn run(&self, number: u32) -> Result<Run, JournalError> {
        let runs = run::runs(&self.dir)?;
        runs.into_iter()
            .find(|run| run.meta.run == number)
            .ok_or_else(|| JournalError::Missing(crate::format::run_dir(&self.dir, number)))
    }

    /// The latest moment up to `moment` at which the books were written down.
    fn nearest(&self, run: Run, moment: Moment) -> Result<Position, JournalError> {
        let segments = run.segments()?;
        // Segments are looked over from the last one back: most often the moment is near.
        for (first_record, path) in segments.iter().rev() {
            if !self.indexes.outline_of(path, *first_record)?.has_set_before(moment) {
                continue;
            }
            if let Some(set) = self.indexes.of(path, *first_record)?.set_before(moment) {
                let reader = Reader::at(run, *first_record, set.offset, set.record)?;
                return Position::begin(reader.sharing(self.blocks.as_ref()));
            }
        }
        self.first(run)
    }

    fn first(&self, run: Run) -> Result<Position, JournalError> {
        if let Some((first_record, path)) = run.segments()?.first()
            && self.indexes.outline_of(path, *first_record)?.begins_with_books()
        {
            return Position::begin(Reader::of(run)?.sharing(self.blocks.as_ref()));
        }
        Ok(Position {
            reader: Reader::of(run)?.sharing(self.blocks.as_ref()),
            books: Books::default(),
            feed_time: Nanos::ZERO,
            ahead: Vec::new(),
            gap: None,
        })
    }
}

impl Position {
    /// Of a run from its beginning, or from what retention has left of it.
    ///
    /// # Errors
    /// If it is damaged there.
    pub(crate) fn begin(mut reader: Reader) -> Result<Position, JournalError> {
        let (mut books, mut ahead, mut feed_time) = (Books::default(), Vec::new(), Nanos::ZERO);
        while let Some(block) = reader.next_block(&mut ahead)? {
            match block.content {
                Content::Books => {
                    feed_time = block.last_time;
                    if reader.books(&mut books)? {
                        break;
                    }
                }
                Content::Gap(_) => {}
                Content::Events => break,
            }
        }
        Ok(Position { reader, books, feed_time, ahead, gap: None })
    }

    /// Goes on to `moment`.
    fn advance(&mut self, moment: Moment) -> Result<(), JournalError> {
        loop {
            let taken = self.take_up_to(moment);
            self.ahead.drain(..taken);
            if !self.ahead.is_empty() {
                return Ok(());
            }
            let Some(block) = self.reader.next_block(&mut self.ahead)? else { return Ok(()) };
            match block.content {
                Content::Events => {}
                // Known from what was read before, but behind a gap.
                Content::Books if self.gap.is_none() => {}
                Content::Books => {
                    if self.reader.books(&mut self.books)? {
                        (self.gap, self.feed_time) = (None, block.last_time);
                    }
                }
                Content::Gap(gap) => {
                    self.gap = Some(gap);
                    if self.is_in(&gap, moment) {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn is_in(&self, gap: &Gap, moment: Moment) -> bool {
        match moment {
            Moment::Time(time) => time < gap.to,
            // Only the books behind the gap tell.
            Moment::Seq(..) => false,
        }
    }

    /// Applies what happened up to the moment, in whole exchange events; how many events that is.
    fn take_up_to(&mut self, moment: Moment) -> usize {
        let mut taken = 0;
        let is_end = |event: &Event| event.last || !event.kind.is_numbered();
        for exchange_event in self.ahead.split_inclusive(is_end) {
            let newest = exchange_event.iter().map(|event| event.timestamp).max().unwrap_or_default();
            let feed_time = self.feed_time.max(newest);
            let (last, symbol) =
                exchange_event.last().map_or((0, None), |event| (event.seq, Some(event.symbol)));
            let is_beyond = match moment {
                Moment::Time(time) => feed_time > time,
                Moment::Seq(of, seq) => symbol == Some(of) && last > seq,
            };
            if is_beyond {
                break;
            }
            exchange_event.iter().for_each(|event| self.books.apply(event));
            self.feed_time = feed_time;
            taken += exchange_event.len();
            if matches!(moment, Moment::Seq(of, seq) if symbol == Some(of) && last == seq) {
                break;
            }
        }
        taken
    }
}
