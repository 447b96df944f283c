//! Plays a recording as a feed, at any speed. Knows nothing of who listens.

mod pace;
mod prefetch;
mod remote;
mod source;

use crate::{JournalError, Moment, Playback, Position, Recording, playback::Batch};
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, ResetReason, Speed, SymbolId};
use pace::Pace;
use prefetch::Prefetch;
pub use remote::Remote;
use source::{Next, Source};
use std::{path::Path, sync::Arc, time::Duration};

/// A poll ends at the first end of an exchange event beyond so many events.
const POLL_BOUND: usize = 4096;
/// Of a replay that reads when it is polled, and is one of many.
const SMALL_POLL_BOUND: usize = 256;

/// How a recording is played.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// How fast, and where else to go on.
    pub remote: Remote,
    /// From which feed time on: the books as they stood then come first. From the beginning if it is left out.
    pub from: Option<Nanos>,
    /// Up to which feed time, that included. To the end if it is left out.
    pub to: Option<Nanos>,
    /// At its end it begins again, for ever: this names the numbering of each further round, which nobody may have used before.
    /// Played once if it is left out.
    pub again: Option<fn() -> Epoch>,
    /// Longer stretches of feed time without an event pass as if they were this long.
    pub max_gap: Option<Duration>,
    /// Holds it; held from the beginning, its clock starts when it is resumed.
    pub hold: PauseHandle,
}

impl Default for ReplayOptions {
    /// All of it once in real time, not held.
    fn default() -> ReplayOptions {
        let hold = PauseHandle::default();
        ReplayOptions { remote: Remote::default(), from: None, to: None, again: None, max_gap: None, hold }
    }
}

/// The newest run of a recording that holds events, as a feed.
///
/// Events carry the epoch (in further rounds one of their own), seq and timestamp of the recording. Where it begins in the middle, and behind a gap, the books come as
/// resets that [restore](market::ResetReason::restores) them; in a gap they are stale. An event whose feed time is `t` is due at `start + (t - t0) /
/// speed`: `start` is the first poll at which the replay is not held, `t0` the feed time of the first event. `engine` is the
/// real time at which an event was due; at [`Speed::MAX`], that of the poll which yields it.
#[derive(Debug)]
pub struct Replay {
    recording: Arc<Recording>,
    run: u32,
    epoch: Epoch,
    instruments: Instruments,
    remote: Remote,
    speed: Speed,
    from: Option<Nanos>,
    /// The feed time at which each round begins.
    begin: Nanos,
    to: Nanos,
    again: Option<fn() -> Epoch>,
    max_gap: Option<Duration>,
    pace: Pace,
    /// The feed time of the last event that was yielded, or as much later as the next one may be away.
    last: Nanos,
    source: Source,
    poll_bound: usize,
    /// Nothing of this feed time or later is played yet.
    limit: Nanos,
    batch: Batch,
    /// How many ends of `batch` were yielded.
    yielded: usize,
    /// What is wrong behind `batch`, until it is told.
    failed: Option<JournalError>,
    ended: bool,
    /// It was moved, at least once.
    moved: bool,
    watermark: Nanos,
}

/// Which part of a recording is played to one client.
#[derive(Debug, Clone)]
pub struct Part {
    /// Of which run.
    pub run: u32,
    /// Of which symbols; of all if there are none.
    pub symbols: Vec<SymbolId>,
}

impl Replay {
    /// Opens the recording in `dir` and begins to read ahead.
    ///
    /// # Errors
    /// If there is no recording, none with events, or if it is damaged where it begins.
    pub fn open(dir: &Path, options: ReplayOptions) -> Result<Replay, JournalError> {
        let recording = Arc::new(Recording::open(dir)?);
        let run = recording.newest()?;
        let mut playback = Replay::find(&recording, run, &options)?;
        let first = playback.next()?.ok_or_else(|| JournalError::Empty(dir.to_owned()))?;
        let instruments = playback.instruments().clone();
        let epoch = playback.epoch();
        let ahead = Prefetch::start(playback).map_err(JournalError::io("read ahead in", dir))?;
        let source = Source::Ahead(ahead);
        Ok(Replay::of(recording, (run, epoch), instruments, source, first, POLL_BOUND, options))
    }

