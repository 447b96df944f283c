//! Drives ingest: one turn after another, and between them the exact moment at which the next event is due. Runs on a
//! thread of its own, or as part of the first worker's turn.

use crate::control::Control;
use feed::FeedError;
use ingest::Ingest;
use journal::Remote;
use market::{Nanos, clock};
use rings::wait::WaitStrategy;
use std::{hint, num::NonZeroU64, sync::Arc, thread, time::Duration};

/// Feed time has to move on, and silence has to be noticed, even where nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_millis(10);
/// While the feed is held or has ended: whoever resumes it or wants something of it wakes the feeder.
const SLEEP_AT_REST: Duration = Duration::from_millis(500);
/// The source does not know when it will have something, such as a recording whose next part is being read.
const UNKNOWN_DUE: Duration = Duration::from_millis(1);
/// To sleep for less than this takes longer than it is.
const SHORTEST_SLEEP: Duration = Duration::from_micros(60);

/// Ingest with what it needs to be paced.
pub(crate) struct Feeder {
    ingest: Ingest,
    control: Arc<Control>,
    /// How far a source that yields as fast as it is asked may be ahead of the slowest worker, in ring positions.
    lead: u64,
}

/// What came of a turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fed {
    /// There may be more at once.
    pub(crate) busy: bool,
    /// Until then there is nothing to do, unless somebody wakes the feeder.
    pub(crate) until: Nanos,
}

impl Feeder {
    pub(crate) fn new(ingest: Ingest, control: Arc<Control>) -> Feeder {
        let config = &control.config;
        Feeder { ingest, lead: config.ring_slots as u64 / 2, control }
    }

    /// One turn.
    ///
    /// # Errors
    /// When the source is broken; the feeder is of no more use then.
    pub(crate) fn turn(&mut self, now: Nanos) -> Result<Fed, FeedError> {
        let head = self.control.stats.head();
        let is_unpaced = self.control.remote.as_ref().is_some_and(Remote::is_unpaced);
        if is_unpaced && head > self.control.slowest_position().saturating_add(self.lead) {
            self.ingest.rest(now);
            return Ok(Fed { busy: false, until: now + UNKNOWN_DUE });
        }
        let turn = self.ingest.turn(now)?;
        self.ingest.take_warnings().for_each(|warning| tracing::warn!("{warning}"));
        let at_rest = turn.ended || self.control.hold.is_paused();
        let until = match turn.next_due {
            Some(due) => due.min(now + LONGEST_SLEEP),
            None if at_rest => now + SLEEP_AT_REST,
            None => now + UNKNOWN_DUE,
        };
        Ok(Fed { busy: turn.events > 0 || until <= now, until })
    }

    /// The source is left alone for now.
    pub(crate) fn rest(&mut self, now: Nanos) {
        self.ingest.rest(now);
    }

    /// Turns until the gateway ends or the source breaks.
    pub(crate) fn run(mut self, wait: WaitStrategy) -> Result<(), FeedError> {
        sleep_precisely();
        while !self.control.is_stopping() {
            let fed = self.turn(clock::now())?;
            if !fed.busy {
                rest(wait, fed.until);
            }
        }
        Ok(())
    }
}

/// Lets time pass until about `until`; may return early.
fn rest(wait: WaitStrategy, until: Nanos) {
    let left = until.since(clock::now());
    match wait {
        WaitStrategy::Spin => thread::yield_now(),
        WaitStrategy::Backoff | WaitStrategy::Park if left > SHORTEST_SLEEP => thread::park_timeout(left),
        WaitStrategy::Backoff | WaitStrategy::Park => hint::spin_loop(),
    }
}

/// Has this thread woken when its time has come, and not up to 50 microseconds later, as is the system's default.
fn sleep_precisely() {
    if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1_000)) {
        tracing::debug!(%error, "sleeps stay imprecise");
    }
}
