//! What the threads share: the configuration, a desk for each worker, and what is told across them. Nothing here is
//! touched between ring and socket, but for one store of a position each turn.

use crate::{
    addresses::Addresses, archive::Archive, config::Config, polling::Polling, recorder::RecordingStats,
    replays::Replays, telemetry::Published, worker::Shared,
};
use feed::PauseHandle;
use feed_sim::Switch;
use ingest::{Ingest, IngestStats, SharedInstruments};
use journal::Remote;
use market::{Ids, Instruments, Nanos, clock};
use std::{
    rc::Rc,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// Something for a worker to do on its own thread, between two turns.
pub(crate) type Job = Box<dyn FnOnce(&Rc<Shared>) + Send>;

/// The control plane.
pub(crate) struct Control {
    pub(crate) config: Config,
    /// The numbering at the start. Each reader of the ring learns there where another one begins.
    pub(crate) first_ids: Ids,
    pub(crate) started: Nanos,
    pub(crate) stats: Arc<IngestStats>,
    pub(crate) hold: PauseHandle,
    /// Steers the feed, if it is a replay.
    pub(crate) remote: Option<Remote>,
    /// Switches the feed to other scenarios, if it is the simulator.
    pub(crate) switch: Option<Switch>,
    /// An operator holds the feed: no client lets it go.
    pub(crate) is_held: AtomicBool,
    pub(crate) addresses: Addresses,
    pub(crate) polls: Polling,
    pub(crate) desks: Vec<Arc<Desk>>,
    /// What is known of the past, if anything.
    pub(crate) archive: Option<Arc<Archive>>,
    /// What is played to one client alone, where there is something to play.
    pub(crate) replays: Option<Replays>,
    /// Of the recording that is being made, if there is one.
    pub(crate) recording: Option<Arc<RecordingStats>>,
    /// Of the end: no worker ends before it is told everywhere.
    pub(crate) farewells: Arc<Farewells>,
    instruments: SharedInstruments,
    wake_feed: OnceLock<Box<dyn Fn() + Send + Sync>>,
    draining: AtomicBool,
    stopping: AtomicBool,
}

/// One worker, as the other threads see it.
pub(crate) struct Desk {
    jobs: UnboundedSender<Job>,
    /// TCP connections, of whatever protocol.
    connections: AtomicUsize,
    /// The ring position up to which it has read.
    position: AtomicU64,
    published: Mutex<Published>,
}

impl Control {
    pub(crate) fn new(
        config: Config,
        hold: PauseHandle,
        (remote, switch): (Option<Remote>, Option<Switch>),
        ingest: &Ingest,
        desks: Vec<Arc<Desk>>,
    ) -> Control {
        let started = clock::now();
        let recording = config.record.is_some().then(|| Arc::new(RecordingStats::new()));
        let archive = Archive::of(&config, ingest.ids().epoch, recording.as_ref()).map(Arc::new);
        let replays = archive.clone().map(|archive| {
            let (stats, instruments) = (ingest.stats(), ingest.instruments());
            Replays::new(&config, archive, stats, instruments, desks.clone())
        });
        Control {
            replays,
            addresses: Addresses::new(&config),
            polls: Polling::default(),
            first_ids: ingest.ids(),
            started,
            stats: ingest.stats(),
            hold,
            remote,
            switch,
            is_held: AtomicBool::new(false),
            farewells: Arc::new(Farewells(AtomicUsize::new(0))),
            desks,
            archive,
            recording,
            config,
            instruments: ingest.instruments(),
            wake_feed: OnceLock::new(),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }
    }

    /// The instruments known now.
    pub(crate) fn instruments(&self) -> Arc<Instruments> {
        self.instruments.load_full()
    }

    /// How the feeder is woken when it sleeps.
    pub(crate) fn set_feed_waker(&self, wake: impl Fn() + Send + Sync + 'static) {
        assert!(self.wake_feed.set(Box::new(wake)).is_ok(), "there is one feeder");
    }

    /// Has the feeder take a turn now.
    pub(crate) fn wake_feed(&self) {
        if let Some(wake) = self.wake_feed.get() {
            wake();
        }
    }

    /// Holds the feed, whoever subscribes.
    pub(crate) fn hold_feed(&self) {
        self.is_held.store(true, Ordering::Release);
        self.hold.pause();
    }

    /// Lets the feed go on.
    pub(crate) fn let_feed_go(&self) {
        self.is_held.store(false, Ordering::Release);
        self.hold.resume();
        self.wake_feed();
    }

    /// The ring position that every worker has reached, and the recorder.
    pub(crate) fn slowest_position(&self) -> u64 {
        let positions = self.desks.iter().map(|desk| desk.position.load(Ordering::Acquire));
        let recorder = self.recording.iter().map(|recording| recording.position());
        positions.chain(recorder).min().unwrap_or(u64::MAX)
    }

    /// How long `lossless` clients that are far behind are waited for; `None` unless a recording is played at full speed.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let timeout = self.config.pace_timeout;
        let waits = timeout > 0 && self.remote.as_ref().is_some_and(Remote::is_unpaced);
        waits.then(|| Duration::from_secs(timeout.into()))
    }

    /// No new clients are wanted; those that are there are being sent away.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// All threads end as soon as they can.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake_feed();
    }

    /// Asks every worker and waits for all answers. A worker that is gone gives none.
    pub(crate) async fn ask_all<T: Send + 'static>(
        &self,
        question: impl Fn(&Rc<Shared>) -> T + Clone + Send + 'static,
    ) -> Vec<T> {
        let mut answers = Vec::with_capacity(self.desks.len());
        let asked: Vec<_> = self.desks.iter().map(|desk| desk.ask(question.clone())).collect();
        for answer in asked {
            answers.extend(answer.await.ok());
        }
        answers
    }
}

impl Desk {
    pub(crate) fn new(jobs: UnboundedSender<Job>) -> Desk {
        Desk {
            jobs,
            connections: AtomicUsize::new(0),
            position: AtomicU64::new(0),
            published: Mutex::default(),
        }
    }

    /// Has the worker do something. If it is gone, nobody does.
    pub(crate) fn post(&self, job: impl FnOnce(&Rc<Shared>) + Send + 'static) {
        let _ = self.jobs.send(Box::new(job));
    }

    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Rc<Shared>) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        self.post(move |shared| {
            // Whoever asked may have gone.
            let _ = reply.send(question(shared));
        });
        answer
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    pub(crate) fn set_position(&self, position: u64) {
        self.position.store(position, Ordering::Release);
    }

    /// What the worker last told of itself, at most a second ago.
    pub(crate) fn with_published<T>(&self, read: impl FnOnce(&mut Published) -> T) -> T {
        read(&mut self.published.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What clients of long polling are still to fetch, from whichever worker. They may ask any of them for it.
pub(crate) struct Farewells(AtomicUsize);

impl Farewells {
    /// Something more is to be fetched, as long as what this returns is held.
    pub(crate) fn begin(self: &Arc<Self>) -> Farewell {
        self.0.fetch_add(1, Ordering::AcqRel);
        Farewell(Arc::clone(self))
    }

    /// Whether all is fetched.
    pub(crate) fn are_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

/// See [`Farewells`].
pub(crate) struct Farewell(Arc<Farewells>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection's place at a worker, counted as long as it is held.
pub(crate) struct Seat(Arc<Desk>);

impl Seat {
    pub(crate) fn take(desk: &Arc<Desk>) -> Seat {
        desk.connections.fetch_add(1, Ordering::Relaxed);
        Seat(Arc::clone(desk))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
