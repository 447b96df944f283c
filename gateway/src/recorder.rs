//! Records what is sequenced: a reader of the ring like a worker, at its own pace, on a thread of its own. The feed and the
//! workers never wait for it: what it cannot keep up with, or what the disk does not take, becomes a gap that is named in the
//! recording, and it goes on behind it.

mod commits;
mod resync;
mod stats;

pub use stats::Recorded;
pub(crate) use stats::RecordingStats;

use crate::{assembly::StartError, config::Config, control::Control, images::Images};
use commits::Commits;
use feed::FeedSink;
use ingest::BookRequests;
use journal::{GapReason, JournalError, Retention, Writer, WriterOptions};
use market::{Event, Kind, Nanos, SymbolId, clock};
use resync::Resync;
use rings::broadcast::{Polled, Reader};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::Notify;

/// Events in one turn.
const TURN_EVENTS: usize = 8_192;
/// While the ring has nothing new. Half a million events a second fill a hundredth of the smallest usual ring meanwhile.
const REST: Duration = Duration::from_millis(5);
/// The disk did not take it: try again after this.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Reads the ring and writes the recording.
pub(crate) struct Recorder {
    control: Arc<Control>,
    reader: Reader<{ Event::WORDS }>,
    images: Images,
    dir: PathBuf,
    writer: Writer,
    commits: Commits,
    state: State,
    /// Events read from the ring and not written: less than an exchange event between two turns.
    events: Vec<Event>,
    feed_time: Nanos,
    stats: Arc<RecordingStats>,
}

/// Whether what is read is written.
enum State {
    Following,
    /// Something was missed; the books are being gathered anew. Nothing is written meanwhile.
    Resyncing(Resync),
    /// The disk refuses.
    Refused {
        /// Events since then.
        missed: u64,
        try_at: Nanos,
    },
}

impl Recorder {
    /// Begins a run in the folder that the configuration names; from the first event in the ring.
    ///
    /// # Errors
    /// If there cannot be a recording.
    pub(crate) fn open(
        dir: &Path,
        control: &Arc<Control>,
        reader: Reader<{ Event::WORDS }>,
        requests: BookRequests,
        stats: Arc<RecordingStats>,
    ) -> Result<Recorder, StartError> {
        let config = &control.config;
        let writer =
            Writer::open_with(dir, control.first_ids.epoch, &control.instruments(), options(config))?;
        let interval = Duration::from_millis(config.record_sync_ms.into());
        Ok(Recorder {
            images: Images::new(requests, Arc::new(Notify::new())),
            control: Arc::clone(control),
            commits: Commits::start(interval).map_err(StartError::Thread)?,
            dir: dir.to_owned(),
            reader,
            writer,
            state: State::Following,
            events: Vec::new(),
            feed_time: Nanos::ZERO,
            stats,
        })
    }

    /// Records until the gateway ends, then what is still in the ring.
    pub(crate) fn run(mut self) -> io::Result<()> {
        loop {
            // Looked at first: what was sequenced before the end is in the ring by now.
            let stopping = self.control.is_stopping();
            let read = self.turn(clock::now());
            if read == 0 {
                if stopping {
                    break;
                }
                thread::park_timeout(REST);
            }
        }
        self.finish();
        Ok(())
    }

    /// One bounded turn; how many events of the ring it read.
    fn turn(&mut self, now: Nanos) -> usize {
        let read = self.read_ring();
        self.stats.set_position(self.reader.position());
        match &mut self.state {
            State::Following => self.write(now),
            State::Resyncing(resync) => {
                let complete = resync.take(&mut self.events, self.reader.position());
                if complete {
                    self.go_on(now);
                }
            }
            State::Refused { missed, try_at } => {
                *missed += self.events.len() as u64;
                self.events.clear();
                if now >= *try_at {
                    self.try_again(now);
                }
            }
        }
        self.conclude_commits(now);
        read
    }

    /// Images that were taken before the head that is seen here are installed first, so that no event falls between an image and
    /// what follows it.
    fn read_ring(&mut self) -> usize {
        let head = self.reader.head();
        if let State::Resyncing(resync) = &mut self.state {
            while let Some(image) = self.images.next(self.reader.position()) {
                resync.install(image);
            }
        }
        let limit = head.saturating_sub(self.reader.position()).min(TURN_EVENTS as u64) as usize;
        let events = &mut self.events;
        let polled = self.reader.poll(limit, |_, words| {
            events.push(Event::unpack(words).expect("the ring holds what ingest packed"));
        });
        let read = match polled {
            Polled::Read(count) => count,
            Polled::Empty => 0,
            Polled::Lagged { missed } => {
                self.lose(GapReason::Lagged, missed + self.events.len() as u64);
                1
            }
        };
        if self.images.ask() {
            self.control.wake_feed();
        }
        read
    }

    /// Writes whole exchange events.
    fn write(&mut self, now: Nanos) {
        let is_end = |event: &Event| event.last || !event.kind.is_numbered();
        let Some(last) = self.events.iter().rposition(is_end) else { return };
        if let Some(error) = self.list_new().err() {
            return self.refuse(&error, now);
        }
        for event in &self.events[..=last] {
            if event.kind == Kind::Tick || event.kind.is_numbered() {
                self.feed_time = self.feed_time.max(event.timestamp);
            }
        }
        match self.writer.push(&self.events[..=last]) {
            Ok(()) => drop(self.events.drain(..=last)),
            Err(error) => self.refuse(&error, now),
        }
    }

