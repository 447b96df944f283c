//! The end of a gateway: follows the writer of a feed, whoever that is at the moment.

use super::{
    Notice, SharedError,
    area::{self, Area, Ring, at},
    follow::Follower,
    name::FeedName,
    table,
};
use crate::{FeedError, FeedSource, FeedState, FeedStatus};
use market::{Epoch, Event, Instruments, Nanos, SymbolId};
use rings::{
    broadcast::{Polled, Reader},
    wait::WaitStrategy,
};
use std::{iter, time::Duration};

/// The most events of a poll, but for the end of an exchange event.
const POLL_BOUND: usize = 4_096;
/// A writer that has not beaten for so long may have been replaced: it beats every 10 ms.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// How often it is looked whether there is another writer.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A writer that has not beaten for so long is said to be silent.
const SILENT_AFTER: Duration = Duration::from_secs(1);
/// How long the writer is given to send the books that are missing.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Nobody wakes a reader of another process, so it looks again: this much later while events keep coming.
const REST: Duration = Duration::from_micros(100);
/// For so long behind an event, events are said to keep coming.
const LIVELY: Duration = Duration::from_millis(10);
/// So much later while none comes, and where time is dear.
const LONG_REST: Duration = Duration::from_millis(1);

/// Reads a feed in shared memory.
///
/// It numbers nothing: `seq` is the writer's own. What is behind a new writer, or behind events that were missed, is behind a
/// [`Kind::FeedGap`](market::Kind::FeedGap) of every symbol that had a book, and begins with a reset.
pub struct SharedSource {
    name: FeedName,
    wait: WaitStrategy,
    tell: Box<dyn FnMut(Notice) + Send>,
    instruments: Instruments,
    follower: Follower,
    writer: Option<Followed>,
    /// Events of this poll, before it is known what is let through.
    read: Vec<Event>,
    watermark: Nanos,
    /// When it is looked for another writer.
    look_at: Nanos,
    /// What was said last of a feed that is not there.
    complaint: Option<Notice>,
    polled: Nanos,
    /// When the last event came.
    lively_at: Nanos,
}

/// A writer, as its reader sees it.
struct Followed {
    area: Area,
    ring: Reader<{ Event::WORDS }, Ring>,
    /// Instruments that were taken from its table.
    listed: usize,
    beats: Option<u64>,
    beaten_at: Nanos,
    silent: bool,
    ended: bool,
    /// Its time was held against that of the last writer.
    compared: bool,
    asked_at: Nanos,
}

impl SharedSource {
    /// Begins to read the feed of this name, or to wait for it. What an operator should know is given to `tell`, in the thread that
    /// polls.
    ///
    /// `wait` says when it is [due](FeedSource::next_due) to be polled again, and so how much later an event may be seen: at once,
    /// or after 0.1 ms while events keep coming ([`WaitStrategy::Backoff`]), or after 1 ms.
    ///
    /// # Errors
    /// If there is no shared memory, or what has this name is no feed that this program can read.
    pub fn open(
        name: FeedName,
        wait: WaitStrategy,
        tell: impl FnMut(Notice) + Send + 'static,
    ) -> Result<SharedSource, SharedError> {
        let mut source = SharedSource {
            name,
            wait,
            tell: Box::new(tell),
            instruments: Instruments::default(),
            follower: Follower::default(),
            writer: None,
            read: Vec::with_capacity(POLL_BOUND),
            watermark: Nanos::ZERO,
            look_at: Nanos::ZERO,
            complaint: None,
            polled: Nanos::ZERO,
            lively_at: Nanos::ZERO,
        };
        source.look(&mut Vec::new())?;
        Ok(source)
    }

