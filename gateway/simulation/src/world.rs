//! The world of a run: it lets time pass, lets chance do harm, and judges at the end.

use crate::{
    chance::Chance, client::Client, net::Net, record::Record, source::Source, streams::StreamClient,
};
use book::Image;
use feed_sim::{Scenario, SimConfig, Simulator};
use ingest::{BookRequest, Ingest, IngestOptions};
use market::{Epoch, Event, Instruments, Nanos, SymbolId};
use rings::{
    broadcast::{Polled, Reader},
    wait::WaitStrategy,
};
use session::{Limits, Worker};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

const START: Nanos = Nanos(1_800_000_000_000_000_000);
const EPOCH: Epoch = Epoch(0x51D5_EED0_0000_0001);
const SYMBOLS: u32 = 4;
const WORKERS: usize = 2;
/// Virtual time of the storm.
const STORM: Duration = Duration::from_secs(6);
/// The calm after it lasts until no client got anything but heartbeats for so long, and so has what was kept for it and
/// what the next heartbeats say.
const QUIET: Duration = Duration::from_secs(1);
/// Longer than any client needs to read what was kept for it.
const CALM: Duration = Duration::from_secs(60);

/// The exchange of all runs: much happens at the top of few books, and the feed has every fault.
const SCENARIO: &str = r#"
symbols = 4
rate = 3000

[orders]
open = 60
value = 500
distance_ppm = 80
volatility_ppm = 20
mix = { limit = 4, cancel = 2, market = 2 }

[[fault]]
kind = "gap"
every_ms = 900

[[fault]]
kind = "repeat"
every_ms = 700

[[fault]]
kind = "reset"
every_ms = 1500
"#;

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events in the ring.
    pub events: u64,
    /// Messages merged for slow clients.
    pub conflated: u64,
    /// Times that a worker was lapped.
    pub lapped: u64,
    /// Times that clients came back.
    pub reconnects: u64,
    /// Connections closed as too slow under `lossless`.
    pub slow_closed: u64,
    /// Books compared at the end.
    pub compared: u64,
}

/// A run that found something wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, {after:?} into the run: {what}")]
pub struct Failure {
    /// The seed, with which it happens again.
    pub seed: u64,
    /// The virtual time that had passed.
    pub after: Duration,
    /// What is wrong.
    pub what: String,
}

/// Runs the world of a seed to its end.
///
/// # Errors
/// [`Failure`] if a client was sent something wrong, or ended with another book than the book of record.
pub fn run(seed: u64) -> Result<Report, Failure> {
    let mut world = World::new(seed);
    world.live().map_err(|what| Failure { seed, after: world.now.since(START), what })
}

/// One worker with its reader of the ring, its sockets, and images on their way to it.
struct Desk {
    worker: Worker,
    reader: Reader<{ Event::WORDS }>,
    net: Net,
    images: (Sender<Image>, Receiver<Image>),
    /// Until then it does not run at all.
    asleep_until: Nanos,
}

