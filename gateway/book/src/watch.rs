//! What one exchange event changed in the views that somebody watches, without looking at what it did not touch.

use crate::{
    Ladder,
    levels::{Levels, rank},
};
use market::{Level, Price, Qty, Side};

/// What an exchange event did to a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventView {
    /// Nothing that can be seen at this depth; or the book is being written anew and does not stand yet.
    Unchanged,
    /// These levels changed.
    Changed,
    /// The book was written anew: the whole view is to be told.
    Reset,
}

/// The watched depths, and the levels that the present exchange event touched.
#[derive(Default)]
pub(crate) struct Watches {
    depths: Vec<Watch>,
    /// By [`Side::index`]. While the event is open in its order, after it best first and each level once.
    touched: [Vec<Touched>; 2],
}

struct Watch {
    depth: u32,
    watchers: usize,
    /// By [`Side::index`], the last price in view before the event, of the sides that it touched.
    bounds: [Option<Price>; 2],
}

#[derive(Clone, Copy)]
struct Touched {
    price: Price,
    before: Qty,
    now: Qty,
    order: u32,
}

impl Watches {
    pub fn watch(&mut self, depth: u32) {
        match self.depths.iter_mut().find(|watch| watch.depth == depth) {
            Some(watch) => watch.watchers += 1,
            None => self.depths.push(Watch { depth, watchers: 1, bounds: [None; 2] }),
        }
    }

    pub fn unwatch(&mut self, depth: u32) {
        let at = self.depths.iter().position(|watch| watch.depth == depth).expect("a watched depth");
        self.depths[at].watchers -= 1;
        if self.depths[at].watchers == 0 {
            self.depths.remove(at);
        }
    }

    /// An exchange event begins.
    pub fn begin(&mut self) {
        self.touched.iter_mut().for_each(Vec::clear);
    }

    /// A level of this side is about to change.
    pub fn before_change(&mut self, side: Side, levels: &Levels) {
        if self.touched[side.index()].is_empty() {
            for watch in &mut self.depths {
                watch.bounds[side.index()] = levels.bound(side, watch.depth);
            }
        }
    }

    /// A level changed.
    pub fn changed(&mut self, side: Side, price: Price, before: Qty, now: Qty) {
        if !self.depths.is_empty() {
            let touched = &mut self.touched[side.index()];
            touched.push(Touched { price, before, now, order: touched.len() as u32 });
        }
    }

    /// The exchange event has ended.
    pub fn end(&mut self) {
        for side in Side::BOTH {
            let touched = &mut self.touched[side.index()];
            if touched.len() > 1 {
                touched.sort_unstable_by_key(|touched| (rank(side, touched.price), touched.order));
                touched.dedup_by(|later, kept| {
                    let again = later.price == kept.price;
                    if again {
                        kept.now = later.now;
                    }
                    again
                });
            }
        }
    }

    /// What the event that has ended changed in the view at a watched depth.
    ///
    /// # Panics
    /// If the depth is not watched.
    pub fn changes(&self, levels: &Levels, depth: u32, out: &mut Ladder) -> EventView {
        out.clear();
        let watch = self.depths.iter().find(|watch| watch.depth == depth).expect("a watched depth");
        for side in Side::BOTH {
            let touched = &self.touched[side.index()];
            if !touched.is_empty() {
                let before = watch.bounds[side.index()];
                side_changes(levels, side, depth, before, touched, out.side_mut(side));
            }
        }
        if out.is_empty() { EventView::Unchanged } else { EventView::Changed }
    }
}

/// Up to the last price in view before, only what was touched can have changed; what is in view behind it now, touched or
/// not, has entered.
fn side_changes(
    levels: &Levels,
    side: Side,
    depth: u32,
    before: Option<Price>,
    touched: &[Touched],
    out: &mut Vec<Level>,
) {
    let is_within =
        |price, bound: Option<Price>| bound.is_none_or(|bound| rank(side, price) <= rank(side, bound));
    let now = levels.bound(side, depth);
    for level in touched.iter().take_while(|level| is_within(level.price, before)) {
        if level.now != level.before && (level.now.is_zero() || is_within(level.price, now)) {
            out.push(Level { price: level.price, qty: level.now });
        }
    }
    if let Some(before) = before {
        out.extend(levels.in_view_behind(side, depth, before));
    }
}
