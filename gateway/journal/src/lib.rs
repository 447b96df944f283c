//! The recording: what a feed said, kept in files that survive whatever happens to the process that writes them.
//!
//! A recording is a folder. It holds runs, each with the epoch and the instruments of one uninterrupted [`Writer`]; a run
//! holds segments, a segment blocks, a block whole exchange events, or all books, under a checksum. Records are numbered from 1
//! over all runs. [`Reader`] reads a run in order, [`Recording`] finds any moment of it, [`verify()`] checks everything,
//! [`repair()`] cuts what was never finished, [`Replay`] plays a run as a feed, [`import`] turns captures of real venues and
//! vendors' files into a feed that can be recorded, and [`export`] takes a run to the files of other tools.
//!
//! This crate knows nothing of rings or subscribers, and it reads no clock.

mod block;
mod books;
mod cache;
mod checked;
mod codec;
mod error;
pub mod export;
mod files;
mod format;
mod gap;
pub mod import;
mod index;
mod meta;
mod playback;
mod reader;
mod recording;
mod repair;
mod replay;
mod retention;
mod run;
mod scan;
mod segment;
mod verify;
mod writer;

pub use books::{Books, Standing};
pub use error::{Damage, JournalError};
pub use files::Commit;
pub use gap::{Gap, GapReason};
pub use playback::{Batch, Playback};
pub use reader::{Block, Content, Reader};
pub use recording::{Contents, Moment, Position, Recording};
pub use repair::{Repaired, repair};
pub use replay::{Part, Remote, Replay, ReplayOptions};
pub use retention::Retention;
pub use verify::{Report, verify};
pub use writer::{Writer, WriterOptions};
