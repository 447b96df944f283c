//! What the gateway remembers on disk: the recording that it plays, or that it makes. Everything here reads files, so it runs on
//! threads that no client waits for, a few at a time.

mod lane;
mod moments;
mod stream;

pub(crate) use lane::Lane;
pub(crate) use stream::{StreamHash, StreamOf};

use crate::{
    config::{Config, FeedSpec},
    recorder::RecordingStats,
};
use journal::{Contents, JournalError, Moment, Position, Recording};
use market::{Epoch, Nanos, Seq, SymbolId};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};
use tokio::sync::Semaphore;
use wire::message::{ErrorCode, Refusal};

/// Questions that are worked on at once; others wait their turn.
const AT_ONCE: usize = 2;
/// How long the recorder is given to write what it has read.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// A recording to ask.
pub(crate) struct Archive {
    dir: PathBuf,
    epoch: Epoch,
    /// Opened when it is first needed: its folder may not be there before.
    recording: OnceLock<Arc<Recording>>,
    /// If it is being written.
    recorder: Option<Arc<RecordingStats>>,
    permits: Semaphore,
    /// Bytes of blocks that are kept once they were read.
    cache_bytes: u64,
}

impl Archive {
    /// That of a gateway with this configuration, if it has one.
    pub(crate) fn of(
        config: &Config,
        epoch: Epoch,
        recorder: Option<&Arc<RecordingStats>>,
    ) -> Option<Archive> {
        let (dir, recorder) = match (&config.feed, &config.record) {
            (FeedSpec::Journal(dir), _) => (dir, None),
            (_, Some(dir)) => (dir, recorder.cloned()),
            _ => return None,
        };
        let permits = Semaphore::new(AT_ONCE);
        let cache_bytes = config.replay_cache_bytes;
        Some(Archive { dir: dir.clone(), epoch, recording: OnceLock::new(), recorder, permits, cache_bytes })
    }

