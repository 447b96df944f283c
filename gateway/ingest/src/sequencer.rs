//! The rules by which the events of a source become the events of the ring.

use crate::{
    Counts, Fault, Tally, Warning,
    feed_time::FeedTime,
    framing::{End, frame},
    track::{Numbers, Rules, Track, has_levels, restores},
};
use book::{Book, Ladder};
use market::{Epoch, Event, Ids, Kind, Level, Nanos, Price, Qty, ResetReason, Seq, Side, SymbolId};
use std::time::Duration;

/// An exchange event of more events than this, a whole book included, is refused: memory must have a bound.
pub const MAX_EXCHANGE_EVENT: usize = 1 << 20;

/// How long the source is given to send a book that is missing.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Whose numbers events get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// The sequencer's own, from 1, in an epoch that nobody has used before.
    Own(Epoch),
    /// The source's, which is itself the sequencer of this epoch, until a [`Kind::Jump`] of it begins another.
    Kept(Epoch),
}

impl Numbering {
    /// The epoch of the numbers.
    pub fn epoch(self) -> Epoch {
        match self {
            Numbering::Own(epoch) | Numbering::Kept(epoch) => epoch,
        }
    }
}

/// What to do about a book that is crossed at the end of an exchange event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnCross {
    /// Tell, and go on: it is legal in an auction.
    #[default]
    Status,
    /// Tell, and treat it as a hole in the feed: the book is stale until the next reset.
    Reset,
}

/// How a [`Sequencer`] works.
#[derive(Debug, Clone, Copy)]
pub struct SequencerOptions {
    /// What to do about crossed books.
    pub on_cross: OnCross,
    /// The most events that an exchange event may have, at least 1; larger resets are cut. A quarter of the ring.
    pub largest: usize,
    /// What [`Ids`] count from.
    pub id_base: u64,
}

/// Makes of a source's events the events of the ring: numbered without a hole, checked, stamped, with feed time between
/// them, and keeps the book of record of each symbol.
///
/// What comes out, always:
/// - Numbered events stand in exchange events: contiguous, of one symbol, the last one marked, at most
///   [`SequencerOptions::largest`] events. Per symbol the numbers are dense, but for a hole that a
///   [`Kind::FeedGap`] named before it (where the source's numbers are kept).
/// - A level changes the book (where the source's numbers are not kept), a book begins with a reset, and after a
///   [`Kind::FeedGap`] nothing comes of the symbol but a reset first, which then has [`ResetReason::Gap`].
/// - The feed time of an event is the greatest timestamp so far of all that came out, or a later watermark. A
///   [`Kind::Tick`] stands before whatever is in another bucket of [`TICK`](crate::TICK) than what came before it.
pub struct Sequencer {
    ids: Ids,
    /// The highest number of this epoch before the last [`Kind::Jump`] in it.
    highest: Seq,
    on_cross: OnCross,
    rules: Rules,
    tracks: Vec<Track>,
    /// An exchange event of which the end is still to come.
    open: Vec<Event>,
    feed_time: FeedTime,
    books_standing: usize,
    counts: Counts,
    warnings: Vec<Warning>,
    refreshes: Vec<SymbolId>,
    ask_again_at: Nanos,
}

impl Sequencer {
    /// For a feed that has `symbols` instruments now.
    ///
    /// # Panics
    /// If `options.largest` is 0.
    pub fn new(numbering: Numbering, symbols: usize, options: SequencerOptions) -> Sequencer {
        assert!(options.largest > 0, "an exchange event has at least one event");
        let keeps_numbers = matches!(numbering, Numbering::Kept(_));
        let mut sequencer = Sequencer {
            ids: Ids { epoch: numbering.epoch(), base: options.id_base },
            highest: 0,
            on_cross: options.on_cross,
            rules: Rules { keeps_numbers, largest: options.largest },
            tracks: Vec::new(),
            open: Vec::new(),
            feed_time: FeedTime::default(),
            books_standing: 0,
            counts: Counts::default(),
            warnings: Vec::new(),
            refreshes: Vec::new(),
            ask_again_at: Nanos::ZERO,
        };
        sequencer.grow(symbols);
        sequencer
    }

