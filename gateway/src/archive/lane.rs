//! A worker with one subscriber that plays a recording: from recorded events to the messages that they make. Knows nothing of
//! files, pacing or sockets.

use ingest::{MAX_EXCHANGE_EVENT, Numbering, OnCross, Sequencer, SequencerOptions};
use market::{Epoch, Event, Instruments, Kind, Nanos, Seq, SymbolId, clock};
use session::{ConnId, Ending, Limits, OpenOptions, Outlet, Worker};
use std::{sync::Arc, time::Duration};
use wire::{
    envelope::Envelope,
    message::{SnapshotReason, Subscribe},
};

/// Bytes of book history: what messages with an interval need of a bucket.
const HISTORY: usize = 4 << 20;
/// Bytes of the last trades.
const TRADES: usize = 256 << 10;

/// What the subscriber is sent, a message a line.
#[derive(Default)]
struct Written(Vec<u8>);

impl Outlet for Written {
    fn write(&mut self, _: ConnId, bytes: &[u8]) -> usize {
        self.0.extend_from_slice(bytes);
        bytes.len()
    }

    fn end(&mut self, _: ConnId, _: Ending) {}
}

/// One subscriber of recorded events.
pub(crate) struct Lane {
    sequencer: Sequencer,
    worker: Worker,
    conn: ConnId,
    out: Written,
    sequenced: Vec<Event>,
    /// What it subscribes to once the books are in place.
    wanted: Option<(Subscribe, Vec<SymbolId>, SnapshotReason)>,
}

impl Lane {
    /// For events of this numbering, of which nothing was seen yet. The subscriber begins with a snapshot that gives `reason`.
    pub fn new(
        limits: Limits,
        instruments: &Instruments,
        epoch: Epoch,
        subscribe: &Subscribe,
        symbols: Vec<SymbolId>,
        reason: SnapshotReason,
    ) -> Lane {
        let limits = Limits { history_bytes: HISTORY, trades_bytes: TRADES, candles: 0, ..limits };
        let options = SequencerOptions { on_cross: OnCross::Status, largest: MAX_EXCHANGE_EVENT, id_base: 0 };
        let sequencer = Sequencer::new(Numbering::Kept(epoch), instruments.len(), options);
        let mut worker = Worker::new(limits, Arc::new(instruments.clone()), epoch, clock::now);
        let silent = OpenOptions {
            heartbeat: Duration::ZERO,
            ping: Duration::ZERO,
            envelope: Envelope::Tcp,
            ..OpenOptions::new(&Limits::default())
        };
        let conn = worker.open(Nanos::ZERO, &silent);
        let wanted = Some((subscribe.clone(), symbols, reason));
        Lane { sequencer, worker, conn, out: Written::default(), sequenced: Vec::new(), wanted }
    }

    /// Takes whole exchange events, and the source's promise that nothing earlier than `watermark` follows.
    pub fn take(&mut self, events: &[Event], instruments: &Instruments, watermark: Nanos, now: Nanos) {
        if instruments.len() > self.sequencer.symbols() {
            self.sequencer.list(instruments.len(), now, &mut self.sequenced);
            self.worker.set_instruments(Arc::new(instruments.clone()));
        }
        let is_end = |event: &Event| event.last || !event.kind.is_numbered();
        for exchange_event in events.split_inclusive(is_end) {
            if !is_restoration(exchange_event) {
                self.begin(now);
            }
            self.sequencer.push(exchange_event, now, &mut self.sequenced);
            self.pass_on(now);
            // A book is shown as it begins, however much of what follows is played at once.
            if self.worker.awaits_snapshot(self.conn) {
                self.flush(now);
            }
        }
        self.sequencer.reach(watermark, now, &mut self.sequenced);
        self.pass_on(now);
        self.flush(now);
    }

    fn flush(&mut self, now: Nanos) {
        self.worker.flush(now, &mut self.out, || now);
    }

    /// All books are in place: the subscriber begins, if it has not yet.
    pub fn begin(&mut self, now: Nanos) {
        let Some((subscribe, symbols, reason)) = self.wanted.take() else { return };
        for symbol in symbols {
            self.worker.play(self.conn, symbol, &subscribe, reason);
        }
        self.flush(now);
    }

    /// Nothing more was recorded: what is still open of messages with an interval is told.
    pub fn end(&mut self, now: Nanos) {
        self.worker.publisher_mut().end_buckets(now);
        self.flush(now);
    }

    fn pass_on(&mut self, now: Nanos) {
        for event in self.sequenced.drain(..) {
            self.worker.event(0, &event, now);
        }
        if self.worker.wants_flush() {
            self.flush(now);
        }
    }

    /// The feed time that it has come to.
    pub fn feed_time(&self) -> Nanos {
        self.sequencer.feed_time()
    }

    /// The last number of a symbol.
    pub fn last_seq(&self, symbol: SymbolId) -> Seq {
        self.worker.publisher().mark(symbol).seq
    }

    /// Gives each message that the subscriber was sent since the last time.
    pub fn drain(&mut self, each: impl FnMut(&[u8])) {
        let lines = self.out.0.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.for_each(each);
        self.out.0.clear();
    }

    /// The last number that the subscriber was sent, of each symbol.
    pub fn sent(&self) -> Vec<(String, Seq)> {
        let instruments = self.worker.publisher().instruments();
        let sent = self.worker.sent_to(self.conn).into_iter();
        sent.map(|(symbol, seq)| (instruments[symbol].symbol.clone(), seq)).collect()
    }
}

/// Whether it writes a book as it stood before what is played.
fn is_restoration(exchange_event: &[Event]) -> bool {
    exchange_event
        .first()
        .is_some_and(|first| first.kind == Kind::Reset && first.reset_reason() == market::ResetReason::Seek)
}
