//! Views, changes and catch-ups equal those of the obvious book, whatever was forgotten in the meantime.

mod model;

use book::{Book, EventView, History, HistoryError, Ladder, Mark, Range};
use market::{Event, Seq, Side};
use model::{Model, Step, steps};
use proptest::{prelude::*, sample::Index};

const DEPTHS: [u32; 4] = [0, 1, 3, 10];

/// A book beside its model; it watches all depths.
struct Pair {
    book: Book,
    model: Model,
}

impl Pair {
    fn new(history: &mut History) -> Pair {
        let mut pair = Pair { book: Book::new(), model: Model::default() };
        DEPTHS.iter().for_each(|&depth| pair.book.watch(depth));
        pair.play(&Step::Reset(vec![vec![]]), history);
        pair
    }

    fn play(&mut self, step: &Step, history: &mut History) {
        if let Step::Restore(levels) = step {
            let (levels, mark) = self.model.restore(levels);
            self.book.restore(&levels, mark, history);
        } else {
            self.model.play(step).iter().for_each(|event| self.book.apply(event, history));
        }
        assert_eq!(self.book.mark(), self.model.mark());
        assert_eq!(self.book.stands(), self.model.stands);
    }

    /// The fast path for the exchange event that ended last.
    fn check_last_event(&self, step: &Step) {
        let mut told = Ladder::default();
        for depth in DEPTHS {
            let view = self.book.event_changes(depth, &mut told);
            if !matches!(step, Step::Match(..)) {
                assert_eq!((view, told.is_empty()), (EventView::Reset, true));
                continue;
            }
            let [.., (before, _), (now, _)] = &self.model.ends[..] else { panic!("two ends") };
            let wanted = self.model.changes(before.seq, now.seq, depth);
            assert_eq!(view, if wanted.is_empty() { EventView::Unchanged } else { EventView::Changed });
            assert_eq!(told, wanted, "depth {depth}");
        }
    }

    /// The oldest end that is held. The view at each one from there on is exact, the ones before are too old.
    fn check_views(&self, history: &History) -> Seq {
        let mut held_from = None;
        let mut view = Ladder::default();
        for (i, (mark, _)) in self.model.ends.iter().enumerate() {
            let depth = DEPTHS[i % DEPTHS.len()];
            match self.book.view_at(history, mark.seq, depth, &mut view) {
                Ok(told) => {
                    assert_eq!(told, *mark);
                    assert_eq!(view, self.model.view(mark.seq, depth));
                    held_from = held_from.or(Some(mark.seq));
                }
                Err(error) => assert_eq!((error, held_from), (HistoryError::TooOld, None)),
            }
        }
        held_from.expect("the newest end is always held")
    }

    fn oldest_held(&self, history: &History) -> Seq {
        let mut view = Ladder::default();
        let too_old = |(mark, _): &(Mark, _)| self.book.view_at(history, mark.seq, 1, &mut view).is_err();
        self.model.ends[self.model.ends.partition_point(too_old)].0.seq
    }

    fn check_range(&self, history: &History, held_from: Seq, from: Seq, to: Seq, depth: u32) {
        let mut told = Ladder::default();
        let changes = self.book.changes(history, from, to, depth, &mut told);
        let wanted =
            self.end(held_from, from).and_then(exact(from)).and_then(|mark| self.range(held_from, mark, to));
        assert_eq!(changes, wanted, "changes {from}..={to}");
        if changes.is_ok() {
            assert_eq!(told, self.model.changes(from, to, depth), "changes {from}..={to} at {depth}");
            self.check_reaches(&told, from, to, depth);
        }
        let to_now = self.book.catch_up(history, from, self.model.seq, depth, &mut told);
        assert_eq!(self.book.holds(history, from), to_now.is_ok(), "holds {from}");
        let changed = self.book.changed_at_or_before(history, from);
        let wanted = self.end(held_from, from).map(|mark| self.last_change(held_from, mark.seq));
        assert_eq!(changed, wanted, "changed at or before {from}");
        let catch_up = self.book.catch_up(history, from, to, depth, &mut told);
        let wanted = self.end(held_from, from).and_then(|mark| self.range(held_from, mark, to));
        assert_eq!(catch_up, wanted, "catch-up {from}..={to}");
        if let Ok(range) = catch_up {
            assert_eq!(
                told,
                self.model.catch_up(range.from.seq, to, depth),
                "catch-up {from}..={to} at {depth}"
            );
            for (mark, _) in self.model.ends.iter().filter(|(mark, _)| mark.seq >= from && mark.seq <= to) {
                self.check_reaches(&told, mark.seq, to, depth);
            }
        }
    }

