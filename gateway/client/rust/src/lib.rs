//! The Rust client of depthcast: a book that is proven message by message, and a connection that comes back by itself.
//!
//! [`Tracker`] is the protocol without I/O and without a clock: text messages in, proven books and trades out. It believes
//! nothing: every message has to continue the one before, and every book has to have the checksum that it came with.
//! [`Client`] feeds one from a WebSocket, reconnects and resumes by itself. [`check()`] listens to a gateway for a while and
//! says whether everything was right.
//!
//! ```no_run
//! use client::{Client, Event, Options, Subscription, Update};
//! use wire::message::Channel;
//! # async fn example() -> Result<(), client::ClientError> {
//! let books = Subscription::new(Channel::Book, ["BTC/USDT"]);
//! let mut client = Client::connect("ws://127.0.0.1:9000/feed", Options::new(vec![books])).await?;
//! loop {
//!     if let Event::Update(Update::Book { symbol, book, .. }) = client.next().await {
//!         println!("{symbol} {:?} at {}", book.ladder.bids.first(), book.seq);
//!     }
//! }
//! # }
//! ```

mod tracker;

mod backoff;
mod check;
mod client;
mod connection;
mod error;
mod request;
mod target;

pub use check::{CheckOptions, CheckReport, LatencyReport, check};
pub use client::{Client, Event, Options, Subscription};
pub use error::ClientError;
pub use tracker::{
    BboState, BookState, Counters, Fault, FaultKind, Polled, Status, Subscribed, Tracker, Update, Verified,
};
