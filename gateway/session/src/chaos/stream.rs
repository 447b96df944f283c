//! The dice of one subscription: what is to be done to its next message.

use super::Numbers;
use market::{Nanos, SymbolId};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};
use wire::message::{Chance, Channel, ChaosPlan};

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Pass,
    Drop,
    Repeat,
    Reorder,
    Corrupt,
}

/// A message that waits for the next one.
pub struct Held {
    pub numbers: Numbers,
    pub bytes: Box<[u8]>,
    /// It waits no longer.
    pub is_loose: bool,
}

/// Once.
#[derive(Clone, Copy)]
enum Silence {
    Due,
    Until(Nanos),
    Over,
}

/// What is done to the subscription of a channel and symbol, also when it ends and begins again.
pub struct Stream {
    pub symbol: SymbolId,
    pub channel: Channel,
    pub plan: ChaosPlan,
    dice: Xoshiro256PlusPlus,
    /// Updates since it was begun.
    pub messages: u64,
    pub held: Option<Held>,
    silence: Silence,
    /// The client was not sent everything as it is, and the stream did not begin anew since.
    pub is_spoiled: bool,
}

impl Stream {
    pub fn new(symbol: SymbolId, name: &str, channel: Channel, plan: ChaosPlan) -> Stream {
        let mut stream = Stream {
            symbol,
            channel,
            plan,
            dice: Xoshiro256PlusPlus::seed_from_u64(0),
            messages: 0,
            held: None,
            silence: Silence::Over,
            is_spoiled: false,
        };
        stream.begin(name, plan);
        stream
    }

    /// Begins anew. What waits goes on its way, as nobody knows when a next message comes to which something is done.
    pub fn begin(&mut self, name: &str, plan: ChaosPlan) {
        self.plan = plan;
        self.messages = 0;
        self.dice = Xoshiro256PlusPlus::seed_from_u64(plan.seed ^ hash(self.channel, name));
        self.silence = if plan.stall.is_zero() { Silence::Over } else { Silence::Due };
        self.loosen();
    }

    pub fn is_of(&self, symbol: SymbolId, channel: Channel) -> bool {
        self.symbol == symbol && self.channel == channel
    }

    /// What is to become of the next message, and a number that says what of it. Both are always drawn, so that no message's fate
    /// depends on those of others.
    pub fn roll(&mut self) -> (Fate, u64) {
        self.messages += 1;
        let (mut roll, pick) =
            ((self.dice.next_u64() % u64::from(Chance::CERTAIN)) as u32, self.dice.next_u64());
        let ChaosPlan { drop, repeat, reorder, corrupt, .. } = self.plan;
        let fates =
            [(Fate::Drop, drop), (Fate::Repeat, repeat), (Fate::Reorder, reorder), (Fate::Corrupt, corrupt)];
        for (fate, chance) in fates {
            match roll.checked_sub(chance.parts()) {
                None => return (fate, pick),
                Some(rest) => roll = rest,
            }
        }
        (Fate::Pass, pick)
    }

    /// Whether there were as many messages as there are to be.
    pub fn is_over(&self) -> bool {
        self.plan.disconnect_after > 0 && self.messages >= self.plan.disconnect_after
    }

    pub fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.bytes.len())
    }

    /// Appends what waits.
    pub fn let_go(&mut self, out: &mut Vec<u8>) {
        if let Some(held) = self.held.take() {
            out.extend_from_slice(&held.bytes);
        }
    }

    /// What waits is to wait no longer.
    pub fn loosen(&mut self) {
        if let Some(held) = &mut self.held {
            held.is_loose = true;
        }
    }

    pub fn is_loose(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.is_loose)
    }

    /// Whether the silence begins now.
    pub fn begins_silence(&mut self, now: Nanos) -> bool {
        let is_due = matches!(self.silence, Silence::Due);
        if is_due {
            self.silence = Silence::Until(now + self.plan.stall);
        }
        is_due
    }

    /// Until when it is silent, if it is.
    pub fn silent_until(&self) -> Option<Nanos> {
        if let Silence::Until(end) = self.silence { Some(end) } else { None }
    }

    /// Ends the silence if it is over.
    pub fn wake(&mut self, now: Nanos) {
        if self.silent_until().is_some_and(|end| end <= now) {
            self.silence = Silence::Over;
        }
    }
}

/// Sets the dice of several subscriptions with one seed apart (FNV-1a, the same everywhere).
fn hash(channel: Channel, symbol: &str) -> u64 {
    let text = channel.as_str().bytes().chain([b':']).chain(symbol.bytes());
    text.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}
