//! The order flow of many traders: each action is a limit order, a cancellation or a market order of one of them, around a
//! fair price that moves. Matching is the engine's; this module only decides what is sent to it.

use crate::{
    listing::Listing,
    matching::{Book, Outcome},
    packet::Packet,
    random::{ONE, Random},
    scenario::{Orders, Phase},
};
use market::{Level, Price, Qty, Side, SymbolId};

#[derive(Debug)]
pub(crate) struct Traders {
    markets: Vec<Market>,
    deck: Deck,
    habits: Orders,
    outcome: Outcome,
}

/// One instrument's book, and what traders think of it.
#[derive(Debug)]
struct Market {
    book: Book,
    /// In 2^-16 of the price's last decimal.
    fair: i64,
    /// When the fair price last drifted, in nanoseconds since the start.
    drifted: u64,
    /// The actions that are left in this round: limit, cancel, market.
    cards: [u64; 3],
    /// It says the opening price.
    listing: Listing,
    usual_qty: u64,
    /// The mean distance of limit orders, in ticks.
    distance: u64,
    /// The most by which an order moves the fair price, as that is counted.
    volatility: u64,
}

/// Whose turn it is: in each round every symbol as often as its weight says, in a new order.
#[derive(Debug)]
struct Deck {
    cards: Vec<u32>,
    dealt: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Limit,
    Cancel,
    Market,
}

/// Traders do not send market orders into a side with fewer orders than that.
const THIN: usize = 10;

impl Traders {
    pub fn new(listings: &[Listing], habits: Orders) -> Traders {
        Traders {
            markets: listings.iter().map(|listing| Market::new(listing, &habits)).collect(),
            deck: Deck::new(listings),
            habits,
            outcome: Outcome::default(),
        }
    }

    /// Traders behave otherwise from now on. Their orders stay, and prices are where they are.
    pub fn change_habits(&mut self, habits: Orders) {
        self.markets.iter_mut().for_each(|market| market.change_habits(&habits));
        self.habits = habits;
    }

    /// Empties the book of `symbol` and lets traders begin it anew.
    pub fn begin_book(&mut self, symbol: SymbolId, random: &mut Random) {
        let market = &mut self.markets[symbol.index()];
        market.book = Book::new();
        for n in 0..self.habits.open {
            let side = Side::BOTH[n as usize % 2];
            let price = market.limit_price(side, random);
            let qty = Qty(random.size(market.usual_qty));
            market.book.rest(side, price, qty, &mut self.outcome);
        }
        self.outcome.clear();
    }

    /// The levels of a side, the best first.
    pub fn levels(&self, symbol: SymbolId, side: Side) -> impl Iterator<Item = Level> {
        self.markets[symbol.index()].book.levels(side)
    }

    /// What is open at a price.
    pub fn qty_at(&self, symbol: SymbolId, side: Side, price: Price) -> Qty {
        self.markets[symbol.index()].book.qty_at(side, price)
    }

    /// Whose turn it is to trade.
    pub fn next_symbol(&mut self, random: &mut Random) -> SymbolId {
        self.deck.deal(random)
    }

    /// One action of one trader at `now`, in nanoseconds since the start.
    pub fn act(
        &mut self,
        symbol: SymbolId,
        now: u64,
        phase: &Phase,
        random: &mut Random,
        packet: &mut Packet<'_>,
    ) {
        let market = &mut self.markets[symbol.index()];
        market.move_fair_price(now, phase.drift_ppm, random);
        let action = market.next_action(&self.habits, phase, random);
        market.carry_out(action, phase, random, &mut self.outcome);
        report(&mut self.outcome, packet);
    }

    /// Ends an auction of `symbol`.
    pub fn uncross(&mut self, symbol: SymbolId, packet: &mut Packet<'_>) {
        self.markets[symbol.index()].book.uncross(&mut self.outcome);
        report(&mut self.outcome, packet);
    }
}

/// Trades before levels: a subscriber of both gets them in this order.
fn report(outcome: &mut Outcome, packet: &mut Packet<'_>) {
    for trade in &outcome.trades {
        packet.trade(trade.aggressor, trade.price, trade.qty);
    }
    for &(side, level) in &outcome.levels {
        packet.level(side, level);
    }
    outcome.clear();
}

impl Market {
    fn new(listing: &Listing, habits: &Orders) -> Market {
        let mut market = Market {
            book: Book::new(),
            fair: listing.price.0 << 16,
            drifted: 0,
            cards: [0; 3],
            listing: listing.clone(),
            usual_qty: 0,
            distance: 0,
            volatility: 0,
        };
        market.change_habits(habits);
        market
    }

    fn change_habits(&mut self, habits: &Orders) {
        let price = self.listing.price.0.unsigned_abs();
        self.cards = [0; 3];
        self.usual_qty = self.listing.qty_for(habits.value);
        // Coarse ticks must not leave a book of a few levels.
        self.distance = (price * habits.distance_ppm / 1_000_000).max(6);
        self.volatility = (price << 16) / 1_000_000 * habits.volatility_ppm;
    }

