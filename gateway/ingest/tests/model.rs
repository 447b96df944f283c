//! Random feeds, faults included, against what a sequencer promises of what comes out.

mod support;

use book::{Book, Ladder};
use ingest::{Numbering, OnCross, Sequencer, TICK};
use market::{Event, Kind, Nanos, Price, Qty, ResetReason, Side, SymbolId};
use proptest::prelude::*;
use support::{
    EPOCH, NOW, text,
    venue::{SYMBOLS, Step, Venue, steps},
};

const LARGEST: usize = 8;

fn sequencer(numbering: Numbering, on_cross: OnCross) -> Sequencer {
    Sequencer::new(numbering, SYMBOLS, ingest::SequencerOptions { on_cross, largest: LARGEST, id_base: 0 })
}

/// A reader of the ring that trusts nothing.
#[derive(Default)]
struct Reader {
    symbols: [Replica; SYMBOLS],
    /// How many events of the open exchange event there were, and whose.
    open: Option<(SymbolId, usize)>,
    /// The symbol whose reset was cut and is not complete.
    partial: Option<SymbolId>,
    feed_time: Nanos,
    tick: Option<Nanos>,
}

#[derive(Default)]
struct Replica {
    book: Book,
    seq: u64,
    stale: bool,
}

impl Reader {
    fn read(&mut self, event: &Event) {
        if event.kind.is_numbered() {
            return self.read_numbered(event);
        }
        assert_eq!(self.open, None, "within an exchange event: {event:?}");
        assert_eq!(self.partial, None, "within a reset: {event:?}");
        let replica = &mut self.symbols[event.symbol.index()];
        match event.kind {
            Kind::Tick => {
                assert!(event.timestamp >= self.feed_time, "feed time went back");
                let before = self.tick.map(|time| time.floor(TICK));
                assert!(before < Some(event.timestamp.floor(TICK)), "a tick without need");
                (self.feed_time, self.tick) = (event.timestamp, Some(event.timestamp));
            }
            Kind::FeedGap => {
                assert!(!replica.stale, "one gap was told twice");
                replica.stale = true;
            }
            Kind::Crossed => assert!(replica.book.is_crossed()),
            _ => panic!("not of a sequencer: {event:?}"),
        }
    }

    fn read_numbered(&mut self, event: &Event) {
        let symbol = event.symbol;
        let (open, count) = self.open.unwrap_or((symbol, 0));
        assert_eq!(open, symbol, "an exchange event of two symbols");
        assert!(self.partial.is_none_or(|cut| cut == symbol), "within a reset that was cut: {event:?}");
        assert!(count < LARGEST, "an exchange event is too large");
        self.open = (!event.last).then_some((symbol, count + 1));
        self.partial = (event.partial || (self.partial.is_some() && !event.last)).then_some(symbol);

        if event.timestamp <= Nanos::MAX {
            self.feed_time = self.feed_time.max(event.timestamp);
        }
        let bucket = self.tick.map(|tick| tick.floor(TICK));
        assert_eq!(bucket, Some(self.feed_time.floor(TICK)), "no tick before it");

        let replica = &mut self.symbols[symbol.index()];
        assert_eq!(event.seq, replica.seq + 1, "a hole in the numbers");
        replica.seq = event.seq;
        if replica.stale {
            assert_eq!(
                (event.kind, event.reset_reason()),
                (Kind::Reset, ResetReason::Gap),
                "a stale symbol spoke"
            );
            replica.stale = false;
        }
        if event.kind == Kind::Level {
            let changes = replica.book.qty_at(event.side, event.price) != event.qty;
            assert!(changes, "changes nothing: {event:?}");
        }
        replica.book.apply_plain(event);
    }
}

fn levels(book: &Book) -> Ladder {
    let mut ladder = Ladder::default();
    book.view(0, &mut ladder);
    ladder
}

