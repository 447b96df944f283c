//! Keeps one market's diffs in line with its snapshot. Knows nothing of JSON.

use crate::import::{At, Place, Tally, event};
use market::{Event, Kind, Nanos, ResetReason, SymbolId};
use std::collections::VecDeque;

/// How many level changes are kept while a snapshot has not come; the oldest diffs go first.
const MAX_WAITING: usize = 1 << 16;

/// A diff's place in the venue's numbering.
#[derive(Debug, Clone, Copy)]
pub(super) struct Diff {
    /// `U`.
    pub first: u64,
    /// `u`.
    pub last: u64,
    /// `pu`, which only futures have.
    pub previous: Option<u64>,
    pub time: Nanos,
}

/// Where a market's book stands.
pub(super) struct BookSync {
    state: State,
    /// Why the next snapshot begins the book anew.
    reason: ResetReason,
    /// The last event time seen: a bare snapshot has none.
    time: Nanos,
}

enum State {
    /// There is no snapshot that the diffs could continue.
    Waiting(Waiting),
    /// The book is whole up to `last`; `fresh` says that this is the snapshot's number.
    Standing { last: u64, fresh: bool },
}

#[derive(Default)]
struct Waiting {
    diffs: VecDeque<(Diff, Vec<Event>)>,
    levels: usize,
    dropped: u64,
    first: Option<Place>,
}

/// How a diff stands to the book.
enum Step {
    Stale,
    Continues,
    Hole,
}

impl BookSync {
    pub fn new() -> BookSync {
        BookSync { state: State::Waiting(Waiting::default()), reason: ResetReason::Feed, time: Nanos::ZERO }
    }

    /// Notes the time of whatever happened on this market.
    pub fn note_time(&mut self, time: Nanos) {
        self.time = self.time.max(time);
    }

    /// Takes a diff whose levels were appended to `out` from `begin` on: leaves them there, keeps them for later, or takes
    /// them back.
    pub fn diff(
        &mut self,
        diff: Diff,
        symbol: SymbolId,
        begin: usize,
        out: &mut Vec<Event>,
        at: At<'_>,
        tally: &mut Tally,
    ) {
        self.note_time(diff.time);
        let (last, fresh) = match &mut self.state {
            State::Waiting(waiting) => return waiting.keep(diff, out.split_off(begin), at),
            State::Standing { last, fresh } => (*last, *fresh),
        };
        match diff.step(last, fresh) {
            Step::Stale => {
                out.truncate(begin);
                tally.skip("depth diff that the book holds already", at);
            }
            Step::Continues => {
                finish(&mut out[begin..], diff.last);
                self.state = State::Standing { last: diff.last, fresh: false };
                tally.updates += 1;
            }
            Step::Hole => {
                let levels = out.split_off(begin);
                out.push(event(Kind::FeedGap, symbol, diff.time));
                tally.gaps += 1;
                self.reason = ResetReason::Gap;
                let mut waiting = Waiting::default();
                waiting.keep(diff, levels, at);
                self.state = State::Waiting(waiting);
            }
        }
    }

    /// Takes a snapshot up to `last`, whose levels are `levels`, and the diffs that were kept for it.
    pub fn snapshot(
        &mut self,
        last: u64,
        symbol: SymbolId,
        levels: Vec<Event>,
        out: &mut Vec<Event>,
        at: At<'_>,
        tally: &mut Tally,
    ) {
        let State::Waiting(waiting) = &mut self.state else {
            return tally.skip("depth snapshot of a book that stands", at);
        };
        let waiting = std::mem::take(waiting);
        let begin = out.len();
        out.push(Event { timestamp: self.time, ..Event::reset(symbol, self.reason) });
        out.extend(levels.iter().map(|level| Event { timestamp: self.time, ..*level }));
        for event in &mut out[begin..] {
            event.engine = event.timestamp;
            event.ingest = event.timestamp;
        }
        finish(&mut out[begin..], last);
        tally.snapshots += 1;
        self.state = State::Standing { last, fresh: true };
        waiting.tally_dropped(waiting.dropped, tally);
        for (diff, levels) in waiting.diffs {
            let begin = out.len();
            out.extend(levels);
            self.diff(diff, symbol, begin, out, at, tally);
        }
    }

    /// Accounts for diffs that waited in vain.
    pub fn end(&mut self, tally: &mut Tally) {
        if let State::Waiting(waiting) = &mut self.state {
            let waiting = std::mem::take(waiting);
            waiting.tally_dropped(waiting.dropped + waiting.diffs.len() as u64, tally);
        }
    }
}

impl Diff {
    fn step(&self, last: u64, fresh: bool) -> Step {
        // Futures want the diff that ends at the snapshot's number applied, spot wants it dropped.
        let is_stale = if fresh && self.previous.is_some() { self.last < last } else { self.last <= last };
        let continues = match self.previous {
            Some(previous) => previous <= last,
            None => self.first <= last.saturating_add(1),
        };
        match (is_stale, continues) {
            (true, _) => Step::Stale,
            (false, true) => Step::Continues,
            (false, false) => Step::Hole,
        }
    }
}

impl Waiting {
    fn keep(&mut self, diff: Diff, levels: Vec<Event>, at: At<'_>) {
        self.first.get_or_insert_with(|| at.place());
        self.levels += levels.len();
        self.diffs.push_back((diff, levels));
        while self.levels > MAX_WAITING || self.diffs.len() > MAX_WAITING {
            let Some((_, oldest)) = self.diffs.pop_front() else { return };
            self.levels -= oldest.len();
            self.dropped += 1;
        }
    }

    fn tally_dropped(&self, count: u64, tally: &mut Tally) {
        if let Some(first) = self.first.as_ref().filter(|_| count > 0) {
            tally.skip_many("depth diff without a snapshot that it continues", count, || first.clone());
        }
    }
}

/// Closes an exchange event with the venue's number.
fn finish(events: &mut [Event], number: u64) {
    for event in &mut *events {
        event.number = number;
    }
    if let Some(last) = events.last_mut() {
        last.last = true;
    }
}
