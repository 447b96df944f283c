//! What a reader lets through of what it reads: whole exchange events of symbols whose book its receiver has, and books for
//! those that it has not. It knows events, and no memory.

use market::{Event, Kind, Qty, ResetReason, Seq, SymbolId};

/// How the receiver stands with a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It has no book that could go on: nothing is let through but a reset.
    Lost,
    /// It has everything: a book that somebody else has asked for is left out.
    InStep,
    /// It has everything, and has asked for the book all the same.
    Asked,
}

#[derive(Debug, Clone, Copy)]
struct Symbol {
    standing: Standing,
    /// The greatest number seen since the book came.
    last: Seq,
    /// How many numbers were left out since then. What is let through is numbered without a hole where the writer's numbers
    /// have none, so a hole that is one stays one.
    left_out: u64,
}

const LOST: Symbol = Symbol { standing: Standing::Lost, last: 0, left_out: 0 };

/// What was read is nothing that a writer writes: some of it is missing, or all of it is something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spoilt;

/// See above.
#[derive(Debug, Default)]
pub(super) struct Follower {
    symbols: Vec<Symbol>,
    /// How many are lost.
    lost: usize,
    /// An exchange event of which the end is still to come.
    open: Vec<Event>,
}

impl Follower {
    /// There are so many instruments in all. Of the new ones there is no book yet.
    pub fn grow(&mut self, symbols: usize) {
        self.lost += symbols.saturating_sub(self.symbols.len());
        self.symbols.resize(symbols.max(self.symbols.len()), LOST);
    }

    /// Takes an event. Those of its exchange event are appended to `out` when that is whole, if they are let through. An exchange
    /// event has at most `largest` events.
    pub fn take(&mut self, event: Event, largest: usize, out: &mut Vec<Event>) -> Result<(), Spoilt> {
        if event.symbol.index() >= self.symbols.len() {
            return Err(Spoilt);
        }
        if !event.kind.is_numbered() {
            return self.take_gap(event, out);
        }
        let begun = self.open.first();
        if begun.is_some_and(|first| first.symbol != event.symbol) || self.open.len() == largest {
            return Err(Spoilt);
        }
        self.open.push(event);
        if event.last && !event.partial {
            self.close(out);
        }
        Ok(())
    }

    /// The receiver has lost its way in every book: what is begun is dropped, and a gap is told of all that it had.
    pub fn lose_all(&mut self, out: &mut Vec<Event>) {
        self.open.clear();
        for at in 0..self.symbols.len() {
            if self.symbols[at].standing != Standing::Lost {
                self.lose(SymbolId(at as u32));
                out.push(Event { symbol: SymbolId(at as u32), ..Event::new(Kind::FeedGap) });
            }
        }
    }

    /// The receiver wants the book of a symbol.
    pub fn ask(&mut self, symbol: SymbolId) {
        if let Some(symbol) = self.symbols.get_mut(symbol.index())
            && symbol.standing == Standing::InStep
        {
            symbol.standing = Standing::Asked;
        }
    }

    /// Of which symbols nothing is let through until their books come.
    pub fn lost(&self) -> impl Iterator<Item = SymbolId> + '_ {
        let symbols = self.symbols.iter().enumerate().filter(|(_, symbol)| symbol.standing == Standing::Lost);
        symbols.map(|(at, _)| SymbolId(at as u32))
    }

    pub fn is_any_lost(&self) -> bool {
        self.lost > 0
    }

    /// The writer itself has missed something.
    fn take_gap(&mut self, event: Event, out: &mut Vec<Event>) -> Result<(), Spoilt> {
        if event.kind != Kind::FeedGap || !self.open.is_empty() {
            return Err(Spoilt);
        }
        self.lose(event.symbol);
        out.push(event);
        Ok(())
    }

    fn lose(&mut self, symbol: SymbolId) {
        let symbol = &mut self.symbols[symbol.index()];
        self.lost += usize::from(symbol.standing != Standing::Lost);
        *symbol = LOST;
    }

    /// The exchange event is whole.
    fn close(&mut self, out: &mut Vec<Event>) {
        let first = self.open[0];
        let symbol = &mut self.symbols[first.symbol.index()];
        let is_reset = first.kind == Kind::Reset;
        let was_asked_for = is_reset && first.reset_reason() == ResetReason::Gap;
        match symbol.standing {
            Standing::Lost if !is_reset => {}
            Standing::InStep if was_asked_for => symbol.leave_out(&self.open),
            before => {
                if is_reset {
                    self.lost -= usize::from(before == Standing::Lost);
                    symbol.standing = Standing::InStep;
                }
                if was_asked_for {
                    // What it is to the receiver's clients, the receiver knows.
                    self.open[0].qty = Qty(ResetReason::Feed as u64);
                }
                out.extend(self.open.iter().map(|event| symbol.let_through(event)));
            }
        }
        self.open.clear();
    }
}

impl Symbol {
    /// Leaves an exchange event out, unless its numbers were there before.
    fn leave_out(&mut self, run: &[Event]) {
        let (first, last) = (run[0].seq, run[run.len() - 1].seq);
        if first > self.last && last >= first {
            self.left_out = self.left_out.saturating_add(last - first + 1);
            self.last = last;
        }
    }