    /// A part of a recording that many look into. It is read when it is polled, on the thread that does so, and the end may be
    /// looked beyond.
    ///
    /// # Errors
    /// If there is no such run, or if it is damaged where it begins.
    pub fn of_part(
        recording: &Arc<Recording>,
        part: Part,
        options: ReplayOptions,
    ) -> Result<Replay, JournalError> {
        let mut playback = Replay::find(recording, part.run, &options)?.of_symbols(part.symbols);
        let first = playback.next()?.unwrap_or_default();
        let (instruments, run) = (playback.instruments().clone(), (part.run, playback.epoch()));
        let (recording, source) = (Arc::clone(recording), Source::Polled(Box::new(playback)));
        let mut replay = Replay::of(recording, run, instruments, source, first, SMALL_POLL_BOUND, options);
        // Whoever asked for it sees the books of where it is, also while it is held.
        replay.moved = true;
        Ok(replay)
    }

    fn find(recording: &Recording, run: u32, options: &ReplayOptions) -> Result<Playback, JournalError> {
        let position = beginning(recording, run, options.from)?;
        Ok(Playback::new(position, options.to.unwrap_or(Nanos::MAX)))
    }

    fn of(
        recording: Arc<Recording>,
        (run, epoch): (u32, Epoch),
        instruments: Instruments,
        source: Source,
        batch: Batch,
        poll_bound: usize,
        options: ReplayOptions,
    ) -> Replay {
        let first = batch.ends.first().map_or(Nanos::ZERO, |&(_, feed_time)| feed_time);
        let begin = options.from.map_or(first, |from| from.max(first));
        let speed = options.remote.speed();
        Replay {
            recording,
            run,
            epoch,
            instruments,
            remote: options.remote,
            speed,
            from: options.from,
            begin,
            to: options.to.unwrap_or(Nanos::MAX),
            again: options.again,
            max_gap: options.max_gap,
            pace: Pace::new(speed, options.hold, begin),
            last: begin,
            source,
            poll_bound,
            limit: Nanos::MAX,
            batch,
            yielded: 0,
            failed: None,
            ended: false,
            moved: false,
            watermark: Nanos::ZERO,
        }
    }

    /// The feed time that it has come to.
    pub fn feed_time(&self) -> Nanos {
        self.last
    }

    /// From now on, nothing of this feed time or later is played.
    pub fn set_limit(&mut self, limit: Nanos) {
        self.limit = limit;
    }

    /// Whether what comes next is beyond the limit.
    pub fn is_at_limit(&self) -> bool {
        self.batch.ends.get(self.yielded).is_some_and(|&(_, feed_time)| feed_time >= self.limit)
    }

    /// Whether it has come to what is later than it is to be played.
    pub fn is_cut(&self) -> bool {
        matches!(&self.source, Source::Polled(playback) if playback.is_over())
    }

    /// Lets no time pass since the last poll: it goes on from there at the next one.
    pub fn rest(&mut self) {
        self.pace.rest();
    }

    /// Looks whether more was written since it ended.
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub fn look_again(&mut self) -> Result<(), JournalError> {
        if self.ended {
            self.ended = !self.source.look_again()?;
        }
        Ok(())
    }

    /// Where the next exchange event ends in the batch and its feed time, if it has been read.
    fn next_end(&mut self) -> Option<(usize, Nanos)> {
        if self.yielded == self.batch.ends.len() && self.failed.is_none() && !self.ended {
            match self.source.next() {
                Ok(Next::Batch(batch)) => self.begin_batch(batch),
                Ok(Next::Pending) => {}
                Ok(Next::End) => self.ended = true,
                Err(error) => self.failed = Some(error),
            }
        }
        self.batch.ends.get(self.yielded).copied()
    }

    fn begin_batch(&mut self, batch: Batch) {
        let is_new = |instruments: &Instruments, instrument: &Instrument| {
            instruments.find(&instrument.symbol).is_none()
        };
        for instrument in &batch.listed {
            if is_new(&self.instruments, instrument) {
                self.instruments.push(instrument.clone()).expect("the reader's table took it");
            }
        }
        self.batch = batch;
        self.yielded = 0;
    }

    /// Does what was wished meanwhile.
    fn obey(&mut self, out: &mut Vec<Event>) {
        let Some((speed, seek)) = self.remote.take() else { return };
        if speed != self.speed {
            self.pace.set_speed(speed, self.last);
            self.speed = speed;
        }
        if let Some(to) = seek {
            self.seek(to, out);
        }
    }

    /// Goes on from another feed time. The books that stood then follow when they are read.
    fn seek(&mut self, time: Nanos, out: &mut Vec<Event>) {
        let (recording, run) = (Arc::clone(&self.recording), self.run);
        self.go_on(move || recording.at(run, Moment::Time(time)), time, ResetReason::Seek, out);
    }