    /// Takes what a source yielded and appends what comes of it to `out`, all stamped as taken at `now`.
    ///
    /// Of the kinds that are no part of an exchange event, a [`Kind::FeedGap`] makes its symbol stale, a [`Kind::Tick`]
    /// moves feed time as a watermark does, and a [`Kind::Jump`] moves all of it where the source's numbers are kept; the others are
    /// left out, as the sequencer makes them itself.
    pub fn push(&mut self, events: &[Event], now: Nanos, out: &mut Vec<Event>) {
        let mut rest = events;
        while let Some(first) = rest.first() {
            if self.open.is_empty() && !first.kind.is_numbered() {
                self.take_notice(first, now, out);
                rest = &rest[1..];
                continue;
            }
            let (length, end) = frame(self.open.first().map(|event| event.symbol), rest);
            let (run, behind) = rest.split_at(length);
            rest = behind;
            self.take_run(run, end, now, out);
        }
    }

    /// Moves feed time to the source's promise that nothing earlier will follow.
    pub fn reach(&mut self, watermark: Nanos, now: Nanos, out: &mut Vec<Event>) {
        if watermark > self.feed_time.reached() && watermark <= Nanos::MAX && self.feed_time.reach(watermark)
        {
            out.push(self.notice(Kind::Tick, SymbolId(0), now));
        }
    }

    /// A replay goes on elsewhere: feed time and numbers begin anew there, perhaps in another epoch, and every book waits for its
    /// reset.
    fn jump(&mut self, jump: &Event, now: Nanos, out: &mut Vec<Event>) {
        let (time, epoch) = (jump.timestamp, jump.jump_ids().epoch);
        if !self.rules.keeps_numbers || time > Nanos::MAX {
            return self.fault(Fault::BadTime, SymbolId(0));
        }
        let highest = self.tracks.iter().map(|track| track.seq).fold(self.highest, Seq::max);
        self.highest = highest;
        if epoch != self.ids.epoch {
            // At full speed a round may take less microseconds than it has numbers.
            let base = (now.0 / 1_000).max(self.ids.of(highest) + Ids::APART);
            (self.ids, self.highest) = (Ids { epoch, base }, 0);
        }
        self.tracks.fill_with(Track::default);
        self.books_standing = 0;
        self.feed_time.jump(time);
        let jump = Event::jump(time, self.ids, jump.reset_reason());
        out.push(Event { engine: now, ingest: now, ..jump });
    }

    /// Makes it `symbols` instruments in all, if they are fewer, and announces each new one with a [`Kind::Listing`].
    pub fn list(&mut self, symbols: usize, now: Nanos, out: &mut Vec<Event>) {
        for new in self.grow(symbols) {
            out.push(self.notice(Kind::Listing, SymbolId(new as u32), now));
        }
    }

    /// Appends an event that says something of the feed as a whole.
    pub(crate) fn tell(&self, kind: Kind, now: Nanos, out: &mut Vec<Event>) {
        out.push(self.notice(kind, SymbolId(0), now));
    }

    /// The source has ended: what it had begun will not be finished.
    pub fn end(&mut self, now: Nanos, out: &mut Vec<Event>) {
        if !self.open.is_empty() {
            self.take_run(&[], End::Broken(Fault::Unfinished), now, out);
        }
    }

    /// The source was replaced by another that does not go on where it stopped: every book is stale until its reset, and
    /// those that were missing are asked for again. Symbols that only trade go on.
    pub fn restart(&mut self, now: Nanos, out: &mut Vec<Event>) {
        self.end(now, out);
        for at in 0..self.tracks.len() {
            let track = &mut self.tracks[at];
            track.forget_source(self.rules);
            if track.book.stands() {
                self.silence(SymbolId(at as u32), now, out);
            }
        }
        self.ask_again_at = now;
    }

