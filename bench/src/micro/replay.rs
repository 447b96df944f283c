//! A recording played as fast as it goes, from its blocks to the frames of a client: what one replay takes, without a socket.

use super::{
    books::Desk,
    events::Even,
    measure::{Item, Samples, Setup, Target, time},
    worker::{Scene, TURN},
};
use anyhow::{Context, ensure};
use feed::FeedSink;
use ingest::{MAX_EXCHANGE_EVENT, Numbering, OnCross, Sequencer, SequencerOptions};
use journal::{Reader, Writer};
use market::{Epoch, Event, Kind, clock};
use std::path::Path;
use tempfile::TempDir;

pub const ITEMS: &[Item] = &[
    Item {
        name: "replay/book-and-frames-checksum-10",
        target: Some(Target::MillionsPerSecond(1.5)),
        measure: with_checksum,
    },
    Item {
        name: "replay/book-and-frames",
        target: Some(Target::MillionsPerSecond(4.0)),
        measure: without_checksum,
    },
];

const EVENTS: usize = 512 << 10;
const EPOCH: Epoch = Epoch(1);

fn with_checksum(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let dir = record(&mut events)?;
    let mut written = Ok(());
    let samples = setup.measure(EVENTS, || {
        let mut scene = Scene::new(&events, 1);
        let taken = play(dir.path(), &events, |turn| {
            let now = clock::now();
            turn.iter().for_each(|event| scene.event(event, now));
            scene.flush(now);
        });
        written = scene.check(EVENTS);
        taken
    });
    written?;
    Ok(samples.with_note(format!("read, decode, sequence, session::Worker, a flush each {TURN} events")))
}

fn without_checksum(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let dir = record(&mut events)?;
    let mut taken = 0;
    let samples = setup.measure(EVENTS, || {
        let mut desk = Desk::new(&events);
        play(dir.path(), &events, |turn| {
            for event in turn.iter().filter(|event| event.kind == Kind::Level) {
                desk.apply_and_encode(event);
                taken += 1;
            }
        })
    });
    ensure!(taken == EVENTS * (setup.rounds + 1), "{taken} events were played");
    Ok(samples.with_note("read, decode, sequence, the book and the dialect alone"))
}

fn record(events: &mut Even) -> anyhow::Result<TempDir> {
    let dir = tempfile::tempdir().context("make a temporary folder")?;
    let mut writer = Writer::open(dir.path(), EPOCH, &events.instruments)?;
    writer.push(&events.reset)?;
    for _ in 0..EVENTS {
        writer.push(&[events.next()])?;
    }
    writer.sync()?;
    Ok(dir)
}

/// Reads a recording to its end and gives what comes of it behind its first book, a turn at a time. How long that takes.
fn play(dir: &Path, events: &Even, mut take: impl FnMut(&[Event])) -> std::time::Duration {
    let options = SequencerOptions { on_cross: OnCross::Status, largest: MAX_EXCHANGE_EVENT, id_base: 0 };
    let mut sequencer = Sequencer::new(Numbering::Kept(EPOCH), events.instruments.len(), options);
    let mut reader = Reader::open(dir).expect("it was just written");
    let (mut block, mut sequenced) = (Vec::new(), Vec::new());
    let mut is_begun = false;
    time(|| {
        while reader.next_block(&mut block).expect("it is whole").is_some() {
            sequencer.push(&block, clock::now(), &mut sequenced);
            // Whoever takes it begins with the first book.
            let is_of_book =
                |event: &&Event| !event.kind.is_numbered() || event.seq as usize <= events.reset.len();
            let begin = if is_begun { 0 } else { sequenced.iter().take_while(is_of_book).count() };
            is_begun = true;
            sequenced[begin..].chunks(TURN).for_each(&mut take);
            block.clear();
            sequenced.clear();
        }
    })
}
