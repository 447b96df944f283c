//! Drives a source through the sequencer into the event ring, one bounded turn at a time. Reads no clock, does no I/O of
//! its own and never waits for a reader.

use crate::{
    BookRequests, IngestStats, Numbering, OnCross, Sequencer, SequencerOptions, Warning, stall::StallWatch,
    transfer::Transfers,
};
use arc_swap::ArcSwap;
use book::{Image, Ladder};
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use market::{Epoch, Event, Ids, Instruments, Kind, Nanos, SymbolId};
use rings::{
    broadcast::{self, Reader, Writer},
    wait::{Doorbell, Listener, WaitStrategy},
};
use std::{sync::Arc, time::Duration};

/// How many requests for books may wait.
const WAITING_REQUESTS: usize = 256;
/// A turn hands out books until they have this many levels together.
const LEVELS_PER_TURN: usize = 20_000;

/// The table of instruments as all threads see it. A new one is in it before its [`Kind::Listing`] is in the ring.
pub type SharedInstruments = Arc<ArcSwap<Instruments>>;

/// How ingest works.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Slots of the event ring: a power of two, at least 16. An exchange event takes at most a quarter of it.
    pub ring_slots: usize,
    /// What to do about crossed books.
    pub on_cross: OnCross,
    /// The feed is stalled when it gave neither event nor watermark for so long.
    pub stall_after: Duration,
    /// The switch that holds the feed; while it is held, it is not stalled.
    pub hold: PauseHandle,
    /// What [`Ids`] count from in the first epoch.
    pub id_base: u64,
}

impl Default for IngestOptions {
    /// 2^18 slots, crossed books are told, stalled after 5 s, ids are the numbers themselves.
    fn default() -> IngestOptions {
        IngestOptions {
            ring_slots: 1 << 18,
            on_cross: OnCross::Status,
            stall_after: Duration::from_secs(5),
            hold: PauseHandle::default(),
            id_base: 0,
        }
    }
}

/// What a turn did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Events written to the ring.
    pub events: usize,
    /// When the next turn is worth while: now, if there is more to do at once; `None` if only the source knows.
    pub next_due: Option<Nanos>,
    /// Whether the source has ended. Turns go on being worth while: workers may ask for books.
    pub ended: bool,
}

/// Why a source cannot take the place of another. The gateway has to start anew with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// Its instruments are others.
    #[error(
        "the feed came back with another instrument at place {place} ('{now}' for '{was}', or other decimals); restart the gateway"
    )]
    OtherInstruments {
        /// The place in the table.
        place: usize,
        /// The symbol that was there.
        was: String,
        /// The symbol that is there now.
        now: String,
    },
    /// Its numbers belong to another epoch.
    #[error("the feed came back with another numbering (epoch {now:?} for {was:?}); restart the gateway")]
    OtherEpoch {
        /// The feed's epoch before, if it had one of its own.
        was: Option<Epoch>,
        /// The feed's epoch now.
        now: Option<Epoch>,
    },
}

/// The way from a source to the event ring, with the books of record.
pub struct Ingest {
    source: Option<Box<dyn FeedSource>>,
    instruments: SharedInstruments,
    sequencer: Sequencer,
    /// What the source yielded in this turn.
    taken: Vec<Event>,
    /// What was sequenced; up to `published` it is in the ring.
    sequenced: Vec<Event>,
    published: usize,
    ring: Writer<{ Event::WORDS }>,
    /// Stands at position 0; readers are its clones.
    reader: Reader<{ Event::WORDS }>,
    /// The most events written in a turn.
    burst: usize,
    doorbell: Doorbell,
    requests: BookRequests,
    transfers: Transfers,
    watermark: Nanos,
    stall: StallWatch,
    hold: PauseHandle,
    ended: bool,
    stats: Arc<IngestStats>,
}