    /// Asks again for the books that are still missing, once a second. To be called now and then.
    pub fn ask_again(&mut self, now: Nanos) {
        if now < self.ask_again_at {
            return;
        }
        self.ask_again_at = now + ASK_AGAIN_AFTER;
        let missing = self.tracks.iter().enumerate().filter(|(_, track)| track.misses_book());
        self.refreshes.clear();
        self.refreshes.extend(missing.map(|(at, _)| SymbolId(at as u32)));
    }

    /// The numbering, and what ids of dialects count from.
    pub fn ids(&self) -> Ids {
        self.ids
    }

    /// The epoch, if the source's numbers are kept.
    pub fn kept_epoch(&self) -> Option<Epoch> {
        self.rules.keeps_numbers.then_some(self.ids.epoch)
    }

    /// How many instruments there are.
    pub fn symbols(&self) -> usize {
        self.tracks.len()
    }

    /// The book of record as of the last event that came out.
    pub fn book(&self, symbol: SymbolId) -> Option<&Book> {
        self.tracks.get(symbol.index()).map(|track| &track.book)
    }

    /// Whether the symbol has a hole, and waits for a reset.
    pub fn is_stale(&self, symbol: SymbolId) -> bool {
        self.tracks.get(symbol.index()).is_some_and(|track| track.stale)
    }

    /// How many books are whole and not stale.
    pub fn books_standing(&self) -> usize {
        self.books_standing
    }

    /// The feed time reached.
    pub fn feed_time(&self) -> Nanos {
        self.feed_time.reached()
    }