    /// Puts the instruments that the feed has come to know into the writer's table.
    fn list_new(&mut self) -> Result<(), market::InstrumentError> {
        let known = self.writer.instruments().len();
        if !self.events.iter().any(|event| event.kind == Kind::Listing) && known > 0 {
            return Ok(());
        }
        let instruments = self.control.instruments();
        for at in known..instruments.len() {
            self.writer.list(instruments[SymbolId(at as u32)].clone())?;
        }
        Ok(())
    }

    /// The disk refuses: an alarm, and nothing is written until it takes something again.
    fn refuse(&mut self, error: &dyn std::error::Error, now: Nanos) {
        let missed = self.events.len() as u64;
        self.events.clear();
        if !matches!(self.state, State::Refused { .. }) {
            tracing::error!(
                dir = %self.dir.display(), durable_seq = self.writer.durable(), %error,
                "recording has stopped, serving goes on; it is tried again each second",
            );
        }
        let before = match &self.state {
            State::Refused { missed, .. } => *missed,
            State::Resyncing(resync) => resync.missed(),
            State::Following => 0,
        };
        self.state = State::Refused { missed: before + missed, try_at: now + TRY_AGAIN };
        self.stats.set_recording(false);
    }

    /// Whether the disk takes what it did not take.
    fn try_again(&mut self, now: Nanos) {
        let State::Refused { missed, try_at } = &mut self.state else { return };
        *try_at = now + TRY_AGAIN;
        let missed = *missed;
        let outcome = match self.writer.sync() {
            // What the disk holds of this run is unknown: the next one begins with all books.
            Err(JournalError::Unsafe(_)) => self.begin_run(),
            outcome => outcome.map(drop),
        };
        if outcome.is_ok() {
            self.lose(GapReason::Disk, missed);
        }
    }

    fn begin_run(&mut self) -> Result<(), JournalError> {
        self.writer = self.writer.new_run(&self.control.instruments())?;
        Ok(())
    }

    /// Events were missed: all books are asked for.
    fn lose(&mut self, reason: GapReason, missed: u64) {
        let (reason, before) = match &self.state {
            State::Resyncing(resync) => (resync.reason(), resync.missed()),
            _ => (reason, 0),
        };
        tracing::warn!(reason = reason.as_str(), missed, "the recording has a gap; asking for all books");
        self.events.clear();
        let symbols = self.control.instruments().len();
        self.images.want((0..symbols as u32).map(SymbolId).collect());
        self.state = State::Resyncing(Resync::new(reason, before + missed, symbols));
        if reason == GapReason::Lagged {
            self.stats.set_recording(false);
        }
    }

    /// All books are known again.
    fn go_on(&mut self, now: Nanos) {
        let state = std::mem::replace(&mut self.state, State::Following);
        let State::Resyncing(resync) = state else { return self.state = state };
        let (reason, missed) = (resync.reason(), resync.missed());
        if let Err(error) = self.list_new() {
            return self.refuse(&error, now);
        }
        let (books, feed_time) = resync.finish();
        self.feed_time = self.feed_time.max(feed_time);
        match self.writer.resume(reason, missed, self.feed_time, books) {
            Ok(()) => {
                self.stats.add_gap(missed);
                self.stats.set_recording(true);
                tracing::info!(reason = reason.as_str(), missed, "recording goes on behind a gap");
            }
            Err(error) => self.refuse(&error, now),
        }
    }

    /// What was written a while ago is durable by now, or the disk has lost it; what was written since is to become so.
    fn conclude_commits(&mut self, now: Nanos) {
        if let Some((commit, outcome)) = self.commits.concluded()
            && let Err(error) = self.writer.conclude(&commit, outcome)
        {
            self.refuse(&error, now);
        }
        let wanted = self.stats.take_write_wanted();
        let due = self.commits.are_due(now);
        if matches!(self.state, State::Following) && (due || wanted) {
            match self.writer.flush() {
                Ok(commit) => {
                    self.stats.set_written(self.reader.position() - self.events.len() as u64);
                    if due {
                        self.commits.begin(commit, now);
                    }
                }
                Err(error) => self.refuse(&error, now),
            }
        }
        if due && let Err(error) = self.writer.retain() {
            tracing::warn!(%error, "old parts of the recording stay");
        }
        self.stats.set_progress(self.writer.records(), self.writer.durable(), self.writer.bytes());
    }

    fn finish(&mut self) {
        self.write(clock::now());
        if let Some((commit, outcome)) = self.commits.wait()
            && let Err(error) = self.writer.conclude(&commit, outcome)
        {
            tracing::error!(%error, "the end of the recording is not durable");
        }
        match self.writer.sync() {
            Ok(durable_seq) => tracing::info!(dir = %self.dir.display(), durable_seq, "recorded"),
            Err(error) => tracing::error!(%error, "the end of the recording is not durable"),
        }
        self.stats.set_progress(self.writer.records(), self.writer.durable(), self.writer.bytes());
    }
}

fn options(config: &Config) -> WriterOptions {
    WriterOptions {
        compress: config.record_compress,
        segment_bytes: config.record_segment_bytes,
        retention: Retention {
            bytes: (config.record_keep_bytes > 0).then_some(config.record_keep_bytes),
            age: (config.record_keep_s > 0).then(|| Duration::from_secs(config.record_keep_s)),
        },
        ..WriterOptions::default()
    }
}
