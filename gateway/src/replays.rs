//! Replays for one client each: what plays them, on threads of its own, so that no worker waits for a disk.
//!
//! A worker says what its clients wish; what is played comes back to it as jobs. Each replay is given only so many bytes ahead
//! of what its client has taken, and all of them read the recording through one store of blocks.

mod player;

use crate::{archive::Archive, config::Config, control::Desk, recorder::RecordingStats};
use ingest::{IngestStats, SharedInstruments};
use market::clock;
use player::Player;
use session::{Limits, ReplayId, ReplayWish};
use std::{
    collections::HashMap,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Of so many cores, one plays replays.
const CORES_A_THREAD: usize = 4;
/// Without anything to do, a thread looks again after this.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What a replay reads and whom it serves.
pub(super) struct Scene {
    archive: Arc<Archive>,
    /// Of the feed that is served live.
    stats: Arc<IngestStats>,
    instruments: SharedInstruments,
    /// If the recording that is read is being made.
    recording: Option<Arc<RecordingStats>>,
    desks: Vec<Arc<Desk>>,
    limits: Limits,
}

/// A replay: of which worker, and which one there.
type Key = (usize, ReplayId);

/// The replays of all clients.
pub(crate) struct Replays {
    scene: Arc<Scene>,
    most: usize,
    running: Arc<AtomicUsize>,
    threads: Mutex<Vec<Thread>>,
}

struct Thread {
    wishes: Sender<(usize, ReplayWish)>,
    handle: Option<JoinHandle<()>>,
}

impl Replays {
    pub(crate) fn new(
        config: &Config,
        archive: Arc<Archive>,
        stats: Arc<IngestStats>,
        instruments: SharedInstruments,
        desks: Vec<Arc<Desk>>,
    ) -> Replays {
        let recording = archive.recorder().cloned();
        let scene = Scene { archive, stats, instruments, recording, desks, limits: config.limits() };
        Replays {
            scene: Arc::new(scene),
            most: config.replays,
            running: Arc::default(),
            threads: Mutex::default(),
        }
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Whether one more may begin.
    pub(crate) fn has_room(&self) -> bool {
        self.most == 0 || self.running() < self.most
    }

    /// Has a wish of a worker's client fulfilled.
    pub(crate) fn fulfil(&self, worker: usize, wish: ReplayWish) {
        let id = match &wish {
            ReplayWish::Begin(order) => order.id,
            &(ReplayWish::Steer(id, ..) | ReplayWish::Taken(id, _) | ReplayWish::Drop(id)) => id,
        };
        if matches!(wish, ReplayWish::Begin(_)) {
            self.running.fetch_add(1, Ordering::Relaxed);
        }
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        if threads.is_empty() {
            let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
            threads.extend((0..(cores / CORES_A_THREAD).max(1)).map(|at| self.start(at)));
        }
        let at = (id.0 as usize).wrapping_add(worker) % threads.len();
        // It ends only with the gateway.
        let _ = threads[at].wishes.send((worker, wish));
    }

    fn start(&self, at: usize) -> Thread {
        let (wishes, inbox) = mpsc::channel();
        let (scene, running) = (Arc::clone(&self.scene), Arc::clone(&self.running));
        let play = move || Stage { scene, running, players: HashMap::new(), inbox }.run();
        let handle = thread::Builder::new().name(format!("replay-{at}")).spawn(play);
        let handle = handle.inspect_err(
            |error| tracing::error!(%error, "replays cannot be played: there is no thread for them"),
        );
        Thread { wishes, handle: handle.ok() }
    }
}

impl Drop for Replays {
    fn drop(&mut self) {
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        for Thread { wishes, handle } in threads.drain(..) {
            drop(wishes);
            if let Some(handle) = handle {
                // A panic there was reported by its own message.
                let _ = handle.join();
            }
        }
    }
}

/// The replays of one thread.
struct Stage {
    scene: Arc<Scene>,
    running: Arc<AtomicUsize>,
    players: HashMap<Key, Player>,
    inbox: Receiver<(usize, ReplayWish)>,
}

impl Stage {
    fn run(mut self) {
        loop {
            let wait = self.turn();
            let first = match self.inbox.recv_timeout(wait) {
                Ok(wish) => Some(wish),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let more = self.inbox.try_iter().collect::<Vec<_>>();
            first.into_iter().chain(more).for_each(|(worker, wish)| self.take(worker, wish));
        }
    }

    /// Lets each replay play what is due, a bounded part of it. How long there is nothing to do.
    fn turn(&mut self) -> Duration {
        let mut next = clock::now() + LONGEST_SLEEP;
        let running = &self.running;
        self.players.retain(|_, player| {
            // Of a defect only the one that has it is to suffer. A panic reports itself.
            let turn = AssertUnwindSafe(|| player.turn(clock::now()));
            let due = catch_unwind(turn).unwrap_or_else(|_| {
                player.give_up();
                None
            });
            next = next.min(due.unwrap_or(next));
            let ended = player.has_ended();
            if ended {
                running.fetch_sub(1, Ordering::Relaxed);
            }
            !ended
        });
        next.since(clock::now())
    }

    fn take(&mut self, worker: usize, wish: ReplayWish) {
        match wish {
            ReplayWish::Begin(order) => {
                let player = Player::new(Arc::clone(&self.scene), worker, *order);
                self.players.insert((worker, player.id()), player);
            }
            ReplayWish::Steer(id, how, request) => {
                // One that has ended meanwhile says so, which answers this too.
                if let Some(player) = self.players.get_mut(&(worker, id)) {
                    player.steer(how, request);
                }
            }
            ReplayWish::Taken(id, bytes) => {
                if let Some(player) = self.players.get_mut(&(worker, id)) {
                    player.taken(bytes);
                }
            }
            ReplayWish::Drop(id) => {
                if self.players.remove(&(worker, id)).is_some() {
                    self.running.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }
}
