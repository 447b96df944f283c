//! Recordings: into the page cache, back into the ring, and the books at any moment.

use super::{
    events::simulator,
    measure::{Item, Samples, Setup, Target, time},
};
use anyhow::{Context, ensure};
use feed::{FeedSink, FeedSource};
use journal::{Moment, Reader, Recording, Writer};
use market::{Epoch, Event, Instruments, Nanos, clock};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rings::broadcast;
use std::path::Path;

pub const ITEMS: &[Item] = &[
    Item { name: "journal/append", target: Some(Target::MillionsPerSecond(5.0)), measure: append },
    Item { name: "journal/decode-to-ring", target: Some(Target::MillionsPerSecond(10.0)), measure: decode },
    Item { name: "journal/books-at-a-moment", target: Some(Target::Nanos(10e6)), measure: seek },
];

const EVENTS: usize = 500_000;

/// As many events as an hour of a lively market has, of one symbol.
const HOUR: usize = 2_000_000;
/// Moments in a round.
const MOMENTS: usize = 200;

/// What a feed says, in the portions of its polls.
struct Feed {
    instruments: Instruments,
    polls: Vec<Vec<Event>>,
    events: usize,
}

impl Feed {
    fn new() -> anyhow::Result<Feed> {
        Feed::of(20, EVENTS)
    }

    fn of(symbols: u32, events: usize) -> anyhow::Result<Feed> {
        let mut simulator = simulator("market", symbols)?;
        let mut feed = Feed { instruments: simulator.instruments().clone(), polls: Vec::new(), events: 0 };
        while feed.events < events {
            let mut poll = Vec::new();
            simulator.poll(clock::now(), &mut poll)?;
            feed.events += poll.len();
            feed.polls.push(poll);
        }
        Ok(feed)
    }

    fn push_all(&self, writer: &mut Writer) {
        for poll in &self.polls {
            writer.push(poll).expect("there is room in the temporary folder");
        }
    }

    fn writer(&self, dir: &Path) -> Writer {
        Writer::open(dir, Epoch(1), &self.instruments).expect("a recording in the temporary folder")
    }
}

fn append(setup: &Setup) -> anyhow::Result<Samples> {
    let feed = Feed::new()?;
    let dir = tempfile::tempdir().context("make a temporary folder")?;
    let (mut bytes, mut durable) = (0, 0.0);
    let mut round = 0;
    let samples = setup.measure(feed.events, || {
        round += 1;
        let mut writer = feed.writer(&dir.path().join(round.to_string()));
        let taken = time(|| feed.push_all(&mut writer));
        bytes = writer.bytes();
        let synced = time(|| {
            writer.sync().expect("the disk takes it");
        });
        durable = feed.events as f64 / (taken + synced).as_secs_f64();
        taken
    });
    let bytes_each = bytes as f64 / feed.events as f64;
    let note = format!("{bytes_each:.1} bytes an event; with one sync at the end {:.1} M/s", durable / 1e6);
    Ok(samples.with_note(note))
}

fn decode(setup: &Setup) -> anyhow::Result<Samples> {
    let feed = Feed::new()?;
    let dir = tempfile::tempdir().context("make a temporary folder")?;
    let mut writer = feed.writer(dir.path());
    feed.push_all(&mut writer);
    writer.sync()?;
    let (mut ring, _reader) = broadcast::ring(1 << 18);
    let samples = setup.measure(feed.events, || {
        let mut reader = Reader::open(dir.path()).expect("it was just written");
        let mut block = Vec::new();
        time(|| {
            while reader.next_block(&mut block).expect("it is whole").is_some() {
                block.iter().for_each(|event| ring.publish(&event.pack()));
                block.clear();
            }
        })
    });
    let published = ring.head() as usize;
    ensure!(published == feed.events * (setup.rounds + 1), "{published} events were decoded");
    Ok(samples)
}

/// The books of moments all over an hour, each found from the headers of the recording; from the second round on these are known.
fn seek(setup: &Setup) -> anyhow::Result<Samples> {
    let feed = Feed::of(1, HOUR)?;
    let dir = tempfile::tempdir().context("make a temporary folder")?;
    let mut writer = feed.writer(dir.path());
    feed.push_all(&mut writer);
    writer.sync()?;
    let recording = Recording::open(dir.path())?;
    let (first, last) = recording.contents()?[0].times.context("it holds events")?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut longest = Vec::new();
    let samples = setup.measure(MOMENTS, || {
        let mut total = std::time::Duration::ZERO;
        for _ in 0..MOMENTS {
            let at = Moment::Time(Nanos(random.random_range(first.0..=last.0)));
            let taken = time(|| {
                recording.at(1, at).expect("it lies within");
            });
            longest.push(taken);
            total += taken;
        }
        total
    });
    longest.sort_unstable();
    let p99 = longest[longest.len() * 99 / 100];
    let seconds = last.since(first).as_secs_f64();
    let mib = writer.bytes() as f64 / f64::from(1 << 20);
    let note = format!("p99 {:.1} ms, within {seconds:.0} s and {mib:.0} MiB", p99.as_secs_f64() * 1e3);
    Ok(samples.with_note(note))
}
