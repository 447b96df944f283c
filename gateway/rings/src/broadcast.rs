//! One writer, many readers, fixed-size slots, no locks. The writer never waits and does not know its readers; a reader
//! that falls a whole ring behind is told how much it missed. No reader ever sees a torn or a stale record.
//!
//! Every record has a **position**: the first is 0, and they are dense. Position `p` lies in slot `p % slots`, and the
//! slot's version says which position it holds, so a reader needs nothing but the slot itself to know whether its next
//! record is there ([`slot`] has the protocol and its proof).

mod slot;
mod storage;

pub use slot::Slot;
#[cfg(not(loom))]
pub use storage::Mapped;
pub use storage::{Boxed, Storage};

use crate::atomic::Ordering;
use slot::Content;
use std::sync::Arc;

/// Positions stay below this (at 10^9 records a second it takes 146 years to get there). A head beyond it can only come
/// from memory that another process has spoilt, and is not followed.
const POSITION_LIMIT: u64 = 1 << 62;

/// A ring in the memory of this process ([`Writer::new`] and [`Reader::new`] take any other [`Storage`]), of `slots` records of `W` words, with its writer and a reader that stands at
/// position 0. Clone the reader for more.
///
/// # Panics
/// If `slots` is not a power of two.
pub fn ring<const W: usize>(slots: usize) -> (Writer<W>, Reader<W>) {
    let storage = Arc::new(Boxed::new(slots));
    (Writer::new(Arc::clone(&storage)), Reader::new(storage))
}

/// The one that writes.
#[derive(Debug)]
pub struct Writer<const W: usize, S: Storage<W> = Boxed<W>> {
    storage: Arc<S>,
    head: u64,
}

impl<const W: usize, S: Storage<W>> Writer<W, S> {
    /// The one writer of a ring to which nothing was ever written.
    pub fn new(storage: Arc<S>) -> Writer<W, S> {
        Writer { storage, head: 0 }
    }

    /// Writes the record at [`Writer::head`], over the oldest one when the ring is full. Readers can see it at once;
    /// those that sleep are woken by ringing a [`Doorbell`](crate::wait::Doorbell).
    pub fn publish(&mut self, words: &[u64; W]) {
        slot_of(self.storage.slots(), self.head).write(self.head, words);
        self.head += 1;
        self.storage.head().store(self.head, Ordering::Release);
    }

    /// The position of the next record; also, how many were written.
    pub fn head(&self) -> u64 {
        self.head
    }
}

/// What [`Reader::poll`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polled {
    /// So many records were read.
    Read(usize),
    /// The next record is not written yet.
    Empty,
    /// The next record was overwritten: `missed` records from the old position on are lost to this reader, which now
    /// stands at a head of the ring that it has seen.
    Lagged {
        /// How many; the reader's position has moved by exactly this.
        missed: u64,
    },
}

/// One that reads, at its own pace. A clone stands where the original stands and goes its own way from there.
#[derive(Debug)]
pub struct Reader<const W: usize, S: Storage<W> = Boxed<W>> {
    storage: Arc<S>,
    position: u64,
}

impl<const W: usize, S: Storage<W>> Reader<W, S> {
    /// A reader that stands at position 0.
    pub fn new(storage: Arc<S>) -> Reader<W, S> {
        Reader { storage, position: 0 }
    }

    /// Gives the next records to `f`, each with its position, in order, at most `limit`. It never waits: a record that
    /// is being written at this moment is not there yet.
    ///
    /// What was read before the reader fell behind is reported first, and the loss by the next call.
    #[inline]
    pub fn poll(&mut self, limit: usize, mut f: impl FnMut(u64, &[u64; W])) -> Polled {
        for read in 0..limit {
            let position = self.position;
            match slot_of(self.storage.slots(), position).read(position) {
                Content::Record(words) => {
                    self.position += 1;
                    f(position, &words);
                }
                Content::Overwritten { head } if read == 0 => return self.skip_to(head),
                Content::NotYet if read == 0 => return Polled::Empty,
                Content::NotYet | Content::Overwritten { .. } => return Polled::Read(read),
            }
        }
        Polled::Read(limit)
    }

    /// Whether [`Reader::poll`] would find nothing, neither a record nor a loss.
    pub fn is_empty(&self) -> bool {
        slot_of(self.storage.slots(), self.position).is_before(self.position)
    }

    /// The position of the next record that this reader wants.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Makes `position` the next: back to what the ring may still hold (if it does not, [`Reader::poll`] says so), or
    /// ahead, where the reader finds nothing until the writer has got there.
    ///
    /// # Panics
    /// If `position` is 2^62 or more.
    pub fn jump_to(&mut self, position: u64) {
        assert!(position < POSITION_LIMIT, "position {position} is beyond any ring's end");
        self.position = position;
    }

    /// Makes the [head](Reader::head) that is seen now the next position: of what was written before, nothing is read.
    pub fn skip_to_head(&mut self) {
        self.position = self.head();
    }

    /// How many records the writer has finished: all below this position can be seen by a poll, unless they are
    /// overwritten. A poll can be ahead of it by the records that the writer is just finishing.
    pub fn head(&self) -> u64 {
        self.storage.head().load(Ordering::Acquire).min(POSITION_LIMIT)
    }

    #[cold]
    fn skip_to(&mut self, head: u64) -> Polled {
        let next = head.min(POSITION_LIMIT).max(self.head()).max(self.position);
        let missed = next - self.position;
        self.position = next;
        Polled::Lagged { missed }
    }
}

impl<const W: usize, S: Storage<W>> Clone for Reader<W, S> {
    fn clone(&self) -> Self {
        Reader { storage: Arc::clone(&self.storage), position: self.position }
    }
}

/// The slot of `position`. The mask comes from the slice itself, so no position can point outside of it.
#[inline]
fn slot_of<const W: usize>(slots: &[Slot<W>], position: u64) -> &Slot<W> {
    &slots[position as usize & (slots.len() - 1)]
}
