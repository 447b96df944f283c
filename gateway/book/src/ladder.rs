//! The levels of both sides, best first: a view of a book, or a set of changes to one.

use crate::{
    checksum::checksum,
    levels::{limit, rank},
};
use market::{Level, Side};

/// Levels of both sides, **best first**: bids descending, asks ascending, each price at most once.
///
/// As a view, what a client sees of a book at some depth. As changes, what [`Ladder::apply`] takes: absolute quantities,
/// where zero means that the level is gone.
///
/// ```
/// use book::Ladder;
/// use market::{Level, Price, Qty};
/// let level = |price, qty| Level { price: Price(price), qty: Qty(qty) };
/// let mut view = Ladder { bids: vec![level(100, 5), level(99, 7)], asks: vec![level(101, 3)] };
/// view.apply(&Ladder { bids: vec![level(100, 0), level(98, 1)], asks: vec![level(101, 4)] });
/// view.cut(1);
/// assert_eq!(view, Ladder { bids: vec![level(99, 7)], asks: vec![level(101, 4)] });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ladder {
    /// Buyers, highest price first.
    pub bids: Vec<Level>,
    /// Sellers, lowest price first.
    pub asks: Vec<Level>,
}

impl Ladder {
    /// Whether there is nothing on either side.
    pub fn is_empty(&self) -> bool {
        self.bids.is_empty() && self.asks.is_empty()
    }

    /// Empties both sides and keeps their room.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// The levels of a side.
    pub fn side(&self, side: Side) -> &[Level] {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }

    /// Keeps the best `depth` levels of each side; all of them if `depth` is 0.
    pub fn cut(&mut self, depth: u32) {
        self.bids.truncate(limit(depth));
        self.asks.truncate(limit(depth));
    }

    /// What a client does with an update: each level is set to its new quantity, or removed where that is zero. The
    /// order of the changes does not matter. The client cuts to its depth afterwards.
    pub fn apply(&mut self, changes: &Ladder) {
        for side in Side::BOTH {
            for &change in changes.side(side) {
                set(side, self.side_mut(side), change);
            }
        }
    }

    /// The checksum of the best `depth` levels a side (all if `depth` is 0, but never more than 100): CRC-32 (IEEE) of
    /// the asks, then the bids, best first, of each the digits of the price and then of the quantity in the
    /// instrument's decimals, without the point and without leading zeros. At depth 10 it is the checksum of Kraken's
    /// `book` channel.
    ///
    /// A negative price keeps its minus sign; a price of zero is the digit 0.
    pub fn checksum(&self, depth: u32) -> u32 {
        checksum(depth, self.asks.iter().copied(), self.bids.iter().copied())
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut Vec<Level> {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }
}

fn set(side: Side, levels: &mut Vec<Level>, change: Level) {
    let wanted = rank(side, change.price);
    match levels.binary_search_by_key(&wanted, |level| rank(side, level.price)) {
        Ok(at) if change.qty.is_zero() => drop(levels.remove(at)),
        Ok(at) => levels[at] = change,
        Err(_) if change.qty.is_zero() => {}
        Err(at) => levels.insert(at, change),
    }
}
