//! One slot: a version and the words of a record, all atomics. It knows positions, but not the ring around it.
//!
//! The version is twice the number of positions finished in the order of writing: `2p + 1` while position `p` is being
//! written, `2p + 2` once it is whole, 0 before anything was. So it only grows, is never the same twice, and names the
//! position.
//!
//! # Why no reader sees a torn or a stale record
//!
//! The writer, for position `p`: (a) version = `2p + 1`, (b) each word with Release, (c) version = `2p + 2` with
//! Release. The reader: (d) the version with Acquire, (e) each word with Acquire, (f) the version again. It takes the
//! words as record `p` if and only if (d) and (f) both gave `2p + 2`.
//!
//! *Nothing older than `p`.* (d) reads from (c), Release to Acquire, so the words stored for `p` happen before the loads
//! (e), which then can give only them or later ones.
//!
//! *Nothing newer than `p`.* Say that some (e) gave a word of a later position `q`. That load is an Acquire of a Release
//! store (b), so all that the writer did before it happens before (f): also (a) for `q`, which set the version to
//! `2q + 1`. By coherence (f) gives that or something later, and as the version only grows, not `2p + 2`.
//!
//! Neither (a) nor (f) needs an order of its own, and no fence is needed: the words carry it. This is the sequence lock
//! of H.-J. Boehm, "Can seqlocks get along with programming language memory models?" (MSPC 2012), with the order moved
//! from fences to the data. On x86-64 all of it is plain loads and stores.

use crate::atomic::{AtomicU64, Ordering};

/// A place for one record of `W` words. With 7 words it fills one cache line of 64 bytes. Memory of zeros is an empty
/// slot.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Slot<const W: usize> {
    version: AtomicU64,
    words: [AtomicU64; W],
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Slot<7>>() == 64);

/// What a slot holds, seen from one position.
pub(super) enum Content<const W: usize> {
    /// The record of that position.
    Record([u64; W]),
    /// That position is not written, or not yet whole.
    NotYet,
    /// A later position. The writer had finished at least `head` records.
    Overwritten { head: u64 },
}

impl<const W: usize> Slot<W> {
    pub(super) fn empty() -> Slot<W> {
        Slot { version: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    #[inline]
    pub(super) fn write(&self, position: u64, words: &[u64; W]) {
        self.version.store(2 * position + 1, Ordering::Relaxed);
        for (place, &word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Release);
        }
        self.version.store(2 * position + 2, Ordering::Release);
    }

    #[inline]
    pub(super) fn read(&self, position: u64) -> Content<W> {
        let whole = 2 * position + 2;
        let before = self.version.load(Ordering::Acquire);
        if before < whole {
            return Content::NotYet;
        }
        let words = std::array::from_fn(|i| self.words[i].load(Ordering::Acquire));
        let after = self.version.load(Ordering::Relaxed);
        if before == whole && after == whole {
            Content::Record(words)
        } else {
            Content::Overwritten { head: after / 2 }
        }
    }

    /// Whether `position` is still to come. Relaxed: who must not miss a change puts a fence before it.
    pub(super) fn is_before(&self, position: u64) -> bool {
        self.version.load(Ordering::Relaxed) < 2 * position + 2
    }
}
