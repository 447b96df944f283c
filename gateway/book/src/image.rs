//! A book on its way from one keeper to another.

use crate::{Ladder, Mark};
use market::{Nanos, SymbolId};
use std::sync::Arc;

/// The book of record as ingest hands it to a worker that was lapped by the ring.
#[derive(Debug, Clone)]
pub struct Image {
    /// Whose.
    pub symbol: SymbolId,
    /// All its levels, shared by all who asked; `None` if the book does not stand.
    pub levels: Option<Arc<Ladder>>,
    /// The exchange event's end at which it was taken.
    pub mark: Mark,
    /// Whether the feed has a hole there: the book waits for a reset.
    pub stale: bool,
    /// The ring position at which it was taken: events at or after it are not in the image.
    pub position: u64,
    /// The feed time at that position.
    pub feed_time: Nanos,
}