    /// Takes up the writer that has the name now, if it is another one.
    fn look(&mut self, out: &mut Vec<Event>) -> Result<(), SharedError> {
        match Area::open(&self.name) {
            Ok(area) if self.is_followed(&area) => Ok(()),
            Ok(area) => self.follow(area, out),
            Err(SharedError::Missing(_)) => {
                if self.writer.is_none() {
                    self.complain(Notice::Waiting);
                }
                Ok(())
            }
            Err(error @ SharedError::Io { .. }) => {
                self.complain(Notice::Unreadable(error.to_string()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn complain(&mut self, notice: Notice) {
        if self.complaint.as_ref() != Some(&notice) {
            self.complaint = Some(notice.clone());
            (self.tell)(notice);
        }
    }

    fn is_followed(&self, area: &Area) -> bool {
        let incarnation = |area: &Area| area.load(at::INCARNATION);
        self.writer.as_ref().is_some_and(|writer| incarnation(&writer.area) == incarnation(area))
    }

    fn follow(&mut self, area: Area, out: &mut Vec<Event>) -> Result<(), SharedError> {
        let mut writer = Followed::new(area);
        writer.listed = table::take(&mut self.instruments, 0, &writer.area)?;
        let (process, instruments) = (writer.area.load(at::PROCESS), writer.listed);
        (self.tell)(Notice::Attached { process, instruments });
        self.follower.lose_all(out);
        self.follower.grow(self.instruments.len());
        self.complaint = None;
        writer.ask(self.follower.lost());
        self.writer = Some(writer);
        Ok(())
    }
}

impl Followed {
    /// From the present on: what was before is in the books that are asked for.
    fn new(area: Area) -> Followed {
        let mut ring = Reader::new(area.ring());
        ring.skip_to_head();
        Followed {
            area,
            ring,
            listed: 0,
            beats: None,
            beaten_at: Nanos::ZERO,
            silent: false,
            ended: false,
            compared: false,
            asked_at: Nanos::ZERO,
        }
    }

    fn shows_life(&self, now: Nanos) -> bool {
        !self.ended && now.since(self.beaten_at) < LOOK_AFTER
    }

    fn ask(&mut self, symbols: impl Iterator<Item = SymbolId>) {
        self.area.ask(symbols);
    }

    /// Listens for the writer's beat, and tells when it stops and when it begins again.
    fn listen(&mut self, now: Nanos, tell: &mut dyn FnMut(Notice)) {
        let beats = Some(self.area.load(at::BEATS));
        if self.beats != beats {
            (self.beats, self.beaten_at) = (beats, now);
            if std::mem::take(&mut self.silent) {
                tell(Notice::Heard);
            }
        } else if !self.silent && !self.ended && now.since(self.beaten_at) >= SILENT_AFTER {
            self.silent = true;
            tell(Notice::Silent { process: self.area.load(at::PROCESS), silence: now.since(self.beaten_at) });
        }
    }
}

impl FeedSource for SharedSource {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    /// A writer that is gone is waited for; it is an error only when it comes back as something else.
    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        let before = out.len();
        self.polled = now;
        let shows_life = self.writer.as_ref().is_some_and(|writer| writer.shows_life(now));
        if !shows_life && now >= self.look_at {
            self.look_at = now + LOOK_EVERY;
            self.look(out).map_err(|error| error.of(&self.name))?;
        }
        let gap = out.len() > before;
        let read = self.read(now, out).map_err(|error| error.of(&self.name))?;
        if out.len() > before {
            self.lively_at = now;
        }
        let state = match read {
            _ if gap => FeedState::Gap,
            Read::Lost if out.len() > before => FeedState::Gap,
            Read::More | Read::Lost => FeedState::Events,
            _ if out.len() > before => FeedState::Events,
            Read::All { ended: true } => FeedState::Ended,
            Read::All { ended: false } => FeedState::Idle,
        };
        Ok(FeedStatus { state, watermark: self.watermark })
    }

    fn next_due(&self) -> Option<Nanos> {
        let is_lively = self.polled.since(self.lively_at) < LIVELY;
        Some(match self.wait {
            WaitStrategy::Spin if self.writer.is_some() => self.polled,
            WaitStrategy::Backoff if is_lively => self.polled + REST,
            _ => self.polled + LONG_REST,
        })
    }

    fn refresh(&mut self, symbol: SymbolId) {
        self.follower.ask(symbol);
        if let Some(writer) = &mut self.writer {
            writer.ask(iter::once(symbol));
        }
    }
}

/// How far a poll has read.
enum Read {
    /// There may be more at once.
    More,
    /// Something was missed: all books are asked for.
    Lost,
    /// All that there is.
    All {
        /// Nothing will follow from this writer.
        ended: bool,
    },
}

impl SharedSource {
    fn read(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<Read, SharedError> {
        let Some(writer) = &mut self.writer else { return Ok(Read::All { ended: false }) };
        // Both before the ring: what was written before they were stored is in the ring by now.
        let ended = writer.area.load(at::STATE) == area::ENDED;
        let watermark = Nanos(writer.area.load(at::WATERMARK));
        writer.listen(now, &mut self.tell);
        self.read.clear();
        let mut is_whole = true;
        let polled = writer.ring.poll(POLL_BOUND, |_, words| match Event::unpack(words) {
            Some(event) => self.read.push(event),
            None => is_whole = false,
        });
        // Behind the ring: an instrument is in the table before its events are in the ring.
        writer.listed = table::take(&mut self.instruments, writer.listed, &writer.area)?;
        self.follower.grow(self.instruments.len());
        let largest = writer.area.largest();
        is_whole = is_whole && self.read.iter().all(|&event| self.follower.take(event, largest, out).is_ok());
        match polled {
            Polled::Lagged { missed } => return Ok(self.lose_all(now, Notice::Lapped { missed }, out)),
            _ if !is_whole => return Ok(self.lose_all(now, Notice::Spoilt, out)),
            Polled::Read(POLL_BOUND) => return Ok(Read::More),
            Polled::Read(_) | Polled::Empty => {}
        }
        self.reach(watermark);
        self.ask_again(now);
        Ok(Read::All { ended: self.take_end(ended) })
    }

    fn lose_all(&mut self, now: Nanos, notice: Notice, out: &mut Vec<Event>) -> Read {
        (self.tell)(notice);
        self.follower.lose_all(out);
        if let Some(writer) = &mut self.writer {
            writer.ring.skip_to_head();
            writer.asked_at = now;
            writer.ask(self.follower.lost());
        }
        Read::Lost
    }

    fn reach(&mut self, watermark: Nanos) {
        let Some(writer) = &mut self.writer else { return };
        if watermark == Nanos::ZERO {
            return;
        }
        if !std::mem::replace(&mut writer.compared, true) && watermark < self.watermark {
            (self.tell)(Notice::Earlier { by: self.watermark.since(watermark) });
        }
        self.watermark = watermark;
    }

    fn ask_again(&mut self, now: Nanos) {
        let Some(writer) = &mut self.writer else { return };
        if self.follower.is_any_lost() && now.since(writer.asked_at) >= ASK_AGAIN_AFTER {
            writer.asked_at = now;
            writer.ask(self.follower.lost());
        }
    }

    /// Whether the writer has ended; tells it once.
    fn take_end(&mut self, ended: bool) -> bool {
        let Some(writer) = &mut self.writer else { return false };
        if ended && !std::mem::replace(&mut writer.ended, true) {
            (self.tell)(Notice::Ended);
        }
        ended
    }
}