/// Plays the steps and holds what comes out against every promise.
fn play(steps: &[Step], clean: bool, on_cross: OnCross) -> Vec<Event> {
    let mut venue = Venue::new(clean);
    let mut sequencer = sequencer(Numbering::Own(EPOCH), on_cross);
    let mut reader = Reader::default();
    let all = venue.play(steps, &mut sequencer, |sequencer, events| {
        events.iter().for_each(|event| reader.read(event));
        assert_eq!((reader.open, reader.partial), (None, None), "it came in parts");
        assert_eq!(reader.feed_time, sequencer.feed_time());
        for (symbol, replica) in reader.symbols.iter().enumerate() {
            let symbol = SymbolId(symbol as u32);
            let record = sequencer.book(symbol).unwrap();
            assert_eq!(levels(record), levels(&replica.book), "the book of record is another");
            assert_eq!(record.seq(), replica.book.seq());
            assert_eq!(sequencer.is_stale(symbol), replica.stale);
        }
        let fresh = reader.symbols.iter().filter(|replica| replica.book.stands() && !replica.stale).count();
        assert_eq!(sequencer.books_standing(), fresh);
    });
    for (symbol, replica) in reader.symbols.iter().enumerate() {
        if on_cross == OnCross::Reset && replica.stale {
            continue;
        }
        assert!(!replica.stale, "symbol {symbol} was never brought back");
        for side in Side::BOTH {
            assert_eq!(
                levels(&replica.book).side(side),
                venue.levels(symbol, side),
                "symbol {symbol} is wrong"
            );
        }
    }
    all
}

/// Sequences again what was sequenced, as when a recording is played that left out what is made anew.
fn play_again(recorded: &[Event], on_cross: OnCross) -> Vec<Event> {
    let mut sequencer = sequencer(Numbering::Kept(EPOCH), on_cross);
    let recording: Vec<Event> = recorded
        .iter()
        .filter(|event| event.kind.is_numbered() || event.kind == Kind::FeedGap)
        .copied()
        .collect();
    let mut again = Vec::new();
    for piece in recording.chunks(7) {
        sequencer.push(piece, NOW, &mut again);
    }
    again
}

/// Any event, with numbers small enough to follow one another now and then, or large enough to overflow.
fn anything() -> impl Strategy<Value = Event> {
    let number = || prop_oneof![8 => 0u64..12, 1 => u64::MAX - 1..=u64::MAX, 1 => any::<u64>()];
    let head = (0u64..9, any::<bool>(), any::<bool>(), 0u64..SYMBOLS as u64 + 1, prop::bool::weighted(0.2));
    let body = (number(), number(), number(), number(), number());
    (head, body).prop_map(|((kind, ask, last, symbol, partial), (seq, price, qty, timestamp, engine))| {
        let side = if ask { Side::Ask } else { Side::Bid };
        let kind = Event::unpack(&[kind, 0, 0, 0, 0, 0, 0]).unwrap().kind;
        let (price, qty) = (Price(price as i64), Qty(qty));
        let (timestamp, engine) = (Nanos(timestamp), Nanos(engine));
        let symbol = SymbolId(symbol as u32);
        Event { side, last, partial, symbol, seq, price, qty, timestamp, engine, ..Event::new(kind) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_feed_does_what_comes_out_keeps_every_promise(steps in steps()) {
        play(&steps, false, OnCross::Status);
    }

    #[test]
    fn also_where_crossed_books_are_faults(steps in steps()) {
        play(&steps, false, OnCross::Reset);
    }

    #[test]
    fn of_a_clean_feed_there_is_no_gap(steps in steps()) {
        let all = play(&steps, true, OnCross::Status);
        prop_assert!(all.iter().all(|event| event.kind != Kind::FeedGap));
    }

    #[test]
    fn a_recording_of_what_came_out_gives_the_same_again(steps in steps(), crossed_is_fault: bool) {
        let on_cross = if crossed_is_fault { OnCross::Reset } else { OnCross::Status };
        let all = play(&steps, false, on_cross);
        let again = play_again(&all, on_cross);
        prop_assert_eq!(text(&again), text(&all));
        prop_assert_eq!(again, all);
    }

    #[test]
    fn not_even_nonsense_stops_it(events in prop::collection::vec(anything(), 1..200), kept: bool, batch in 1usize..50) {
        let numbering = if kept { Numbering::Kept(EPOCH) } else { Numbering::Own(EPOCH) };
        let mut sequencer = sequencer(numbering, OnCross::Status);
        let mut reader = Reader::default();
        let mut out = Vec::new();
        events.chunks(batch).for_each(|batch| sequencer.push(batch, NOW, &mut out));
        for event in &out {
            prop_assert!(Event::unpack(&event.pack()).is_some());
            if !kept {
                reader.read(event);
            }
        }
    }
}
