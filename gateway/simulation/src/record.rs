//! The book of record as the ring tells it, read by one who is never late.

use book::{Book, Ladder};
use market::{Event, Kind, Seq, SymbolId};
use rings::broadcast::{Polled, Reader};

/// All books, by applying every event of the ring.
pub struct Record {
    reader: Reader<{ Event::WORDS }>,
    books: Vec<Book>,
    stale: Vec<bool>,
    trades: Vec<Vec<Seq>>,
}

impl Record {
    /// A record of so many symbols, from the beginning of the ring.
    pub fn new(reader: Reader<{ Event::WORDS }>, symbols: usize) -> Record {
        let books = (0..symbols).map(|_| Book::new()).collect();
        Record { reader, books, stale: vec![false; symbols], trades: vec![Vec::new(); symbols] }
    }

    /// Reads all there is.
    pub fn read(&mut self) {
        let (books, stale, trades) = (&mut self.books, &mut self.stale, &mut self.trades);
        loop {
            let polled = self.reader.poll(usize::MAX, |_, words| {
                let event = Event::unpack(words).expect("the ring holds events");
                match event.kind {
                    Kind::FeedGap => stale[event.symbol.index()] = true,
                    kind if kind.is_numbered() => {
                        if kind == Kind::Trade {
                            trades[event.symbol.index()].push(event.seq);
                        }
                        stale[event.symbol.index()] &= kind != Kind::Reset;
                        books[event.symbol.index()].apply_plain(&event);
                    }
                    _ => {}
                }
            });
            match polled {
                Polled::Empty => return,
                Polled::Read(_) => {}
                Polled::Lagged { missed } => panic!("the record itself was lapped by {missed}"),
            }
        }
    }

    /// The view of a book; `None` while it does not stand or is stale.
    pub fn view(&self, symbol: SymbolId, depth: u32) -> Option<Ladder> {
        let book = &self.books[symbol.index()];
        if !book.stands() || self.stale[symbol.index()] {
            return None;
        }
        let mut view = Ladder::default();
        book.view(depth, &mut view);
        Some(view)
    }

    /// The numbers of all trades of a symbol.
    pub fn trades(&self, symbol: SymbolId) -> &[Seq] {
        &self.trades[symbol.index()]
    }

    /// The last number of a symbol.
    pub fn seq(&self, symbol: SymbolId) -> Seq {
        self.books[symbol.index()].seq()
    }

    /// Whether any book waits for the feed.
    pub fn waits(&self) -> bool {
        self.books.iter().zip(&self.stale).any(|(book, stale)| *stale || !book.stands())
    }
}
