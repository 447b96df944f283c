//! Waits for the disk on a thread of its own, so that the ring is read meanwhile.

use crossbeam::channel::{Receiver, Sender, bounded};
use journal::{Commit, JournalError};
use market::Nanos;
use std::{io, thread, time::Duration};

type Outcome = (Commit, Result<(), JournalError>);

/// One commit at a time is under way.
pub(super) struct Commits {
    interval: Duration,
    due_at: Nanos,
    under_way: bool,
    begun: Sender<Commit>,
    concluded: Receiver<Outcome>,
}

impl Commits {
    /// Commits are due in this interval. The thread ends with what this returns.
    pub(super) fn start(interval: Duration) -> io::Result<Commits> {
        let (begun, to_do) = bounded::<Commit>(1);
        let (done, concluded) = bounded(1);
        thread::Builder::new().name("recorder-sync".to_owned()).spawn(move || {
            for commit in to_do {
                let outcome = commit.wait();
                if done.send((commit, outcome)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Commits { interval, due_at: Nanos::ZERO, under_way: false, begun, concluded })
    }

    /// Whether the next one is to begin.
    pub(super) fn are_due(&self, now: Nanos) -> bool {
        !self.under_way && now >= self.due_at
    }

    /// Begins to wait for one.
    pub(super) fn begin(&mut self, commit: Commit, now: Nanos) {
        self.due_at = now + self.interval;
        self.under_way = self.begun.send(commit).is_ok();
    }

    /// What came of the one under way, if it is known by now.
    pub(super) fn concluded(&mut self) -> Option<Outcome> {
        let outcome = self.concluded.try_recv().ok()?;
        self.under_way = false;
        Some(outcome)
    }

    /// What came of the one under way, once it is known.
    pub(super) fn wait(&mut self) -> Option<Outcome> {
        std::mem::take(&mut self.under_way).then(|| self.concluded.recv().ok()).flatten()
    }
}
