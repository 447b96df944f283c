//! Where the slots of a ring live. It gives out references and knows nothing of positions.

use super::Slot;
use crate::atomic::AtomicU64;
#[cfg(not(loom))]
use crate::shared_memory::SharedMemory;
use crossbeam::utils::CachePadded;
#[cfg(not(loom))]
use std::sync::Arc;

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

/// Slots in memory that several processes have in common. The bounds are checked once, where it is made, and never read
/// from the memory again.
#[cfg(not(loom))]
#[derive(Debug)]
pub struct Mapped<const W: usize> {
    memory: Arc<SharedMemory>,
    head: usize,
    first: usize,
    count: usize,
}

#[cfg(not(loom))]
impl<const W: usize> Mapped<W> {
    /// The `count` slots that begin at word `first` of `memory`, the head in its word `head`. Memory of zeros is a new
    /// ring. `None` if `count` is no power of two, or they do not lie in the memory, each at a multiple of 64 bytes.
    pub fn new(memory: Arc<SharedMemory>, head: usize, first: usize, count: usize) -> Option<Mapped<W>> {
        let fits = head < memory.words().len() && memory.has_slots::<W>(first, count);
        (count.is_power_of_two() && fits).then_some(Mapped { memory, head, first, count })
    }
}

#[cfg(not(loom))]
impl<const W: usize> Storage<W> for Mapped<W> {
    #[inline]
    #[allow(unsafe_code)]
    fn slots(&self) -> &[Slot<W>] {
        // SAFETY: `new` makes none to which `has_slots` did not say yes, and nothing changes it.
        unsafe { self.memory.slots(self.first, self.count) }
    }

    #[inline]
    fn head(&self) -> &AtomicU64 {
        &self.memory.words()[self.head]
    }
}
