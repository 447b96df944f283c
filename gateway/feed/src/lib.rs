//! The seam between depthcast and whatever yields market events: the simulator, a recording, shared memory, another
//! process. To ingest they are all alike.
//!
//! A source knows nothing of books or subscribers. It has no clock: time comes in as `now`.
//!
//! [`shared`] is the feed between two processes of one machine, both ends of it.

mod pause;
pub mod shared;

pub use pause::PauseHandle;

use market::{Epoch, Event, Instruments, Nanos, SymbolId};

/// What a source yields in one [`FeedSource::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedStatus {
    /// Whether there was something, or ever will be.
    pub state: FeedState,
    /// The source's promise that no event with a feed time before this will follow. It alone moves feed time while
    /// nothing happens. [`Nanos::ZERO`] if the source cannot promise anything yet.
    pub watermark: Nanos,
}

/// Whether a source has something to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedState {
    /// Events were appended; there may be more at once.
    Events,
    /// Nothing is due now. [`FeedSource::next_due`] may say when something will be.
    Idle,
    /// A hole in the source's own numbering: the books of these symbols cannot go on. The events of a gap are
    /// [`market::Kind::FeedGap`], one for each symbol, and were appended.
    Gap,
    /// Nothing will ever follow.
    Ended,
}

/// Yields market events. Runs on one thread; `poll` never blocks.
pub trait FeedSource: Send {
    /// The instruments known at opening; ids are their places. Later ones are announced by [`market::Kind::Listing`].
    fn instruments(&self) -> &Instruments;

    /// `Some` if this source is itself the sequencer (a recording, a numbered stream): its events then carry the
    /// numbering of this epoch, which ingest keeps. `None` if ingest has to number them.
    fn epoch(&self) -> Option<Epoch>;

    /// Appends what is due at `now` to `out`: a bounded number of events (a few thousand), in whole exchange events of one
    /// symbol each, the last one marked. Only an exchange event that is larger than the bound may come in pieces
    /// over several polls.
    ///
    /// # Errors
    /// When the source is broken and cannot go on as it is; it may be opened again.
    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError>;

    /// The real time at which the next event is due, if that is known: until then polling is in vain.
    fn next_due(&self) -> Option<Nanos> {
        None
    }

    /// Asks for the whole book of `symbol` (a reset with [`market::ResetReason::Gap`], its levels, the last one marked) soon,
    /// between normal events: the receiver lost its way. A source that cannot do that ignores it.
    fn refresh(&mut self, symbol: SymbolId) {
        let _ = symbol;
    }
}

/// Takes sequenced events: the other end of a feed.
pub trait FeedSink {
    /// Takes a run of events, whole exchange events.
    ///
    /// # Errors
    /// When they could not be taken; none of them counts as taken then.
    fn push(&mut self, events: &[Event]) -> Result<(), FeedError>;
}

/// Why a feed cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("feed {feed}: {what}")]
pub struct FeedError {
    /// Which feed, as the operator named it.
    pub feed: String,
    /// What is wrong, and what to do about it.
    pub what: String,
}
