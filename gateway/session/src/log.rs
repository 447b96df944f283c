//! A topic's log: ready-made frames in a row, each with an index entry, bounded in bytes.
//!
//! A frame is appended once and its bytes go to every subscriber in step. The log knows nothing of what is in a frame
//! nor of who reads it; cursors are plain numbers that the readers keep.

use market::{Nanos, Seq};
use std::{collections::VecDeque, ops::Range};

/// The number of a frame in its log: dense from 0 at the log's birth. A reader's cursor is the number of the frame that it
/// gets next.
pub type FrameNumber = u64;

struct Entry {
    /// Bytes appended to the log up to the end of this frame, since its birth.
    end: u64,
    seq: Seq,
    engine: Nanos,
}

/// Frames of one topic, contiguous in memory, oldest first.
#[derive(Default)]
pub struct Log {
    bytes: Vec<u8>,
    /// Bytes since birth that stood before `bytes[0]`.
    base: u64,
    entries: VecDeque<Entry>,
    /// The number of `entries[0]`.
    first: FrameNumber,
    /// Where `entries[0]` begins, in bytes since birth.
    start: u64,
}

/// A run of whole frames.
pub struct Run<'a> {
    /// The frames' bytes.
    pub bytes: &'a [u8],
    /// The cursor behind the run.
    pub next: FrameNumber,
    /// The seq of its last frame.
    pub seq: Seq,
}

impl Log {
    /// The number that the next frame will get.
    pub fn head(&self) -> FrameNumber {
        self.first + self.entries.len() as u64
    }

    /// The oldest frame that is still held; equal to the head if none is.
    pub fn first(&self) -> FrameNumber {
        self.first
    }

    /// Bytes held.
    pub fn len(&self) -> usize {
        (self.end() - self.start) as usize
    }

    fn end(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }

    /// Appends the frame that `write` appends, which ends at `seq`.
    pub fn append(&mut self, seq: Seq, engine: Nanos, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = self.end();
        self.entries.push_back(Entry { end, seq, engine });
    }