    /// Chance moves it with each order, drift with time. It stays within a factor of four of the opening price, so that
    /// prices stay positive however long a simulation runs.
    fn move_fair_price(&mut self, now: u64, drift_ppm: i32, random: &mut Random) {
        self.fair += random.around_zero(self.volatility);
        if drift_ppm != 0 {
            let passed = i128::from(now - self.drifted);
            let drift = i128::from(self.fair) * i128::from(drift_ppm) * passed / 1_000_000_000_000_000;
            let bound = i128::from(self.fair) / 2;
            self.fair += drift.clamp(-bound, bound) as i64;
        }
        self.drifted = now;
        let opening = self.listing.price.0 << 16;
        self.fair = self.fair.clamp(opening / 4, opening * 4);
    }

    /// From this round's cards, but with an eye on the book: it shall neither run dry nor grow without end.
    fn next_action(&mut self, habits: &Orders, phase: &Phase, random: &mut Random) -> Action {
        let open = self.book.open_orders() as u64;
        match self.deal(habits, random) {
            Action::Market if phase.auction => Action::Limit,
            Action::Cancel if open < habits.open * 9 / 10 => Action::Limit,
            Action::Limit if open > habits.open * 11 / 10 => Action::Cancel,
            action => action,
        }
    }

    fn deal(&mut self, habits: &Orders, random: &mut Random) -> Action {
        if self.cards == [0; 3] {
            self.cards = [habits.mix.limit, habits.mix.cancel, habits.mix.market];
        }
        let [limit, cancel, market] = self.cards;
        let drawn = random.below(limit + cancel + market);
        let (place, action) = match drawn {
            n if n < limit => (0, Action::Limit),
            n if n < limit + cancel => (1, Action::Cancel),
            _ => (2, Action::Market),
        };
        self.cards[place] -= 1;
        action
    }

    fn carry_out(&mut self, action: Action, phase: &Phase, random: &mut Random, outcome: &mut Outcome) {
        match action {
            Action::Cancel => {
                let drawn = random.below(self.book.open_orders() as u64) as usize;
                self.book.cancel(self.book.open_order(drawn), outcome);
            }
            Action::Market => {
                let side = if random.percent(phase.sell_percent) { Side::Ask } else { Side::Bid };
                let against = side.opposite();
                if self.book.orders_on(against) < THIN {
                    return self.send_limit(against, phase, random, outcome);
                }
                // Nobody takes more than half of all that is on offer.
                let most = self.book.volume(against).div_ceil(2);
                let qty = (random.size(self.usual_qty) * phase.sweep).min(most);
                self.book.market(side, Qty(qty), outcome);
            }
            Action::Limit => {
                let side = self.thinner_side(random);
                self.send_limit(side, phase, random, outcome);
            }
        }
    }

    fn send_limit(&mut self, side: Side, phase: &Phase, random: &mut Random, outcome: &mut Outcome) {
        let price = self.limit_price(side, random);
        let qty = Qty(random.size(self.usual_qty));
        if phase.auction {
            let eager = self.past_fair_price(side, price, random);
            self.book.rest(side, eager, qty, outcome);
        } else {
            self.book.limit(side, price, qty, outcome);
        }
    }

    /// The side with fewer orders, the more likely the fewer they are.
    fn thinner_side(&self, random: &mut Random) -> Side {
        let [bids, asks] = Side::BOTH.map(|side| self.book.orders_on(side) as u64);
        if random.below(bids + asks + 2) <= bids { Side::Ask } else { Side::Bid }
    }

    /// A bid below the fair price or an ask above it.
    fn limit_price(&self, side: Side, random: &mut Random) -> Price {
        let away = (self.distance * random.exponential() / ONE) as i64;
        let fair = self.fair >> 16;
        Price(match side {
            Side::Bid => fair - away,
            Side::Ask => fair + 1 + away,
        })
        .max(Price(1))
    }

    /// Before an auction, traders name the worst price that they would take: up to twice the usual distance beyond the
    /// fair price.
    fn past_fair_price(&self, side: Side, price: Price, random: &mut Random) -> Price {
        let beyond = random.below(self.distance * 4) as i64;
        Price(match side {
            Side::Bid => price.0 + beyond,
            Side::Ask => price.0 - beyond,
        })
        .max(Price(1))
    }
}

impl Deck {
    fn new(listings: &[Listing]) -> Deck {
        let cards = listings.iter().zip(0..).flat_map(|(listing, id)| (0..listing.weight).map(move |_| id));
        Deck { cards: cards.collect(), dealt: 0 }
    }

    fn deal(&mut self, random: &mut Random) -> SymbolId {
        let left = self.cards.len() - self.dealt;
        let drawn = self.dealt + random.below(left as u64) as usize;
        self.cards.swap(self.dealt, drawn);
        let card = self.cards[self.dealt];
        self.dealt = (self.dealt + 1) % self.cards.len();
        SymbolId(card)
    }
}
