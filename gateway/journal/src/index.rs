//! Where in a segment books are written down, so that a moment is found without reading what is before it. Made from the
//! segment itself when it is first asked for, and carried on while the segment grows.

use crate::{
    Gap, JournalError, Moment,
    books::{self, Part},
    format::Content,
    gap,
    scan::Scan,
};
use market::{Nanos, Seq, SymbolId};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Indexes that are held: of 64 segments of 256 MiB, a recording of 16 GiB.
const HELD: usize = 64;

/// The indexes that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct Indexes(Mutex<VecDeque<(PathBuf, Arc<SegmentIndex>)>>);

/// What a segment holds, as far as it is whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct SegmentIndex {
    /// How far it was looked over.
    offset: u64,
    /// The record behind that.
    pub next_record: u64,
    /// How long the file was then.
    pub bytes: u64,
    /// The feed time at its first and at its last record.
    pub times: Option<(Nanos, Nanos)>,
    pub gaps: Vec<Gap>,
    sets: Vec<Set>,
    /// A set of which not all blocks were found yet.
    open: Option<Set>,
    /// Where the listings before a set stand.
    listings: Option<u64>,
    /// Its first record, once there is one.
    first_record: Option<u64>,
}

/// All books, written down.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    /// Where it begins.
    pub offset: u64,
    /// The record behind it.
    pub record: u64,
    /// The feed time at the record before it.
    time: Nanos,
    /// The last number of each symbol, by symbol.
    seqs: Vec<(SymbolId, Seq)>,
}

impl Indexes {
    /// The index of a segment as it is now.
    pub fn of(&self, path: &Path, first_record: u64) -> Result<Arc<SegmentIndex>, JournalError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held.iter().position(|(of, _)| of == path).and_then(|at| held.remove(at));
        let mut index = match known {
            Some((_, index)) => index,
            None => Arc::new(SegmentIndex { next_record: first_record, ..SegmentIndex::default() }),
        };
        let bytes = std::fs::metadata(path).map_err(JournalError::io("measure", path))?.len();
        if bytes != index.bytes {
            Arc::make_mut(&mut index).go_on(path, bytes)?;
        }
        held.push_back((path.to_owned(), Arc::clone(&index)));
        if held.len() > HELD {
            held.pop_front();
        }
        Ok(index)
    }
}

impl SegmentIndex {
    /// The last set that is not behind the moment.
    pub fn set_before(&self, moment: Moment) -> Option<&Set> {
        self.sets.iter().rev().find(|set| set.is_before(moment))
    }

    /// Whether all books are written down before its first record.
    pub fn begins_with_books(&self) -> bool {
        let first_record = self.first_record.unwrap_or(self.next_record);
        self.sets.first().is_some_and(|set| set.record <= first_record)
    }

    fn go_on(&mut self, path: &Path, bytes: u64) -> Result<(), JournalError> {
        let mut scan = Scan::open(path, self.offset)?;
        while let Some((offset, header)) = scan.next()? {
            if header.first_record != self.next_record {
                break;
            }
            let (first, last) = (Nanos(header.first_time), Nanos(header.last_time));
            match header.content {
                Content::Events => {
                    self.times = Some((self.times.map_or(first, |(earlier, _)| earlier), last));
                    self.first_record.get_or_insert(header.first_record);
                }
                Content::Books => {
                    let read = |payload: &[u8]| books::directory(&mut &*payload, header.count, usize::MAX);
                    let found = scan.payload(offset, &header, read)?;
                    let Some((part, entries)) = found else { break };
                    let seqs = entries.iter().map(|entry| (entry.symbol, entry.seq));
                    self.take_part(part, seqs, offset, header.first_record, last);
                }
                Content::Gap => {
                    let Some(gap) =
                        scan.payload(offset, &header, |payload| gap::read(payload, first, last))?
                    else {
                        break;
                    };
                    self.gaps.push(gap);
                }
                Content::Listings => self.listings = Some(offset),
            }
            if !matches!(header.content, Content::Books | Content::Listings) {
                (self.open, self.listings) = (None, None);
            }
            self.next_record = header.next_record();
            self.offset = scan.offset();
        }
        self.bytes = bytes;
        Ok(())
    }

    fn take_part(
        &mut self,
        part: Part,
        seqs: impl Iterator<Item = (SymbolId, Seq)>,
        offset: u64,
        record: u64,
        time: Nanos,
    ) {
        if part.first == 0 {
            let offset = self.listings.take().unwrap_or(offset);
            self.open = Some(Set { offset, record, time, seqs: Vec::new() });
        }
        if let Some(set) = &mut self.open {
            set.seqs.extend(seqs);
        }
        if part.is_last() {
            self.sets.extend(self.open.take());
        }
    }
}

impl Set {
    fn is_before(&self, moment: Moment) -> bool {
        match moment {
            Moment::Time(time) => self.time <= time,
            Moment::Seq(symbol, seq) => {
                let at = self.seqs.binary_search_by_key(&symbol, |&(of, _)| of);
                // A symbol of which nothing was said as yet.
                at.is_ok_and(|at| self.seqs[at].1 <= seq) || at.is_err()
            }
        }
    }
}
