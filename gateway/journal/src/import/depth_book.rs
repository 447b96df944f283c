//! One market's book as the venue keeps it for a subscription: cut to a depth, proven by a checksum of its best levels.

use market::{Event, Instrument, Price, Qty, Side, push_digits, push_fixed, push_unsigned_fixed};
use std::collections::BTreeMap;

/// How a venue writes the levels that its checksum covers. Digits are those that it sent: a price of `5.10` is not `5.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checksum {
    /// The ten best asks, then bids: price and quantity of each, without the point and without leading zeros (Kraken's guide
    /// "Calculate book checksum", v1).
    Digits,
    /// `bid:quantity:ask:quantity:…` of the 25 best levels of both sides in turn, all that there are where one side has fewer
    /// (OKX "Checksum", Bitget "Checksum").
    Pairs,
}

/// The best levels of each side.
pub(super) struct DepthBook {
    depth: usize,
    decimals: Written,
    sides: [BTreeMap<Price, Level>; 2],
    text: Vec<u8>,
}

/// Digits behind the point, of a price and a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub price: u8,
    pub qty: u8,
}

struct Level {
    qty: Qty,
    written: Written,
}

impl DepthBook {
    /// An empty book, to be cut to so many levels a side.
    pub fn new(depth: usize, instrument: &Instrument) -> DepthBook {
        let decimals = Written { price: instrument.price_decimals, qty: instrument.qty_decimals };
        DepthBook { depth, decimals, sides: Default::default(), text: Vec::new() }
    }

    /// Applies the levels in `out` from `begin` on, which were written as `written` says, and appends the removal of those
    /// that fall out of the depth by that.
    pub fn apply(&mut self, begin: usize, written: &[Written], out: &mut Vec<Event>) {
        for (event, &written) in out[begin..].iter().zip(written) {
            let levels = &mut self.sides[event.side.index()];
            if event.qty.is_zero() {
                levels.remove(&event.price);
            } else {
                levels.insert(event.price, Level { qty: event.qty, written });
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

    /// CRC32 of the best levels.
    pub fn checksum(&mut self, rule: Checksum) -> u32 {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        match rule {
            Checksum::Digits => self.push_digits(&mut text),
            Checksum::Pairs => self.push_pairs(&mut text),
        }
        self.text = text;
        crc32fast::hash(&self.text)
    }

    fn push_digits(&self, text: &mut Vec<u8>) {
        let [bids, asks] = &self.sides;
        for (&price, level) in asks.iter().take(10).chain(bids.iter().rev().take(10)) {
            let (price, qty) = self.as_written(price, level);
            push_digits(text, price.unsigned_abs());
            push_digits(text, qty);
        }
    }

    fn push_pairs(&self, text: &mut Vec<u8>) {
        let [bids, asks] = &self.sides;
        let (mut bids, mut asks) = (bids.iter().rev().take(25), asks.iter().take(25));
        loop {
            let turn = [bids.next(), asks.next()];
            if turn.iter().all(Option::is_none) {
                break;
            }
            for (&price, level) in turn.into_iter().flatten() {
                if !text.is_empty() {
                    text.push(b':');
                }
                let (price, qty) = self.as_written(price, level);
                push_fixed(text, price, level.written.price);
                text.push(b':');
                push_unsigned_fixed(text, qty, level.written.qty);
            }
        }
    }

    /// A level's mantissas in the digits that were written.
    fn as_written(&self, price: Price, level: &Level) -> (i64, u64) {
        let price_zeros = self.decimals.price.saturating_sub(level.written.price);
        let qty_zeros = self.decimals.qty.saturating_sub(level.written.qty);
        (price.0 / 10_i64.pow(price_zeros.into()), level.qty.0 / 10_u64.pow(qty_zeros.into()))
    }
}
