//! Ingest: from whatever a feed yields to numbered, checked, stamped events in the event ring.
//!
//! [`Sequencer`] is the whole of the rules, without a ring, a thread or a clock: events of a source in, sequenced events
//! out. [`Ingest`] drives one from a [`feed::FeedSource`] into the ring, a bounded turn at a time, and hands whole books
//! to workers that lost their way.
//!
//! **The book of record** is the book of each symbol as of the last event that was sequenced. Whoever applies the
//! sequenced events of a symbol to an empty book has exactly the book of record at each end of an exchange event.
//!
//! This crate knows nothing of subscribers, of encodings, or of what a feed is.

mod count;
mod fault;
mod feed_time;
mod framing;
mod ingest;
mod sequencer;
mod stall;
mod stats;
mod track;
mod transfer;

pub use count::{Counts, Tally};
pub use fault::{Fault, Warning};
pub use feed_time::TICK;
pub use ingest::{Ingest, IngestOptions, ReplaceError, SharedInstruments, Turn};
pub use sequencer::{MAX_EXCHANGE_EVENT, Numbering, OnCross, Sequencer, SequencerOptions};
pub use stats::IngestStats;
pub use transfer::{BookRequest, BookRequests, TooManyRequests};
