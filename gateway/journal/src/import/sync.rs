//! Keeps one market's book in line with what the venue says of it: its numbering, its whole books, its checksums. Knows
//! nothing of JSON.
//!
//! A change that does not continue the book, or after which the venue's checksum differs, is a gap: the book waits for the
//! next whole one.

use super::{
    at::{At, KeptAt},
    depth_book::{DepthBook, Written},
    events::event,
    message::{BookMessage, Content, Link},
    rules::{Rules, Snapshots},
    tally::Tally,
};
use market::{Event, Instrument, Kind, Nanos, ResetReason, SymbolId};
use std::collections::VecDeque;

/// How many level changes are kept while a whole book has not come; the oldest messages go first.
const MAX_WAITING: usize = 1 << 16;

/// Where a market's book stands.
pub(super) struct BookSync {
    rules: &'static Rules,
    state: State,
    /// The levels, where the venue proves or cuts them.
    levels: Option<DepthBook>,
}

enum State {
    /// There is no whole book that changes could continue.
    Waiting(Waiting),
    /// The book is whole up to `last`; `fresh` says that this is the number of the whole book itself.
    Standing { last: u64, fresh: bool },
}

struct Waiting {
    /// Why the next whole book begins the book anew.
    reason: ResetReason,
    kept: VecDeque<Kept>,
    levels: usize,
    dropped: u64,
    first: Option<KeptAt>,
}

/// A change that waits for the whole book that it continues.
struct Kept {
    message: BookMessage,
    at: KeptAt,
    time: Nanos,
    levels: Vec<Event>,
}

/// Where the events of a message go: its levels stand in `out` from `begin` on, and are left there, taken back, or kept.
pub(super) struct Outlet<'a> {
    pub instrument: &'a Instrument,
    pub symbol: SymbolId,
    pub time: Nanos,
    pub begin: usize,
    pub out: &'a mut Vec<Event>,
    pub written: &'a [Written],
    pub at: At<'a>,
    pub tally: &'a mut Tally,
}

/// How a change stands to the book.
enum Step {
    Stale,
    Continues,
    Hole,
}

impl BookSync {
    /// A book that waits.
    pub fn new(rules: &'static Rules) -> BookSync {
        BookSync { rules, state: State::Waiting(Waiting::new(ResetReason::Feed)), levels: None }
    }

    /// Takes a message.
    pub fn take(&mut self, message: &BookMessage, mut outlet: Outlet<'_>) {
        match message.content {
            Content::Whole { number, depth } => self.whole(number, depth, message.checksum, &mut outlet),
            Content::Change(link) => self.change(link, message, &mut outlet),
        }
    }

    fn change(&mut self, link: Link, message: &BookMessage, outlet: &mut Outlet<'_>) {
        let step = match &mut self.state {
            State::Waiting(waiting) if self.rules.snapshots == Snapshots::Polled => {
                return waiting.keep(*message, outlet);
            }
            State::Waiting(_) => return outlet.leave_out("book update without a snapshot that it continues"),
            State::Standing { last, fresh } => link.step(*last, *fresh),
        };
        match step {
            Step::Stale => outlet.leave_out("book update that the book holds already"),
            Step::Continues if self.is_proven(message.checksum, outlet) => {
                outlet.close(link.last());
                outlet.tally.updates += 1;
                self.state = State::Standing { last: link.last(), fresh: false };
            }
            Step::Continues => {
                outlet.leave_out("book update whose checksum differs");
                self.lose(outlet);
            }
            Step::Hole if self.rules.snapshots == Snapshots::Polled => {
                let mut waiting = Waiting::new(ResetReason::Gap);
                waiting.keep(*message, outlet);
                self.lose(outlet);
                self.state = State::Waiting(waiting);
            }
            Step::Hole => {
                outlet.leave_out("book update behind a hole in the venue's numbering");
                self.lose(outlet);
            }
        }
    }

    fn whole(&mut self, number: u64, depth: Option<usize>, checksum: Option<u32>, outlet: &mut Outlet<'_>) {
        let waiting = match &mut self.state {
            State::Standing { .. } if self.rules.snapshots == Snapshots::Polled => {
                return outlet.leave_out("book snapshot of a book that stands");
            }
            State::Standing { .. } => Waiting::new(ResetReason::Feed),
            State::Waiting(waiting) => std::mem::replace(waiting, Waiting::new(waiting.reason)),
        };
        if self.rules.checksum.is_some() {
            self.levels = Some(DepthBook::new(depth.unwrap_or(usize::MAX), outlet.instrument));
        }
        if !self.is_proven(checksum, outlet) {
            outlet.leave_out("book snapshot whose checksum differs");
            return self.lose(outlet);
        }
        let reset = Event { symbol: outlet.symbol, ..Event::reset(outlet.symbol, waiting.reason) };
        outlet.out.insert(outlet.begin, reset);
        outlet.close(number);
        outlet.tally.snapshots += 1;
        self.state = State::Standing { last: number, fresh: true };
        self.catch_up(waiting, outlet);
    }

