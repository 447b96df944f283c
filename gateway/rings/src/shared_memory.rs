//! A file as memory that several processes have in common, seen as 64-bit atomic words. It gives out references and
//! knows nothing of what the words say.
//!
//! Whoever may write to the file can write anything to any word at any time; whoever reads one has to take whatever
//! number it finds. A file that is made shorter under a mapping kills the processes that touch what is gone (SIGBUS): a
//! file that is mapped is trusted to its owner, keeps its length, and is replaced by another, never cut.

#![allow(unsafe_code)]

use crate::{atomic::AtomicU64, broadcast::Slot};
use memmap2::MmapRaw;
use std::{fs::File, io, slice};

const WORD: usize = size_of::<AtomicU64>();

/// A file in memory, for reading and writing.
#[derive(Debug)]
pub struct SharedMemory {
    /// It hands out no references itself, and stays where it is until it is dropped.
    map: MmapRaw,
}

impl SharedMemory {
    /// Maps a file that is open for reading and writing, as long as it is now.
    ///
    /// # Errors
    /// If the system does not map it, or it is empty.
    pub fn map(file: &File) -> io::Result<SharedMemory> {
        if file.metadata()?.len() < WORD as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file holds no word"));
        }
        Ok(SharedMemory { map: MmapRaw::map_raw(file)? })
    }

    /// All whole words of the file.
    #[inline]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY:
        // - The mapping is `map.len()` bytes at `map.as_ptr()`, readable and writable, until `map` is dropped; the
        //   borrow of `self` ends before that. `len / WORD` words do not reach beyond it, nor beyond `isize::MAX`.
        // - A mapping begins at a page, so the pointer is aligned for a word.
        // - Any bits are an `AtomicU64`, and mapped memory is initialised (what was never written is zero).
        // - An `AtomicU64` may be changed through shared references, here and by other processes that map the file:
        //   nothing in this process ever refers to these bytes but as atomics, since `map` gives out only pointers
        //   and this function and `slots` are the only ones that make references of them.
        unsafe { slice::from_raw_parts(self.map.as_ptr().cast::<AtomicU64>(), self.map.len() / WORD) }
    }

    /// Whether `count` slots lie in the mapping from word `first` on, aligned as slots are.
    pub(crate) fn has_slots<const W: usize>(&self, first: usize, count: usize) -> bool {
        let Some(begin) = first.checked_mul(WORD) else { return false };
        let end = count.checked_mul(size_of::<Slot<W>>()).and_then(|bytes| bytes.checked_add(begin));
        begin.is_multiple_of(align_of::<Slot<W>>()) && end.is_some_and(|end| end <= self.map.len())
    }

    /// The slots from word `first` on.
    ///
    /// # Safety
    /// [`SharedMemory::has_slots`] said yes to these.
    #[inline]
    pub(crate) unsafe fn slots<const W: usize>(&self, first: usize, count: usize) -> &[Slot<W>] {
        // SAFETY:
        // - By the contract, `first * WORD` and the `count` slots behind it lie within the mapping, so the pointer
        //   arithmetic stays in one allocation, and all bytes are readable, writable and live as long as `self`.
        // - Aligned: a mapping begins at a page of at least 4,096 bytes, and `first * WORD` is a multiple of the
        //   alignment of a slot, which is 64.
        // - A slot is `repr(C)` of nothing but `AtomicU64`, and padding behind them: any bits are a slot, and all that
        //   is said of words above holds for it.
        unsafe { slice::from_raw_parts(self.map.as_ptr().add(first * WORD).cast::<Slot<W>>(), count) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn two_mappings_of_a_file_see_the_same_words() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4_100).unwrap();
        let (one, two) = (SharedMemory::map(&file).unwrap(), SharedMemory::map(&file).unwrap());
        assert_eq!((one.words().len(), two.words().len()), (512, 512), "whole words only");
        one.words()[511].store(7, Ordering::Release);
        assert_eq!(two.words()[511].load(Ordering::Acquire), 7);
        assert!(two.words()[..511].iter().all(|word| word.load(Ordering::Relaxed) == 0));
    }

    #[test]
    fn slots_have_to_lie_within_it() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8_192).unwrap();
        let memory = SharedMemory::map(&file).unwrap();
        assert!(memory.has_slots::<7>(512, 64) && memory.has_slots::<7>(8, 127));
        for (first, count) in
            [(512, 65), (1_024, 1), (4, 1), (usize::MAX, 1), (0, usize::MAX), (usize::MAX / 8, 2)]
        {
            assert!(!memory.has_slots::<7>(first, count), "{count} from {first}");
        }
    }

    #[test]
    fn an_empty_file_is_no_memory() {
        assert!(SharedMemory::map(&tempfile::tempfile().unwrap()).is_err());
    }
}