impl Ingest {
    /// Begins with this source. Unless it is a sequencer itself, its events are numbered in `epoch`, which nobody may have
    /// used before.
    ///
    /// # Panics
    /// If the number of slots is not a power of two, or below 16.
    pub fn new(source: Box<dyn FeedSource>, epoch: Epoch, options: IngestOptions) -> Ingest {
        assert!(options.ring_slots >= 16, "a ring of {} slots is too small", options.ring_slots);
        let (ring, reader) = broadcast::ring(options.ring_slots);
        let (requests, transfers) = Transfers::new(WAITING_REQUESTS);
        let burst = options.ring_slots / 4;
        let numbering = source.epoch().map_or(Numbering::Own(epoch), Numbering::Kept);
        let rules = SequencerOptions { on_cross: options.on_cross, largest: burst, id_base: options.id_base };
        Ingest {
            instruments: Arc::new(ArcSwap::from_pointee(source.instruments().clone())),
            sequencer: Sequencer::new(numbering, source.instruments().len(), rules),
            source: Some(source),
            taken: Vec::new(),
            sequenced: Vec::new(),
            published: 0,
            ring,
            reader,
            burst,
            doorbell: Doorbell::new(),
            requests,
            transfers,
            watermark: Nanos::ZERO,
            stall: StallWatch::new(options.stall_after),
            hold: options.hold,
            ended: false,
            stats: Arc::default(),
        }
    }

    /// One more reader of the ring, from position 0, and what wakes it. Events are [packed](Event::pack).
    pub fn subscribe(&mut self, strategy: WaitStrategy) -> (Reader<{ Event::WORDS }>, Listener) {
        (self.reader.clone(), self.doorbell.listener(strategy))
    }

    /// Where workers ask for books.
    pub fn requests(&self) -> BookRequests {
        self.requests.clone()
    }

    /// The table of instruments.
    pub fn instruments(&self) -> SharedInstruments {
        Arc::clone(&self.instruments)
    }

    /// Figures for other threads.
    pub fn stats(&self) -> Arc<IngestStats> {
        Arc::clone(&self.stats)
    }

    /// The numbering of what is written to the ring next.
    pub fn ids(&self) -> Ids {
        self.sequencer.ids()
    }

