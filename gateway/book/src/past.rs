//! What a book was at an earlier mark, and the difference of two marks: its present levels with the changes since
//! undone.

use crate::{
    Ladder,
    chunk::Change,
    levels::{Levels, limit, rank},
};
use market::{Level, Price, Qty, Seq, Side};
use std::cmp::Ordering;

/// A run of level changes boiled down to one for each level that was touched: the oldest, which tells what was there before
/// all of them. Bids first, each side best first.
pub(crate) struct Net {
    changes: Vec<Change>,
    /// By a hash of the place, where in `changes` it may already be. Nothing depends on a slot being right, so that they
    /// need no emptying: what it points at is compared.
    slots: Box<[u32; Net::SLOTS]>,
    /// At this length, repeated levels that the slots did not catch are boiled down, so that memory follows the number of
    /// levels, not of changes.
    boil_at: usize,
}

impl Default for Net {
    fn default() -> Net {
        Net { changes: Vec::new(), slots: Box::new([0; Net::SLOTS]), boil_at: Net::SLOTS }
    }
}

impl Net {
    const SLOT_BITS: u32 = 11;
    const SLOTS: usize = 1 << Net::SLOT_BITS;

    fn clear(&mut self) {
        self.changes.clear();
        self.boil_at = Net::SLOTS;
    }

    /// Takes the change before those that it has.
    fn push(&mut self, change: Change) {
        let slot = &mut self.slots[slot_of(&change)];
        match self.changes.get_mut(*slot as usize) {
            Some(newer) if place(newer) == place(&change) => *newer = change,
            _ => {
                *slot = self.changes.len() as u32;
                self.changes.push(change);
                if self.changes.len() == self.boil_at {
                    self.boil_down();
                    self.boil_at = Net::SLOTS.max(2 * self.changes.len());
                }
            }
        }
    }

    fn boil_down(&mut self) {
        self.changes.sort_unstable_by_key(|change| (place(change), change.seq));
        self.changes.dedup_by_key(|change| place(change));
    }

    fn side(&self, side: Side) -> &[Change] {
        let asks_from = self.changes.partition_point(|change| change.side == Side::Bid);
        match side {
            Side::Bid => &self.changes[..asks_from],
            Side::Ask => &self.changes[asks_from..],
        }
    }
}

fn place(change: &Change) -> (usize, i64) {
    (change.side.index(), rank(change.side, change.price))
}

/// Multiplicative hashing by the golden ratio: neighbouring prices get slots far apart.
fn slot_of(change: &Change) -> usize {
    let key = ((change.price.0 as u64) << 1) ^ change.side.index() as u64;
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - Net::SLOT_BITS)) as usize
}

/// A book and what has to be undone to see it at two marks, `from` and then `to`.
pub(crate) struct Past<'a> {
    levels: &'a Levels,
    /// What happened after `to`.
    later: &'a Net,
    /// What happened after `from`, up to `to`.
    within: &'a Net,
}

/// A level at two moments; a quantity of zero means that it did not exist.
struct Step {
    price: Price,
    from: Qty,
    to: Qty,
    /// Whether it was touched in between.
    touched: bool,
}

