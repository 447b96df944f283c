//! A venue with true books, and a line to it that loses, repeats and garbles: what a feed can look like at its worst.

use super::{MS, NOW};
use ingest::Sequencer;
use market::{Event, Kind, Level, Nanos, Price, Qty, Side, SymbolId};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

pub const SYMBOLS: usize = 3;

/// What happens next.
#[derive(Debug, Clone)]
pub struct Step {
    symbol: usize,
    what: What,
    fault: Line,
    /// How much later it happened than what was before, in milliseconds; a late one has a time in the past.
    later_ms: i64,
    /// Whether the batch ends with it.
    ends_batch: bool,
}

#[derive(Debug, Clone)]
enum What {
    Changes(Vec<Change>),
    WholeBook,
}

#[derive(Debug, Clone)]
enum Change {
    Level(Side, i64, u64),
    Trade,
}

/// What the line does to an exchange event.
#[derive(Debug, Clone, Copy)]
enum Line {
    Delivers,
    Loses,
    Repeats,
    /// Again what came so many exchange events ago.
    Replays(usize),
    LosesOneOf(usize),
    LosesTheEnd,
    Doubles(usize),
    RenamesOneOf(usize),
    RunsIntoTheWholeBook,
    ReportsAGap,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    let change = prop_oneof![
        4 => (side, 0i64..20, 0u64..3).prop_map(|(side, price, qty)| Change::Level(side, price, qty)),
        1 => Just(Change::Trade),
    ];
    let what = prop_oneof![
        12 => prop::collection::vec(change.clone(), 1..6).prop_map(What::Changes),
        1 => prop::collection::vec(change, 9..30).prop_map(What::Changes),
        2 => Just(What::WholeBook),
    ];
    let line = prop_oneof![
        30 => Just(Line::Delivers),
        1 => Just(Line::Loses),
        1 => Just(Line::Repeats),
        1 => (1usize..20).prop_map(Line::Replays),
        1 => any::<usize>().prop_map(Line::LosesOneOf),
        1 => Just(Line::LosesTheEnd),
        1 => any::<usize>().prop_map(Line::Doubles),
        1 => any::<usize>().prop_map(Line::RenamesOneOf),
        1 => Just(Line::RunsIntoTheWholeBook),
        1 => Just(Line::ReportsAGap),
    ];
    let step = (0..SYMBOLS, what, line, -15i64..15, any::<bool>()).prop_map(
        |(symbol, what, fault, later_ms, ends_batch)| Step { symbol, what, fault, later_ms, ends_batch },
    );
    prop::collection::vec(step, 1..120)
}

pub struct Venue {
    books: Vec<BTreeMap<(usize, i64), u64>>,
    seqs: Vec<u64>,
    time: Nanos,
    /// Passes by a second a batch, so that a missing book is asked for until it comes.
    clock: Nanos,
    sent: Vec<Vec<Event>>,
    /// Whether the line never garbles.
    clean: bool,
}

impl Venue {
    pub fn new(clean: bool) -> Venue {
        Venue {
            books: vec![BTreeMap::new(); SYMBOLS],
            seqs: vec![0; SYMBOLS],
            time: NOW,
            clock: NOW,
            sent: Vec::new(),
            clean,
        }
    }

    /// Plays the steps into the sequencer, answers its wishes for books, and shows `look` what came out after each batch.
    pub fn play(
        &mut self,
        steps: &[Step],
        sequencer: &mut Sequencer,
        mut look: impl FnMut(&Sequencer, &[Event]),
    ) -> Vec<Event> {
        let mut all = Vec::new();
        let mut batch = Vec::new();
        for symbol in 0..SYMBOLS {
            self.whole_book(symbol, &mut batch);
        }
        for step in steps {
            self.step(step, &mut batch);
            if step.ends_batch {
                self.deliver(&mut batch, sequencer, &mut all, &mut look);
            }
        }
        self.deliver(&mut batch, sequencer, &mut all, &mut look);
        // What the line did last may be noticed only by what follows.
        for symbol in 0..SYMBOLS {
            let trade = self.event(symbol, Kind::Trade);
            batch.push(Event { last: true, ..trade });
        }
        for _ in 0..3 {
            self.deliver(&mut batch, sequencer, &mut all, &mut look);
        }
        all
    }

