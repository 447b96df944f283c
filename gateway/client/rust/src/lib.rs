//! The Rust client of depthcast: a book that is proven message by message, and a connection that comes back by itself.
//!
//! [`Tracker`] is the protocol without I/O and without a clock: text messages in, proven books and trades out. It believes
//! nothing: every message has to continue the one before, and every book has to have the checksum that it came with.

mod tracker;

pub use tracker::{
    BboState, BookState, Counters, Fault, FaultKind, Status, Subscribed, Tracker, Update, Verified,
};