impl<'a> Past<'a> {
    /// Takes the changes after `from`, newest first, and the room for working with them.
    pub fn new(
        levels: &'a Levels,
        changes_back: impl Iterator<Item = Change>,
        to: Seq,
        [later, within]: &'a mut [Net; 2],
    ) -> Past<'a> {
        later.clear();
        within.clear();
        for change in changes_back {
            if change.seq > to { later.push(change) } else { within.push(change) }
        }
        later.boil_down();
        within.boil_down();
        Past { levels, later, within }
    }

    /// The view at `to`.
    pub fn view(&self, depth: u32, out: &mut Ladder) {
        out.clear();
        for side in Side::BOTH {
            out.side_mut(side).extend(self.levels_to(side).take(limit(depth)));
        }
    }

    /// The net difference of the views at `from` and at `to`.
    pub fn changes(&self, depth: u32, out: &mut Ladder) {
        out.clear();
        for side in Side::BOTH {
            let out = out.side_mut(side);
            if depth == 0 {
                let moved = self.touched(side).filter(|step| step.from != step.to);
                out.extend(moved.map(|step| Level { price: step.price, qty: step.to }));
            } else {
                self.changes_in_view(side, limit(depth), out);
            }
        }
    }

    /// What makes the view at `to` of the view at any mark from `from` to `to`.
    pub fn catch_up(&self, depth: u32, out: &mut Ladder) {
        out.clear();
        for side in Side::BOTH {
            let out = out.side_mut(side);
            if depth == 0 {
                out.extend(self.touched(side).map(|step| Level { price: step.price, qty: step.to }));
            } else {
                self.catch_up_in_view(side, limit(depth), out);
            }
        }
    }

    fn changes_in_view(&self, side: Side, depth: usize, out: &mut Vec<Level>) {
        let (mut seen_from, mut seen_to) = (0, 0);
        for step in self.steps(side) {
            if seen_from >= depth && seen_to >= depth {
                break;
            }
            let was_in_view = !step.from.is_zero() && seen_from < depth;
            let is_in_view = !step.to.is_zero() && seen_to < depth;
            seen_from += usize::from(!step.from.is_zero());
            seen_to += usize::from(!step.to.is_zero());
            let named = if is_in_view {
                !was_in_view || step.from != step.to
            } else {
                // Not one that still exists and was only pushed out: the client cuts it.
                was_in_view && step.to.is_zero()
            };
            if named {
                out.push(Level { price: step.price, qty: step.to });
            }
        }
    }

    fn catch_up_in_view(&self, side: Side, depth: usize, out: &mut Vec<Level>) {
        let mut seen = 0;
        for step in self.steps(side) {
            if !step.to.is_zero() {
                seen += 1;
            } else if !step.touched {
                continue;
            }
            out.push(Level { price: step.price, qty: step.to });
            if seen == depth {
                let last = rank(side, step.price);
                let gone =
                    self.touched(side).filter(|step| rank(side, step.price) > last && step.to.is_zero());
                out.extend(gone.map(|step| Level { price: step.price, qty: step.to }));
                break;
            }
        }
    }

    /// The levels of a side that were touched between `from` and `to`, best first.
    fn touched(&self, side: Side) -> impl Iterator<Item = Step> + '_ {
        let later = self.later.side(side);
        self.within.side(side).iter().map(move |change| {
            let to = match later.binary_search_by_key(&place(change), place) {
                Ok(at) => later[at].before,
                Err(_) => self.levels.qty_at(side, change.price),
            };
            Step { price: change.price, from: change.before, to, touched: true }
        })
    }

    /// The levels of a side at `to`, best first.
    fn levels_to(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        undo(side, self.levels.iter(side), self.later.side(side))
            .map(|step| Level { price: step.price, qty: step.from })
            .filter(|level| !level.qty.is_zero())
    }

    /// The levels of a side that existed at `from` or at `to` or were touched in between, best first.
    fn steps(&self, side: Side) -> impl Iterator<Item = Step> + '_ {
        undo(side, self.levels_to(side), self.within.side(side))
    }
}

/// Lays the changes over the levels that came of them, both best first.
fn undo<'a>(
    side: Side,
    levels: impl Iterator<Item = Level> + 'a,
    changes: &'a [Change],
) -> impl Iterator<Item = Step> + 'a {
    let mut levels = levels.peekable();
    let mut changes = changes.iter().peekable();
    std::iter::from_fn(move || {
        let nearest = match (levels.peek(), changes.peek()) {
            (Some(level), Some(change)) => rank(side, level.price).cmp(&rank(side, change.price)),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let level = if nearest.is_le() { levels.next() } else { None };
        let change = if nearest.is_ge() { changes.next() } else { None };
        let to = level.map_or(Qty::ZERO, |level| level.qty);
        let price = level.map(|level| level.price).or(change.map(|change| change.price))?;
        Some(Step { price, from: change.map_or(to, |change| change.before), to, touched: change.is_some() })
    })
}
