//! A book on its way from one keeper to another.

use crate::{Ladder, Mark};
use market::{Ids, Nanos, SymbolId};
use std::sync::Arc;

/// The book of record as ingest hands it to a worker that was lapped by the ring.
#[derive(Debug, Clone)]
pub struct Image {
    /// Whose.
    pub symbol: SymbolId,
    /// In which numbering.
    pub ids: Ids,
    /// All its levels, best first, shared by all who asked; `None` if it does not stand. Of a stale book, as it was before the
    /// gap.
    pub levels: Option<Arc<Ladder>>,
    /// The end of its last exchange event. Its `seq` counts without a standing book too, as trades are numbered from the
    /// first on.
    pub mark: Mark,
    /// Whether the feed has a hole there: the book waits for a reset.
    pub stale: bool,
    /// The ring position at which it was taken: events at or after it are not in the image.
    pub position: u64,
    /// The feed time at that position.
    pub feed_time: Nanos,
}
