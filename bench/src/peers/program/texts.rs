//! The texts of the messages of all topics.

use crate::{load, messages};
use market::{Instruments, Nanos, Seq, SymbolId};

/// Writes the messages of all topics.
#[derive(Debug)]
pub struct Texts(Instruments);

impl Texts {
    /// Of so many topics.
    ///
    /// # Errors
    /// If the simulated exchange does not list so many.
    pub fn new(topics: u32) -> anyhow::Result<Texts> {
        load::instruments(topics).map(Texts)
    }

    /// The names of the topics, in order.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, instrument)| &*instrument.symbol)
    }

    /// Which topic has this name.
    pub fn find(&self, symbol: &str) -> Option<usize> {
        self.0.find(symbol).map(SymbolId::index)
    }

    /// A change that was meant to happen at `due`.
    pub fn update(&self, topic: usize, seq: Seq, due: Nanos) -> String {
        text(|out| messages::push_update(out, &self.0[SymbolId(topic as u32)], seq, due))
    }

    /// The whole book after the change `seq`.
    pub fn snapshot(&self, topic: usize, seq: Seq, now: Nanos) -> String {
        text(|out| messages::push_snapshot(out, &self.0[SymbolId(topic as u32)], seq, now))
    }
}

/// What is written, as a text.
pub fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(512);
    write(&mut out);
    String::from_utf8(out).expect("JSON is text")
}
