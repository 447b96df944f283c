//! Where a replay gets what it plays: from a thread that reads ahead, or by reading when it is polled.

use super::prefetch::Prefetch;
use crate::{JournalError, Playback, playback::Batch};

/// What comes next of a run.
pub(super) enum Next {
    Batch(Batch),
    /// It has not been read yet.
    Pending,
    /// Nothing follows.
    End,
}

/// Where it comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// Another thread waits for the disk.
    Ahead(Prefetch),
    /// Whoever polls waits for the disk.
    Polled(Box<Playback>),
}

impl Source {
    /// What comes next.
    ///
    /// # Errors
    /// If the recording is damaged there.
    pub fn next(&mut self) -> Result<Next, JournalError> {
        match self {
            Source::Ahead(ahead) => ahead.next(),
            Source::Polled(playback) => Ok(match playback.next()? {
                Some(batch) => Next::Batch(batch),
                None => Next::End,
            }),
        }
    }

    /// After the end, looks whether there is more by now. Whether it can.
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub fn look_again(&mut self) -> Result<bool, JournalError> {
        match self {
            Source::Ahead(_) => Ok(false),
            Source::Polled(playback) => playback.look_again().map(|()| true),
        }
    }
}
