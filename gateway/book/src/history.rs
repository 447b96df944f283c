//! The pool in which the books of a worker keep what they were.

use crate::{
    chunk::{CHANGE_LEN, Change, Chunk, MARK_LEN},
    past::Net,
};
use market::{Nanos, Seq};
use std::{
    cell::{RefCell, RefMut},
    collections::VecDeque,
};

/// The end of an exchange event: a moment at which a book may be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mark {
    /// The number of its last event; 0 is before the first.
    pub seq: Seq,
    /// How many exchange events of this symbol there were so far.
    pub event: u64,
    /// When its last event was meant to happen at the exchange, in real time.
    pub engine: Nanos,
    /// When ingest took its last event, in real time.
    pub ingest: Nanos,
    /// When its last event happened, by the venue's clock.
    pub timestamp: Nanos,
    /// The venue's own number of the last book change so far; 0 is none.
    pub venue_seq: u64,
}

/// What lies between two marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where it begins; what happened up to here is not in it.
    pub from: Mark,
    /// Where it ends; what happened up to here is in it.
    pub to: Mark,
    /// When the first exchange event in it was meant to happen; of an empty range, that of `to`.
    pub first_engine: Nanos,
}

/// Why a book cannot tell what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// It is from before what is held, or from before the book was last written anew. A snapshot is due instead.
    #[error("no longer held: take a snapshot")]
    TooOld,
    /// The seq lies within an exchange event.
    #[error("not the end of an exchange event")]
    NotABoundary,
    /// The seq has not happened yet, or the range ends before it begins.
    #[error("ahead of the book")]
    Ahead,
}

/// The history of many books in one bounded pool: of each level change what was there before, and of each exchange
/// event its [`Mark`]. A change takes 24 bytes, a mark 40.
///
/// Memory is taken as it is needed, in chunks of 8 KiB. When the bound is reached the oldest full chunk is used again,
/// whosesoever it is; the chunk that a book is writing stays, also where there are more books than chunks in the bound. A
/// book must always be given the same history.
pub struct History {
    chunks: Vec<Chunk>,
    /// How many chunks the bound lets through.
    bound: usize,
    /// Chunks that are full, oldest first.
    full: VecDeque<usize>,
    /// Room for [`Net`]s, so that merging does not allocate.
    scratch: RefCell<[Net; 2]>,
}

/// The chunks of one book, oldest first. The older ones may have been taken away by the pool in the meantime.
#[derive(Default)]
pub(crate) struct Chain(VecDeque<ChunkRef>);

impl Chain {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Clone, Copy)]
struct ChunkRef {
    index: usize,
    generation: u64,
}

impl History {
    /// A pool of at most `bytes` bytes, but at least one chunk for each book.
    pub fn new(bytes: usize) -> History {
        History {
            chunks: Vec::new(),
            bound: bytes / Chunk::BYTES,
            full: VecDeque::new(),
            scratch: RefCell::default(),
        }
    }

    /// Memory that the history takes now, in bytes.
    pub fn bytes(&self) -> usize {
        self.chunks.len() * Chunk::BYTES
    }

    pub(crate) fn push_change(&mut self, chain: &mut Chain, change: &Change) {
        self.writable(chain, CHANGE_LEN).push_change(change);
    }

    pub(crate) fn push_mark(&mut self, chain: &mut Chain, mark: &Mark) {
        self.writable(chain, MARK_LEN).push_mark(mark);
    }

    /// Drops what is held of a book. It keeps the chunk that it is writing, its full ones age out.
    pub(crate) fn forget(&mut self, chain: &mut Chain) {
        if let Some(newest) = chain.0.pop_back() {
            chain.0.clear();
            self.chunks[newest.index].clear();
            chain.0.push_back(newest);
        }
    }

    /// The last mark at or before a seq, if it is held, and the one after it, if there is one.
    pub(crate) fn mark_at_or_before(&self, chain: &Chain, seq: Seq) -> Option<(Mark, Option<Mark>)> {
        let mut next = None;
        self.chunks_back(chain).find_map(|chunk| {
            let (mark, after) = chunk.marks_around(seq);
            next = after.or(next);
            mark.map(|mark| (mark, next))
        })
    }

    /// The first mark at or after a seq that is held.
    pub(crate) fn mark_at_or_after(&self, chain: &Chain, seq: Seq) -> Option<Mark> {
        let mut first = None;
        for chunk in self.chunks_back(chain) {
            let (before, after) = chunk.marks_around(seq.saturating_sub(1));
            first = after.or(first);
            if before.is_some() {
                break;
            }
        }
        first
    }

    /// The changes after a seq, newest first.
    pub(crate) fn changes_back<'a>(
        &'a self,
        chain: &'a Chain,
        after: Seq,
    ) -> impl Iterator<Item = Change> + 'a {
        self.chunks_back(chain).flat_map(Chunk::changes_back).take_while(move |change| change.seq > after)
    }

    pub(crate) fn scratch(&self) -> RefMut<'_, [Net; 2]> {
        self.scratch.borrow_mut()
    }

    /// The chunks of a book that are still its own, newest first.
    fn chunks_back<'a>(&'a self, chain: &'a Chain) -> impl Iterator<Item = &'a Chunk> {
        chain.0.iter().rev().map_while(|&chunk| self.held(chunk))
    }

    fn held(&self, chunk: ChunkRef) -> Option<&Chunk> {
        self.chunks.get(chunk.index).filter(|held| held.generation == chunk.generation)
    }

    /// The chunk that a book is writing, with room for so many words.
    fn writable(&mut self, chain: &mut Chain, words: usize) -> &mut Chunk {
        let index = match chain.0.back() {
            Some(newest) if self.chunks[newest.index].has_room(words) => newest.index,
            newest => {
                let full = newest.map(|chunk| chunk.index);
                let fresh = self.take();
                self.full.extend(full);
                while chain.0.front().is_some_and(|&oldest| self.held(oldest).is_none()) {
                    chain.0.pop_front();
                }
                chain.0.push_back(fresh);
                fresh.index
            }
        };
        &mut self.chunks[index]
    }

    /// An empty chunk: a new one within the bound, else the oldest full one.
    fn take(&mut self) -> ChunkRef {
        let oldest = if self.chunks.len() < self.bound { None } else { self.full.pop_front() };
        let index = oldest.unwrap_or_else(|| {
            self.chunks.push(Chunk::new());
            self.chunks.len() - 1
        });
        let chunk = &mut self.chunks[index];
        chunk.clear();
        chunk.generation += 1;
        ChunkRef { index, generation: chunk.generation }
    }
}
