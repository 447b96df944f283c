//! The book of one symbol.

use crate::{
    EventView, History, HistoryError, Ladder, Mark, Range,
    chunk::Change,
    history::Chain,
    levels::{Levels, limit},
    past::{Net, Past},
    watch::Watches,
};
use market::{Event, Kind, Level, Price, Qty, Seq, Side};

/// The order book of one symbol by price level, kept by applying its events in their order.
///
/// It may be looked at only at the end of an exchange event (after an event with `last`). It says nothing of who is
/// right: ingest checks the events, a book applies them.
#[derive(Default)]
pub struct Book {
    levels: Levels,
    state: State,
    /// Whether an exchange event has begun and not ended.
    open: bool,
    seq: Seq,
    venue_seq: u64,
    mark: Mark,
    /// Whether the exchange event that ended last wrote the book anew.
    written_anew: bool,
    watches: Watches,
    chain: Chain,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// It has not begun: there was no reset yet.
    #[default]
    Absent,
    /// A reset has begun and is not complete.
    Resetting,
    /// It is whole.
    Standing,
}

impl Book {
    /// An empty book that does not stand.
    pub fn new() -> Book {
        Book::default()
    }

    /// Applies a numbered event (level, trade, reset) and records what it did; others are ignored.
    ///
    /// A reset empties the book and makes all earlier moments too old; the book stands again when its exchange event ends,
    /// or the last of them if it was cut into several ([`Event::partial`]).
    ///
    /// # Panics
    /// If the book stands and an event other than a reset does not carry the number after the last one: the caller lost
    /// an event, and the book would be silently wrong.
    pub fn apply(&mut self, event: &Event, history: &mut History) {
        if !event.kind.is_numbered() {
            return;
        }
        self.begin(event);
        match event.kind {
            Kind::Reset => {
                self.reset();
                history.forget(&mut self.chain);
            }
            Kind::Level => {
                if let Some(change) = self.set(event) {
                    history.push_change(&mut self.chain, &change);
                }
            }
            _ => {}
        }
        if event.last && self.end(event) {
            history.push_mark(&mut self.chain, &self.mark);
        }
    }

    /// The same for a book without a history: only its present can be told.
    ///
    /// # Panics
    /// As [`Book::apply`] does; and if the book was given a history before.
    pub fn apply_plain(&mut self, event: &Event) {
        assert!(self.chain.is_empty(), "a book with a history must go on recording it");
        if !event.kind.is_numbered() {
            return;
        }
        self.begin(event);
        match event.kind {
            Kind::Reset => self.reset(),
            Kind::Level => drop(self.set(event)),
            _ => {}
        }
        if event.last {
            self.end(event);
        }
    }

    /// Installs a book that was transferred as all its levels, as of `mark`. It stands, what was before is too old, and
    /// the next event is the one after the mark.
    pub fn restore(&mut self, levels: &Ladder, mark: Mark, history: &mut History) {
        self.clear(history);
        for side in Side::BOTH {
            self.levels.replace(side, levels.side(side));
        }
        self.state = State::Standing;
        self.seq = mark.seq;
        self.venue_seq = mark.venue_seq;
        self.mark = mark;
        self.written_anew = true;
        history.push_mark(&mut self.chain, &self.mark);
    }

    /// Makes it an empty book that does not stand, as when events were lost and no image is to be had. What is watched
    /// stays watched.
    pub fn clear(&mut self, history: &mut History) {
        history.forget(&mut self.chain);
        let (watches, chain) = (std::mem::take(&mut self.watches), std::mem::take(&mut self.chain));
        *self = Book { watches, chain, ..Book::default() };
        self.watches.begin();
    }

    /// The number of the last event applied.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The end of the last exchange event.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Whether the book is whole: a reset, or an image, has been taken completely.
    pub fn stands(&self) -> bool {
        self.state == State::Standing
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.levels.best(side)
    }

    /// The quantity at a price, zero if there is no such level.
    pub fn qty_at(&self, side: Side, price: Price) -> Qty {
        self.levels.qty_at(side, price)
    }

    /// Whether setting a level would change anything.
    pub fn would_change(&self, side: Side, price: Price, qty: Qty) -> bool {
        self.qty_at(side, price) != qty
    }

