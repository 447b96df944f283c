//! State transfer from ingest to a worker that the ring has overtaken.

use book::Image;
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use market::SymbolId;
use std::fmt;

/// A worker's wish for books. It is answered with one [`Image`] for each symbol, in this order, over as many turns
/// as it takes. Symbols that ingest does not know are not answered.
pub struct BookRequest {
    /// Which ones, most urgent first.
    pub symbols: Vec<SymbolId>,
    /// Called on ingest's thread with each image; it must not block.
    pub reply: Box<dyn Fn(Image) + Send>,
}

impl fmt::Debug for BookRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BookRequest").field("symbols", &self.symbols).finish_non_exhaustive()
    }
}

/// Where workers ask for books. Clones ask at the same place.
#[derive(Debug, Clone)]
pub struct BookRequests(Sender<BookRequest>);

impl BookRequests {
    /// Asks, without waiting.
    ///
    /// # Errors
    /// [`TooManyRequests`] gives the request back when ingest has too many before it, or is gone.
    pub fn ask(&self, request: BookRequest) -> Result<(), TooManyRequests> {
        self.0.try_send(request).map_err(|error| match error {
            TrySendError::Full(request) | TrySendError::Disconnected(request) => TooManyRequests(request),
        })
    }
}

/// Ingest has more requests waiting than it takes, or is gone; ask again a little later.
#[derive(Debug, thiserror::Error)]
#[error("ingest takes no more requests for books now; ask again a little later")]
pub struct TooManyRequests(pub BookRequest);

/// Ingest's end: what is asked, and how far it is answered.
#[derive(Debug)]
pub(crate) struct Transfers {
    requests: Receiver<BookRequest>,
    /// The request that is being answered, and how many of its symbols are done.
    open: Option<(BookRequest, usize)>,
}

impl Transfers {
    /// Both ends, with room for `waiting` requests.
    pub fn new(waiting: usize) -> (BookRequests, Transfers) {
        let (sender, requests) = bounded(waiting);
        (BookRequests(sender), Transfers { requests, open: None })
    }

    /// Whether there is something to answer.
    pub fn are_waiting(&self) -> bool {
        self.open.is_some() || !self.requests.is_empty()
    }

    /// Answers with what `image` gives, until about `budget` levels were given: the last image may go beyond it. Each
    /// symbol counts as one more level, as it costs something even without any.
    pub fn answer(&mut self, budget: usize, image: impl Fn(SymbolId) -> Option<Image>) {
        let mut given = 0;
        while given < budget {
            if self.open.is_none() {
                self.open = self.requests.try_recv().ok().map(|request| (request, 0));
            }
            let Some((request, done)) = &mut self.open else { return };
            let Some(&symbol) = request.symbols.get(*done) else {
                self.open = None;
                continue;
            };
            *done += 1;
            given += 1;
            if let Some(image) = image(symbol) {
                given += image.levels.as_ref().map_or(0, |levels| levels.bids.len() + levels.asks.len());
                (request.reply)(image);
            }
        }
    }
}
