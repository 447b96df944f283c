//! What a recording says from some position on, as a sequencer takes it: where it begins in the middle, and behind a gap, the books
//! come first. Knows nothing of pacing.

use crate::{Books, Content, Gap, JournalError, Position, Reader};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, ResetReason, SymbolId};

/// A position in a run that moves on, and marks where exchange events end.
#[derive(Debug)]
pub struct Playback {
    reader: Reader,
    /// Of the last event read.
    feed_time: Nanos,
    /// What was read already, or made: the books of the beginning.
    ahead: Vec<Event>,
    /// Books behind a gap, as far as they are read.
    behind_gap: Option<Books>,
    /// Nothing behind this feed time is read.
    to: Nanos,
    /// How many instruments were told: of those that a position in the middle knows, all are.
    told: usize,
    /// Only what is of these symbols is played, sorted; of all if there are none.
    symbols: Box<[SymbolId]>,
}

impl Playback {
    /// From a position on, whose books come first, up to `to`. Those of a position in a gap are stale.
    pub fn new(position: Position, to: Nanos) -> Playback {
        let Position { reader, books, feed_time, ahead: following, gap } = position;
        let mut ahead = Vec::new();
        books.push_restoration(ResetReason::Seek, &mut ahead);
        let symbols = Box::default();
        let mut playback =
            Playback { reader, feed_time, ahead: Vec::new(), behind_gap: None, to, told: 0, symbols };
        if let Some(gap) = gap {
            playback.begin_gap(&gap, &mut ahead);
        }
        ahead.extend(following);
        Playback { ahead, ..playback }
    }

    /// Plays only what is of these symbols, at the feed time that all of it makes.
    #[must_use]
    pub fn of_symbols(self, symbols: impl Into<Box<[SymbolId]>>) -> Playback {
        let mut symbols = symbols.into();
        symbols.sort_unstable();
        Playback { symbols, ..self }
    }

    /// The feed time of the last event that was read, of whatever symbol.
    pub fn feed_time(&self) -> Nanos {
        self.feed_time
    }

    /// Whose numbering the events carry.
    pub fn epoch(&self) -> Epoch {
        self.reader.epoch()
    }

    /// Once there was nothing more: looks whether more was written since.
    ///
    /// # Errors
    /// If the recording cannot be read.
    pub fn look_again(&mut self) -> Result<(), JournalError> {
        self.reader.look_again()
    }

    /// Instruments known where it stands.
    pub fn instruments(&self) -> &Instruments {
        self.reader.instruments()
    }

    /// What comes next; `None` at the end. Of some symbols only, it may be empty.
    ///
    /// # Errors
    /// If the recording is damaged there.
    #[allow(clippy::should_implement_trait, reason = "it fails, and is no iterator")]
    pub fn next(&mut self) -> Result<Option<Batch>, JournalError> {
        if self.is_over() {
            return Ok(None);
        }
        let mut batch = Batch { events: std::mem::take(&mut self.ahead), ..Batch::default() };
        while batch.events.is_empty() {
            let Some(block) = self.reader.next_block(&mut batch.events)? else { return Ok(None) };
            match block.content {
                Content::Events => {}
                Content::Gap(gap) => self.begin_gap(&gap, &mut batch.events),
                Content::Books => self.end_gap(block.last_time, &mut batch.events)?,
            }
        }
        self.mark_ends(&mut batch);
        if batch.ends.is_empty() && (self.is_over() || self.symbols.is_empty()) {
            return Ok(None);
        }
        let instruments = self.reader.instruments();
        batch.listed = listed_from(instruments, self.told);
        self.told = instruments.len();
        Ok(Some(batch))
    }

    /// The books are stale from where the recording has a hole.
    fn begin_gap(&mut self, gap: &Gap, out: &mut Vec<Event>) {
        self.behind_gap = Some(Books::default());
        let gap_of = |symbol| Event { symbol, timestamp: gap.from, ..Event::new(Kind::FeedGap) };
        out.extend(self.reader.instruments().iter().map(|(symbol, _)| gap_of(symbol)));
    }

    /// Once all are read, the books behind the hole take the place of those before it.
    fn end_gap(&mut self, feed_time: Nanos, out: &mut Vec<Event>) -> Result<(), JournalError> {
        let Some(mut books) = self.behind_gap.take() else { return Ok(()) };
        if self.reader.books(&mut books)? {
            books.push_restoration(ResetReason::Recording, out);
            self.feed_time = self.feed_time.max(feed_time);
        } else {
            self.behind_gap = Some(books);
        }
        Ok(())
    }

    /// Whether something was read that is later than what is to be played.
    pub(crate) fn is_over(&self) -> bool {
        self.feed_time > self.to
    }

    /// Marks where exchange events end, and cuts what is not to be played, or not any more.
    fn mark_ends(&mut self, Batch { events, ends, .. }: &mut Batch) {
        let (mut begin, mut kept) = (0, 0);
        for i in 0..events.len() {
            let event = &events[i];
            self.feed_time = self.feed_time.max(event.timestamp);
            if !event.last && event.kind.is_numbered() {
                continue;
            }
            if self.is_over() {
                break;
            }
            if self.symbols.is_empty() || self.symbols.binary_search(&event.symbol).is_ok() {
                if kept < begin {
                    events.copy_within(begin..=i, kept);
                }
                kept += i + 1 - begin;
                ends.push((kept, self.feed_time));
            }
            begin = i + 1;
        }
        events.truncate(kept);
        if !self.symbols.is_empty() {
            // Most of it was of others.
            events.shrink_to_fit();
        }
    }
}

fn listed_from(instruments: &Instruments, known: usize) -> Vec<Instrument> {
    (known..instruments.len()).map(|i| instruments[SymbolId(i as u32)].clone()).collect()
}

/// The events of one block, or those that take the place of something missing.
#[derive(Debug, Default)]
pub struct Batch {
    /// Whole exchange events.
    pub events: Vec<Event>,
    /// Where each exchange event (or status) ends in `events`, and its feed time.
    pub ends: Vec<(usize, Nanos)>,
    /// Instruments that were not told before, in the table's order; in the first batch all that are known there.
    pub listed: Vec<Instrument>,
}
