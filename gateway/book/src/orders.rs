//! A book by order, and what it comes to by price level: the step from L3 to L2.
//!
//! Knows nothing of time priority: which order comes first at a price changes no level.

use crate::Levels;
use market::{Level, Price, Qty, Side};
use std::collections::{BTreeMap, HashMap};

/// The resting orders of one book, by the venue's order ids.
///
/// Changes add up until [`Orders::take_changes`] tells them level by level, net: an order that came and went between two calls
/// leaves no trace.
///
/// ```
/// use book::Orders;
/// use market::{Level, Price, Qty, Side};
/// let mut orders = Orders::default();
/// orders.add(7, Side::Bid, Price(100), Qty(5))?;
/// orders.add(8, Side::Bid, Price(100), Qty(2))?;
/// orders.reduce(7, Qty(1))?;
/// let changes: Vec<_> = orders.take_changes().collect();
/// assert_eq!(changes, [(Side::Bid, Level { price: Price(100), qty: Qty(6) })]);
/// # Ok::<(), book::OrderError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Orders {
    by_id: HashMap<u64, Order>,
    levels: Levels,
    /// By [`Side::index`], the quantity that each level which was touched since the last call of [`Orders::take_changes`] had
    /// then.
    before: [BTreeMap<Price, Qty>; 2],
}

#[derive(Debug, Clone, Copy)]
struct Order {
    side: Side,
    price: Price,
    qty: Qty,
}

/// Why an order cannot be what the venue says. Nothing has changed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// No order has this id.
    #[error("there is no order {0}")]
    Unknown(u64),
    /// An order that rests has this id.
    #[error("order {0} is there already")]
    Taken(u64),
    /// An order is reduced by more than is left of it.
    #[error("order {0} has less than what is taken from it")]
    TooMuch(u64),
    /// The quantities of a level do not fit into 64 bits.
    #[error("the quantities at the price of order {0} are too large together")]
    TooLarge(u64),
}

impl Orders {
    /// How many orders rest.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// What the orders come to now.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// A new order rests. One of no quantity is none.
    ///
    /// # Errors
    /// If the id is taken, or the level becomes too large.
    pub fn add(&mut self, id: u64, side: Side, price: Price, qty: Qty) -> Result<(), OrderError> {
        if self.by_id.contains_key(&id) {
            return Err(OrderError::Taken(id));
        }
        if qty.is_zero() {
            return Ok(());
        }
        let level = self.levels.qty_at(side, price).0.checked_add(qty.0).ok_or(OrderError::TooLarge(id))?;
        self.set_level(side, price, Qty(level));
        self.by_id.insert(id, Order { side, price, qty });
        Ok(())
    }

    /// The order has this price and this quantity from now on; it is gone if that is zero.
    ///
    /// # Errors
    /// If there is no such order, or the level becomes too large.
    pub fn modify(&mut self, id: u64, price: Price, qty: Qty) -> Result<(), OrderError> {
        let order = *self.by_id.get(&id).ok_or(OrderError::Unknown(id))?;
        self.reduce(id, order.qty)?;
        let moved = self.add(id, order.side, price, qty);
        if moved.is_err() {
            self.add(id, order.side, order.price, order.qty)?;
        }
        moved
    }

    /// A part of the order, or all of it, was cancelled or filled.
    ///
    /// # Errors
    /// If there is no such order, or less of it.
    pub fn reduce(&mut self, id: u64, by: Qty) -> Result<(), OrderError> {
        let order = self.by_id.get_mut(&id).ok_or(OrderError::Unknown(id))?;
        order.qty = Qty(order.qty.0.checked_sub(by.0).ok_or(OrderError::TooMuch(id))?);
        let Order { side, price, qty } = *order;
        if qty.is_zero() {
            self.by_id.remove(&id);
        }
        // A level holds the quantities of all its orders.
        let level = Qty(self.levels.qty_at(side, price).0 - by.0);
        self.set_level(side, price, level);
        Ok(())
    }

    /// No order rests any more.
    pub fn clear(&mut self) {
        Side::BOTH.into_iter().for_each(|side| self.clear_side(side));
    }

    /// No order of `side` rests any more.
    pub fn clear_side(&mut self, side: Side) {
        self.by_id.retain(|_, order| order.side != side);
        let gone: Vec<Level> = self.levels.iter(side).collect();
        for level in gone.iter().rev() {
            self.set_level(side, level.price, Qty::ZERO);
        }
    }

    /// The levels whose quantity differs from that at the last call, with what they hold now: zero where a level is gone. By side, prices
    /// ascending.
    pub fn take_changes(&mut self) -> impl Iterator<Item = (Side, Level)> + '_ {
        let [bids, asks] = std::mem::take(&mut self.before);
        let of = |side| move |(price, before)| (side, price, before);
        let touched = bids.into_iter().map(of(Side::Bid)).chain(asks.into_iter().map(of(Side::Ask)));
        touched.filter_map(|(side, price, before)| {
            let qty = self.levels.qty_at(side, price);
            (qty != before).then_some((side, Level { price, qty }))
        })
    }

    fn set_level(&mut self, side: Side, price: Price, qty: Qty) {
        let before = self.levels.set(side, price, qty);
        self.before[side.index()].entry(price).or_insert(before);
    }
}
