//! The parts that an event passes, done a given number of times and not timed: for who counts instructions.
//!
//! What is done N times differs from what is done 2 N times by N times the part alone, so that setting up counts for nothing. No
//! part reads a clock or draws a random number.

use super::{
    books::Desk,
    events::Even,
    worker::{Scene, TURN},
};
use anyhow::ensure;
use market::{Event, Nanos};
use rings::broadcast;
use std::hint::black_box;

/// A part.
#[derive(Debug)]
pub struct Part {
    /// `part/what`.
    pub name: &'static str,
    /// How often it is to be done so that what happens seldom, such as the moving of a log, counts as often as it should.
    pub times: usize,
    /// Does it so many times.
    pub repeat: fn(usize) -> anyhow::Result<()>,
}

/// All of them, in the order in which an event passes them.
pub const PARTS: &[Part] = &[
    Part { name: "ring/publish-and-poll", times: 100_000, repeat: publish_and_poll },
    Part { name: "book/apply-and-changes-10", times: 100_000, repeat: apply_and_changes },
    Part { name: "book/apply-changes-and-checksum-10", times: 100_000, repeat: apply_with_checksum },
    Part { name: "json/update-of-one-level", times: 50_000, repeat: encode },
    Part { name: "worker/event-to-1-subscriber", times: 50_000, repeat: one_subscriber },
    Part { name: "worker/event-to-100-subscribers", times: 10_000, repeat: hundred_subscribers },
];

const NOW: Nanos = Nanos(1_800_000_000_000_000_000);

fn publish_and_poll(times: usize) -> anyhow::Result<()> {
    let (mut writer, mut reader) = broadcast::ring(1 << 12);
    for i in 0..times as u64 {
        writer.publish(black_box(&[i; Event::WORDS]));
        reader.poll(1, |_, words| {
            black_box(words);
        });
    }
    Ok(())
}

fn apply_and_changes(times: usize) -> anyhow::Result<()> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    for _ in 0..times {
        black_box(desk.apply(&events.next()));
    }
    Ok(())
}

fn encode(times: usize) -> anyhow::Result<()> {
    let mut desk = changed_desk()?;
    (0..times).for_each(|_| desk.encode());
    Ok(())
}

fn apply_with_checksum(times: usize) -> anyhow::Result<()> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    for _ in 0..times {
        black_box(desk.apply(&events.next()));
        black_box(desk.checksum());
    }
    Ok(())
}

fn changed_desk() -> anyhow::Result<Desk> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    while !desk.apply(&events.next()) {}
    Ok(desk)
}

fn one_subscriber(times: usize) -> anyhow::Result<()> {
    deliver(times, 1, TURN)
}

fn hundred_subscribers(times: usize) -> anyhow::Result<()> {
    deliver(times, 100, 1)
}

/// Each event to each subscriber, so many events in a write.
fn deliver(times: usize, subscribers: usize, in_a_write: usize) -> anyhow::Result<()> {
    let mut events = Even::new()?;
    let mut scene = Scene::new(&events, subscribers);
    for i in 1..=times {
        scene.event(&events.next(), NOW);
        if i % in_a_write == 0 {
            scene.flush(NOW);
        }
    }
    ensure!(times > 0, "nothing was delivered");
    scene.check(times * subscribers)
}
