//! Rings in files that are mapped twice, as two processes would.
#![allow(dead_code, reason = "each test program uses its part")]

use rings::{
    broadcast::{Mapped, Slot},
    shared_memory::SharedMemory,
};
use std::{fs::File, sync::Arc};

/// Where the slots begin, in words; the head is in word 0.
pub const FIRST: usize = 8;

/// A file for a ring of so many slots.
pub fn file<const W: usize>(slots: usize) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len((FIRST * 8 + slots * size_of::<Slot<W>>()) as u64).unwrap();
    file
}

pub fn map(file: &File) -> Arc<SharedMemory> {
    Arc::new(SharedMemory::map(file).unwrap())
}

/// One ring, for its writer and its readers.
pub fn mapped_twice<const W: usize>(slots: usize) -> [Arc<Mapped<W>>; 2] {
    let file = file::<W>(slots);
    [(); 2].map(|()| Arc::new(Mapped::new(map(&file), 0, FIRST, slots).unwrap()))
}
