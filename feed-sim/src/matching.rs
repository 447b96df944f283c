//! The matching engine: an order book with price-time priority. It knows nothing of time, of numbers on events or of who
//! trades.

mod ladder;
#[cfg(test)]
mod model;
mod orders;

use ladder::Ladder;
use market::{Level, Price, Qty, Side};
pub(crate) use orders::OrderId;
use orders::{Order, Orders};

/// What an order did to the book, for the market to see. Reused from order to order, so that matching does not allocate.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// In the order of execution.
    pub trades: Vec<Trade>,
    /// Levels with their new quantity, each at most once.
    pub levels: Vec<(Side, Level)>,
}

/// An execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trade {
    /// Of the order that came later; in an auction, where none did, a bid.
    pub aggressor: Side,
    pub price: Price,
    pub qty: Qty,
}

impl Outcome {
    pub fn clear(&mut self) {
        self.trades.clear();
        self.levels.clear();
    }
}

/// The open orders of one instrument.
#[derive(Debug)]
pub(crate) struct Book {
    ladders: [Ladder; 2],
    orders: Orders,
}

impl Book {
    pub fn new() -> Book {
        Book { ladders: Side::BOTH.map(Ladder::new), orders: Orders::default() }
    }

    /// A limit order: executes what it can at `price` or better, the rest is left open under the id that is returned.
    pub fn limit(&mut self, side: Side, price: Price, qty: Qty, outcome: &mut Outcome) -> Option<OrderId> {
        let rest = self.execute(side, Some(price), qty.0, outcome);
        (rest > 0).then(|| self.rest(side, price, Qty(rest), outcome))
    }

    /// A market order: executes what it can at any price, the rest lapses.
    pub fn market(&mut self, side: Side, qty: Qty, outcome: &mut Outcome) {
        self.execute(side, None, qty.0, outcome);
    }

    /// Takes an open order out of the book.
    pub fn cancel(&mut self, id: OrderId, outcome: &mut Outcome) {
        let order = self.orders.remove(id);
        let qty = self.ladders[order.side.index()].remove(&order, &mut self.orders);
        outcome.levels.push((order.side, Level { price: order.price, qty }));
    }

    /// Leaves an order open without matching it, behind all others at its price: how orders wait for an auction.
    pub fn rest(&mut self, side: Side, price: Price, qty: Qty, outcome: &mut Outcome) -> OrderId {
        let id = self.orders.insert(Order::new(side, price, qty.0));
        let qty = self.ladders[side.index()].append(id, &mut self.orders);
        outcome.levels.push((side, Level { price, qty }));
        id
    }

    /// The auction: executes all that can be at one price, the one at which the most trades and which leaves nobody
    /// with a better price out.
    pub fn uncross(&mut self, outcome: &mut Outcome) {
        let mut last_pair = None;
        while let (Some(bid), Some(ask)) = (self.best(Side::Bid), self.best(Side::Ask))
            && bid.price >= ask.price
        {
            self.execute_pair(&mut outcome.trades);
            last_pair = Some((bid.price, ask.price));
            for (side, level) in [(Side::Bid, bid), (Side::Ask, ask)] {
                note(&mut outcome.levels, side, Level { qty: self.qty_at(side, level.price), ..level });
            }
        }
        if let Some(pair) = last_pair {
            let price = self.clearing_price(pair);
            outcome.trades.iter_mut().for_each(|trade| trade.price = price);
        }
    }

    /// How many orders are open on both sides.
    pub fn open_orders(&self) -> usize {
        self.orders.len()
    }

    /// The `n`-th open order, in no particular order.
    pub fn open_order(&self, n: usize) -> OrderId {
        self.orders.nth(n)
    }

    /// The number of orders on a side.
    pub fn orders_on(&self, side: Side) -> usize {
        self.ladders[side.index()].orders()
    }

    /// The quantity of all orders of a side.
    pub fn volume(&self, side: Side) -> u64 {
        self.ladders[side.index()].volume()
    }

    /// The top of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.ladders[side.index()].best()
    }

    /// What is open on a side at a price.
    pub fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.ladders[side.index()].qty_at(price)
    }

    /// The levels of a side, the best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        self.ladders[side.index()].levels()
    }

    /// Executes against the other side down to `limit`; returns what is left.
    fn execute(&mut self, side: Side, limit: Option<Price>, mut qty: u64, outcome: &mut Outcome) -> u64 {
        let ladder = &mut self.ladders[side.opposite().index()];
        while qty > 0
            && let Some(level) = ladder.best()
            && limit.is_none_or(|limit| !side.opposite().is_better(limit, level.price))
        {
            let mut left = level.qty.0;
            while qty > 0 && left > 0 {
                let fill = ladder.fill_first(qty, &mut self.orders);
                outcome.trades.push(Trade { aggressor: side, price: level.price, qty: Qty(fill) });
                qty -= fill;
                left -= fill;
            }
            outcome.levels.push((side.opposite(), Level { qty: Qty(left), ..level }));
        }
        qty
    }

    /// Executes the first orders of both sides against each other; the price is set later.
    fn execute_pair(&mut self, trades: &mut Vec<Trade>) {
        let [bids, asks] = &mut self.ladders;
        let qty = bids.first_qty(&self.orders).min(asks.first_qty(&self.orders));
        bids.fill_first(qty, &mut self.orders);
        asks.fill_first(qty, &mut self.orders);
        trades.push(Trade { aggressor: Side::Bid, price: Price(0), qty: Qty(qty) });
    }

    /// The middle between the last pair that traded, moved so that what is left over on a side is not better than it.
    fn clearing_price(&self, (bid, ask): (Price, Price)) -> Price {
        let low = self.best(Side::Bid).map_or(ask, |left| ask.max(left.price));
        let high = self.best(Side::Ask).map_or(bid, |left| bid.min(left.price));
        Price(ask.0 + (bid.0 - ask.0) / 2).clamp(low, high)
    }
}

/// Keeps each level once: an auction goes down a side without coming back.
fn note(levels: &mut Vec<(Side, Level)>, side: Side, level: Level) {
    match levels.iter_mut().rev().find(|(of, _)| *of == side) {
        Some((_, known)) if known.price == level.price => *known = level,
        _ => levels.push((side, level)),
    }
}
