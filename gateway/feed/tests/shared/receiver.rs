//! A receiver of a feed that keeps books as ingest does: from a reset on, until it is told of a gap, or finds one in the numbers.

use super::exchange::Book;
use feed::{
    FeedSource, FeedState, FeedStatus,
    shared::{FeedName, Notice, SharedSource},
};
use market::{Event, Kind, Nanos, Seq, Side};
use rings::wait::WaitStrategy;
use std::sync::mpsc::{Receiver as Inbox, channel};

pub struct Receiver {
    pub source: SharedSource,
    pub notices: Inbox<Notice>,
    symbols: Vec<Symbol>,
    pub watermark: Nanos,
    /// Resets that came while the book was there and no gap was known.
    pub surprises: usize,
    /// Gaps that the source told of.
    pub gaps: usize,
}

#[derive(Default, Clone)]
struct Symbol {
    book: Option<Book>,
    seq: Seq,
}

impl Receiver {
    pub fn open(name: &FeedName) -> Receiver {
        let (told, notices) = channel();
        let tell = move |notice| _ = told.send(notice);
        let source = SharedSource::open(name.clone(), WaitStrategy::Park, tell).unwrap();
        Receiver { source, notices, symbols: Vec::new(), watermark: Nanos::ZERO, surprises: 0, gaps: 0 }
    }

    /// The book of a symbol, if it has one.
    pub fn book(&self, symbol: usize) -> Option<&Book> {
        self.symbols.get(symbol)?.book.as_ref()
    }

    /// Polls once, and takes what came: whole exchange events of known instruments.
    pub fn poll(&mut self, now: Nanos) -> FeedStatus {
        let mut events = Vec::new();
        let status = self.source.poll(now, &mut events).unwrap();
        self.symbols.resize(self.source.instruments().len(), Symbol::default());
        let mut rest = &events[..];
        while let Some(first) = rest.first() {
            let end = rest.iter().position(|event| !event.kind.is_numbered() || event.last && !event.partial);
            let (run, behind) = rest.split_at(end.expect("whole exchange events") + 1);
            assert!(run.iter().all(|event| event.symbol == first.symbol), "of one symbol: {run:?}");
            self.take(run);
            rest = behind;
        }
        let progress = matches!(status.state, FeedState::Events | FeedState::Gap);
        assert!(progress || events.is_empty(), "{:?} with {events:?}", status.state);
        self.watermark = status.watermark;
        status
    }

    /// Polls until there is nothing more.
    pub fn drain(&mut self, now: Nanos) -> FeedStatus {
        loop {
            let status = self.poll(now);
            if matches!(status.state, FeedState::Idle | FeedState::Ended) {
                return status;
            }
        }
    }

    fn take(&mut self, run: &[Event]) {
        let symbol = &mut self.symbols[run[0].symbol.index()];
        if run[0].kind == Kind::FeedGap {
            self.gaps += 1;
            return symbol.book = None;
        }
        if run[0].kind == Kind::Reset {
            self.surprises += usize::from(symbol.book.is_some());
            *symbol = Symbol { book: Some(Book::new()), seq: run[0].seq - 1 };
        }
        for event in run {
            if symbol.book.is_some() && event.seq != symbol.seq + 1 {
                symbol.book = None;
                self.source.refresh(event.symbol);
            }
            symbol.seq = event.seq;
            if let Some(book) = &mut symbol.book {
                apply(book, event);
            }
        }
    }
}

fn apply(book: &mut Book, event: &Event) {
    let place = (event.side == Side::Ask, event.price.0);
    match event.kind {
        Kind::Reset => book.clear(),
        Kind::Level if event.qty.is_zero() => _ = book.remove(&place),
        Kind::Level => _ = book.insert(place, event.qty.0),
        _ => {}
    }
}
