//! The books that a reader of the ring asks ingest for, once the ring has overtaken it.

use book::Image;
use crossbeam::channel::{Receiver, Sender, unbounded};
use ingest::{BookRequest, BookRequests};
use market::SymbolId;
use std::{collections::HashSet, mem::take, sync::Arc};
use tokio::sync::Notify;

/// What is asked for and what has come.
pub(crate) struct Images {
    requests: BookRequests,
    /// Not asked for yet, the most urgent first.
    wanted: Vec<SymbolId>,
    /// Asked for and not come. At most one image a symbol is under way, which bounds the channel.
    asked: HashSet<SymbolId>,
    sender: Sender<Image>,
    arrived: Receiver<Image>,
    wake: Arc<Notify>,
}

impl Images {
    pub(crate) fn new(requests: BookRequests, wake: Arc<Notify>) -> Images {
        let (sender, arrived) = unbounded();
        Images { requests, wanted: Vec::new(), asked: HashSet::new(), sender, arrived, wake }
    }

    /// These books are to be asked for, unless they are on their way already.
    pub(crate) fn want(&mut self, symbols: Vec<SymbolId>) {
        self.wanted = symbols;
        self.wanted.retain(|symbol| !self.asked.contains(symbol));
    }

    /// Whether something is still to be asked for.
    pub(crate) fn is_wanting(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Asks for what is wanted; says whether it asked. Ingest may have too much to do, then it is to be asked again.
    pub(crate) fn ask(&mut self) -> bool {
        if self.wanted.is_empty() {
            return false;
        }
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let symbols = take(&mut self.wanted);
        let asked = symbols.clone();
        let reply = Box::new(move |image| {
            // If the reader is gone, nobody wants it.
            let _ = sender.send(image);
            wake.notify_one();
        });
        match self.requests.ask(BookRequest { symbols, reply }) {
            Ok(()) => self.asked.extend(asked),
            Err(refused) => self.wanted = refused.0.symbols,
        }
        !self.asked.is_empty()
    }

    /// The next image that has come, for a reader that has read the ring up to `position`. One that was taken before that
    /// is of no use any more, as the events since then are lost to it: it is asked for again.
    pub(crate) fn next(&mut self, position: u64) -> Option<Image> {
        loop {
            let image = self.arrived.try_recv().ok()?;
            self.asked.remove(&image.symbol);
            if image.position >= position {
                return Some(image);
            }
            self.wanted.push(image.symbol);
        }
    }
}
