//! The feed in shared memory against a model of an exchange and its receivers: whatever comes and goes, is killed, falls behind or
//! is lost, a receiver's book is the exchange's, or the receiver knows that it has none.

mod exchange;
mod hostile;
mod life;
mod receiver;
mod story;

use feed::shared::FeedName;
use std::{
    fs, process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A name that no other test has; its file is removed with it.
struct Name(FeedName);

impl Name {
    fn new() -> Name {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        Name(format!("test-feed-{}-{next}", process::id()).parse().unwrap())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(self.0.path());
    }
}
