//! Prices, quantities, sides, sequence numbers.

use std::{fmt, str::FromStr};

/// A price as an integer mantissa in its instrument's own price decimals: with 2 decimals, `Price(6165970)` is
/// 61659.70. May be negative (spreads, power, oil).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(pub i64);

/// A quantity as an integer mantissa in its instrument's own quantity decimals. Zero means that a level is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qty(pub u64);

impl Qty {
    /// No quantity: the level does not exist.
    pub const ZERO: Qty = Qty(0);

    /// Whether there is nothing at this level.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// One price level of one side of a book. As part of a change, a quantity of zero removes the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    /// Where.
    pub price: Price,
    /// How much, all orders together.
    pub qty: Qty,
}

/// A side of the book; for a trade, the side of its aggressor (a bid is a buy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Buyers; the best bid is the highest.
    Bid,
    /// Sellers; the best ask is the lowest.
    Ask,
}

impl Side {
    /// Both sides, bids first.
    pub const BOTH: [Side; 2] = [Side::Bid, Side::Ask];

    /// The other side.
    pub fn opposite(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }

    /// Whether `a` is nearer to the top of this side's book than `b`.
    pub fn is_better(self, a: Price, b: Price) -> bool {
        match self {
            Side::Bid => a > b,
            Side::Ask => a < b,
        }
    }

    /// 0 for bids, 1 for asks: to index a pair of things kept by side.
    pub fn index(self) -> usize {
        match self {
            Side::Bid => 0,
            Side::Ask => 1,
        }
    }
}

/// The number of a level change or a trade: per symbol, dense within an [`Epoch`], from 1. Zero is "before the first".
pub type Seq = u64;

/// Names one unbroken numbering of the whole feed. Written as 16 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// An epoch, and what dialects whose numbers count on over all epochs add to its seqs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// Which.
    pub epoch: Epoch,
    /// Larger than the id of any number of an earlier epoch: the microsecond since 1970 at which this one began, or more. No feed
    /// numbers a million events a second of one symbol for as long as a gateway runs.
    pub base: u64,
}

impl Ids {
    /// The base of an epoch is so much larger than the largest id of the one before it, at least.
    pub const APART: u64 = 4;

    /// What to count from for an id that lies behind those of earlier epochs and before those of this one: two more are free.
    pub fn between(self) -> u64 {
        self.base.saturating_sub(Ids::APART - 1)
    }

    /// The id of a number: it grows over restarts, and a float of 64 bits holds it.
    pub fn of(self, seq: Seq) -> u64 {
        self.base + seq
    }

    /// The number of an id of this epoch.
    pub fn seq(self, id: u64) -> Option<Seq> {
        id.checked_sub(self.base)
    }
}

impl From<Epoch> for Ids {
    /// Ids that are the numbers themselves.
    fn from(epoch: Epoch) -> Ids {
        Ids { epoch, base: 0 }
    }
}

/// A text that is not an epoch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an epoch is 16 lower-case hex digits")]
pub struct EpochError;

impl FromStr for Epoch {
    type Err = EpochError;

    fn from_str(text: &str) -> Result<Self, EpochError> {
        let plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(EpochError);
        }
        u64::from_str_radix(text, 16).map(Epoch).map_err(|_| EpochError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_sixteen_hex_digits() {
        assert_eq!(Epoch(0x9c41).to_string(), "0000000000009c41");
        assert_eq!("9c41d7e0a25b7f3a".parse(), Ok(Epoch(0x9c41_d7e0_a25b_7f3a)));
        for bad in
            ["", "9c41", "9C41d7e0a25b7f3a", "+c41d7e0a25b7f3a", "9c41d7e0a25b7f3a0", "9c41d7e0a25b7f3g"]
        {
            assert_eq!(bad.parse::<Epoch>(), Err(EpochError), "{bad}");
        }
    }

    #[test]
    fn better_means_nearer_to_the_top() {
        assert!(Side::Bid.is_better(Price(2), Price(1)));
        assert!(Side::Ask.is_better(Price(1), Price(2)));
        assert!(!Side::Ask.is_better(Price(1), Price(1)));
    }
}