    /// Takes the changes that were kept for a whole book.
    fn catch_up(&mut self, waiting: Waiting, outlet: &mut Outlet<'_>) {
        waiting.tally_dropped(waiting.dropped, outlet.tally);
        for Kept { message, at, time, levels } in &waiting.kept {
            let begin = outlet.out.len();
            outlet.out.extend_from_slice(levels);
            let at = at.at();
            let outlet = Outlet { begin, at, time: *time, out: outlet.out, tally: outlet.tally, ..*outlet };
            self.take(message, outlet);
        }
    }

    /// Applies the message's levels where the venue proves or cuts them; whether its checksum agrees.
    fn is_proven(&mut self, checksum: Option<u32>, outlet: &mut Outlet<'_>) -> bool {
        let Some((levels, rule)) = self.levels.as_mut().zip(self.rules.checksum) else { return true };
        levels.apply(outlet.begin, outlet.written, outlet.out);
        checksum.is_none_or(|checksum| checksum == levels.checksum(rule))
    }

    /// The book does not hold any more.
    fn lose(&mut self, outlet: &mut Outlet<'_>) {
        outlet.tally.gaps += 1;
        if matches!(self.state, State::Standing { .. }) {
            outlet.out.push(event(Kind::FeedGap, outlet.symbol, outlet.time));
            self.state = State::Waiting(Waiting::new(ResetReason::Gap));
        }
    }

    /// What follows may not continue the book.
    pub fn interrupt(&mut self, mut outlet: Outlet<'_>) {
        if matches!(self.state, State::Standing { .. }) {
            outlet.leave_out("book of before a new connection");
            self.lose(&mut outlet);
        }
    }

    /// Accounts for changes that waited in vain.
    pub fn end(&mut self, tally: &mut Tally) {
        if let State::Waiting(waiting) = &mut self.state {
            waiting.tally_dropped(waiting.dropped + waiting.kept.len() as u64, tally);
            *waiting = Waiting::new(waiting.reason);
        }
    }
}

impl Outlet<'_> {
    fn leave_out(&mut self, reason: &str) {
        self.out.truncate(self.begin);
        self.tally.skip(reason, self.at);
    }

    /// Closes the exchange event with the venue's number.
    fn close(&mut self, number: u64) {
        for event in &mut self.out[self.begin..] {
            (event.timestamp, event.engine, event.ingest) = (self.time, self.time, self.time);
            event.number = number;
        }
        if let Some(last) = self.out[self.begin..].last_mut() {
            last.last = true;
        }
    }
}

impl Link {
    fn step(self, known: u64, fresh: bool) -> Step {
        let (is_stale, continues) = match self {
            Link::Unnumbered | Link::Named { .. } => (false, true),
            Link::Broken => (false, false),
            Link::Grows { last } => (last <= known, true),
            Link::Span { first, last } => (last <= known, first <= known.saturating_add(1)),
            Link::Follows { previous, .. } if previous == known => (false, true),
            // The change that a snapshot ends in is wanted once more (Binance's futures).
            Link::Follows { last, .. } if fresh => (last < known, self.begins_before(known)),
            Link::Follows { last, .. } => (last <= known, false),
        };
        match (is_stale, continues) {
            (true, _) => Step::Stale,
            (false, true) => Step::Continues,
            (false, false) => Step::Hole,
        }
    }

    fn begins_before(self, known: u64) -> bool {
        matches!(self, Link::Follows { previous, .. } if previous < known)
    }
}

impl Waiting {
    fn new(reason: ResetReason) -> Waiting {
        Waiting { reason, kept: VecDeque::new(), levels: 0, dropped: 0, first: None }
    }

    fn keep(&mut self, message: BookMessage, outlet: &mut Outlet<'_>) {
        let at = outlet.at.keep();
        self.first.get_or_insert_with(|| at.clone());
        let levels = outlet.out.split_off(outlet.begin);
        self.levels += levels.len();
        self.kept.push_back(Kept { message, at, time: outlet.time, levels });
        while self.levels > MAX_WAITING || self.kept.len() > MAX_WAITING {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.levels -= oldest.levels.len();
            self.dropped += 1;
        }
    }

    fn tally_dropped(&self, count: u64, tally: &mut Tally) {
        if let Some(first) = self.first.as_ref().filter(|_| count > 0) {
            let place = || first.at().place();
            tally.skip_many("book update without a snapshot that it continues", count, place);
        }
    }
}
