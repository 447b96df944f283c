//! Order books by price level, and what lies between two moments of one.
//!
//! A [`Book`] applies the events of one symbol. With a [`History`] beside it, it tells its view at any earlier end of an
//! exchange event that is still held, the net change between two of them, and the message that brings a client from
//! anywhere between a token and now up to date. Merges, resumes, late joins and checks are all this one mechanism.
//!
//! Where a venue tells single orders, [`Orders`] tells what they come to by price level.
//!
//! This crate knows nothing of topics, subscribers or encodings; a client uses its [`Ladder`] as the gateway does.

mod book;
mod checksum;
mod chunk;
mod history;
mod image;
mod ladder;
mod levels;
mod orders;
mod past;
mod watch;

pub use book::Book;
pub use history::{History, HistoryError, Mark, Range};
pub use image::Image;
pub use ladder::Ladder;
pub use levels::Levels;
pub use orders::{OrderError, Orders};
pub use watch::EventView;
