//! The obvious book to compare with: maps of levels, and a copy of them at each end of an exchange event. And a feed of
//! random exchange events for both.

use book::{Ladder, Mark};
use market::{Event, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Sides = [BTreeMap<i64, u64>; 2];

/// A level change: side, price, quantity.
pub type Change = (Side, i64, u64);

/// What happens to a book.
#[derive(Debug, Clone)]
pub enum Step {
    /// An exchange event of these changes, and of a trade behind them.
    Match(Vec<Change>, bool),
    /// The book is written anew, in so many exchange events.
    Reset(Vec<Vec<Change>>),
    /// Events were lost, and an image is installed.
    Restore(Vec<Change>),
}

pub fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        400 => (prop::collection::vec(change(), 1..4), any::<bool>()).prop_map(|(c, t)| Step::Match(c, t)),
        40 => Just(Step::Match(Vec::new(), true)),
        24 => prop::collection::vec(change(), 20..200).prop_map(|c| Step::Match(c, false)),
        1 => prop::collection::vec(prop::collection::vec(change(), 1..20), 1..4).prop_map(Step::Reset),
        1 => prop::collection::vec(change(), 0..20).prop_map(Step::Restore),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    (side, -20i64..20, prop_oneof![2 => Just(0u64), 3 => 1u64..4])
}

#[derive(Default)]
pub struct Model {
    now: Sides,
    pub seq: Seq,
    venue_seq: u64,
    event: u64,
    pub stands: bool,
    /// The ends of exchange events since the book was last written anew.
    pub ends: Vec<(Mark, Sides)>,
    touched: Vec<(Seq, Side, i64)>,
}

impl Model {
    /// Makes the events of a step other than [`Step::Restore`], and applies them.
    pub fn play(&mut self, step: &Step) -> Vec<Event> {
        match step {
            Step::Match(changes, trade) => self.exchange_event(false, changes, *trade, false),
            Step::Reset(pieces) => {
                let last = pieces.len() - 1;
                let pieces = pieces.iter().enumerate();
                pieces.flat_map(|(i, piece)| self.exchange_event(i == 0, piece, false, i < last)).collect()
            }
            Step::Restore(_) => panic!("an image is not made of events"),
        }
    }

    /// Loses some events and starts over from these levels.
    pub fn restore(&mut self, changes: &[Change]) -> (Ladder, Mark) {
        self.seq += 7;
        self.event += 3;
        self.begin_anew();
        for &(side, price, qty) in changes {
            self.set(side, price, qty);
        }
        self.end(false);
        (self.view(self.seq, 0), self.mark())
    }

    fn exchange_event(&mut self, reset: bool, changes: &[Change], trade: bool, partial: bool) -> Vec<Event> {
        let mut events = Vec::new();
        if reset {
            self.begin_anew();
            events.push(self.number(Event::reset(SymbolId(0), ResetReason::Feed)));
        }
        for &(side, price, qty) in changes {
            events.push(self.number(Event {
                side,
                price: Price(price),
                qty: Qty(qty),
                ..Event::new(Kind::Level)
            }));
            self.set(side, price, qty);
        }
        if trade {
            events.push(self.number(Event { price: Price(1), qty: Qty(1), ..Event::new(Kind::Trade) }));
        }
        events.iter_mut().for_each(|event| event.partial = partial);
        events.last_mut().expect("a step has events").last = true;
        self.end(partial);
        events
    }

    fn number(&mut self, event: Event) -> Event {
        self.seq += 1;
        let number = self.seq + 1_000_000;
        if event.kind != Kind::Trade {
            self.venue_seq = number;
        }
        let (engine, ingest) = (Nanos(self.seq * 10), Nanos(self.seq * 10 + 3));
        Event { seq: self.seq, number, engine, ingest, timestamp: Nanos(self.seq), ..event }
    }

    fn begin_anew(&mut self) {
        self.now = Sides::default();
        self.stands = false;
        self.ends.clear();
        self.touched.clear();
    }

    fn set(&mut self, side: Side, price: i64, qty: u64) {
        let levels = &mut self.now[side.index()];
        let before = if qty == 0 { levels.remove(&price) } else { levels.insert(price, qty) };
        if before.unwrap_or(0) != qty {
            self.touched.push((self.seq, side, price));
        }
    }

    fn end(&mut self, partial: bool) {
        self.event += 1;
        self.stands = !partial;
        if self.stands {
            self.ends.push((self.mark(), self.now.clone()));
        }
    }

    /// The end of the last exchange event.
    pub fn mark(&self) -> Mark {
        Mark {
            seq: self.seq,
            event: self.event,
            engine: Nanos(self.seq * 10),
            ingest: Nanos(self.seq * 10 + 3),
            timestamp: Nanos(self.seq),
            venue_seq: self.venue_seq,
        }
    }

    /// The index of the last end at or before a seq.
    pub fn end_at_or_before(&self, seq: Seq) -> Option<usize> {
        self.ends.partition_point(|(mark, _)| mark.seq <= seq).checked_sub(1)
    }

    fn sides_at(&self, seq: Seq) -> &Sides {
        &self.ends[self.end_at_or_before(seq).expect("an end")].1
    }

    pub fn view(&self, seq: Seq, depth: u32) -> Ladder {
        let mut view = ladder(self.sides_at(seq).clone());
        view.cut(depth);
        view
    }

    pub fn changes(&self, from: Seq, to: Seq, depth: u32) -> Ladder {
        let mut changes = Sides::default();
        let (before, after) = (self.view(from, depth), self.view(to, depth));
        for side in Side::BOTH {
            let changes = &mut changes[side.index()];
            changes.extend(after.side(side).iter().map(|level| (level.price.0, level.qty.0)));
            for level in before.side(side) {
                if after.side(side).contains(level) {
                    changes.remove(&level.price.0);
                } else if !self.sides_at(to)[side.index()].contains_key(&level.price.0) {
                    changes.insert(level.price.0, 0);
                }
            }
        }
        ladder(changes)
    }

    pub fn catch_up(&self, from: Seq, to: Seq, depth: u32) -> Ladder {
        let mut named = Sides::default();
        let range = self.touched.iter().filter(|&&(seq, ..)| seq > from && seq <= to);
        let touched: BTreeSet<(usize, i64)> = range.map(|&(_, side, price)| (side.index(), price)).collect();
        for (side, price) in touched {
            let qty = self.sides_at(to)[side].get(&price).copied().unwrap_or(0);
            if depth == 0 || qty == 0 {
                named[side].insert(price, qty);
            }
        }
        if depth > 0 {
            for side in Side::BOTH {
                let view = self.view(to, depth);
                named[side.index()].extend(view.side(side).iter().map(|level| (level.price.0, level.qty.0)));
            }
        }
        ladder(named)
    }
}

fn ladder([bids, asks]: Sides) -> Ladder {
    let level = |(price, qty)| Level { price: Price(price), qty: Qty(qty) };
    Ladder { bids: bids.into_iter().rev().map(level).collect(), asks: asks.into_iter().map(level).collect() }
}