    /// As many whole frames from `cursor` on as `limit` bytes hold, at least one; `None` at the head, or if the frame
    /// at the cursor is no longer held.
    pub fn run(&self, cursor: FrameNumber, limit: usize) -> Option<Run<'_>> {
        let at = usize::try_from(cursor.checked_sub(self.first)?).ok()?;
        self.entries.get(at)?;
        let begin = self.offset(at);
        let fits = self.entries.range(at..).take_while(|entry| entry.end - begin <= limit as u64).count();
        let last = at + fits.max(1) - 1;
        let entry = &self.entries[last];
        let bytes = &self.bytes[(begin - self.base) as usize..(entry.end - self.base) as usize];
        Some(Run { bytes, next: self.first + last as u64 + 1, seq: entry.seq })
    }

    /// The bytes of a run of frames that are held.
    pub fn frames(&self, frames: Range<FrameNumber>) -> &[u8] {
        let place = |number: FrameNumber| (self.offset((number - self.first) as usize) - self.base) as usize;
        &self.bytes[place(frames.start)..place(frames.end)]
    }

    /// The number of the frame behind the one that ends at `seq`, if that one is held or was the last.
    pub fn after_seq(&self, seq: Seq) -> Option<FrameNumber> {
        let at = self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok()?;
        Some(self.first + at as u64 + 1)
    }

    /// Bytes from `cursor` to the head; all that is held if the cursor fell off.
    pub fn bytes_from(&self, cursor: FrameNumber) -> usize {
        let at = cursor.saturating_sub(self.first) as usize;
        (self.end() - self.offset(at.min(self.entries.len()))) as usize
    }

    /// The engine times of a run of frames that are held.
    pub fn engines(&self, frames: Range<FrameNumber>) -> impl Iterator<Item = Nanos> {
        self.engines_from(frames.start).take((frames.end - frames.start) as usize)
    }

    /// The engine times of the frames from `cursor` on.
    pub fn engines_from(&self, cursor: FrameNumber) -> impl Iterator<Item = Nanos> {
        let at = cursor.saturating_sub(self.first) as usize;
        self.entries.range(at.min(self.entries.len())..).map(|entry| entry.engine)
    }

    /// Where the frame at this place begins, in bytes since birth.
    fn offset(&self, at: usize) -> u64 {
        if at == 0 { self.start } else { self.entries[at - 1].end }
    }

    /// Forgets the frames before `keep`, and as many more of the oldest as it takes to hold at most `limit` bytes.
    pub fn trim(&mut self, keep: FrameNumber, limit: usize) {
        while self.first < keep.min(self.head()) || (self.len() > limit && !self.entries.is_empty()) {
            let Some(entry) = self.entries.pop_front() else { break };
            self.start = entry.end;
            self.first += 1;
        }
        self.compact();
    }

    /// Gives the room of forgotten frames back, by moving the rest to the front once that is the smaller part: each byte is
    /// moved at most once for each byte appended.
    fn compact(&mut self) {
        let dead = (self.start - self.base) as usize;
        if self.entries.is_empty() {
            self.bytes.clear();
            self.base = self.start;
        } else if dead > self.bytes.len() / 2 {
            self.bytes.copy_within(dead.., 0);
            self.bytes.truncate(self.bytes.len() - dead);
            self.base = self.start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log_of(frames: &[&str]) -> Log {
        let mut log = Log::default();
        for (i, frame) in frames.iter().enumerate() {
            log.append(i as Seq + 1, Nanos(0), |out| out.extend_from_slice(frame.as_bytes()));
        }
        log
    }

    #[test]
    fn a_run_holds_whole_frames_up_to_the_limit_and_at_least_one() {
        let log = log_of(&["aa", "bbb", "c"]);
        let check = |cursor, limit, wanted: Option<(&[u8], u64, u64)>| {
            assert_eq!(log.run(cursor, limit).map(|run| (run.bytes, run.next, run.seq)), wanted);
        };
        check(0, 100, Some((b"aabbbc", 3, 3)));
        check(0, 5, Some((b"aabbb", 2, 2)));
        check(0, 4, Some((b"aa", 1, 1)));
        check(1, 1, Some((b"bbb", 2, 2)));
        check(3, 100, None);
    }

    #[test]
    fn a_cursor_that_fell_off_gets_nothing() {
        let mut log = log_of(&["aa", "bbb", "c"]);
        log.trim(1, 100);
        assert!(log.run(0, 100).is_none());
        assert_eq!(log.run(1, 100).unwrap().bytes, b"bbbc");
        assert_eq!(log.bytes_from(0), 4);
    }

    proptest! {
        /// Against a plain list of frames, under any mix of appends and trims.
        #[test]
        fn holds_exactly_the_newest_frames(steps in prop::collection::vec((0usize..40, 0u64..20, 1usize..200), 1..60)) {
            let mut log = Log::default();
            let mut model: Vec<Vec<u8>> = Vec::new();
            let mut first = 0u64;
            for (length, back, limit) in steps {
                let frame = vec![model.len() as u8; length + 1];
                log.append(model.len() as Seq, Nanos(0), |out| out.extend_from_slice(&frame));
                model.push(frame);
                let keep = (model.len() as u64).saturating_sub(back);
                log.trim(keep, limit);
                first = first.max(keep);
                while model[first as usize..].iter().map(Vec::len).sum::<usize>() > limit {
                    first += 1;
                }
                prop_assert_eq!(log.first(), first);
                prop_assert_eq!(log.head(), model.len() as u64);
                let wanted: Vec<u8> = model[first as usize..].concat();
                prop_assert_eq!(log.len(), wanted.len());
                prop_assert_eq!(log.run(first, usize::MAX).map_or(&b""[..], |run| run.bytes), &wanted[..]);
                prop_assert!(log.bytes.len() <= 2 * limit + 41, "memory stays within twice the limit");
            }
        }
    }
}