struct World {
    now: Nanos,
    chance: Chance,
    ingest: Ingest,
    closed: Arc<AtomicBool>,
    record: Record,
    instruments: Arc<Instruments>,
    desks: Vec<Desk>,
    clients: Vec<Client>,
    stream_clients: Vec<StreamClient>,
    reconnects: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance::new(seed);
        let scenario = Scenario::from_toml(SCENARIO).expect("the scenario is well-formed");
        let config = SimConfig { scenario, symbols: Some(SYMBOLS), rate: None, seed, start: Some(START) };
        let (source, closed) = Source::new(Simulator::new(config).expect("the exchange opens"));
        // A small ring, so that a worker that sleeps is lapped.
        let options = IngestOptions { ring_slots: 1 << 12, ..IngestOptions::default() };
        let mut ingest = Ingest::new(Box::new(source), EPOCH, options);
        let instruments = ingest.instruments().load_full();
        let record = Record::new(ingest.subscribe(WaitStrategy::Spin).0, instruments.len());
        let desks = (0..WORKERS)
            .map(|_| Desk {
                worker: Worker::new(limits(&mut chance), instruments.clone(), EPOCH, || Nanos::ZERO),
                reader: ingest.subscribe(WaitStrategy::Spin).0,
                net: Net::default(),
                images: mpsc::channel(),
                asleep_until: START,
            })
            .collect();
        let clients = (0..8).map(|_| Client::new(&mut chance, u64::from(SYMBOLS))).collect();
        let stream_clients = (0..3).map(|_| StreamClient::new(&mut chance, u64::from(SYMBOLS))).collect();
        World {
            now: START,
            chance,
            ingest,
            closed,
            record,
            instruments,
            desks,
            clients,
            stream_clients,
            reconnects: 0,
        }
    }

    fn live(&mut self) -> Result<Report, String> {
        while self.now < START + STORM {
            self.harm();
            self.step()?;
        }
        // The exchange closes only with whole books: a hole that was just noticed is mended first.
        for _ in 0..10_000 {
            if !self.record.waits() {
                break;
            }
            self.step()?;
        }
        self.closed.store(true, Relaxed);
        self.clients.iter_mut().for_each(Client::becomes_fast);
        self.stream_clients.iter_mut().for_each(StreamClient::becomes_fast);
        self.desks.iter_mut().for_each(|desk| desk.asleep_until = self.now);
        let begun = self.now;
        while !self.is_quiet(begun) {
            if self.now.since(begun) > CALM {
                return Err(format!("the feed ended {CALM:?} ago and clients still get messages"));
            }
            self.step()?;
        }
        self.judge()
    }

    /// Chance puts a worker to sleep, cuts a client off, or has it ask for something else.
    fn harm(&mut self) {
        if self.chance.once_in(400) {
            let nap = Duration::from_millis(100 + self.chance.below(2_500));
            let at = self.chance.below(WORKERS as u64) as usize;
            self.desks[at].asleep_until = self.now + nap;
        }
        if self.chance.once_in(25) {
            let at = self.chance.below(self.clients.len() as u64) as usize;
            self.interrupt(at);
            self.cut(at);
        }
        if self.chance.once_in(25) {
            let at = self.chance.below(self.clients.len() as u64) as usize;
            self.modify(at);
        }
        if self.chance.once_in(80) {
            let at = self.chance.below(self.stream_clients.len() as u64) as usize;
            self.cut_stream(at);
        }
    }

    fn cut_stream(&mut self, at: usize) {
        let client = &mut self.stream_clients[at];
        if let (Some(desk), Some(pipe)) = (client.worker(), client.pipe()) {
            let Desk { worker, net, .. } = &mut self.desks[desk];
            net.cut(pipe).into_iter().for_each(|conn| worker.gone(conn));
            client.disconnected();
        }
    }

    /// Every other time the client is in the middle of a request when it is cut off.
    fn interrupt(&mut self, at: usize) {
        if let Some(desk) = self.clients[at].worker()
            && self.chance.once_in(2)
        {
            let Desk { worker, net, .. } = &mut self.desks[desk];
            self.clients[at].send_part(worker, net, self.now, &mut self.chance);
        }
    }

    fn modify(&mut self, at: usize) {
        let Some(desk) = self.clients[at].worker() else { return };
        let desk = &mut self.desks[desk];
        if desk.takes_requests(self.now) {
            self.clients[at].modify(&mut desk.worker, &mut desk.net, self.now, &mut self.chance);
        }
    }

    fn cut(&mut self, at: usize) {
        if let Some(desk) = self.clients[at].worker() {
            let Desk { worker, net, .. } = &mut self.desks[desk];
            if let Some(conn) = self.clients[at].pipe().and_then(|pipe| net.cut(pipe)) {
                worker.gone(conn);
            }
            self.clients[at].disconnected();
        }
    }

    /// A little time passes for everybody.
    fn step(&mut self) -> Result<(), String> {
        self.now = self.now + Duration::from_micros(200 + self.chance.below(8_000));
        self.ingest.turn(self.now).map_err(|error| error.to_string())?;
        self.record.read();
        for desk in &mut self.desks {
            if desk.asleep_until <= self.now {
                desk.turn(&self.ingest, self.now, &mut self.chance);
            }
        }
        for client in &mut self.clients {
            let Some(at) = client.worker() else { continue };
            let desk = &mut self.desks[at];
            let is_served = if client.pipe().is_some() {
                desk.asleep_until <= self.now
            } else {
                desk.takes_requests(self.now)
            };
            if is_served {
                client.read(&mut desk.worker, &mut desk.net, self.now, &mut self.chance)?;
            }
        }
        for client in &mut self.stream_clients {
            let Some(at) = client.worker() else { continue };
            let desk = &mut self.desks[at];
            if desk.asleep_until <= self.now {
                client.read(&mut desk.worker, &mut desk.net, self.now, &mut self.chance)?;
            }
            // Any worker answers what is asked over REST.
            let desk = &mut self.desks[self.chance.below(WORKERS as u64) as usize];
            if desk.takes_requests(self.now) {
                client.ask_for_book(&mut desk.worker, &mut self.chance)?;
            }
        }
        self.reconnect();
        Ok(())
    }

    fn reconnect(&mut self) {
        let calm = self.closed.load(Relaxed);
        for client in &mut self.clients {
            let at = self.chance.below(WORKERS as u64) as usize;
            let desk = &mut self.desks[at];
            let awake = desk.takes_requests(self.now);
            if client.worker().is_none() && awake && (calm || self.chance.once_in(20)) {
                client.connect(at, &mut desk.worker, &mut desk.net, self.now, &mut self.chance);
                self.reconnects += 1;
            }
        }
        for client in &mut self.stream_clients {
            let at = self.chance.below(WORKERS as u64) as usize;
            let desk = &mut self.desks[at];
            if client.worker().is_none() && desk.takes_requests(self.now) && (calm || self.chance.once_in(20))
            {
                client.connect(at, &mut desk.worker, &mut desk.net, self.now, &mut self.chance);
                self.reconnects += 1;
            }
        }
    }

    /// Whether everybody has everything since the calm began.
    fn is_quiet(&self, begun: Nanos) -> bool {
        let news = self.clients.iter().map(|client| client.last_news);
        let last = news.chain(self.stream_clients.iter().map(|client| client.last_news)).max();
        self.now.since(last.unwrap_or(begun).max(begun)) > QUIET
    }

    fn judge(&self) -> Result<Report, String> {
        let mut report = Report { reconnects: self.reconnects, ..Report::default() };
        for (at, client) in self.clients.iter().enumerate() {
            report.compared += client
                .compare(&self.record, &self.instruments)
                .map_err(|what| format!("client {at}: {what}"))?;
        }
        for (at, client) in self.stream_clients.iter().enumerate() {
            report.compared +=
                client.compare(&self.record).map_err(|what| format!("client {at} of streams: {what}"))?;
        }
        report.events = self.ingest.stats().head();
        for desk in &self.desks {
            report.conflated += desk.worker.counters.conflated;
            report.lapped += desk.worker.counters.lapped;
            report.slow_closed += desk.worker.counters.slow_closed;
        }
        Ok(report)
    }
}

