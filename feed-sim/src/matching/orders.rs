//! Open orders in one block of memory: slots are used again, and the orders at a price are a chain of slots.

use market::{Price, Side};

/// An open order's slot. Given to another order once this one is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OrderId(u32);

impl OrderId {
    /// The end of a chain.
    pub const NONE: OrderId = OrderId(u32::MAX);

    fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone)]
pub(super) struct Order {
    pub price: Price,
    pub qty: u64,
    /// The orders before and behind it at its price.
    pub before: OrderId,
    pub behind: OrderId,
    /// Its place among the open orders.
    place: u32,
    pub side: Side,
}

impl Order {
    pub fn new(side: Side, price: Price, qty: u64) -> Order {
        Order { price, qty, before: OrderId::NONE, behind: OrderId::NONE, place: 0, side }
    }
}

#[derive(Debug, Default)]
pub(super) struct Orders {
    slots: Vec<Order>,
    free: Vec<OrderId>,
    open: Vec<OrderId>,
}

impl Orders {
    pub fn insert(&mut self, mut order: Order) -> OrderId {
        order.place = self.open.len() as u32;
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id.index()] = order;
                id
            }
            None => {
                self.slots.push(order);
                OrderId(self.slots.len() as u32 - 1)
            }
        };
        self.open.push(id);
        id
    }

    /// Gives the slot back. The chain is the ladder's to mend.
    pub fn remove(&mut self, id: OrderId) -> Order {
        let order = self[id].clone();
        self.open.swap_remove(order.place as usize);
        if let Some(&moved) = self.open.get(order.place as usize) {
            self[moved].place = order.place;
        }
        self.free.push(id);
        order
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    pub fn nth(&self, n: usize) -> OrderId {
        self.open[n]
    }
}

impl std::ops::Index<OrderId> for Orders {
    type Output = Order;

    fn index(&self, id: OrderId) -> &Order {
        &self.slots[id.index()]
    }
}

impl std::ops::IndexMut<OrderId> for Orders {
    fn index_mut(&mut self, id: OrderId) -> &mut Order {
        &mut self.slots[id.index()]
    }
}