    /// How many levels a side has.
    pub fn depth_of(&self, side: Side) -> usize {
        self.levels.len(side)
    }

    /// Whether the best bid is at or above the best ask.
    pub fn is_crossed(&self) -> bool {
        let (bid, ask) = (self.best(Side::Bid), self.best(Side::Ask));
        bid.zip(ask).is_some_and(|(bid, ask)| bid.price >= ask.price)
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.levels.iter(side)
    }

    /// The best `depth` levels of each side now; all if `depth` is 0.
    pub fn view(&self, depth: u32, out: &mut Ladder) {
        out.clear();
        for side in Side::BOTH {
            out.side_mut(side).extend(self.levels(side).take(limit(depth)));
        }
    }

    /// The [`Ladder::checksum`] of the book now.
    pub fn checksum(&mut self, depth: u32) -> u32 {
        self.levels.checksum(depth)
    }

    /// Begins to work out the view at this depth for [`Book::event_changes`], from the next exchange event on. Counted.
    pub fn watch(&mut self, depth: u32) {
        self.watches.watch(depth);
    }

    /// Takes back one [`Book::watch`].
    ///
    /// # Panics
    /// If the depth is not watched.
    pub fn unwatch(&mut self, depth: u32) {
        self.watches.unwatch(depth);
    }

    /// What the exchange event that ended last changed in the view at a watched depth: the same as [`Book::changes`] over
    /// it, but from the touched levels alone. `out` is empty unless it is [`EventView::Changed`].
    ///
    /// # Panics
    /// If the depth is not watched.
    pub fn event_changes(&self, depth: u32, out: &mut Ladder) -> EventView {
        if self.stands() && !self.written_anew {
            return self.watches.changes(&self.levels, depth, out);
        }
        out.clear();
        if self.stands() { EventView::Reset } else { EventView::Unchanged }
    }

    /// The view at the end of an earlier exchange event.
    ///
    /// # Errors
    /// [`HistoryError`] if `seq` is no end of an exchange event that is held.
    pub fn view_at(
        &self,
        history: &History,
        seq: Seq,
        depth: u32,
        out: &mut Ladder,
    ) -> Result<Mark, HistoryError> {
        let (mark, _) = self.mark_at(history, seq)?;
        let changes = history.changes_back(&self.chain, mark.seq);
        Past::new(&self.levels, changes, mark.seq, &mut history.scratch()).view(depth, out);
        Ok(mark)
    }

    /// The net difference of the views at two ends of exchange events, best first: levels that changed or entered the
    /// view with their quantity at `to`, levels that are gone with zero. Levels that were only pushed out of the view are
    /// not named: whoever applies it cuts to the depth.
    ///
    /// # Errors
    /// [`HistoryError`] if one of them is no end of an exchange event that is held, or `from` is after `to`.
    pub fn changes(
        &self,
        history: &History,
        from: Seq,
        to: Seq,
        depth: u32,
        out: &mut Ladder,
    ) -> Result<Range, HistoryError> {
        let range = self.range(history, self.mark_at(history, from)?, to)?;
        self.past(history, &range, &mut history.scratch()).changes(depth, out);
        Ok(range)
    }

    /// What brings a client from anywhere between `from` and `to` to the view at `to`, best first: every level in view
    /// at `to`, and every level touched since `from` that is gone, with zero; at depth 0 every level touched since `from`.
    ///
    /// `from` may be any number; it is taken back to the last end of an exchange event, where the range then begins.
    ///
    /// # Errors
    /// [`HistoryError`] if `from` is older than what is held or ahead of the book, `to` is no end of an exchange event
    /// that is held, or `from` is after `to`.
    pub fn catch_up(
        &self,
        history: &History,
        from: Seq,
        to: Seq,
        depth: u32,
        out: &mut Ladder,
    ) -> Result<Range, HistoryError> {
        let range = self.range(history, self.mark_at_or_before(history, from)?, to)?;
        self.past(history, &range, &mut history.scratch()).catch_up(depth, out);
        Ok(range)
    }