    /// The last end up to `until` of an exchange event that touched a level, if that is held, else the oldest one.
    fn last_change(&self, held_from: Seq, until: Seq) -> Seq {
        let mut events = self.model.ends.windows(2).rev().map(|ends| [ends[0].0.seq, ends[1].0.seq]);
        let last = events.find(|&[before, end]| {
            before >= held_from && end <= until && !self.model.catch_up(before, end, 0).is_empty()
        });
        last.map_or(held_from, |[_, end]| end)
    }

    /// The view at `from` with the changes, cut, is the view at `to`.
    fn check_reaches(&self, changes: &Ladder, from: Seq, to: Seq, depth: u32) {
        let mut view = self.model.view(from, depth);
        view.apply(changes);
        view.cut(depth);
        assert_eq!(view, self.model.view(to, depth), "from {from} to {to} at {depth}");
    }

    fn end(&self, held_from: Seq, seq: Seq) -> Result<Mark, HistoryError> {
        match self.model.end_at_or_before(seq) {
            _ if seq > self.model.seq => Err(HistoryError::Ahead),
            Some(at) if seq >= held_from => Ok(self.model.ends[at].0),
            _ => Err(HistoryError::TooOld),
        }
    }

    fn range(&self, held_from: Seq, from: Mark, to: Seq) -> Result<Range, HistoryError> {
        if from.seq > to {
            return Err(HistoryError::Ahead);
        }
        let to = self.end(held_from, to).and_then(exact(to))?;
        let first = self.model.ends.iter().find(|(mark, _)| mark.seq > from.seq && mark.seq <= to.seq);
        Ok(Range { from, to, first_engine: first.map_or(to, |(mark, _)| *mark).engine })
    }
}

fn exact(seq: Seq) -> impl Fn(Mark) -> Result<Mark, HistoryError> {
    move |mark| if mark.seq == seq { Ok(mark) } else { Err(HistoryError::NotABoundary) }
}

/// Queries that reach from before the oldest end to beyond the newest, one in two at ends.
fn seq_of(model: &Model, at_end: bool, index: &Index) -> Seq {
    if at_end {
        return model.ends[index.index(model.ends.len())].0.seq;
    }
    let oldest = model.ends[0].0.seq.saturating_sub(3);
    oldest + index.index((model.seq + 3 - oldest) as usize) as Seq
}