    /// What happened so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes the symbols of which the source should send the whole book.
    pub fn take_refreshes(&mut self) -> impl Iterator<Item = SymbolId> + '_ {
        self.refreshes.drain(..)
    }

    /// Takes the faults that occurred for the first time.
    pub fn take_warnings(&mut self) -> impl Iterator<Item = Warning> + '_ {
        self.warnings.drain(..)
    }

    /// Makes room for so many symbols; answers which are new.
    fn grow(&mut self, symbols: usize) -> std::ops::Range<usize> {
        let known = self.tracks.len();
        let symbols = symbols.clamp(known, known.max(Event::MAX_SYMBOLS as usize));
        self.tracks.resize_with(symbols, Track::default);
        known..symbols
    }

    /// Takes an event that is part of no exchange event.
    fn take_notice(&mut self, event: &Event, now: Nanos, out: &mut Vec<Event>) {
        match event.kind {
            Kind::Tick => self.reach(event.timestamp, now, out),
            Kind::Jump => self.jump(event, now, out),
            Kind::FeedGap if event.symbol.index() < self.tracks.len() => self.lose(event.symbol, now, out),
            Kind::FeedGap => self.fault(Fault::UnknownSymbol, event.symbol),
            _ => {}
        }
    }

    /// Takes a piece of an exchange event, or all of it.
    fn take_run(&mut self, run: &[Event], end: End, now: Nanos, out: &mut Vec<Event>) {
        if self.open.is_empty() && end == End::Whole && run.len() <= MAX_EXCHANGE_EVENT {
            return self.take(run, now, out);
        }
        self.open.extend_from_slice(run);
        let mut open = std::mem::take(&mut self.open);
        match end {
            _ if open.len() > MAX_EXCHANGE_EVENT => self.refuse(Fault::TooLarge, open[0].symbol, now, out),
            End::Whole => self.take(&open, now, out),
            End::Broken(fault) => self.refuse(fault, open[0].symbol, now, out),
            End::Open => return self.open = open,
        }
        open.clear();
        open.shrink_to(self.rules.largest);
        self.open = open;
    }

    /// Takes a whole exchange event of one symbol.
    fn take(&mut self, run: &[Event], now: Nanos, out: &mut Vec<Event>) {
        let symbol = run[0].symbol;
        let Some(track) = self.tracks.get_mut(symbol.index()) else {
            return self.fault(Fault::UnknownSymbol, symbol);
        };
        if restores(run) {
            return self.restore(run, now, out);
        }
        let is_reset = run[0].kind == Kind::Reset;
        if track.stale {
            if !is_reset {
                return self.counts.add(Tally::Stale, run.len());
            }
            track.rebase(&run[0], self.rules);
        }
        if let Some(fault) = track.refusal(run, self.rules) {
            return self.refuse(fault, symbol, now, out);
        }
        let mut numbers = track.numbers(run);
        if numbers == Numbers::Hole && is_reset {
            // The hole is before a reset, which heals it; a hole within it stays one.
            self.silence(symbol, now, out);
            let track = &mut self.tracks[symbol.index()];
            track.rebase(&run[0], self.rules);
            numbers = track.numbers(run);
        }
        match numbers {
            Numbers::Repeat => self.counts.add(Tally::Repeats, run.len()),
            Numbers::Hole => self.lose(symbol, now, out),
            Numbers::Follow if is_reset || run.len() <= self.rules.largest || !has_levels(run) => {
                self.sequence(run, now, out);
            }
            Numbers::Follow => self.replace(run, now, out),
        }
    }

    /// Puts a book in place that a recording knows.
    fn restore(&mut self, run: &[Event], now: Nanos, out: &mut Vec<Event>) {
        let (symbol, seq) = (run[0].symbol, run[0].seq);
        let track = &mut self.tracks[symbol.index()];
        let agree = run.iter().all(|event| event.seq == seq);
        if !self.rules.keeps_numbers || !agree || track.refusal(run, self.rules).is_some() {
            return self.refuse(Fault::BadNumber, symbol, now, out);
        }
        if track.is_fresh() {
            self.books_standing -= 1;
        }
        track.stale = true;
        track.move_to(seq);
        self.sequence(run, now, out);
    }

    /// Numbers an exchange event that follows on what came before.
    fn sequence(&mut self, run: &[Event], now: Nanos, out: &mut Vec<Event>) {
        let (symbol, begin) = (run[0].symbol, out.len());
        let track = &mut self.tracks[symbol.index()];
        let was_fresh = track.is_fresh();
        track.apply(run, self.rules, now, out, &mut self.counts);
        self.books_standing += usize::from(track.is_fresh() && !was_fresh);
        if !track.book.stands() && has_levels(run) {
            self.miss_first_book(symbol);
        }
        if out.len() == begin {
            return self.counts.add(Tally::Vanished, 1);
        }
        self.counts.add(Tally::ExchangeEvents, 1);
        self.counts.add(Tally::Events, out.len() - begin);
        self.keep_time(begin, now, out);
        self.look_whether_crossed(symbol, now, out);
    }

    /// Levels came for a book that has not begun: asks for it, once.
    fn miss_first_book(&mut self, symbol: SymbolId) {
        self.fault(Fault::BeforeReset, symbol);
        let track = &mut self.tracks[symbol.index()];
        if !std::mem::replace(&mut track.asked, true) {
            self.refreshes.push(symbol);
        }
    }

    /// Moves feed time to the exchange event that begins at `begin`, and puts the tick before it if one is due.
    fn keep_time(&mut self, begin: usize, now: Nanos, out: &mut Vec<Event>) {
        let mut newest = Nanos::ZERO;
        for event in &out[begin..] {
            if event.timestamp <= Nanos::MAX {
                newest = newest.max(event.timestamp);
            } else {
                self.fault(Fault::BadTime, event.symbol);
            }
        }
        if self.feed_time.reach(newest) {
            out.insert(begin, self.notice(Kind::Tick, SymbolId(0), now));
        }
    }

    fn look_whether_crossed(&mut self, symbol: SymbolId, now: Nanos, out: &mut Vec<Event>) {
        let track = &mut self.tracks[symbol.index()];
        let crossed_before = std::mem::replace(&mut track.crossed, track.book.is_crossed());
        if !track.crossed {
            return;
        }
        self.counts.add(Tally::Crossed, 1);
        if !crossed_before {
            out.push(self.notice(Kind::Crossed, symbol, now));
        }
        if self.on_cross == OnCross::Reset {
            // The whole book may be as crossed as this one: it is asked for in time, not at once, again and again.
            self.silence(symbol, now, out);
        }
    }

    /// Takes the place of an exchange event that is too large for the ring and no reset: its trades, in exchange events
    /// of their own, and then a reset to the book that it results in, which can be cut.
    #[cold]
    fn replace(&mut self, run: &[Event], now: Nanos, out: &mut Vec<Event>) {
        let symbol = run[0].symbol;
        self.fault(Fault::TooLarge, symbol);
        let (levels, trades): (Vec<Event>, Vec<Event>) =
            self.tracks[symbol.index()].take_new(run).partition(|event| event.kind == Kind::Level);
        if !trades.is_empty() {
            self.sequence(&trades, now, out);
        }
        if !levels.is_empty() {
            let whole = whole_book(&self.tracks[symbol.index()].book, &levels);
            self.sequence(&whole, now, out);
        }
    }

    /// Refuses an exchange event: whatever it said of a known symbol is now missing.
    fn refuse(&mut self, fault: Fault, symbol: SymbolId, now: Nanos, out: &mut Vec<Event>) {
        self.fault(fault, symbol);
        if symbol.index() < self.tracks.len() {
            self.lose(symbol, now, out);
        }
    }

    /// Something of the symbol is missing: silences it, and asks for the whole book.
    fn lose(&mut self, symbol: SymbolId, now: Nanos, out: &mut Vec<Event>) {
        if !self.tracks[symbol.index()].stale {
            self.refreshes.push(symbol);
            self.silence(symbol, now, out);
        }
    }

    /// Tells that the symbol is stale, unless it was already.
    fn silence(&mut self, symbol: SymbolId, now: Nanos, out: &mut Vec<Event>) {
        let track = &mut self.tracks[symbol.index()];
        if track.stale {
            return;
        }
        self.books_standing -= usize::from(track.is_fresh());
        track.stale = true;
        track.crossed = false;
        self.counts.add(Tally::Gaps, 1);
        out.push(self.notice(Kind::FeedGap, symbol, now));
    }

    fn fault(&mut self, fault: Fault, symbol: SymbolId) {
        let count = &mut self.counts.faults[fault as usize];
        *count += 1;
        if *count == 1 {
            self.warnings.push(Warning { fault, symbol });
        }
    }

    /// An event of the sequencer's own, which takes no number.
    fn notice(&self, kind: Kind, symbol: SymbolId, now: Nanos) -> Event {
        Event { symbol, timestamp: self.feed_time.reached(), engine: now, ingest: now, ..Event::new(kind) }
    }
}

/// The reset that writes a book as it is after these levels, of which there is at least one.
fn whole_book(book: &Book, levels: &[Event]) -> Vec<Event> {
    let mut ladder = Ladder::default();
    book.view(0, &mut ladder);
    let of_side = |side| {
        let levels = levels.iter().filter(move |event| event.side == side);
        levels.map(|event| Level { price: event.price, qty: event.qty }).collect()
    };
    ladder.apply(&Ladder { bids: of_side(Side::Bid), asks: of_side(Side::Ask) });

    let last = levels[levels.len() - 1];
    let reset = Event { kind: Kind::Reset, qty: Qty(ResetReason::Feed as u64), price: Price(0), ..last };
    let level = |side, level: &Level| Event { side, price: level.price, qty: level.qty, ..last };
    let sides = Side::BOTH.into_iter().flat_map(|side| ladder.side(side).iter().map(move |l| level(side, l)));
    std::iter::once(reset).chain(sides).collect()
}
