//! One market's book as the venue keeps it for a subscription: cut to a depth, proven by a checksum.

use market::{Event, Price, Qty, Side, push_digits};
use std::collections::BTreeMap;

/// Levels a side that the checksum covers.
const CHECKED: usize = 10;

/// The best `depth` levels of each side.
pub(super) struct DepthBook {
    depth: usize,
    sides: [BTreeMap<Price, Qty>; 2],
    text: Vec<u8>,
}

impl DepthBook {
    pub fn new(depth: usize) -> DepthBook {
        DepthBook { depth, sides: Default::default(), text: Vec::new() }
    }

    /// Applies the levels in `out` from `begin` on, and appends the removal of those that fall out of the depth by that.
    pub fn apply(&mut self, begin: usize, out: &mut Vec<Event>) {
        for event in &out[begin..] {
            let levels = &mut self.sides[event.side.index()];
            if event.qty.is_zero() {
                levels.remove(&event.price);
            } else {
                levels.insert(event.price, event.qty);
            }
        }
        let Some(&pattern) = out[begin..].last() else { return };
        for side in Side::BOTH {
            let levels = &mut self.sides[side.index()];
            while levels.len() > self.depth {
                let worst = if side == Side::Bid { levels.pop_first() } else { levels.pop_last() };
                out.extend(worst.map(|(price, _)| Event { side, price, qty: Qty::ZERO, ..pattern }));
            }
        }
    }

    /// CRC32 of the ten best asks, then bids: price and quantity of each, without the point and without leading zeros, with
    /// the digits as the venue writes them (its guide "Calculate book checksum", v1).
    pub fn checksum(&mut self) -> u32 {
        let [bids, asks] = &self.sides;
        let levels = asks.iter().take(CHECKED).chain(bids.iter().rev().take(CHECKED));
        self.text.clear();
        for (price, qty) in levels {
            push_digits(&mut self.text, price.0.unsigned_abs());
            push_digits(&mut self.text, qty.0);
        }
        crc32fast::hash(&self.text)
    }
}
