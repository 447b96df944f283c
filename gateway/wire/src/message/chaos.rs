//! Faults that a client wants to be done to what it is sent, and what was done.

use super::Channel;
use market::Seq;
use std::time::Duration;

/// What a `chaos` request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chaos {
    /// Say what was done.
    Report,
    /// Do this to some subscriptions from now on.
    Begin {
        /// Of which symbols: 1 to [`MAX_SYMBOLS`](super::MAX_SYMBOLS).
        symbols: Vec<String>,
        /// Of which channel; all if none is named.
        channel: Option<Channel>,
        /// What to do.
        plan: ChaosPlan,
    },
}

/// What is to be done to one subscription. The chances are of each message, and add up to at most 1; nothing is done by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChaosPlan {
    /// The same one does the same to the same messages.
    pub seed: u64,
    /// It is not sent.
    pub drop: Chance,
    /// It is sent twice.
    pub repeat: Chance,
    /// It is sent behind the next one.
    pub reorder: Chance,
    /// Something in it is wrong.
    pub corrupt: Chance,
    /// How long the subscription is silent at first; zero for not at all.
    pub stall: Duration,
    /// After how many messages the connection breaks; 0 for never.
    pub disconnect_after: u64,
}

impl ChaosPlan {
    /// Whether nothing is to be done.
    pub fn is_off(&self) -> bool {
        ChaosPlan { seed: 0, ..*self } == ChaosPlan::default()
    }
}

/// A chance from 0 to 1, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chance(u32);

impl Chance {
    /// How many parts make a certainty.
    pub const CERTAIN: u32 = 1_000_000;

    /// The nearest one; `None` if the number is not within 0 to 1.
    pub fn new(number: f64) -> Option<Chance> {
        let parts = (number * f64::from(Chance::CERTAIN)).round();
        (0.0..=1.0).contains(&number).then_some(Chance(parts as u32))
    }

    /// Parts of [`Chance::CERTAIN`].
    pub fn parts(self) -> u32 {
        self.0
    }
}

/// Something that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChaosDeed<'a> {
    /// What.
    pub act: super::ChaosAct,
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbol.
    pub symbol: &'a str,
    /// The number of the message on its subscription, from 1 on since chaos began there; of a stall, of the last one before it.
    pub message: u64,
    /// The first number that the message covers; none of a stall.
    pub first_seq: Option<Seq>,
    /// The last number that it covers; of a stall, that of the last message before it.
    pub seq: Seq,
}

/// A subscription to which something is done, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChaosSubject<'a> {
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbol.
    pub symbol: &'a str,
    /// How many messages were its since chaos began, those that were dropped too.
    pub messages: u64,
}
