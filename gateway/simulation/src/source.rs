//! The feed of a run: the simulated exchange, until the storm is over; then only time passes.

use feed::{FeedError, FeedSource, FeedState, FeedStatus};
use feed_sim::Simulator;
use market::{Epoch, Event, Instruments, Nanos, SymbolId};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// An exchange that can be closed.
pub struct Source {
    exchange: Simulator,
    closed: Arc<AtomicBool>,
    /// The last watermark of the open exchange, and when it was.
    last: (Nanos, Nanos),
}

impl Source {
    /// The exchange, and what closes it.
    pub fn new(exchange: Simulator) -> (Source, Arc<AtomicBool>) {
        let closed = Arc::new(AtomicBool::new(false));
        (Source { exchange, closed: closed.clone(), last: (Nanos::ZERO, Nanos::ZERO) }, closed)
    }
}

impl FeedSource for Source {
    fn instruments(&self) -> &Instruments {
        self.exchange.instruments()
    }

    fn epoch(&self) -> Option<Epoch> {
        self.exchange.epoch()
    }

    fn poll(&mut self, now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        if self.closed.load(Relaxed) {
            let watermark = self.last.0 + now.since(self.last.1);
            return Ok(FeedStatus { state: FeedState::Idle, watermark });
        }
        let status = self.exchange.poll(now, out)?;
        self.last = (status.watermark, now);
        Ok(status)
    }

    fn refresh(&mut self, symbol: SymbolId) {
        self.exchange.refresh(symbol);
    }
}
