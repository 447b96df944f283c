//! Reads a run on a thread of its own and hands its blocks over, so that whoever plays them never waits for a disk.

use crate::{Books, Content, Gap, JournalError, Position, Reader};
use market::{Event, Instrument, Instruments, Kind, Nanos, ResetReason, SymbolId};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// Blocks read ahead: about 10 MB of events.
const AHEAD: usize = 12;

/// The events of one block.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub events: Vec<Event>,
    /// Where each exchange event (or status) ends in `events`, and its feed time.
    pub ends: Vec<(usize, Nanos)>,
    /// Instruments listed in it, in the table's order.
    pub listed: Vec<Instrument>,
}

/// What comes next of a run.
pub(super) enum Next {
    Batch(Batch),
    /// It has not been read yet.
    Pending,
    /// Nothing follows.
    End,
}

#[derive(Debug)]
enum Message {
    Batch(Batch),
    Failed(JournalError),
    End,
}

/// The receiving end.
#[derive(Debug)]
pub(super) struct Prefetch {
    messages: rtrb::Consumer<Message>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    ended: bool,
}

impl Prefetch {
    /// Reads on from where `source` stands.
    pub fn start(mut source: Source) -> std::io::Result<Prefetch> {
        let (producer, messages) = rtrb::RingBuffer::new(AHEAD);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::Builder::new()
            .name("journal-reader".into())
            .spawn(move || hand_over(&mut source, producer, &stopped))?;
        Ok(Prefetch { messages, stop, thread: Some(thread), ended: false })
    }

    /// What comes next, without waiting.
    ///
    /// # Errors
    /// If the recording is damaged there; nothing follows then.
    pub fn next(&mut self) -> Result<Next, JournalError> {
        if self.ended {
            return Ok(Next::End);
        }
        let Ok(message) = self.messages.pop() else {
            // A reader that is gone without a last message has panicked.
            assert!(
                !self.messages.is_abandoned() || self.messages.slots() > 0,
                "the reader of a recording died"
            );
            return Ok(Next::Pending);
        };
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        self.ended = !matches!(message, Message::Batch(_));
        match message {
            Message::Batch(batch) => Ok(Next::Batch(batch)),
            Message::End => Ok(Next::End),
            Message::Failed(error) => Err(error),
        }
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the reader was reported by its own message.
            let _ = thread.join();
        }
    }
}

fn hand_over(source: &mut Source, mut messages: rtrb::Producer<Message>, stop: &AtomicBool) {
    loop {
        let mut message = match source.next() {
            Ok(Some(batch)) => Message::Batch(batch),
            Ok(None) => Message::End,
            Err(error) => Message::Failed(error),
        };
        let is_last = !matches!(message, Message::Batch(_));
        while let Err(rtrb::PushError::Full(back)) = messages.push(message) {
            if stop.load(Ordering::Acquire) {
                return;
            }
            thread::park();
            message = back;
        }
        if is_last || stop.load(Ordering::Acquire) {
            return;
        }
    }
}

/// A position in a run that moves on, and marks where exchange events end.
pub(super) struct Source {
    reader: Reader,
    /// Of the last event read.
    feed_time: Nanos,
    /// What was read already, or made: the books of the beginning.
    ahead: Vec<Event>,
    /// Books behind a gap, as far as they are read.
    behind_gap: Option<Books>,
    /// Nothing behind this feed time is read.
    to: Nanos,
}

impl Source {
    /// From a position on, whose books come first, up to `to`.
    pub fn new(position: Position, to: Nanos) -> Source {
        let Position { reader, books, feed_time, ahead: following, .. } = position;
        let mut ahead = Vec::new();
        books.push_restoration(ResetReason::Seek, &mut ahead);
        ahead.extend(following);
        Source { reader, feed_time, ahead, behind_gap: None, to }
    }

    /// Instruments known where it stands.
    pub fn instruments(&self) -> &Instruments {
        self.reader.instruments()
    }

    pub fn next(&mut self) -> Result<Option<Batch>, JournalError> {
        let known = self.reader.instruments().len();
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
        if batch.ends.is_empty() {
            return Ok(None);
        }
        batch.listed = listed_from(self.reader.instruments(), known);
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

    /// Marks where exchange events end, and cuts what is not to be played any more.
    fn mark_ends(&mut self, batch: &mut Batch) {
        let mut feed_time = self.feed_time;
        for (i, event) in batch.events.iter().enumerate() {
            feed_time = feed_time.max(event.timestamp);
            if event.last || !event.kind.is_numbered() {
                if feed_time > self.to {
                    break;
                }
                batch.ends.push((i + 1, feed_time));
            }
        }
        self.feed_time = feed_time;
        batch.events.truncate(batch.ends.last().map_or(0, |&(end, _)| end));
    }
}

fn listed_from(instruments: &Instruments, known: usize) -> Vec<Instrument> {
    (known..instruments.len()).map(|i| instruments[SymbolId(i as u32)].clone()).collect()
}