    fn let_through(&mut self, event: &Event) -> Event {
        self.last = self.last.max(event.seq);
        Event { seq: event.seq.saturating_sub(self.left_out), ..*event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Side;

    const LARGEST: usize = 4;

    fn level(symbol: u32, seq: Seq, last: bool) -> Event {
        let place = Event { symbol: SymbolId(symbol), seq, last, side: Side::Ask, ..Event::new(Kind::Level) };
        Event { qty: Qty(seq), ..place }
    }

    fn reset(symbol: u32, seq: Seq, reason: ResetReason, last: bool) -> Event {
        Event { seq, last, ..Event::reset(SymbolId(symbol), reason) }
    }

    /// What is let through, as (kind, symbol, seq).
    fn taken(follower: &mut Follower, events: &[Event]) -> Vec<(Kind, u32, Seq)> {
        let mut out = Vec::new();
        events.iter().for_each(|&event| follower.take(event, LARGEST, &mut out).unwrap());
        out.iter().map(|event| (event.kind, event.symbol.0, event.seq)).collect()
    }

    fn follower() -> Follower {
        let mut follower = Follower::default();
        follower.grow(2);
        follower
    }

    #[test]
    fn nothing_comes_before_the_book_and_everything_behind_it() {
        let mut follower = follower();
        assert_eq!(taken(&mut follower, &[level(0, 8, true), level(0, 9, false)]), []);
        assert_eq!(taken(&mut follower, &[level(0, 10, true), reset(0, 11, ResetReason::Gap, false)]), []);
        assert_eq!(follower.lost().count(), 2);
        let book = [level(0, 12, true), level(1, 3, true), level(0, 13, true)];
        let wanted = [(Kind::Reset, 0, 11), (Kind::Level, 0, 12), (Kind::Level, 0, 13)];
        assert_eq!(taken(&mut follower, &book), wanted);
        assert_eq!(follower.lost().collect::<Vec<_>>(), [SymbolId(1)]);
    }

    #[test]
    fn a_book_that_another_asked_for_is_left_out_with_its_numbers() {
        let mut follower = follower();
        let begin = [reset(0, 1, ResetReason::Feed, true), level(0, 2, true)];
        assert_eq!(taken(&mut follower, &begin).len(), 2);
        let others = [reset(0, 3, ResetReason::Gap, false), level(0, 4, true)];
        assert_eq!(taken(&mut follower, &others), []);
        assert_eq!(taken(&mut follower, &[level(0, 5, true)]), [(Kind::Level, 0, 3)]);
        assert_eq!(taken(&mut follower, &others), [], "once more, as networks do");
        assert_eq!(taken(&mut follower, &[level(0, 5, true)]), [(Kind::Level, 0, 3)], "a repeat stays one");
        assert_eq!(taken(&mut follower, &[level(0, 8, true)]), [(Kind::Level, 0, 6)], "a hole stays one");

        follower.ask(SymbolId(0));
        assert_eq!(taken(&mut follower, &[level(0, 9, true)]), [(Kind::Level, 0, 7)]);
        assert_eq!(taken(&mut follower, &[reset(0, 10, ResetReason::Gap, true)]), [(Kind::Reset, 0, 8)]);
        assert_eq!(taken(&mut follower, &[reset(0, 11, ResetReason::Gap, true)]), [], "it has it now");
        assert_eq!(taken(&mut follower, &[reset(0, 12, ResetReason::Feed, true)]), [(Kind::Reset, 0, 9)]);
    }

    #[test]
    fn a_gap_is_told_once_of_what_there_was() {
        let mut follower = follower();
        taken(&mut follower, &[reset(1, 1, ResetReason::Feed, true), level(1, 2, false)]);
        let mut out = Vec::new();
        follower.lose_all(&mut out);
        follower.lose_all(&mut out);
        assert_eq!(out, [Event { symbol: SymbolId(1), ..Event::new(Kind::FeedGap) }]);
        assert_eq!(
            taken(&mut follower, &[level(1, 3, true), level(1, 4, true)]),
            [],
            "of a part nothing is left"
        );
        assert!(follower.is_any_lost());
        let books = [reset(1, 9, ResetReason::Gap, true), reset(0, 9, ResetReason::Feed, true)];
        assert_eq!(taken(&mut follower, &books).len(), 2);
        assert!(!follower.is_any_lost());

        let gap = Event { symbol: SymbolId(1), ..Event::new(Kind::FeedGap) };
        assert_eq!(taken(&mut follower, &[gap, level(1, 11, true)]), [(Kind::FeedGap, 1, 0)]);
    }

    #[test]
    fn a_reset_in_pieces_is_one_book() {
        let mut follower = follower();
        let piece = |event: Event| Event { partial: true, ..event };
        let begin = [piece(reset(0, 1, ResetReason::Gap, false)), piece(level(0, 2, true))];
        assert_eq!(taken(&mut follower, &begin), []);
        assert_eq!(taken(&mut follower, &[level(0, 3, true)]).len(), 3);
    }

    #[test]
    fn what_no_writer_writes_is_noticed() {
        let check = |events: &[Event]| {
            let mut follower = follower();
            let (last, before) = events.split_last().unwrap();
            taken(&mut follower, before);
            assert_eq!(follower.take(*last, LARGEST, &mut Vec::new()), Err(Spoilt), "{last:?}");
        };
        check(&[level(2, 1, true)]);
        check(&[level(0, 1, false), level(1, 1, true)]);
        check(&[level(0, 1, false), Event::new(Kind::FeedGap)]);
        check(&[Event::tick(market::Nanos(7))]);
        check(&[1, 2, 3, 4, 5].map(|seq| level(0, seq, false)));
    }
}
