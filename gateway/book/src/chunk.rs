//! A page of the history of one book: level changes grow from its front, the marks of exchange events from its back, and
//! it is full where they meet. So no room is lost whatever the mixture.

use crate::history::Mark;
use market::{Nanos, Price, Qty, Seq, Side};

/// A level change, told by what was there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    pub seq: Seq,
    pub side: Side,
    pub price: Price,
    pub before: Qty,
}

/// A change as words: the seq with the side in its lowest bit, the price, the quantity before.
type ChangeWords = [u64; 3];

/// A mark as words: seq, engine, ingest, timestamp, venue_seq. The events of a chunk follow on each other, so that the
/// first one's number is enough.
type MarkWords = [u64; 5];

pub(crate) const CHANGE_LEN: usize = size_of::<ChangeWords>() / 8;
pub(crate) const MARK_LEN: usize = size_of::<MarkWords>() / 8;

/// 8 KiB: small enough to give one to each of tens of thousands of books, large enough that they are not chained often.
const WORDS: usize = 1024;

pub(crate) struct Chunk {
    words: Box<[u64; WORDS]>,
    changes: usize,
    marks: usize,
    /// The number of the exchange event of the first mark.
    first_event: u64,
    /// How many times it was taken from its book: tells a reference to what it held before.
    pub generation: u64,
}

impl Chunk {
    /// Memory of one chunk, in bytes.
    pub const BYTES: usize = WORDS * 8;

    pub fn new() -> Chunk {
        Chunk { words: Box::new([0; WORDS]), changes: 0, marks: 0, first_event: 0, generation: 0 }
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.changes = 0;
        self.marks = 0;
    }

    pub fn has_room(&self, words: usize) -> bool {
        self.changes * CHANGE_LEN + self.marks * MARK_LEN + words <= WORDS
    }

    pub fn push_change(&mut self, change: &Change) {
        let words: ChangeWords =
            [change.seq << 1 | change.side.index() as u64, change.price.0 as u64, change.before.0];
        let at = self.changes * CHANGE_LEN;
        self.words[at..at + CHANGE_LEN].copy_from_slice(&words);
        self.changes += 1;
    }

    /// Appends the mark of the exchange event after that of the last mark.
    pub fn push_mark(&mut self, mark: &Mark) {
        if self.marks == 0 {
            self.first_event = mark.event;
        }
        let words: MarkWords = [mark.seq, mark.engine.0, mark.ingest.0, mark.timestamp.0, mark.venue_seq];
        self.marks += 1;
        let at = WORDS - self.marks * MARK_LEN;
        self.words[at..at + MARK_LEN].copy_from_slice(&words);
    }

    /// The changes, newest first.
    pub fn changes_back(&self) -> impl Iterator<Item = Change> + '_ {
        let (words, _) = self.words[..self.changes * CHANGE_LEN].as_chunks::<CHANGE_LEN>();
        words.iter().rev().map(|&[tag, price, before]| Change {
            seq: tag >> 1,
            side: if tag & 1 == 0 { Side::Bid } else { Side::Ask },
            price: Price(price as i64),
            before: Qty(before),
        })
    }

    /// The last mark at or before a seq, and the first one after it.
    pub fn marks_around(&self, seq: Seq) -> (Option<Mark>, Option<Mark>) {
        let marks = self.marks_back();
        let newer = newer_than(marks, seq);
        let mark = |back: usize| marks.get(back).map(|words| self.mark(back, words));
        (mark(newer), newer.checked_sub(1).and_then(mark))
    }

    fn marks_back(&self) -> &[MarkWords] {
        self.words[WORDS - self.marks * MARK_LEN..].as_chunks::<MARK_LEN>().0
    }

    /// The mark that stands `back` places before the newest.
    fn mark(&self, back: usize, words: &MarkWords) -> Mark {
        let &[seq, engine, ingest, timestamp, venue_seq] = words;
        Mark {
            seq,
            event: self.first_event + (self.marks - 1 - back) as u64,
            engine: Nanos(engine),
            ingest: Nanos(ingest),
            timestamp: Nanos(timestamp),
            venue_seq,
        }
    }
}

/// How many of the marks, newest first, are after a seq. Most often it is one of the newest, so the search begins there, in
/// steps that double.
fn newer_than(marks: &[MarkWords], seq: Seq) -> usize {
    let mut step = 1;
    while marks.get(step - 1).is_some_and(|mark| mark[0] > seq) {
        step *= 2;
    }
    let known = step / 2;
    known + marks[known..marks.len().min(step)].partition_point(|mark| mark[0] > seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_they_are() {
        for count in 0..70u64 {
            let mut chunk = Chunk::new();
            for event in 1..=count {
                chunk.push_mark(&Mark { seq: 10 * event, event, ..Mark::default() });
            }
            for seq in 0..10 * count + 15 {
                let (before, after) = chunk.marks_around(seq);
                let last = (seq / 10).min(count);
                assert_eq!(before.map(|mark| mark.event), (last > 0).then_some(last), "{seq} of {count}");
                assert_eq!(
                    after.map(|mark| mark.event),
                    (last < count).then_some(last + 1),
                    "{seq} of {count}"
                );
            }
        }
    }
}
