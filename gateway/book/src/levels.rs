//! The present levels of a book: two sorted vectors with the best level at the end, where most changes happen and
//! where they are cheap.

use crate::checksum::{Digits, Text, counted};
use market::{Level, Price, Qty, Side};

/// How many levels a depth lets through; a depth of 0 lets all.
pub(crate) fn limit(depth: u32) -> usize {
    if depth == 0 { usize::MAX } else { depth as usize }
}

/// Orders the prices of a side: the lower the rank, the nearer to the top.
pub(crate) fn rank(side: Side, price: Price) -> i64 {
    match side {
        // The complement turns the order around, and unlike the negation it cannot overflow.
        Side::Bid => !price.0,
        Side::Ask => price.0,
    }
}

/// The levels of both sides as they are now.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    /// By [`Side::index`].
    sides: [Vec<Level>; 2],
    /// Of each level, its digits for the checksum.
    texts: [Vec<Text>; 2],
}

impl Levels {
    /// Empties both sides.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Vec::clear);
        self.texts.iter_mut().for_each(Vec::clear);
    }

    /// The number of levels of a side.
    pub fn len(&self, side: Side) -> usize {
        self.sides[side.index()].len()
    }

    /// The levels of a side, best first.
    pub fn iter(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.sides[side.index()].iter().rev().copied()
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.sides[side.index()].last().copied()
    }

    /// The last price in view at `depth`; `None` while the side has no level beyond the view.
    ///
    /// A side that ends exactly at the depth has a last price: what comes behind it is out of view.
    pub(crate) fn bound(&self, side: Side, depth: u32) -> Option<Price> {
        let levels = &self.sides[side.index()];
        if depth == 0 {
            return None;
        }
        Some(levels[levels.len().checked_sub(depth as usize)?].price)
    }

    /// The levels in view at `depth` that stand behind `price`, best first.
    pub(crate) fn in_view_behind(
        &self,
        side: Side,
        depth: u32,
        price: Price,
    ) -> impl Iterator<Item = Level> + '_ {
        let levels = &self.sides[side.index()];
        let view = &levels[levels.len().saturating_sub(limit(depth))..];
        let behind = view.iter().take_while(|level| rank(side, level.price) > rank(side, price)).count();
        view[..behind].iter().rev().copied()
    }

    /// The quantity at a price; zero where there is no level.
    pub fn qty_at(&self, side: Side, price: Price) -> Qty {
        match find(side, &self.sides[side.index()], price) {
            Ok(at) => self.sides[side.index()][at].qty,
            Err(_) => Qty::ZERO,
        }
    }

    /// Sets the quantity at a price and returns what was there before.
    #[inline(always)]
    pub fn set(&mut self, side: Side, price: Price, qty: Qty) -> Qty {
        let (levels, texts) = (&mut self.sides[side.index()], &mut self.texts[side.index()]);
        match find(side, levels, price) {
            Ok(at) if qty.is_zero() => {
                texts.remove(at);
                levels.remove(at).qty
            }
            Ok(at) => {
                texts[at] = Text::default();
                std::mem::replace(&mut levels[at].qty, qty)
            }
            Err(_) if qty.is_zero() => Qty::ZERO,
            Err(at) => {
                texts.insert(at, Text::default());
                levels.insert(at, Level { price, qty });
                Qty::ZERO
            }
        }
    }

    /// See [`crate::Ladder::checksum`].
    pub fn checksum(&mut self, depth: u32) -> u32 {
        let mut digits = Digits::new();
        for side in [Side::Ask, Side::Bid] {
            let (levels, texts) = (&self.sides[side.index()], &mut self.texts[side.index()]);
            let from = levels.len().saturating_sub(counted(depth));
            for (level, text) in levels[from..].iter().zip(&mut texts[from..]).rev() {
                digits.push_known(*level, text);
            }
        }
        digits.finish()
    }

    /// Replaces a side by levels that come best first.
    pub fn replace(&mut self, side: Side, best_first: &[Level]) {
        let levels = &mut self.sides[side.index()];
        levels.clear();
        levels.extend(best_first.iter().rev());
        let texts = &mut self.texts[side.index()];
        texts.clear();
        texts.resize(levels.len(), Text::default());
    }
}

/// Where a price is (`Ok`), or would have to be inserted (`Err`).
fn find(side: Side, levels: &[Level], price: Price) -> Result<usize, usize> {
    /// From the top, this many levels are tried one by one before the rest is halved: a change is seldom deeper.
    const NEAR: usize = 12;

    let wanted = rank(side, price);
    let near = levels.len().saturating_sub(NEAR);
    for (at, level) in levels.iter().enumerate().skip(near).rev() {
        let here = rank(side, level.price);
        if here >= wanted {
            return if here == wanted { Ok(at) } else { Err(at + 1) };
        }
    }
    levels[..near].binary_search_by(|level| wanted.cmp(&rank(side, level.price)))
}
