//! Puts the gateway together: source, ingest, ring, workers, acceptor, each on its thread; and takes it apart again.

use crate::{
    acceptor::{self, ListenError, Listeners},
    config::{Config, ConfigError},
    control::{Control, Desk},
    feed_source::{Feed, OpenFeedError},
    feeder::Feeder,
    recorder::{Recorded, Recorder},
    worker,
};
use feed::FeedError;
use ingest::{Ingest, IngestOptions};
use journal::JournalError;
use market::{Epoch, Ids, clock};
use rings::wait::WaitStrategy;
use std::{
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, unbounded_channel},
        oneshot,
    },
    time::sleep,
};

/// How long clients have to take what is said to them at the end.
const DRAIN: Duration = Duration::from_secs(6);
/// Between two looks at whether there is nothing more to do.
const LOOK: Duration = Duration::from_millis(20);

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The choices do not fit.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no listening socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// There is no feed.
    #[error(transparent)]
    Feed(#[from] OpenFeedError),
    /// There is no recording to write to.
    #[error(transparent)]
    Recording(#[from] JournalError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// A gateway that runs.
pub struct Running {
    address: Option<SocketAddr>,
    tcp: Option<SocketAddr>,
    control: Arc<Control>,
    stop_accepting: Arc<Notify>,
    threads: Vec<JoinHandle<()>>,
    feed_failed: oneshot::Receiver<FeedError>,
}

/// Starts a gateway with the feed that the configuration names.
///
/// # Errors
/// If the configuration cannot be, the port is taken, or the feed cannot be opened.
pub fn start(config: Config) -> Result<Running, StartError> {
    config.check()?;
    let listeners = Listeners::open(&config)?;
    let feed = Feed::open(&config)?;
    assemble(config, Some(listeners), feed)
}

/// Starts what records the feed that the configuration names, without serving anyone.
///
/// # Errors
/// If the configuration cannot be, or the feed cannot be opened or recorded.
pub fn record(config: Config) -> Result<Running, StartError> {
    config.check()?;
    let feed = Feed::open(&config)?;
    assemble(config, None, feed)
}

/// Starts a gateway with another feed.
///
/// # Errors
/// If the configuration cannot be, or the port is taken.
pub fn start_with(config: Config, feed: Feed) -> Result<Running, StartError> {
    config.check()?;
    let listeners = Listeners::open(&config)?;
    assemble(config, Some(listeners), feed)
}

/// Without listeners there are no workers.
fn assemble(config: Config, listeners: Option<Listeners>, feed: Feed) -> Result<Running, StartError> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = if listeners.is_some() { config.worker_count(cores) } else { 0 };
    let (inline, wait) = (workers > 0 && config.is_inline(cores), config.wait);
    let addresses = listeners.as_ref().map(Listeners::addresses).transpose().map_err(StartError::Thread)?;
    let (address, tcp) = addresses.map_or((None, None), |(address, tcp)| (Some(address), tcp));
    let options = IngestOptions {
        ring_slots: config.ring_slots,
        on_cross: config.on_cross(),
        hold: feed.hold.clone(),
        id_base: clock::now().0 / 1_000,
        ..IngestOptions::default()
    };
    let mut ingest = Ingest::new(feed.source, Epoch(rand::random()), options);
    let (desks, inboxes): (Vec<_>, Vec<_>) = (0..workers).map(|_| desk()).unzip();
    let readers: Vec<_> = (0..workers).map(|at| ingest.subscribe(wait_of(wait, inline && at == 0))).collect();
    let requests = ingest.requests();
    let recorded = config.record.clone().map(|dir| (dir, ingest.subscribe(wait).0));
    let control = Arc::new(Control::new(config, feed.hold, (feed.remote, feed.switch), &ingest, desks));
    let recorder = match (recorded, control.recording.clone()) {
        (Some((dir, reader)), Some(stats)) => {
            Some(Recorder::open(&dir, &control, reader, requests.clone(), stats)?)
        }
        _ => None,
    };
    let (failed, feed_failed) = oneshot::channel();
    let mut feeder = Some((Feeder::new(ingest, Arc::clone(&control)), failed));
    let stop_accepting = Arc::new(Notify::new());
    let threads = Vec::with_capacity(workers + 3);
    let mut running = Running { address, tcp, control, stop_accepting, threads, feed_failed };
    for (index, (jobs, (reader, listener))) in inboxes.into_iter().zip(readers).enumerate() {
        let wake = Arc::new(Notify::new());
        let feeder = if inline { feeder.take() } else { None };
        if feeder.is_some() {
            let wake = Arc::clone(&wake);
            running.control.set_feed_waker(move || wake.notify_one());
        }
        let control = Arc::clone(&running.control);
        let parts = worker::Parts {
            index,
            control,
            jobs,
            reader,
            listener,
            requests: requests.clone(),
            wake,
            feeder,
        };
        running.spawn(format!("worker-{index}"), move || worker::run(parts))?;
    }
    if let Some((feeder, failed)) = feeder {
        running.spawn("ingest".to_owned(), move || {
            if let Err(error) = feeder.run(wait) {
                // Nobody is interested while the gateway ends.
                let _ = failed.send(error);
            }
            Ok(())
        })?;
        if let Some(thread) = running.threads.last().map(|handle| handle.thread().clone()) {
            running.control.set_feed_waker(move || thread.unpark());
        }
    }
    if let Some(recorder) = recorder {
        running.spawn("recorder".to_owned(), move || recorder.run())?;
    }
    let epoch = running.control.first_ids.epoch;
    let (Some(listeners), Some(address)) = (listeners, address) else {
        tracing::info!(%epoch, "recording");
        return Ok(running);
    };
    let (control, stop) = (Arc::clone(&running.control), Arc::clone(&running.stop_accepting));
    running.spawn("acceptor".to_owned(), move || acceptor::run(listeners, &control, &stop))?;
    let plain = tcp.map_or_else(|| "off".to_owned(), |address| address.to_string());
    tracing::info!(%address, tcp = plain, workers, inline, %wait, %epoch, "serving");
    Ok(running)
}

/// How a worker waits for the ring. One that feeds it itself finds no news by looking again and again: it knows when the next
/// event is due and sleeps until then, unless it is not to sleep at all.
fn wait_of(chosen: WaitStrategy, feeds_itself: bool) -> WaitStrategy {
    match chosen {
        WaitStrategy::Backoff if feeds_itself => WaitStrategy::Park,
        _ => chosen,
    }
}

fn desk() -> (Arc<Desk>, UnboundedReceiver<crate::control::Job>) {
    let (jobs, inbox) = unbounded_channel();
    (Arc::new(Desk::new(jobs)), inbox)
}

impl Running {
    /// Where it listens for HTTP.
    ///
    /// # Panics
    /// If it only [records](record).
    pub fn address(&self) -> SocketAddr {
        self.address.expect("what only records does not listen")
    }

    /// How the recording is doing, if there is one.
    pub fn recorded(&self) -> Option<Recorded> {
        self.control.recording.as_ref().map(|recording| recording.recorded())
    }

    /// What tells how the recording is doing, also once this is gone.
    pub(crate) fn progress(&self) -> impl Fn() -> Option<Recorded> + use<> {
        let recording = self.control.recording.clone();
        move || recording.as_ref().map(|recording| recording.recorded())
    }

    /// Whether the feed came to its end and all of it is in the recording.
    pub fn is_all_recorded(&self) -> bool {
        let stats = &self.control.stats;
        let recording = self.control.recording.as_ref();
        stats.is_feed_ended() && recording.is_none_or(|recording| recording.position() >= stats.head())
    }

    /// The numbering of its events at the start, and what ids of other dialects add to it.
    pub fn ids(&self) -> Ids {
        self.control.first_ids
    }

    /// Where it listens for plain TCP connections, if anywhere.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp
    }

    /// The epoch of its numbers at the start.
    pub fn epoch(&self) -> Epoch {
        self.control.first_ids.epoch
    }

    /// Waits until the feed ends by itself in error; for ever if it does not. The last books go on being served.
    pub async fn feed_failed(&mut self) -> FeedError {
        match (&mut self.feed_failed).await {
            Ok(error) => error,
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the feed has come to its end and all clients were sent all of it, or had as long to take it as they have at a
    /// shutdown; for ever if it does not end.
    pub fn played_out(&self) -> impl Future<Output = ()> + use<> {
        let control = Arc::clone(&self.control);
        async move {
            while !control.stats.is_feed_ended() {
                sleep(LOOK).await;
            }
            let (head, deadline) = (control.stats.head(), clock::now() + DRAIN);
            while clock::now() < deadline {
                let settled =
                    control.ask_all(move |shared| shared.with(|engine| engine.is_settled(head))).await;
                if settled.into_iter().all(|settled| settled) {
                    return;
                }
                sleep(LOOK).await;
            }
        }
    }

    /// Tells every client, lets them take what is said, closes, and returns when all threads have ended. `reason` is a word
    /// for the clients.
    ///
    /// # Panics
    /// If one of the threads had panicked.
    pub fn shut_down(mut self, reason: &str) {
        self.end(reason);
        for thread in std::mem::take(&mut self.threads) {
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    }

    fn end(&self, reason: &str) {
        self.control.begin_drain();
        self.stop_accepting.notify_one();
        for desk in &self.control.desks {
            let reason = reason.to_owned();
            // Until each worker has told its clients, none ends.
            let telling = self.control.farewells.begin();
            desk.post(move |shared| {
                shared.shut_down(&reason, DRAIN);
                drop(telling);
            });
        }
        self.control.stop();
    }

    fn spawn(
        &mut self,
        name: String,
        work: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<(), StartError> {
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            work().unwrap_or_else(|error| panic!("the thread {name} got no runtime: {error}"));
        });
        self.threads.push(thread.map_err(StartError::Thread)?);
        Ok(())
    }
}

impl Drop for Running {
    /// Ends without waiting.
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.end("shutdown");
        }
    }
}
