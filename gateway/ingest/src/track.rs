//! What ingest keeps of one symbol: its book of record, its numbers, and whether it waits for a reset.

use crate::{Counts, Fault, Tally};
use book::Book;
use market::{Event, Kind, Nanos, Qty, ResetReason, Seq};

/// Numbers beyond this are refused, so that no arithmetic on them can overflow further down.
const SEQ_LIMIT: Seq = 1 << 62;

/// What is the same for all symbols.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Whether the source's numbers are kept.
    pub keeps_numbers: bool,
    /// Longer exchange events are cut.
    pub largest: usize,
}

/// What the source's own numbers say of an exchange event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// It follows on what was before, apart from single events that were there already.
    Follow,
    /// All of it was there already.
    Repeat,
    /// Something before it or within it is missing.
    Hole,
}

#[derive(Default)]
pub(crate) struct Track {
    pub book: Book,
    /// The last number given out.
    pub seq: Seq,
    /// The source's last number; 0 if it is not known.
    pub source_seq: Seq,
    /// Whether events were lost: it is silent until the next reset.
    pub stale: bool,
    /// Whether the book was crossed at the end of the last exchange event.
    pub crossed: bool,
    /// Whether the source was asked for the first book.
    pub asked: bool,
}

impl Track {
    /// Whether the book is whole and up to date.
    pub fn is_fresh(&self) -> bool {
        self.book.stands() && !self.stale
    }

    /// Whether the source should send the whole book.
    pub fn misses_book(&self) -> bool {
        self.stale || (self.asked && !self.book.stands())
    }

    /// Why this exchange event cannot be taken at all.
    pub fn refusal(&self, run: &[Event], rules: Rules) -> Option<Fault> {
        let least = Seq::from(rules.keeps_numbers);
        if run.iter().any(|event| !(least..=SEQ_LIMIT).contains(&event.seq)) {
            return Some(Fault::BadNumber);
        }
        if !rules.keeps_numbers || run[0].kind == Kind::Reset {
            return None;
        }
        if !self.book.stands() && has_levels(run) {
            return Some(Fault::BeforeReset);
        }
        (run.len() > rules.largest && has_levels(run)).then_some(Fault::TooLarge)
    }

    /// Another source has taken over, with numbers of its own.
    pub fn forget_source(&mut self, rules: Rules) {
        self.asked = false;
        if !rules.keeps_numbers {
            self.source_seq = 0;
        }
    }

    /// Lets a reset begin the source's numbers anew. Numbers that are kept can only go on.
    pub fn rebase(&mut self, reset: &Event, rules: Rules) {
        self.source_seq = if rules.keeps_numbers { self.seq.max(reset.seq.saturating_sub(1)) } else { 0 };
    }

    pub fn numbers(&self, run: &[Event]) -> Numbers {
        let mut last = self.source_seq;
        let mut repeats = 0;
        for &Event { seq, .. } in run.iter().filter(|event| event.seq != 0) {
            if last == 0 || seq == last + 1 {
                last = seq;
            } else if seq <= last {
                repeats += 1;
            } else {
                return Numbers::Hole;
            }
        }
        if repeats == run.len() {
            Numbers::Repeat
        } else if run[0].kind == Kind::Reset && self.is_repeat(&run[0]) {
            // What follows is new, but the book that it follows on was written in between.
            Numbers::Hole
        } else {
            Numbers::Follow
        }
    }

    /// Applies an exchange event that follows, and appends what is left of it, numbered, stamped and marked.
    pub fn apply(
        &mut self,
        run: &[Event],
        rules: Rules,
        now: Nanos,
        out: &mut Vec<Event>,
        counts: &mut Counts,
    ) {
        let begin = out.len();
        let stands = self.book.stands() || run[0].kind == Kind::Reset;
        let restores = restores(run);
        for event in run {
            if !restores && self.is_repeat(event) {
                counts.add(Tally::Repeats, 1);
                continue;
            }
            self.source_seq = self.source_seq.max(event.seq);
            if event.kind == Kind::Level && !rules.keeps_numbers {
                if !stands {
                    continue;
                }
                if self.qty_before(event, &out[begin..]) == event.qty {
                    counts.add(Tally::Unchanged, 1);
                    continue;
                }
            }
            if out.len() > begin {
                self.settle(&mut out[begin..], rules.largest);
            }
            self.seq = if rules.keeps_numbers { event.seq } else { self.seq + 1 };
            out.push(self.sequenced(event, now));
        }
        if let Some(last) = out[begin..].last_mut() {
            last.last = true;
            last.partial = restores && run[run.len() - 1].partial;
            self.book.apply_plain(last);
            self.stale = false;
        }
    }

    /// Lets a restored book begin the numbers anew, wherever that is.
    pub fn move_to(&mut self, seq: Seq) {
        (self.seq, self.source_seq) = (seq, seq);
    }

    /// The events that were not there before, without their numbers; takes note of those.
    pub fn take_new(&mut self, run: &[Event]) -> impl Iterator<Item = Event> {
        run.iter().filter_map(|event| {
            let is_new = !self.is_repeat(event);
            self.source_seq = self.source_seq.max(event.seq);
            is_new.then_some(Event { seq: 0, ..*event })
        })
    }

    fn is_repeat(&self, event: &Event) -> bool {
        event.seq != 0 && event.seq <= self.source_seq
    }

    fn sequenced(&self, event: &Event, now: Nanos) -> Event {
        let mut event = Event { seq: self.seq, ingest: now, last: false, partial: false, ..*event };
        if event.kind == Kind::Reset && self.stale && !event.reset_reason().restores() {
            event.qty = Event::reset(event.symbol, ResetReason::Gap).qty;
        }
        event
    }

    /// Applies the last of `run` to the book, now that it is known that more follows. Until then it is held back, as only
    /// what follows tells whether the exchange event ends with it.
    fn settle(&mut self, run: &mut [Event], largest: usize) {
        let is_reset = run[0].kind == Kind::Reset;
        if run.len().is_multiple_of(largest) {
            let piece = run.len() - largest;
            run[piece..].iter_mut().for_each(|event| event.partial = is_reset);
            run[run.len() - 1].last = true;
        }
        self.book.apply_plain(&run[run.len() - 1]);
    }

    /// The quantity at an event's level before it; the last of `run` is not in the book yet.
    fn qty_before(&self, event: &Event, run: &[Event]) -> Qty {
        match run.last() {
            Some(held) if held.kind == Kind::Reset => Qty::ZERO,
            Some(held)
                if held.kind == Kind::Level && (held.side, held.price) == (event.side, event.price) =>
            {
                held.qty
            }
            _ => self.book.qty_at(event.side, event.price),
        }
    }
}

/// Whether an exchange event puts a book in place that is known from elsewhere.
pub(crate) fn restores(run: &[Event]) -> bool {
    run[0].kind == Kind::Reset && run[0].reset_reason().restores()
}

pub(crate) fn has_levels(run: &[Event]) -> bool {
    run.iter().any(|event| event.kind == Kind::Level)
}
