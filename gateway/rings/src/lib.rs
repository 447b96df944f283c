//! Hand-overs between threads: a broadcast ring whose writer never waits, a bounded queue from one thread to another,
//! and the ways in which a reader waits for news. The ring may lie in memory that several processes map, and is then a
//! hand-over between those. Words in, words out: this crate knows nothing of markets.
//!
//! It is the only one with `unsafe`, for that memory alone; each block says why it is sound.
//!
//! A reader looks, and waits only when there was nothing to see:
//!
//! ```
//! use rings::{broadcast::{self, Polled}, wait::{Doorbell, WaitStrategy}};
//! use std::{thread, time::Duration};
//!
//! let (mut writer, mut reader) = broadcast::ring::<2>(64);
//! let mut doorbell = Doorbell::new();
//! let mut listener = doorbell.listener(WaitStrategy::Park);
//!
//! let reading = thread::spawn(move || loop {
//!     match reader.poll(16, |position, words| assert_eq!(words, &[position, 7])) {
//!         Polled::Read(_) if reader.position() == 3 => break,
//!         Polled::Read(_) => listener.reset(),
//!         Polled::Empty => listener.wait(Duration::from_secs(1), || !reader.is_empty()),
//!         Polled::Lagged { missed } => unreachable!("missed {missed} of 3 in a ring of 64"),
//!     }
//! });
//! for position in 0..3 {
//!     writer.publish(&[position, 7]);
//! }
//! doorbell.ring();
//! reading.join().unwrap();
//! ```

pub mod broadcast;
#[cfg(not(loom))]
pub mod shared_memory;
pub mod spsc;
pub mod wait;

mod atomic;
