//! The worker's turn with one subscriber and no socket, and the way from the ring to encoded frames.

use super::{
    books::Desk,
    events::Even,
    measure::{Item, Samples, Setup, Target, time},
};
use crate::websocket;
use anyhow::ensure;
use market::{Epoch, Event, Nanos, clock};
use rings::broadcast::{self, Polled, Reader, Writer};
use session::{ConnId, Ending, Limits, OpenOptions, Outlet, Worker};
use std::sync::Arc;

pub const ITEMS: &[Item] = &[
    Item {
        name: "worker/apply-and-encode-checksum-10",
        target: Some(Target::Nanos(400.0)),
        measure: apply_and_encode,
    },
    Item {
        name: "ring-to-frame/worker",
        target: Some(Target::MillionsPerSecond(2.0)),
        measure: ring_to_frame,
    },
    Item {
        name: "ring-to-frame/no-checksum",
        target: Some(Target::MillionsPerSecond(5.0)),
        measure: ring_to_frame_without_checksum,
    },
];

/// Small enough to be full after the round that warms up: in steady state the oldest of it is overwritten.
pub const HISTORY_BYTES: usize = 16 << 20;

const EVENTS: usize = 512 << 10;
/// Events in a turn.
pub const TURN: usize = 64;
const SLOTS: usize = EVENTS;
const SUBSCRIBE: &str =
    r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT","depth":10,"stamps":true}}"#;

/// Takes everything at once and counts it.
#[derive(Default)]
struct Sink {
    bytes: usize,
}

impl Outlet for Sink {
    fn write(&mut self, _: ConnId, bytes: &[u8]) -> usize {
        self.bytes += bytes.len();
        bytes.len()
    }

    fn end(&mut self, conn: ConnId, ending: Ending) {
        unreachable!("{conn:?} takes everything and asks for nothing wrong: {ending:?}");
    }
}

/// A worker over one book, with subscribers that all want the same of it.
pub struct Scene {
    worker: Worker,
    sink: Sink,
    position: u64,
}

impl Scene {
    /// So many subscribers, each in step.
    pub fn new(events: &Even, subscribers: usize) -> Scene {
        let limits = Limits { history_bytes: HISTORY_BYTES, ..Limits::default() };
        let instruments = Arc::new(events.instruments.clone());
        let worker = Worker::new(limits.clone(), instruments, Epoch(1), clock::now);
        let mut scene = Scene { worker, sink: Sink::default(), position: 0 };
        let now = clock::now();
        events.reset.iter().for_each(|event| scene.event(event, now));
        for _ in 0..subscribers {
            let conn = scene.worker.open(now, &OpenOptions::new(&limits));
            let mut request = Vec::new();
            websocket::push_text(&mut request, SUBSCRIBE);
            scene.worker.input(conn, &mut request, now, &mut scene.sink);
        }
        scene.flush(now);
        scene
    }

    /// Applies and encodes an event.
    pub fn event(&mut self, event: &Event, now: Nanos) {
        self.worker.event(self.position, event, now);
        self.position += 1;
    }

    /// Writes to each subscriber what is new.
    pub fn flush(&mut self, now: Nanos) {
        self.worker.flush(now, &mut self.sink, clock::now);
    }

    /// That so many events became a frame each, for some subscriber.
    ///
    /// # Errors
    /// If too little was written for that.
    pub fn check(&self, events: usize) -> anyhow::Result<()> {
        ensure!(self.sink.bytes > 250 * events, "{} bytes for {events} events", self.sink.bytes);
        Ok(())
    }
}

fn apply_and_encode(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut scene = Scene::new(&events, 1);
    let samples = setup.measure(EVENTS, || {
        time(|| {
            for _ in 0..EVENTS / TURN {
                let now = clock::now();
                for _ in 0..TURN {
                    scene.event(&events.next(), now);
                }
                scene.flush(now);
            }
        })
    });
    scene.check(EVENTS * (setup.rounds + 1))?;
    Ok(samples.with_note(format!("session::Worker, one subscriber, a flush each {TURN} events")))
}

fn ring_to_frame(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut scene = Scene::new(&events, 1);
    let samples = read_ring(setup, &mut events, |reader| {
        let now = clock::now();
        let polled = reader.poll(TURN, |_, words| scene.event(&unpack(words), now));
        scene.flush(now);
        polled
    });
    scene.check(EVENTS * (setup.rounds + 1))?;
    Ok(samples.with_note(format!("poll, unpack, session::Worker, a flush each {TURN} events")))
}

fn ring_to_frame_without_checksum(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    let samples = read_ring(setup, &mut events, |reader| {
        reader.poll(TURN, |_, words| desk.apply_and_encode(&unpack(words)))
    });
    Ok(samples.with_note("poll, unpack, the book and the dialect alone"))
}

/// Fills the ring, then times `turn` until it is empty again.
fn read_ring(
    setup: &Setup,
    events: &mut Even,
    mut turn: impl FnMut(&mut Reader<{ Event::WORDS }>) -> Polled,
) -> Samples {
    let (mut writer, mut reader) = broadcast::ring(SLOTS);
    setup.measure(EVENTS, || {
        fill(&mut writer, events);
        time(|| while let Polled::Read(_) = turn(&mut reader) {})
    })
}

fn fill(writer: &mut Writer<{ Event::WORDS }>, events: &mut Even) {
    (0..EVENTS).for_each(|_| writer.publish(&events.next().pack()));
}

fn unpack(words: &[u64; Event::WORDS]) -> Event {
    Event::unpack(words).expect("the ring holds packed events")
}
