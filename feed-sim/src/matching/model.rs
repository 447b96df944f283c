//! The matching engine against a model that is too simple to be wrong: a list of orders in the order of their arrival, searched
//! from end to end.

use super::{Book, OrderId, Outcome, Trade};
use market::{Level, Price, Qty, Side};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Command {
    Limit {
        side: Side,
        price: i64,
        qty: u64,
    },
    Rest {
        side: Side,
        price: i64,
        qty: u64,
    },
    Market {
        side: Side,
        qty: u64,
    },
    /// One of the open orders.
    Cancel(prop::sample::Index),
    Uncross,
}

/// Orders in the order of their arrival.
#[derive(Debug, Default)]
struct Model {
    orders: Vec<Resting>,
}

#[derive(Debug, Clone)]
struct Resting {
    id: OrderId,
    side: Side,
    price: i64,
    qty: u64,
}

impl Model {
    /// The place of the order that has priority: the best price, and there the earliest.
    fn first(&self, side: Side) -> Option<usize> {
        let of_side = self.orders.iter().enumerate().filter(|(_, order)| order.side == side);
        let by_rank = |order: &Resting| if side == Side::Bid { -order.price } else { order.price };
        of_side.min_by_key(|(place, order)| (by_rank(order), *place)).map(|(place, _)| place)
    }

    fn take(&mut self, place: usize, qty: u64) {
        self.orders[place].qty -= qty;
        if self.orders[place].qty == 0 {
            self.orders.remove(place);
        }
    }

    fn execute(&mut self, side: Side, limit: Option<i64>, mut qty: u64) -> (u64, Vec<(i64, u64)>) {
        let mut trades = Vec::new();
        while qty > 0
            && let Some(place) = self.first(side.opposite())
        {
            let Resting { price, qty: offered, .. } = self.orders[place];
            let acceptable = match (side, limit) {
                (_, None) => true,
                (Side::Bid, Some(limit)) => price <= limit,
                (Side::Ask, Some(limit)) => price >= limit,
            };
            if !acceptable {
                break;
            }
            let fill = qty.min(offered);
            self.take(place, fill);
            trades.push((price, fill));
            qty -= fill;
        }
        (qty, trades)
    }

    fn levels(&self) -> BTreeMap<(usize, i64), u64> {
        let mut levels = BTreeMap::new();
        for order in &self.orders {
            *levels.entry((order.side.index(), order.price)).or_default() += order.qty;
        }
        levels
    }

    fn demand_at(&self, side: Side, price: i64) -> u64 {
        let willing = |order: &&Resting| {
            order.side == side && if side == Side::Bid { order.price >= price } else { order.price <= price }
        };
        self.orders.iter().filter(willing).map(|order| order.qty).sum()
    }

