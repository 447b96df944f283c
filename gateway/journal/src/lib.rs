//! The recording: what a feed said, kept in files that survive whatever happens to the process that writes them.
//!
//! A recording is a folder. It holds runs, each with the epoch and the instruments of one uninterrupted [`Writer`]; a run
//! holds segments, a segment blocks, a block whole exchange events under a checksum. Records are numbered from 1 over all
//! runs. [`Reader`] reads a run in order, [`verify()`] checks everything, [`Replay`] plays a run as a feed, and [`import`] turns
//! captures of real venues into a feed that can be recorded.
//!
//! This crate knows nothing of rings, books or subscribers, and it reads no clock.

mod block;
mod codec;
mod error;
mod format;
pub mod import;
mod meta;
mod reader;
mod replay;
mod run;
mod segment;
mod verify;
mod writer;

pub use error::{Damage, JournalError};
pub use reader::{Block, Reader};
pub use replay::{Replay, ReplayOptions, Speed, SpeedError};
pub use verify::{Report, verify};
pub use writer::Writer;