    /// Whether [`Book::catch_up`] from this seq to now would succeed.
    pub fn holds(&self, history: &History, seq: Seq) -> bool {
        self.mark_at_or_before(history, seq).is_ok()
    }

    /// The end of the last exchange event up to a seq that changed the book: trades alone do not. Where that is no longer held,
    /// the oldest moment that is, from which on there was no change.
    ///
    /// # Errors
    /// [`HistoryError`] if the seq is older than what is held or ahead of the book.
    pub fn changed_at_or_before(&self, history: &History, seq: Seq) -> Result<Seq, HistoryError> {
        let (mark, _) = self.mark_at_or_before(history, seq)?;
        let last = history.changes_back(&self.chain, 0).find(|change| change.seq <= mark.seq);
        let end = history.mark_at_or_after(&self.chain, last.map_or(0, |change| change.seq));
        Ok(end.map_or(mark.seq, |end| end.seq.min(mark.seq)))
    }

    fn past<'a>(&'a self, history: &'a History, range: &Range, scratch: &'a mut [Net; 2]) -> Past<'a> {
        let changes = history.changes_back(&self.chain, range.from.seq);
        Past::new(&self.levels, changes, range.to.seq, scratch)
    }

    /// The range from a mark, of which the next one is known, to the mark at `to`.
    fn range(
        &self,
        history: &History,
        (from, next): (Mark, Option<Mark>),
        to: Seq,
    ) -> Result<Range, HistoryError> {
        if from.seq > to {
            return Err(HistoryError::Ahead);
        }
        // Most often it is now, and needs no search.
        let to = if to == self.mark.seq { self.mark } else { self.mark_at(history, to)?.0 };
        let first = next.filter(|next| next.seq <= to.seq).unwrap_or(to);
        Ok(Range { from, to, first_engine: first.engine })
    }

    fn mark_at(&self, history: &History, seq: Seq) -> Result<(Mark, Option<Mark>), HistoryError> {
        let held = self.mark_at_or_before(history, seq)?;
        if held.0.seq == seq { Ok(held) } else { Err(HistoryError::NotABoundary) }
    }

    fn mark_at_or_before(&self, history: &History, seq: Seq) -> Result<(Mark, Option<Mark>), HistoryError> {
        if seq > self.seq {
            return Err(HistoryError::Ahead);
        }
        // While the book does not stand, no mark is held.
        history.mark_at_or_before(&self.chain, seq).ok_or(HistoryError::TooOld)
    }

    fn begin(&mut self, event: &Event) {
        let follows = match self.state {
            State::Absent => true,
            // Where a book is restored, all that make it carry the number at which it stood.
            State::Resetting if event.seq == self.seq => true,
            State::Resetting | State::Standing => event.kind == Kind::Reset || event.seq == self.seq + 1,
        };
        assert!(follows, "the book is at {} and was given {}: events were lost", self.seq, event.seq);
        self.seq = event.seq;
        if !self.open {
            self.open = true;
            self.written_anew = false;
            self.watches.begin();
        }
        if event.kind != Kind::Trade {
            self.venue_seq = event.number;
        }
    }

    fn reset(&mut self) {
        self.levels.clear();
        self.state = State::Resetting;
    }

    /// Sets a level; answers with the change if there was one and the book stood before it.
    fn set(&mut self, event: &Event) -> Option<Change> {
        let &Event { side, price, qty, seq, .. } = event;
        if self.state != State::Standing {
            self.levels.set(side, price, qty);
            return None;
        }
        self.watches.before_change(side, &self.levels);
        let before = self.levels.set(side, price, qty);
        if before == qty {
            return None;
        }
        self.watches.changed(side, price, before, qty);
        Some(Change { seq, side, price, before })
    }

    /// Closes the exchange event; answers whether the book stands.
    fn end(&mut self, event: &Event) -> bool {
        self.open = false;
        self.watches.end();
        if self.state == State::Resetting && !event.partial {
            self.state = State::Standing;
            self.written_anew = true;
        }
        self.mark = Mark {
            seq: event.seq,
            event: self.mark.event + 1,
            engine: event.engine,
            ingest: event.ingest,
            timestamp: event.timestamp,
            venue_seq: self.venue_seq,
        };
        self.stands()
    }
}
