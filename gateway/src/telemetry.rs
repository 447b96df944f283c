//! What workers tell about themselves once a second, and the forms in which it is given out.

mod latency;
pub mod logging;
mod metrics;

pub(crate) use latency::{hlog, stages};
pub(crate) use metrics::metrics;

use crate::worker::Engine;
use market::Nanos;
use session::{Counters, latency::Latency};
use std::{collections::VecDeque, sync::Arc};

/// How many seconds the short window covers.
const WINDOW_SECONDS: usize = 10;

/// One worker at a moment.
#[derive(Default)]
pub(crate) struct Published {
    /// Latency since the start, at the last seconds, the newest last: what was counted between two of them is their
    /// difference.
    latencies: VecDeque<(Nanos, Arc<Latency>)>,
    counters: Counters,
    subscribers: usize,
    subscriptions: usize,
    books_standing: usize,
}

impl Published {
    /// Takes what the engine says now. Called once a second.
    pub(crate) fn update(&mut self, now: Nanos, engine: &Engine) {
        let worker = &engine.worker;
        self.counters = worker.counters;
        self.subscribers = worker.connections();
        self.subscriptions = worker.subscriptions();
        self.books_standing = worker.publisher().books_standing();
        if self.latencies.len() > WINDOW_SECONDS {
            self.latencies.pop_front();
        }
        self.latencies.push_back((now, Arc::new(worker.publisher().latency.clone())));
    }
}