    /// Looks into a recording; the newest run of it.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn open(dir: &Path) -> Result<(Archive, Contents), JournalError> {
        let recording = Recording::open(dir)?;
        let newest = recording.newest()?;
        let contents = recording.contents()?.into_iter().find(|contents| contents.run == newest);
        let contents = contents.ok_or_else(|| JournalError::Empty(dir.to_owned()))?;
        let archive = Archive {
            dir: dir.to_owned(),
            epoch: contents.epoch,
            recording: OnceLock::from(Arc::new(recording)),
            recorder: None,
            permits: Semaphore::new(AT_ONCE),
            cache_bytes: 0,
        };
        Ok((archive, contents))
    }

    /// Has a thread work out an answer; `head` is the ring position that the answer has to know.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Archive>,
        head: u64,
        question: impl FnOnce(&Archive) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _permit = self.permits.acquire().await.map_err(|_| internal("the gateway ends"))?;
        let archive = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || {
            archive.wait_for(head)?;
            question(&archive)
        });
        answer.await.unwrap_or_else(|_| Err(internal("the answer was lost")))
    }

    /// Waits until the recording holds what was in the ring before `head`.
    fn wait_for(&self, head: u64) -> Result<(), Refusal> {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        let begun = market::clock::now();
        while recorder.written() < head {
            if !recorder.recorded().recording {
                return Err(out_of_range("what happens now is not being recorded"));
            }
            if market::clock::now().since(begun) > WRITTEN_WITHIN {
                return Err(out_of_range("the recording is behind; ask for an earlier moment"));
            }
            recorder.want_written();
            thread::park_timeout(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Of who writes it, if it is being written.
    pub(crate) fn recorder(&self) -> Option<&Arc<RecordingStats>> {
        self.recorder.as_ref()
    }

    /// Whether what happens now is being recorded.
    pub(crate) fn is_growing(&self) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| recorder.recorded().recording)
    }

    /// The numbering of the feed that is served.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The recording, of whatever numbering.
    pub(crate) fn recording(&self) -> Result<&Arc<Recording>, Refusal> {
        if let Some(recording) = self.recording.get() {
            return Ok(recording);
        }
        let opened = Recording::open(&self.dir).map_err(unreadable)?;
        Ok(self.recording.get_or_init(|| Arc::new(opened.sharing_blocks(self.cache_bytes))))
    }

    /// The run in which a feed time lies, of whatever numbering: the newest that began before. Without a time, the one that is
    /// served. What is before all runs begins with the first. While it is written, it reaches to `feed_time`: nothing has happened
    /// since the last record.
    pub(crate) fn run_at(&self, time: Option<Nanos>, feed_time: Nanos) -> Result<Contents, Refusal> {
        let mut runs = self.contents()?;
        runs.retain(|contents| contents.times.is_some());
        let Some((_, last)) = runs.last().and_then(|contents| contents.times) else {
            return Err(out_of_range("nothing is recorded yet"));
        };
        let began = |contents: &Contents| contents.times.map_or(Nanos::MAX, |(first, _)| first);
        let Some(time) = time else {
            let served = runs.iter().rfind(|contents| contents.epoch == self.epoch);
            return Ok(served.or(runs.last()).cloned().expect("there is one"));
        };
        let reaches_to = if self.is_growing() { last.max(feed_time) } else { last };
        if time > reaches_to {
            let first = runs.first().map_or(Nanos::ZERO, began);
            let text = format!("what is recorded is of {first} to {reaches_to}");
            return Err(Refusal::new(ErrorCode::OutOfRange, text));
        }
        let found = runs.iter().rev().find(|contents| began(contents) <= time);
        Ok(found.or(runs.first()).cloned().expect("there is one"))
    }

    /// What each run holds, the oldest first.
    pub(crate) fn contents(&self) -> Result<Vec<Contents>, Refusal> {
        self.recording()?.contents().map_err(unreadable)
    }

    /// The last number of a symbol, in the newest run that has one.
    pub(crate) fn last_seq(&self, symbol: SymbolId) -> Result<Option<Seq>, Refusal> {
        for contents in self.runs()? {
            let end = self.recording()?.at(contents.run, Moment::Time(Nanos::MAX)).map_err(unreadable)?;
            if let Some(book) = end.books.get(symbol) {
                return Ok(Some(book.seq()));
            }
        }
        Ok(None)
    }

    /// The runs of the present numbering, the newest first.
    fn runs(&self) -> Result<Vec<Contents>, Refusal> {
        let mut runs = self.contents()?;
        runs.retain(|contents| contents.epoch == self.epoch && contents.times.is_some());
        runs.reverse();
        Ok(runs)
    }

    /// The books at a feed time, that included.
    pub(crate) fn at_time(&self, time: Nanos) -> Result<Position, Refusal> {
        let before = |contents: &Contents| contents.times.is_some_and(|(first, _)| first <= time);
        let Some(contents) = self.runs()?.into_iter().find(before) else {
            return Err(out_of_range("nothing was recorded before that"));
        };
        let position = self.recording()?.at(contents.run, Moment::Time(time)).map_err(unreadable)?;
        if position.feed_time > time {
            return Err(out_of_range("what was recorded before that is no longer kept"));
        }
        if let Some(gap) = position.gap {
            return Err(Refusal::new(ErrorCode::OutOfRange, format!("in the recording, {gap}")));
        }
        Ok(position)
    }

    /// Whether a moment lies in what is recorded; before it is its beginning.
    pub(crate) fn check_within(&self, time: Nanos) -> Result<(), Refusal> {
        match self.runs()?.first().and_then(|contents| contents.times) {
            Some((_, last)) if time <= last => Ok(()),
            Some((first, last)) => {
                Err(Refusal::new(ErrorCode::OutOfRange, format!("the recording is of {first} to {last}")))
            }
            None => Err(out_of_range("nothing is recorded")),
        }
    }

    /// The books when this was the last number of the symbol, in all of which no later one of it is.
    fn before_seq(&self, symbol: SymbolId, seq: Seq) -> Result<Position, Refusal> {
        for contents in self.runs()? {
            let position =
                self.recording()?.at(contents.run, Moment::Seq(symbol, seq)).map_err(unreadable)?;
            if position.books.get(symbol).is_none_or(|book| book.seq() <= seq) {
                return Ok(position);
            }
        }
        Err(out_of_range("that number was never recorded, or is no longer kept"))
    }

    /// The book of a symbol when this was its last number.
    pub(crate) fn at_seq(&self, symbol: SymbolId, seq: Seq) -> Result<Position, Refusal> {
        let position = self.before_seq(symbol, seq)?;
        match position.books.get(symbol).map(journal::Standing::seq) {
            Some(found) if found == seq => Ok(position),
            found => {
                let text = match found {
                    Some(before) => format!(
                        "{seq} is not the last number of an exchange event that was recorded; the one before is {before}"
                    ),
                    None => format!("{seq} is not recorded"),
                };
                Err(Refusal::new(ErrorCode::OutOfRange, text))
            }
        }
    }
}

fn out_of_range(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::OutOfRange, text)
}

fn internal(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::Internal, text)
}

/// The recording cannot be read: for the operator to mend.
pub(crate) fn unreadable(error: JournalError) -> Refusal {
    tracing::warn!(%error, "a question about the past is not answered");
    out_of_range("the recording cannot be read there, or is no longer kept; the gateway's log says why")
}

/// Gateways without a recording cannot tell the past.
pub(crate) fn no_recording() -> Refusal {
    let text =
        "this gateway has no recording; start it with --record DIR, or play one with --feed journal:DIR";
    Refusal::new(ErrorCode::NoRecording, text)
}