fn queries() -> impl Strategy<Value = Vec<(bool, Index, bool, Index, usize)>> {
    prop::collection::vec((any::<bool>(), any::<Index>(), any::<bool>(), any::<Index>(), 0..DEPTHS.len()), 40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_held_is_exact(
        steps in prop::collection::vec((0usize..3, steps()), 1..800),
        queries in queries(),
        pool in prop_oneof![Just(0usize), Just(40 << 10), Just(1 << 20)],
    ) {
        let mut history = History::new(pool);
        let mut pairs = [(); 3].map(|()| Pair::new(&mut history));
        for (which, step) in &steps {
            let pair = &mut pairs[*which];
            pair.play(step, &mut history);
            pair.check_last_event(step);
        }
        for pair in &pairs {
            let held_from = pair.check_views(&history);
            if pool == 1 << 20 {
                prop_assert_eq!(held_from, pair.model.ends[0].0.seq, "a large pool forgets nothing");
            }
            for (from_end, from, to_end, to, depth) in &queries {
                let from = seq_of(&pair.model, *from_end, from);
                let to = seq_of(&pair.model, *to_end, to);
                pair.check_range(&history, held_from, from, to, DEPTHS[*depth]);
            }
        }
    }
}

/// A match of one change at a price.
fn one_level(price: i64, qty: u64) -> Step {
    Step::Match(vec![(Side::Bid, price, qty)], false)
}

#[test]
fn a_busy_book_does_not_push_out_what_a_quiet_one_is_writing() {
    let mut history = History::new(256 << 10);
    let mut quiet = Pair::new(&mut history);
    let mut busy = Pair::new(&mut history);
    quiet.play(&one_level(5, 1), &mut history);
    for i in 0..20_000 {
        busy.play(&one_level(i % 20, 1 + i as u64), &mut history);
    }
    assert_eq!(quiet.check_views(&history), quiet.model.ends[0].0.seq);
    let held = busy.model.seq - busy.oldest_held(&history);
    assert!((3_000..5_000).contains(&held), "256 KiB hold 64 bytes an event, not {held} events");
    assert!(history.bytes() <= (256 << 10), "{} bytes", history.bytes());
}

#[test]
fn more_books_than_chunks_have_a_chunk_each() {
    let mut history = History::new(0);
    let mut pairs: Vec<Pair> = (0..50).map(|_| Pair::new(&mut history)).collect();
    for pair in &mut pairs {
        for i in 0..20 {
            pair.play(&one_level(i, 1), &mut history);
        }
    }
    for pair in &pairs {
        assert_eq!(pair.check_views(&history), pair.model.ends[0].0.seq);
    }
    assert_eq!(history.bytes(), 50 * 8192);
}

#[test]
fn a_merge_over_thousands_of_levels_is_exact() {
    let mut history = History::new(4 << 20);
    let mut pair = Pair::new(&mut history);
    for round in 1..6 {
        let changes = (0..8_000).map(|i| {
            let side = if i % 2 == 0 { Side::Bid } else { Side::Ask };
            (side, i * 7_919 % 8_000, (i as u64 + round) % 4)
        });
        pair.play(&Step::Match(changes.collect(), false), &mut history);
    }
    let held_from = pair.check_views(&history);
    assert_eq!(held_from, pair.model.ends[0].0.seq);
    for from in 0..6 {
        for to in from..6 {
            let seq = |end: usize| pair.model.ends[end].0.seq;
            pair.check_range(&history, held_from, seq(from), seq(to), DEPTHS[(from + to) % DEPTHS.len()]);
        }
    }
}

#[test]
fn writing_a_book_anew_takes_no_history() {
    let mut history = History::new(1 << 20);
    let mut pair = Pair::new(&mut history);
    let levels: Vec<_> = (0..5_000).map(|price| (Side::Ask, price, 1)).collect();
    for _ in 0..5 {
        pair.play(&Step::Reset(vec![levels.clone()]), &mut history);
    }
    assert_eq!(history.bytes(), 8192, "one chunk, for the mark");
}

#[test]
fn a_reset_in_pieces_stands_when_the_last_one_ends() {
    let mut history = History::new(1 << 20);
    let mut pair = Pair::new(&mut history);
    pair.play(&one_level(5, 1), &mut history);
    let before = pair.book.mark().seq;
    let piece = |price| vec![(Side::Ask, price, 2)];
    let events: Vec<Event> = pair.model.play(&Step::Reset(vec![piece(7), piece(8)]));
    let mut told = Ladder::default();

    events[..2].iter().for_each(|event| pair.book.apply(event, &mut history));
    assert!(!pair.book.stands());
    assert_eq!(pair.book.event_changes(10, &mut told), EventView::Unchanged);
    for seq in [before, pair.book.seq()] {
        assert_eq!(pair.book.view_at(&history, seq, 10, &mut told), Err(HistoryError::TooOld));
    }

    events[2..].iter().for_each(|event| pair.book.apply(event, &mut history));
    assert!(pair.book.stands());
    assert_eq!(pair.book.event_changes(10, &mut told), EventView::Reset);
    assert_eq!(pair.book.view_at(&history, before, 10, &mut told), Err(HistoryError::TooOld));
    assert_eq!(pair.check_views(&history), pair.book.seq());
}
