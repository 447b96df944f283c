//! One side of a matching book: levels sorted by price, each a queue of orders.
//!
//! The best level stands at the end of a flat array: nearly all that happens, happens there, and moves nothing.

use super::orders::{Order, OrderId, Orders};
use market::{Level, Price, Qty, Side};

#[derive(Debug)]
pub(super) struct Ladder {
    side: Side,
    /// The worst first.
    levels: Vec<Queue>,
    orders: usize,
    volume: u64,
}

/// The orders at one price, the oldest first.
#[derive(Debug)]
struct Queue {
    price: Price,
    qty: u64,
    first: OrderId,
    last: OrderId,
}

impl Queue {
    fn level(&self) -> Level {
        Level { price: self.price, qty: Qty(self.qty) }
    }
}

impl Ladder {
    pub fn new(side: Side) -> Ladder {
        Ladder { side, levels: Vec::new(), orders: 0, volume: 0 }
    }

    pub fn orders(&self) -> usize {
        self.orders
    }

    pub fn volume(&self) -> u64 {
        self.volume
    }

    pub fn best(&self) -> Option<Level> {
        self.levels.last().map(Queue::level)
    }

    pub fn levels(&self) -> impl Iterator<Item = Level> {
        self.levels.iter().rev().map(Queue::level)
    }

    pub fn qty_at(&self, price: Price) -> Qty {
        Qty(self.find(price).map_or(0, |at| self.levels[at].qty))
    }

    /// Puts an order behind all others at its price; returns the quantity there.
    pub fn append(&mut self, id: OrderId, orders: &mut Orders) -> Qty {
        let Order { price, qty, .. } = orders[id];
        self.orders += 1;
        self.volume += qty;
        let at = match self.find(price) {
            Ok(at) => at,
            Err(at) => {
                self.levels.insert(at, Queue { price, qty: 0, first: OrderId::NONE, last: OrderId::NONE });
                at
            }
        };
        let queue = &mut self.levels[at];
        match queue.last {
            OrderId::NONE => queue.first = id,
            last => orders[last].behind = id,
        }
        orders[id].before = queue.last;
        queue.last = id;
        queue.qty += qty;
        Qty(queue.qty)
    }

    /// Mends the queue that `order` has left; returns the quantity that remains at its price.
    pub fn remove(&mut self, order: &Order, orders: &mut Orders) -> Qty {
        let at = self.find(order.price).expect("an open order stands at a level");
        self.orders -= 1;
        self.volume -= order.qty;
        let queue = &mut self.levels[at];
        match order.before {
            OrderId::NONE => queue.first = order.behind,
            before => orders[before].behind = order.behind,
        }
        match order.behind {
            OrderId::NONE => queue.last = order.before,
            behind => orders[behind].before = order.before,
        }
        queue.qty -= order.qty;
        let left = Qty(queue.qty);
        if left.is_zero() {
            self.levels.remove(at);
        }
        left
    }

    /// What the first order of the best level is for.
    pub fn first_qty(&self, orders: &Orders) -> u64 {
        self.levels.last().map_or(0, |queue| orders[queue.first].qty)
    }

    /// Executes the first order of the best level, at most `qty` of it; returns how much. An order that is done leaves, and
    /// with the last one its level.
    pub fn fill_first(&mut self, qty: u64, orders: &mut Orders) -> u64 {
        let Some(queue) = self.levels.last_mut() else { return 0 };
        let order = &mut orders[queue.first];
        let fill = order.qty.min(qty);
        order.qty -= fill;
        queue.qty -= fill;
        self.volume -= fill;
        if order.qty == 0 {
            let done = orders.remove(queue.first);
            self.orders -= 1;
            queue.first = done.behind;
            match done.behind {
                OrderId::NONE => _ = self.levels.pop(),
                behind => orders[behind].before = OrderId::NONE,
            }
        }
        fill
    }

    /// Where `price` stands, or where it would.
    fn find(&self, price: Price) -> Result<usize, usize> {
        let at = self.levels.partition_point(|queue| self.side.is_better(price, queue.price));
        match self.levels.get(at) {
            Some(queue) if queue.price == price => Ok(at),
            _ => Err(at),
        }
    }
}
