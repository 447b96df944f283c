//! Blocks that were read, for all who read the same recording at once. Knows nothing of files.

use crate::format::BlockHeader;
use market::Event;
use quick_cache::{Weighter, sync::Cache};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Where a block is: its segment, and where it begins there.
type Place = (PathBuf, u64);

/// The events of the blocks that were asked for last.
#[derive(Debug)]
pub(crate) struct Blocks(Cache<Place, Arc<Shared>, Bytes>);

/// A block of events.
#[derive(Debug)]
pub(crate) struct Shared {
    pub header: BlockHeader,
    /// Where the next block begins.
    pub end: u64,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Place, Arc<Shared>> for Bytes {
    fn weight(&self, (path, _): &Place, block: &Arc<Shared>) -> u64 {
        (path.as_os_str().len() + block.events.len() * size_of::<Event>()) as u64
    }
}

/// What a block of 64 KiB comes to, about, when it is read.
const TYPICAL: u64 = 512 << 10;

impl Blocks {
    /// For so many bytes of events.
    pub fn new(bytes: u64) -> Blocks {
        Blocks(Cache::with_weighter((bytes / TYPICAL).max(1) as usize, bytes, Bytes))
    }

    pub fn get(&self, segment: &Path, offset: u64) -> Option<Arc<Shared>> {
        // The key is made to be asked for: a path is short, and a block long.
        self.0.get(&(segment.to_owned(), offset))
    }

    pub fn insert(&self, segment: PathBuf, offset: u64, block: Shared) {
        self.0.insert((segment, offset), Arc::new(block));
    }
}