    /// The most that an auction can trade at any one price.
    fn most_at_one_price(&self) -> u64 {
        let at = |price| self.demand_at(Side::Bid, price).min(self.demand_at(Side::Ask, price));
        self.orders.iter().map(|order| at(order.price)).max().unwrap_or(0)
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop::sample::select(Side::BOTH.to_vec())
}

fn commands(auction: bool) -> impl Strategy<Value = Vec<Command>> {
    let order = || (side(), 90i64..110, 1u64..50);
    let enter = order().prop_map(move |(side, price, qty)| match auction {
        true => Command::Rest { side, price, qty },
        false => Command::Limit { side, price, qty },
    });
    let market = (side(), 1u64..200).prop_map(move |(side, qty)| match auction {
        true => Command::Uncross,
        false => Command::Market { side, qty },
    });
    let cancel = any::<prop::sample::Index>().prop_map(Command::Cancel);
    prop::collection::vec(prop_oneof![6 => enter, 1 => market, 2 => cancel], 0..200)
}

/// What the market would see if it compared the books before and after.
fn changed(
    before: &BTreeMap<(usize, i64), u64>,
    after: &BTreeMap<(usize, i64), u64>,
) -> Vec<(usize, i64, u64)> {
    let prices = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let qty = |book: &BTreeMap<_, u64>, key| book.get(key).copied().unwrap_or(0);
    let differs = prices.into_iter().filter(|key| qty(before, key) != qty(after, key));
    differs.map(|key| (key.0, key.1, qty(after, key))).collect()
}

fn levels_of(book: &Book) -> BTreeMap<(usize, i64), u64> {
    let of_side =
        |side: Side| book.levels(side).map(move |level| ((side.index(), level.price.0), level.qty.0));
    Side::BOTH.into_iter().flat_map(of_side).collect()
}

fn reported(outcome: &Outcome) -> Vec<(usize, i64, u64)> {
    let mut levels: Vec<_> =
        outcome.levels.iter().map(|(side, level)| (side.index(), level.price.0, level.qty.0)).collect();
    levels.sort();
    levels
}

fn check_side(book: &Book, side: Side) {
    let levels: Vec<Level> = book.levels(side).collect();
    assert!(levels.windows(2).all(|pair| side.is_better(pair[0].price, pair[1].price)), "out of order");
    assert!(levels.iter().all(|level| !level.qty.is_zero()), "an empty level");
    assert_eq!(book.best(side), levels.first().copied());
    assert_eq!(book.volume(side), levels.iter().map(|level| level.qty.0).sum::<u64>());
}

proptest! {
    #[test]
    fn matches_by_price_then_time_and_loses_nothing(commands in commands(false)) {
        let (mut book, mut model) = (Book::new(), Model::default());
        let (mut entered, mut executed, mut withdrawn) = (0, 0, 0);
        for command in commands {
            let mut outcome = Outcome::default();
            let before = model.levels();
            let trades = match command {
                Command::Limit { side, price, qty } => {
                    entered += qty;
                    let (left, trades) = model.execute(side, Some(price), qty);
                    let id = book.limit(side, Price(price), Qty(qty), &mut outcome);
                    prop_assert_eq!(id.is_some(), left > 0);
                    model.orders.extend(id.map(|id| Resting { id, side, price, qty: left }));
                    trades.into_iter().map(|(price, qty)| (side, price, qty)).collect()
                }
                Command::Market { side, qty } => {
                    let (left, trades) = model.execute(side, None, qty);
                    entered += qty;
                    withdrawn += left;
                    book.market(side, Qty(qty), &mut outcome);
                    trades.into_iter().map(|(price, qty)| (side, price, qty)).collect()
                }
                Command::Cancel(which) if !model.orders.is_empty() => {
                    let order = model.orders.remove(which.index(model.orders.len()));
                    withdrawn += order.qty;
                    book.cancel(order.id, &mut outcome);
                    vec![]
                }
                _ => vec![],
            };
            let wanted: Vec<Trade> = trades
                .into_iter()
                .map(|(aggressor, price, qty)| Trade { aggressor, price: Price(price), qty: Qty(qty) })
                .collect();
            executed += 2 * wanted.iter().map(|trade| trade.qty.0).sum::<u64>();
            prop_assert_eq!(&outcome.trades, &wanted);
            prop_assert_eq!(reported(&outcome), changed(&before, &model.levels()));
            prop_assert_eq!(levels_of(&book), model.levels());
            Side::BOTH.into_iter().for_each(|side| check_side(&book, side));
            let tops = (book.best(Side::Bid), book.best(Side::Ask));
            if let (Some(bid), Some(ask)) = tops {
                prop_assert!(bid.price < ask.price, "crossed: {:?}", tops);
            }
            prop_assert_eq!(entered, executed + withdrawn + book.volume(Side::Bid) + book.volume(Side::Ask));
            prop_assert_eq!(book.open_orders(), model.orders.len());
        }
    }

    #[test]
    fn an_auction_trades_the_most_at_one_price_that_is_fair_to_all(commands in commands(true)) {
        let (mut book, mut model) = (Book::new(), Model::default());
        for command in commands {
            let mut outcome = Outcome::default();
            match command {
                Command::Rest { side, price, qty } => {
                    let id = book.rest(side, Price(price), Qty(qty), &mut outcome);
                    model.orders.push(Resting { id, side, price, qty });
                }
                Command::Cancel(which) if !model.orders.is_empty() => {
                    let order = model.orders.remove(which.index(model.orders.len()));
                    book.cancel(order.id, &mut outcome);
                }
                Command::Uncross => {
                    let (before, most) = (model.levels(), model.most_at_one_price());
                    book.uncross(&mut outcome);
                    let traded: u64 = outcome.trades.iter().map(|trade| trade.qty.0).sum();
                    prop_assert_eq!(traded, most);
                    for side in Side::BOTH {
                        let mut left = traded;
                        while left > 0 && let Some(place) = model.first(side) {
                            let Resting { price, qty, .. } = model.orders[place];
                            let paid = outcome.trades[0].price;
                            prop_assert!(!side.is_better(paid, Price(price)), "worse than its limit");
                            let fill = left.min(qty);
                            model.take(place, fill);
                            left -= fill;
                        }
                    }
                    prop_assert_eq!(reported(&outcome), changed(&before, &model.levels()));
                    if let Some(first) = outcome.trades.first() {
                        let price = first.price;
                        prop_assert!(outcome.trades.iter().all(|trade| trade.price == price));
                        prop_assert!(book.best(Side::Bid).is_none_or(|left| left.price <= price));
                        prop_assert!(book.best(Side::Ask).is_none_or(|left| left.price >= price));
                    }
                }
                _ => {}
            }
            prop_assert_eq!(levels_of(&book), model.levels());
            Side::BOTH.into_iter().for_each(|side| check_side(&book, side));
        }
    }
}
