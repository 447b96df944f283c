//! A feed between processes of one machine: a file in shared memory, which one process writes and any number read.
//!
//! [`SharedSink`] is the end of the exchange: it writes to a [ring](rings::broadcast) in the file, never waits, and does not know
//! its readers. [`SharedSource`] is the end of a gateway, a [`FeedSource`](crate::FeedSource). Both may come and go, be killed
//! and come again, in any order.
//!
//! - **One writer.** The file is locked as long as its writer lives, and a new writer makes a new file, with an incarnation of its
//!   own. Nothing that a reader still looks at is ever cut or begun anew.
//! - **Books.** Who attaches in the middle, falls a whole ring behind or finds a new writer has lost its way in every book: it
//!   says so ([`Kind::FeedGap`](market::Kind::FeedGap)), asks, and drops the events of a symbol until its book has come. A
//!   reset with [`ResetReason::Gap`](market::ResetReason::Gap) is such a book, for whoever asked; readers that are in step
//!   leave it out, with the numbers that it took.
//! - **Time.** The writer's watermark travels beside the ring, and says besides that it lives.
//! - **Trust.** The file belongs to one user. Whatever stands in it, a reader does not panic, reads nothing outside, and takes
//!   nothing unfinished; but it is killed if its file is cut short, which none of ours does.
//!
//! This module has no clock and draws no random numbers: both come in.

mod area;
mod error;
mod file;
mod follow;
mod name;
mod notice;
mod sink;
mod source;
mod table;

pub use error::SharedError;
pub use name::{FeedName, FeedNameError};
pub use notice::Notice;
pub use sink::{SharedSink, SinkOptions};
pub use source::SharedSource;
