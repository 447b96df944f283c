//! What a client of the simulation wants, and how it asks for it.

use crate::chance::Chance;
use market::{Instruments, SymbolId};
use wire::{
    message::{Channel, Depth, Interval, Policy, Subscribe},
    token::Token,
};

/// One subscription that a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Which channel.
    pub channel: Channel,
    /// Whose.
    pub symbol: SymbolId,
    /// How deep a book.
    pub depth: u32,
    /// In milliseconds of feed time.
    pub interval: u32,
    /// Every message, or a connection that is closed when it is too slow.
    pub lossless: bool,
    /// With the moments of the way.
    pub stamps: bool,
}

const CHANNELS: [Channel; 5] = [Channel::Book, Channel::Book, Channel::Book, Channel::Trade, Channel::Bbo];
const DEPTHS: [u32; 5] = [0, 1, 5, 10, 25];
const INTERVALS: [u32; 5] = [0, 0, 0, 10, 100];

impl Wish {
    /// Some wishes, a channel and symbol at most once.
    pub fn some(chance: &mut Chance, symbols: u64) -> Vec<Wish> {
        let mut wishes: Vec<Wish> = Vec::new();
        for _ in 0..1 + chance.below(5) {
            let wish = Wish {
                channel: chance.pick(&CHANNELS),
                symbol: SymbolId(chance.below(symbols) as u32),
                depth: chance.pick(&DEPTHS),
                interval: chance.pick(&INTERVALS),
                lossless: chance.once_in(3),
                stamps: chance.once_in(3),
            };
            if !wishes.iter().any(|other| (other.channel, other.symbol) == (wish.channel, wish.symbol)) {
                wishes.push(wish);
            }
        }
        wishes
    }

    /// Wants something else, and how it asks for that.
    pub fn change(&mut self, instruments: &Instruments, chance: &mut Chance) -> String {
        let symbol = &instruments[self.symbol].symbol;
        let of = format!("\"channel\":\"{}\",\"symbol\":\"{symbol}\"", self.channel.as_str());
        let mut params = of.clone();
        if self.channel == Channel::Book && chance.once_in(3) {
            self.depth = chance.pick(&DEPTHS);
            params += &format!(",\"depth\":{}", self.depth);
        }
        if self.channel != Channel::Trade && chance.once_in(3) {
            self.interval = chance.pick(&INTERVALS);
            params += &format!(",\"interval_ms\":{}", self.interval);
        }
        if chance.once_in(3) {
            self.lossless = chance.once_in(2);
            params += &format!(",\"policy\":\"{}\"", self.policy().as_str());
        }
        if params == of || chance.once_in(3) {
            self.stamps = chance.once_in(2);
            params += &format!(",\"stamps\":{}", self.stamps);
        }
        format!("{{{params}}}")
    }

    /// The params of a `subscribe`.
    pub fn params(&self, instruments: &Instruments, since: Option<&str>) -> String {
        let Wish { channel, symbol, depth, interval, stamps, .. } = *self;
        let symbol = &instruments[symbol].symbol;
        let depth = if channel == Channel::Book { format!(",\"depth\":{depth}") } else { String::new() };
        let interval = match channel {
            Channel::Trade => String::new(),
            _ => format!(",\"interval_ms\":{interval}"),
        };
        let policy = self.policy().as_str();
        let since = since.map_or(String::new(), |token| format!(",\"since\":\"{token}\""));
        let channel = channel.as_str();
        format!(
            r#"{{"channel":"{channel}","symbol":"{symbol}"{depth}{interval},"policy":"{policy}","stamps":{stamps}{since}}}"#
        )
    }

    /// The same as a query says it.
    pub fn subscribe(&self, instruments: &Instruments, since: Option<Token>) -> Subscribe {
        Subscribe {
            channel: self.channel,
            symbols: vec![instruments[self.symbol].symbol.to_string()],
            depth: self.depth(),
            interval: Interval::new(self.interval.into()).expect("a wish is of an offered interval"),
            policy: self.policy(),
            stamps: self.stamps,
            snapshot: None,
            since,
            heartbeat: None,
        }
    }

    /// The same as a poll can have it.
    pub fn polled(&self, instruments: &Instruments, since: Option<Token>) -> Subscribe {
        Wish { interval: 0, lossless: false, ..*self }.subscribe(instruments, since)
    }

    /// How deep a book.
    pub fn depth(&self) -> Depth {
        Depth::new(self.depth.into()).expect("a wish is of an offered depth")
    }

    fn policy(&self) -> Policy {
        if self.lossless { Policy::Lossless } else { Policy::Conflate }
    }
}
