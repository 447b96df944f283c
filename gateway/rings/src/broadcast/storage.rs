//! Where the slots of a ring live. It gives out references and knows nothing of positions.

use super::Slot;
use crate::atomic::AtomicU64;
use crossbeam::utils::CachePadded;

/// The memory of a ring. Readers trust none of its words: a wrong one can spoil what they read, and nothing else.
pub trait Storage<const W: usize>: Send + Sync {
    /// The slots: at each call the same, and a power of two of them.
    fn slots(&self) -> &[Slot<W>];
    /// The word in which the writer says how many records it has finished.
    fn head(&self) -> &AtomicU64;
}

/// Slots in the memory of this process.
#[derive(Debug)]
pub struct Boxed<const W: usize> {
    slots: Box<[Slot<W>]>,
    head: CachePadded<AtomicU64>,
}

impl<const W: usize> Boxed<W> {
    pub(super) fn new(slots: usize) -> Boxed<W> {
        assert!(slots.is_power_of_two(), "a ring has a power of two of slots, not {slots}");
        Boxed {
            slots: (0..slots).map(|_| Slot::empty()).collect(),
            head: CachePadded::new(AtomicU64::new(0)),
        }
    }
}

impl<const W: usize> Storage<W> for Boxed<W> {
    #[inline]
    fn slots(&self) -> &[Slot<W>] {
        &self.slots
    }

    #[inline]
    fn head(&self) -> &AtomicU64 {
        &self.head
    }
}