    /// Begins again, in a numbering of its own.
    fn begin_round(&mut self, epoch: Epoch, out: &mut Vec<Event>) {
        let (recording, run, from) = (Arc::clone(&self.recording), self.run, self.from);
        self.epoch = epoch;
        self.go_on(move || beginning(&recording, run, from), self.begin, ResetReason::Loop, out);
    }

    /// Goes on at a feed time, from a position that is still to be found.
    fn go_on(
        &mut self,
        find: impl FnOnce() -> Result<Position, JournalError> + Send + 'static,
        time: Nanos,
        reason: ResetReason,
        out: &mut Vec<Event>,
    ) {
        let to = self.to;
        let find = move || Ok(Playback::new(find()?, to));
        match Prefetch::start_at(find) {
            Ok(ahead) => self.source = Source::Ahead(ahead),
            Err(error) => {
                return self.failed = Some(JournalError::io("read ahead in", self.recording.dir())(error));
            }
        }
        (self.batch, self.yielded, self.failed, self.ended) = (Batch::default(), 0, None, false);
        (self.last, self.watermark, self.moved) = (time, time, true);
        self.pace.jump(time);
        out.push(Event::jump(time, self.epoch.into(), reason));
    }

    /// Lets feed time jump where nothing happens for too long before the next event.
    fn shorten_gap(&mut self, next: Nanos) {
        let Some(max_gap) = self.max_gap else { return };
        let latest = self.last + max_gap;
        if next > latest {
            self.pace.skip(next.since(latest));
            self.last = Nanos(next.0 - (latest.0 - self.last.0));
        }
    }

    /// Appends the next exchange event, which ends at `end`.
    fn take(&mut self, end: usize, engine: Nanos, out: &mut Vec<Event>) -> Kind {
        let begin = self.yielded.checked_sub(1).map_or(0, |before| self.batch.ends[before].0);
        let events = &self.batch.events[begin..end];
        out.extend(events.iter().map(|event| Event { engine, ingest: engine, ..*event }));
        self.yielded += 1;
        events[0].kind
    }
}

/// Where a run is to begin.
fn beginning(recording: &Recording, run: u32, from: Option<Nanos>) -> Result<Position, JournalError> {
    match from {
        Some(from) => recording.at(run, Moment::Time(from)),
        None => recording.beginning(run),
    }
}

impl FeedSource for Replay {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        Some(self.epoch)
    }

    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        let before = out.len();
        self.obey(out);
        let mut state = if out.len() > before { FeedState::Events } else { FeedState::Idle };
        let runs = self.pace.advance(now);
        while out.len() - before < self.poll_bound && state != FeedState::Gap {
            let next = self.next_end().filter(|&(_, feed_time)| feed_time < self.limit);
            let Some((end, feed_time)) = next else { break };
            // Moved while it is held, it shows the books of where it is now.
            let due = match runs {
                true => {
                    self.shorten_gap(feed_time);
                    self.pace.due(feed_time)
                }
                false => (self.moved && feed_time <= self.last).then_some(now),
            };
            let Some(due) = due.filter(|&due| due <= now) else { break };
            let engine = if self.speed == Speed::MAX { now } else { due };
            let kind = self.take(end, engine, out);
            state = if kind == Kind::FeedGap { FeedState::Gap } else { FeedState::Events };
            self.watermark = self.watermark.max(feed_time);
            self.last = self.last.max(feed_time);
        }
        if let Some((_, next)) = self.next_end() {
            if runs {
                self.watermark = self.watermark.max(self.pace.reached().min(next).min(self.limit));
            }
        } else if state == FeedState::Idle {
            if let Some(error) = self.failed.take() {
                self.ended = true;
                return Err(error.of_feed(self.recording.dir()));
            }
            match self.again {
                Some(epoch) if self.ended && runs => {
                    self.begin_round(epoch(), out);
                    state = FeedState::Events;
                }
                None if self.ended => state = FeedState::Ended,
                _ => {}
            }
        }
        Ok(FeedStatus { state, watermark: self.watermark })
    }

    fn next_due(&self) -> Option<Nanos> {
        match self.batch.ends.get(self.yielded) {
            Some(&(_, feed_time)) => self.pace.due(feed_time),
            // The next part is read at the next poll.
            None if matches!(self.source, Source::Polled(_)) && !self.ended => Some(Nanos::ZERO),
            None => None,
        }
    }
}
