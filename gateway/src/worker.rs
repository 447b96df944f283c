//! A worker: one thread, one runtime, its share of the connections. It moves bytes between sockets and the worker's turn,
//! and decides nothing about them.
//!
//! One task drives the turns. What speaks HTTP has tasks of its own until it becomes a stream; they share the engine without
//! locks, as all of them run on this thread, and none holds it while it waits.

mod alarm;
mod connection;
mod engine;
mod listen;
mod mailbox;
mod pacing;
mod polls;
mod sockets;
mod watched;

pub(crate) use connection::{Opening, Terms, Wanted};
pub(crate) use engine::Engine;
pub(crate) use mailbox::SessionId;

use crate::{
    control::{Control, Desk, Job, Seat},
    feeder::Feeder,
    http,
};
use alarm::Alarm;
use feed::FeedError;
use ingest::BookRequests;
use listen::Pause;
use market::{Event, Nanos, clock};
use rings::{broadcast::Reader, wait::Listener};
use session::OpenOptions;
use std::{
    cell::{Cell, RefCell},
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::{Builder, LocalOptions},
    sync::{Notify, mpsc::UnboundedReceiver, oneshot},
    task::{spawn_local, yield_now},
};
use wire::{
    dialect::native_json,
    envelope::Envelope,
    message::{ErrorAnswer, ErrorCode},
};

/// How often a worker tells the control plane about itself.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// How often a worker that is to end looks whether it can.
const DRAINED_YET: Duration = Duration::from_millis(5);

/// What a worker is made of, ready to be sent to its thread.
pub(crate) struct Parts {
    pub(crate) index: usize,
    pub(crate) control: Arc<Control>,
    pub(crate) jobs: UnboundedReceiver<Job>,
    pub(crate) reader: Reader<{ Event::WORDS }>,
    pub(crate) listener: Listener,
    pub(crate) requests: BookRequests,
    /// Wakes the worker from wherever.
    pub(crate) wake: Arc<Notify>,
    /// Source and ingest, if they are part of this worker, and who is told when they end in error.
    pub(crate) feeder: Option<(Feeder, oneshot::Sender<FeedError>)>,
}

/// What the tasks of a worker share.
pub(crate) struct Shared {
    pub(crate) index: usize,
    pub(crate) control: Arc<Control>,
    engine: RefCell<Engine>,
    wake: Arc<Notify>,
    /// Requests over HTTP whose answers are not written yet.
    asked: Cell<usize>,
    /// The worker ends once all sockets are closed and all is answered, or at this moment.
    ends_at: Cell<Option<Nanos>>,
}

/// A request over HTTP, until its answer is written.
pub(crate) struct Asked(Rc<Shared>);

impl Asked {
    pub(crate) fn begin(shared: &Rc<Shared>) -> Asked {
        shared.asked.set(shared.asked.get() + 1);
        Asked(Rc::clone(shared))
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.asked.set(self.0.asked.get() - 1);
    }
}

impl Shared {
    /// Gives the engine to `f`, which cannot wait meanwhile.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&mut Engine) -> T) -> T {
        f(&mut self.engine.borrow_mut())
    }

    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.control.desks[self.index]
    }

    /// Has a turn taken soon, because something is to be done besides what the ring says.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Takes a new connection, on which HTTP is spoken first.
    pub(crate) fn accept(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => drop(spawn_local(http::serve(Rc::clone(self), stream, peer, seat))),
            Err(error) => tracing::warn!(%peer, %error, "a new connection is lost"),
        }
    }

    /// Takes a new connection on which lines are spoken.
    pub(crate) fn accept_plain(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        if self.control.is_draining() {
            let text = "the gateway is shutting down; come back in a moment";
            return refuse_plain(&stream, peer, &ErrorAnswer::new(ErrorCode::NotAllowed, text));
        }
        if let Err(wait) = self.control.addresses.connect(peer.ip()) {
            let text = "too many connections from this address; come back after retry_after_ms";
            let answer = ErrorAnswer::new(ErrorCode::RateLimited, text);
            let retry_after_ms = Some(wait.as_millis() as u64 + 1);
            return refuse_plain(&stream, peer, &ErrorAnswer { retry_after_ms, ..answer });
        }
        let options =
            OpenOptions { envelope: Envelope::Tcp, ..OpenOptions::new(&self.control.config.limits()) };
        Opening { stream, peer, seat, terms: options.into(), early: Vec::new() }.begin(self);
    }

    /// Sends every client away, and ends the worker when they are gone, or at the latest when `patience` is over.
    pub(crate) fn shut_down(&self, reason: &str, patience: Duration) {
        let now = clock::now();
        self.with(|engine| engine.shut_down(now, reason));
        self.ends_at.set(Some(now + patience));
        self.wake();
    }

    fn is_over(&self) -> bool {
        let closed = || {
            self.asked.get() == 0
                && self.control.farewells.are_over()
                && self.with(|engine| engine.sockets_are_closed())
        };
        self.ends_at.get().is_some_and(|end| closed() || end <= clock::now())
    }

    fn publish(&self) {
        let now = clock::now();
        self.with(|engine| self.desk().with_published(|published| published.update(now, engine)));
    }
}

/// Says why a connection is not taken, and closes it.
fn refuse_plain(mut stream: &TcpStream, peer: SocketAddr, answer: &ErrorAnswer<'_>) {
    let mut line = Vec::new();
    Envelope::Tcp.message(&mut line, |body| native_json::push_error(body, answer, None));
    // The kernel's buffer is empty and takes a line at once.
    if let Err(error) = stream.write_all(&line) {
        tracing::debug!(%peer, %error, "a connection is refused without a word");
    }
}

/// Runs a worker on this thread until it is told to shut down.
///
/// # Errors
/// If the operating system gives no runtime.
pub(crate) fn run(parts: Parts) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(serve(parts))
}

async fn serve(parts: Parts) -> io::Result<()> {
    let Parts { index, control, jobs, reader, listener, requests, wake, feeder } = parts;
    let engine = Engine::new(Arc::clone(&control), index, reader, requests, Arc::clone(&wake), feeder)?;
    let shared = Rc::new(Shared {
        index,
        control,
        engine: RefCell::new(engine),
        wake,
        asked: Cell::new(0),
        ends_at: Cell::new(None),
    });
    spawn_local(do_jobs(Rc::clone(&shared), jobs));
    spawn_local(publish(Rc::clone(&shared)));
    drive(&shared, Pause::new(listener, Alarm::new()?)).await;
    shared.publish();
    Ok(())
}

async fn do_jobs(shared: Rc<Shared>, mut jobs: UnboundedReceiver<Job>) {
    while let Some(job) = jobs.recv().await {
        job(&shared);
    }
}

async fn publish(shared: Rc<Shared>) {
    loop {
        shared.publish();
        tokio::time::sleep(PUBLISH_EVERY).await;
    }
}

/// Takes turns, and waits between them as the strategy says.
async fn drive(shared: &Shared, mut pause: Pause) {
    while !shared.is_over() {
        let turn = shared.with(Engine::turn);
        if turn.busy {
            pause.reset();
            yield_now().await;
        } else {
            let look_again = shared.ends_at.get().map(|end| end.min(clock::now() + DRAINED_YET));
            let until = look_again.into_iter().chain(turn.until).min();
            pause.wait(shared, until).await;
        }
    }
}
