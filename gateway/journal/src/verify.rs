//! Checks a recording from its first byte to its last.

use crate::{
    Block, Books, Content, Gap,
    error::{Damage, JournalError},
    reader::Reader,
    retention,
    run::{self, Run},
};
use market::Event;
use std::path::Path;

/// What a recording holds, and what is wrong with it. Records are numbered from 1, densely over all of its runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// How many records are whole.
    pub records: u64,
    /// The number of the first whole one; 0 if there is none.
    pub first_seq: u64,
    /// The number of the last whole one; 0 if there is none.
    pub last_seq: u64,
    /// Bytes at the ends of runs that were never finished: a writer that was killed leaves them, and they are no damage.
    pub torn_bytes: u64,
    /// Where the recorder could not follow, each with its run's number: what is missing was never written.
    pub gaps: Vec<(u32, Gap)>,
    /// Each place that is not what was written there.
    pub damage: Vec<Damage>,
}

impl Report {
    /// Whether it is whole, up to torn ends.
    pub fn is_whole(&self) -> bool {
        self.damage.is_empty()
    }

    fn count(&mut self, run: u32, block: &Block) {
        match block.content {
            Content::Events => {
                self.records += block.last_record - block.first_record + 1;
                self.last_seq = block.last_record;
                if self.first_seq == 0 {
                    self.first_seq = block.first_record;
                }
            }
            Content::Gap(gap) => self.gaps.push((run, gap)),
            Content::Books => {}
        }
    }

    fn note(&mut self, error: JournalError) -> Result<(), JournalError> {
        match error {
            JournalError::Damaged(damage) => self.damage.push(*damage),
            error => return Err(error),
        }
        Ok(())
    }
}

/// Reads all of the recording in `dir` and reports.
///
/// # Errors
/// If there is no recording there, or it cannot be read at all. Damage is no error here; the report lists it.
pub fn verify(dir: &Path) -> Result<Report, JournalError> {
    let mut report = Report::default();
    let folders = run::folders(dir)?;
    if folders.is_empty() {
        return Err(JournalError::Missing(dir.to_owned()));
    }
    let mut next_record = Some(1);
    let kept = retention::kept(dir).or_else(|error| report.note(error).map(|()| 1))?;
    for (number, folder) in folders {
        match run::open(number, folder) {
            Ok(Some(run)) => next_record = verify_run(run, next_record, kept, &mut report)?,
            Ok(None) => {}
            Err(error) => {
                report.note(error)?;
                next_record = None;
            }
        }
    }
    Ok(report)
}

/// Takes the number that the run's first record must have, and returns that of the record behind its last, where they can be
/// told. What is before `kept` may be missing.
fn verify_run(
    run: Run,
    next_record: Option<u64>,
    kept: u64,
    report: &mut Report,
) -> Result<Option<u64>, JournalError> {
    let first_record = run.meta.first_record;
    let follows =
        |next_record: u64| first_record == next_record || next_record < first_record && first_record <= kept;
    if let Some(next_record) = next_record.filter(|&next_record| !follows(next_record)) {
        report.damage.push(Damage {
            file: run.dir.clone(),
            offset: 0,
            first_record: next_record,
            last_record: Some(first_record.saturating_sub(1)),
            what: "the run does not begin where the one before it ends",
        });
    }
    let number = run.meta.run;
    let begins = run.segments()?.first().is_none_or(|&(segment, _)| segment == first_record);
    let mut reader = Reader::of(run)?;
    let mut proof = Proof { known: begins.then(Books::default), written: Books::default() };
    let mut events = Vec::new();
    let mut end_is_known = true;
    loop {
        events.clear();
        match reader.next_block(&mut events) {
            Ok(Some(block)) => {
                end_is_known = true;
                report.count(number, &block);
                match proof.holds(&block, &events, &mut reader) {
                    Ok(true) => {}
                    Ok(false) => report.damage.push(reader.disagreement()),
                    Err(error) => report.note(error)?,
                }
            }
            Ok(None) => break,
            Err(error) => {
                report.note(error)?;
                proof.known = None;
                end_is_known = false;
            }
        }
    }
    report.torn_bytes += reader.torn_bytes();
    Ok(end_is_known.then(|| reader.next_record()))
}

/// Holds the books that are written down against what the events before them make.
struct Proof {
    /// What the events make; `None` where something before is missing.
    known: Option<Books>,
    written: Books,
}

impl Proof {
    /// Whether what comes next agrees with what was before.
    fn holds(&mut self, block: &Block, events: &[Event], reader: &mut Reader) -> Result<bool, JournalError> {
        match block.content {
            Content::Events => {
                if let Some(known) = &mut self.known {
                    events.iter().for_each(|event| known.apply(event));
                }
            }
            Content::Gap(_) => self.known = None,
            Content::Books if reader.books(&mut self.written)? => {
                let known = self.known.get_or_insert_with(|| self.written.clone());
                return Ok(known.difference(&self.written).is_none());
            }
            Content::Books => {}
        }
        Ok(true)
    }
}