    /// Takes the faults of the feed that occurred for the first time, to be logged.
    pub fn take_warnings(&mut self) -> impl Iterator<Item = Warning> + '_ {
        self.sequencer.take_warnings()
    }

    /// Polls the source, or if it yielded more than the ring should take at once, goes on with that; writes at most a
    /// quarter of the ring, and answers some requests for books.
    ///
    /// # Errors
    /// When the source is broken. It is dropped; turns go on without one until [`Ingest::replace_source`].
    pub fn turn(&mut self, now: Nanos) -> Result<Turn, FeedError> {
        let polled = if self.published == self.sequenced.len() { self.poll(now) } else { Ok(None) };
        let events = self.publish();
        if self.published == self.sequenced.len() {
            self.answer_requests();
        }
        self.tell_stats();
        polled.map(|state| Turn { events, next_due: self.next_due(now, state), ended: self.ended })
    }

    /// In place of a turn: the source is not polled on purpose, and does not count as stalled for that.
    pub fn rest(&mut self, now: Nanos) {
        self.stall.observe(now, true);
    }

    /// Goes on with another source, or the same one opened again. All books are stale until it has sent them.
    ///
    /// # Errors
    /// If it is not the same feed: other instruments in the places known so far, or another epoch.
    pub fn replace_source(&mut self, source: Box<dyn FeedSource>, now: Nanos) -> Result<(), ReplaceError> {
        let (was, now_epoch) = (self.sequencer.kept_epoch(), source.epoch());
        if was != now_epoch {
            return Err(ReplaceError::OtherEpoch { was, now: now_epoch });
        }
        check_instruments(&self.instruments.load(), source.instruments())?;
        self.source = Some(source);
        self.ended = false;
        self.sequencer.restart(now, &mut self.sequenced);
        Ok(())
    }

    fn poll(&mut self, now: Nanos) -> Result<Option<FeedState>, FeedError> {
        self.taken.clear();
        self.sequenced.clear();
        self.published = 0;
        // One that has ended is asked again, at rest: a replay may be moved.
        let Some(source) = self.source.as_mut() else {
            self.watch_for_stall(now, false);
            return Ok(None);
        };
        let polled = source.poll(now, &mut self.taken);
        self.list_new(now);
        self.sequencer.push(&self.taken, now, &mut self.sequenced);
        match polled {
            Ok(status) => {
                self.take_status(status, now);
                Ok(Some(status.state))
            }
            Err(error) => {
                self.source = None;
                self.watch_for_stall(now, false);
                Err(error)
            }
        }
    }

    /// Puts the instruments that the source has come to know into the shared table, then announces them.
    fn list_new(&mut self, now: Nanos) {
        let Some(source) = &self.source else { return };
        let listed = source.instruments().len().min(Event::MAX_SYMBOLS as usize);
        if listed > self.sequencer.symbols() {
            self.instruments.store(Arc::new(source.instruments().clone()));
            self.sequencer.list(listed, now, &mut self.sequenced);
        }
    }

    fn take_status(&mut self, status: FeedStatus, now: Nanos) {
        let jumped = self.taken.iter().any(|event| event.kind == Kind::Jump);
        let shows_life = !self.taken.is_empty() || status.watermark > self.watermark;
        self.watermark = if jumped { status.watermark } else { self.watermark.max(status.watermark) };
        self.sequencer.reach(status.watermark, now, &mut self.sequenced);
        let has_ended = status.state == FeedState::Ended;
        if has_ended && !std::mem::replace(&mut self.ended, has_ended) {
            self.sequencer.end(now, &mut self.sequenced);
            self.sequencer.tell(Kind::FeedEnded, now, &mut self.sequenced);
        }
        self.ended = has_ended;
        self.watch_for_stall(now, shows_life);
        self.sequencer.ask_again(now);
        if let Some(source) = &mut self.source {
            self.sequencer.take_refreshes().for_each(|symbol| source.refresh(symbol));
        }
    }

    fn watch_for_stall(&mut self, now: Nanos, shows_life: bool) {
        if self.stall.observe(now, shows_life || self.ended || self.hold.is_paused()) {
            self.sequencer.tell(Kind::FeedStalled, now, &mut self.sequenced);
        }
    }

    /// Writes what is sequenced, as far as a turn may: whole exchange events, then wakes the readers.
    fn publish(&mut self) -> usize {
        let waiting = &self.sequenced[self.published..];
        let count = whole_events(waiting, self.burst);
        for event in &waiting[..count] {
            self.ring.publish(&event.pack());
        }
        self.published += count;
        if count > 0 {
            self.doorbell.ring();
        }
        count
    }

    /// Only to be called when all that is in the books is in the ring.
    fn answer_requests(&mut self) {
        if self.transfers.are_waiting() {
            let (sequencer, position) = (&self.sequencer, self.ring.head());
            self.transfers.answer(LEVELS_PER_TURN, |symbol| image(sequencer, symbol, position));
        }
    }

    fn tell_stats(&self) {
        let sequencer = &self.sequencer;
        self.stats.set_counts(sequencer.counts());
        let is_all_published = self.published == self.sequenced.len();
        self.stats.set_feed(self.stall.is_stalled(), self.ended && is_all_published);
        self.stats.set_progress(self.ring.head(), sequencer.feed_time(), sequencer.books_standing());
    }

    fn next_due(&self, now: Nanos, state: Option<FeedState>) -> Option<Nanos> {
        let more = matches!(state, Some(FeedState::Events | FeedState::Gap));
        if more || self.published < self.sequenced.len() || self.transfers.are_waiting() {
            return Some(now);
        }
        let source = self.source.as_ref().filter(|_| !self.ended);
        let due = source?.next_due()?;
        Some(self.stall.deadline().map_or(due, |deadline| due.min(deadline)))
    }
}

/// How many of the first events can be written without going beyond `burst` or parting an exchange event, each of which
/// is at most that long.
fn whole_events(events: &[Event], burst: usize) -> usize {
    if events.len() <= burst {
        return events.len();
    }
    let is_end = |event: &Event| event.last || !event.kind.is_numbered();
    events[..burst].iter().rposition(is_end).expect("an exchange event fits into a burst") + 1
}

fn image(sequencer: &Sequencer, symbol: SymbolId, position: u64) -> Option<Image> {
    let book = sequencer.book(symbol)?;
    let levels = book.stands().then(|| {
        let mut levels = Ladder::default();
        book.view(0, &mut levels);
        Arc::new(levels)
    });
    Some(Image {
        symbol,
        ids: sequencer.ids(),
        levels,
        mark: book.mark(),
        stale: sequencer.is_stale(symbol),
        position,
        feed_time: sequencer.feed_time(),
    })
}

/// The tables must agree as far as both go.
fn check_instruments(was: &Instruments, now: &Instruments) -> Result<(), ReplaceError> {
    match was.iter().zip(now.iter()).find(|((_, was), (_, now))| !was.goes_on_as(now)) {
        None => Ok(()),
        Some(((id, was), (_, now))) => Err(ReplaceError::OtherInstruments {
            place: id.index(),
            was: was.symbol.clone(),
            now: now.symbol.clone(),
        }),
    }
}
