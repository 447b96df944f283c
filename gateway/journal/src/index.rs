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
    collections::{HashMap, VecDeque},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Indexes that are held whole: of 64 segments of 256 MiB.
const HELD: usize = 64;
/// Outlines that are held: of segments of 256 MiB, a recording of 16 TiB.
const OUTLINES: usize = 1 << 16;

/// The indexes that were asked for last, and outlines of the others, so that of a long recording no segment is looked over again
/// and again.
#[derive(Debug)]
pub(crate) struct Indexes {
    held: Mutex<Held>,
    most: usize,
}

#[derive(Debug, Default)]
struct Held {
    whole: VecDeque<(PathBuf, Arc<SegmentIndex>)>,
    /// What is known of a segment but for its sets behind the first.
    outlines: HashMap<PathBuf, Arc<SegmentIndex>>,
}

impl Default for Indexes {
    fn default() -> Indexes {
        Indexes { held: Mutex::default(), most: HELD }
    }
}

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
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { whole, outlines } = &mut *held;
        let known = whole.iter().position(|(of, _)| of == path).and_then(|at| whole.remove(at));
        let mut index = match known {
            Some((_, index)) => index,
            None => Arc::new(SegmentIndex { next_record: first_record, ..SegmentIndex::default() }),
        };
        let bytes = std::fs::metadata(path).map_err(JournalError::io("measure", path))?.len();
        if bytes != index.bytes {
            Arc::make_mut(&mut index).go_on(path, bytes)?;
        }
        outlines.remove(path);
        whole.push_back((path.to_owned(), Arc::clone(&index)));
        if whole.len() > self.most
            && let Some((path, mut oldest)) = whole.pop_front()
        {
            Arc::make_mut(&mut oldest).sets.truncate(1);
            if outlines.len() == OUTLINES {
                outlines.clear();
            }
            outlines.insert(path, oldest);
        }
        Ok(index)
    }

    /// What is known of a segment as it is now, but perhaps for its sets behind the first.
    pub fn outline_of(&self, path: &Path, first_record: u64) -> Result<Arc<SegmentIndex>, JournalError> {
        let known = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.outlines.get(path).cloned()
        };
        if let Some(outline) = known {
            let bytes = std::fs::metadata(path).map_err(JournalError::io("measure", path))?.len();
            if bytes == outline.bytes {
                return Ok(outline);
            }
        }
        self.of(path, first_record)
    }
}

impl SegmentIndex {
    /// The last set that is not behind the moment.
    pub fn set_before(&self, moment: Moment) -> Option<&Set> {
        self.sets.iter().rev().find(|set| set.is_before(moment))
    }

    /// Whether a set is not behind the moment: then the first one is not.
    pub fn has_set_before(&self, moment: Moment) -> bool {
        self.sets.first().is_some_and(|set| set.is_before(moment))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Writer, WriterOptions, run};
    use feed::FeedSink;
    use market::{Epoch, Event, Instrument, Instruments, Kind, Price, Qty, Status};
    use std::fs;

    #[test]
    fn of_a_long_recording_no_segment_is_looked_over_again() {
        let dir = tempfile::tempdir().unwrap();
        let options = WriterOptions { segment_bytes: 2_000, books_after: 500, ..WriterOptions::default() };
        let instrument = Instrument {
            symbol: "A/B".into(),
            venue_symbol: "AB".into(),
            price_decimals: 2,
            qty_decimals: 2,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        let instruments = Instruments::new([instrument]).unwrap();
        let mut writer = Writer::open_with(dir.path(), Epoch(1), &instruments, options).unwrap();
        for seq in 1..3_000 {
            let level = Event {
                seq,
                timestamp: Nanos(seq),
                price: Price(seq as i64 % 50),
                qty: Qty(seq),
                last: true,
                ..Event::new(Kind::Level)
            };
            writer.push(&[level]).unwrap();
            if seq % 50 == 0 {
                writer.flush().unwrap();
            }
        }
        writer.sync().unwrap();
        let segments = run::runs(dir.path()).unwrap()[0].segments().unwrap();
        assert!(segments.len() > 5);
        let indexes = Indexes { most: 2, ..Indexes::default() };
        let look = |(first_record, path): &(u64, PathBuf)| indexes.outline_of(path, *first_record).unwrap();
        let seen: Vec<_> =
            segments.iter().map(|segment| (look(segment).times, look(segment).next_record)).collect();
        assert!(seen.iter().all(|(times, _)| times.is_some()));
        // Whoever looks again finds nothing there any more.
        for (_, path) in &segments {
            fs::write(path, vec![0; fs::metadata(path).unwrap().len() as usize]).unwrap();
        }
        for (segment, (times, next_record)) in segments.iter().zip(seen) {
            let outline = look(segment);
            assert_eq!((outline.times, outline.next_record), (times, next_record));
            let (first, last) = times.unwrap();
            // The first one of a run has nothing to begin with.
            if segment.0 > 1 {
                assert!(outline.begins_with_books() && outline.has_set_before(Moment::Time(last)));
                assert!(!outline.has_set_before(Moment::Time(Nanos(first.0 - 2))));
            }
        }
        assert_eq!(indexes.held.lock().unwrap().whole.len(), 2);
    }
}