    fn deliver(
        &mut self,
        batch: &mut Vec<Event>,
        sequencer: &mut Sequencer,
        all: &mut Vec<Event>,
        look: &mut impl FnMut(&Sequencer, &[Event]),
    ) {
        let begin = all.len();
        sequencer.push(batch, NOW, all);
        look(sequencer, &all[begin..]);
        batch.clear();
        self.clock = self.clock + Duration::from_secs(1);
        sequencer.ask_again(self.clock);
        let wanted: Vec<SymbolId> = sequencer.take_refreshes().collect();
        wanted.into_iter().for_each(|symbol| self.whole_book(symbol.index(), batch));
    }

    fn step(&mut self, step: &Step, batch: &mut Vec<Event>) {
        self.time = Nanos(self.time.0.saturating_add_signed(step.later_ms * MS as i64));
        let mut run = Vec::new();
        match &step.what {
            What::WholeBook => self.whole_book(step.symbol, &mut run),
            What::Changes(changes) => self.changes(step.symbol, changes, &mut run),
        }
        if self.clean {
            batch.append(&mut run);
        } else {
            self.send(step.fault, run, batch);
        }
    }

    fn send(&mut self, fault: Line, mut run: Vec<Event>, batch: &mut Vec<Event>) {
        self.sent.push(run.clone());
        let at = |one: usize| one % run.len();
        match fault {
            Line::Delivers => {}
            Line::Loses => run.clear(),
            Line::Repeats => run.extend_from_within(..),
            Line::Replays(back) => {
                let old = self.sent.len().saturating_sub(back + 1);
                run.extend_from_slice(&self.sent[old].clone());
            }
            Line::LosesOneOf(one) => drop(run.remove(at(one))),
            Line::LosesTheEnd => drop(run.pop()),
            Line::Doubles(one) => run.insert(at(one), run[at(one)]),
            Line::RenamesOneOf(one) => {
                let at = at(one);
                run[at].symbol = SymbolId(SYMBOLS as u32);
            }
            Line::RunsIntoTheWholeBook => {
                run.last_mut().unwrap().last = false;
                self.whole_book(run[0].symbol.index(), &mut run);
            }
            Line::ReportsAGap => run.push(Event { symbol: run[0].symbol, ..Event::new(Kind::FeedGap) }),
        }
        batch.append(&mut run);
    }

    fn event(&mut self, symbol: usize, kind: Kind) -> Event {
        self.seqs[symbol] += 1;
        let (seq, timestamp) = (self.seqs[symbol], self.time);
        Event { symbol: SymbolId(symbol as u32), seq, timestamp, engine: NOW, ..Event::new(kind) }
    }

    fn level(&mut self, symbol: usize, side: Side, price: i64, qty: u64) -> Event {
        Event { side, price: Price(price), qty: Qty(qty), ..self.event(symbol, Kind::Level) }
    }

    fn changes(&mut self, symbol: usize, changes: &[Change], run: &mut Vec<Event>) {
        for change in changes {
            run.push(match *change {
                Change::Trade => self.event(symbol, Kind::Trade),
                Change::Level(side, price, qty) => {
                    match qty {
                        0 => self.books[symbol].remove(&(side.index(), price)),
                        _ => self.books[symbol].insert((side.index(), price), qty),
                    };
                    self.level(symbol, side, price, qty)
                }
            });
        }
        run.last_mut().unwrap().last = true;
    }

    fn whole_book(&mut self, symbol: usize, run: &mut Vec<Event>) {
        run.push(self.event(symbol, Kind::Reset));
        for ((side, price), qty) in self.books[symbol].clone() {
            let level = self.level(symbol, Side::BOTH[side], price, qty);
            run.push(level);
        }
        run.last_mut().unwrap().last = true;
    }

    /// The true levels of a side, best first.
    pub fn levels(&self, symbol: usize, side: Side) -> Vec<Level> {
        let of_side = self.books[symbol].iter().filter(|((s, _), _)| *s == side.index());
        let mut levels: Vec<Level> =
            of_side.map(|(&(_, price), &qty)| Level { price: Price(price), qty: Qty(qty) }).collect();
        if side == Side::Bid {
            levels.reverse();
        }
        levels
    }
}