impl Desk {
    /// A worker that is behind the ring reads on before it takes what a client asks for.
    fn takes_requests(&self, now: Nanos) -> bool {
        self.asleep_until <= now && self.reader.is_empty()
    }

    /// One turn, as a worker's thread does it.
    fn turn(&mut self, ingest: &Ingest, now: Nanos, chance: &mut Chance) {
        self.install_images(ingest, now);
        loop {
            let worker = &mut self.worker;
            let limit = 1 + chance.below(500) as usize;
            let polled = self.reader.poll(limit, |position, words| {
                worker.event(position, &Event::unpack(words).expect("the ring holds events"), now);
            });
            match polled {
                Polled::Empty => break,
                Polled::Read(_) => self.worker.flush(now, &mut self.net, || now),
                Polled::Lagged { .. } => {
                    let symbols = self.worker.lapped();
                    self.ask(symbols, ingest);
                }
            }
        }
        self.worker.flush(now, &mut self.net, || now);
        self.worker.timers(now, &mut self.net);
    }
}

impl Desk {
    /// Images that were taken before what the worker has read are of no use: the events since are lost to it.
    fn install_images(&mut self, ingest: &Ingest, now: Nanos) {
        let mut again = Vec::new();
        while let Ok(image) = self.images.1.try_recv() {
            if image.position >= self.reader.position() {
                self.worker.install(&image, now);
            } else {
                again.push(image.symbol);
            }
        }
        if !again.is_empty() {
            self.ask(again, ingest);
        }
    }

    fn ask(&self, symbols: Vec<SymbolId>, ingest: &Ingest) {
        let reply = self.images.0.clone();
        let request = BookRequest { symbols, reply: Box::new(move |image| drop(reply.send(image))) };
        ingest.requests().ask(request).expect("ingest takes a request");
    }
}

/// Bounds so small that a run meets all of them.
fn limits(chance: &mut Chance) -> Limits {
    Limits {
        history_bytes: chance.pick(&[40_000, 400_000, 4_000_000]),
        trades_bytes: chance.pick(&[4_000, 100_000]),
        log_bytes: chance.pick(&[3_000, 100_000]),
        lossless_bytes: chance.pick(&[2_000, 50_000]),
        batch_bytes: chance.pick(&[500, 5_000, 64_000]),
        private_bytes: chance.pick(&[1_500, 20_000, 64_000_000]),
        request_burst: 1_000_000,
        ..Limits::default()
    }
}
