//! From a source to the ring: what readers, workers and operators see of it, turn by turn.

mod support;

use book::{Book, Ladder};
use crossbeam::channel::unbounded;
use feed::{FeedError, FeedSource, FeedState, FeedStatus, PauseHandle};
use ingest::{BookRequest, Fault, Ingest, IngestOptions, ReplaceError, Tally, Turn};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, Side, Status, SymbolId};
use rings::{
    broadcast::{Polled, Reader},
    wait::WaitStrategy,
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};
use support::{EPOCH, MS, NOW, events, text};

/// One poll of a [`Script`].
enum Poll {
    /// These events, and this watermark in milliseconds.
    Gives(&'static str, u64),
    Lists(&'static str),
    Fails,
}
use Poll::{Fails, Gives, Lists};

/// A source that does what it is told, then has ended, or is idle if it is told to.
struct Script {
    polls: VecDeque<Poll>,
    instruments: Instruments,
    epoch: Option<Epoch>,
    then: FeedState,
    refreshed: Arc<Mutex<Vec<u32>>>,
}

fn instrument(symbol: &str, decimals: u8) -> Instrument {
    Instrument {
        symbol: symbol.into(),
        venue_symbol: symbol.replace('/', ""),
        price_decimals: decimals,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    }
}

fn script(polls: impl IntoIterator<Item = Poll>) -> Script {
    Script {
        polls: polls.into_iter().collect(),
        instruments: Instruments::new([instrument("BTC/USDT", 2), instrument("ETH/USDT", 2)]).unwrap(),
        epoch: None,
        then: FeedState::Idle,
        refreshed: Arc::default(),
    }
}

impl FeedSource for Script {
    fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    fn poll(&mut self, _now: Nanos, out: &mut Vec<Event>) -> Result<FeedStatus, FeedError> {
        match self.polls.pop_front() {
            Some(Gives(line, watermark)) => {
                out.extend(events(line));
                Ok(FeedStatus { state: FeedState::Events, watermark: Nanos(watermark * MS) })
            }
            Some(Lists(symbol)) => {
                self.instruments.push(instrument(symbol, 2)).unwrap();
                Ok(FeedStatus { state: FeedState::Idle, watermark: Nanos::ZERO })
            }
            Some(Fails) => Err(FeedError { feed: "script".into(), what: "broken".into() }),
            None => Ok(FeedStatus { state: self.then, watermark: Nanos::ZERO }),
        }
    }

    fn refresh(&mut self, symbol: SymbolId) {
        self.refreshed.lock().unwrap().push(symbol.0);
    }
}

type EventReader = Reader<{ Event::WORDS }>;

fn read(reader: &mut EventReader) -> Vec<Event> {
    let mut out = Vec::new();
    while let Polled::Read(_) = reader.poll(1_000, |_, words| out.push(Event::unpack(words).unwrap())) {}
    out
}

fn begin(source: Script) -> (Ingest, EventReader) {
    begin_with(source, IngestOptions::default())
}

fn begin_with(source: Script, options: IngestOptions) -> (Ingest, EventReader) {
    let mut ingest = Ingest::new(Box::new(source), EPOCH, options);
    let (reader, _) = ingest.subscribe(WaitStrategy::Park);
    (ingest, reader)
}

fn at(seconds: u64) -> Nanos {
    NOW + Duration::from_secs(seconds)
}

#[test]
fn what_a_source_yields_is_in_the_ring_after_the_turn() {
    let (mut ingest, mut reader) =
        begin(script([Gives("@5 R b1:1.", 5), Gives("", 17), Gives("@18 b2:1.", 18)]));
    let mut check = |events, due, wanted| {
        let turn = ingest.turn(NOW).unwrap();
        assert_eq!(turn, Turn { events, next_due: due, ended: false });
        assert_eq!(text(&read(&mut reader)), wanted);
    };
    check(3, Some(NOW), "tick@5 R#1 b1:1#2.");
    check(1, Some(NOW), "tick@17");
    check(1, Some(NOW), "b2:1#3.");
    check(0, None, "");
    let stats = ingest.stats();
    assert_eq!((stats.head(), stats.feed_time(), stats.books_standing()), (5, Nanos(18 * MS), 1));
    assert_eq!((stats.of(Tally::Events), stats.of(Tally::ExchangeEvents)), (3, 2));
}

/// Whether a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_reader_that_sleeps_is_woken_by_a_turn_that_writes() {
    let source = script([Gives("", 0), Gives("R.", 0)]);
    let mut ingest = Ingest::new(Box::new(source), EPOCH, IngestOptions::default());
    let (reader, mut listener) = ingest.subscribe(WaitStrategy::Park);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let waits = listener.poll_wait(&mut Context::from_waker(&waker), || !reader.is_empty());
    assert!(waits.is_pending());
    ingest.turn(NOW).unwrap();
    assert!(!woken.0.load(Ordering::SeqCst), "there is nothing to see");
    ingest.turn(NOW).unwrap();
    assert!(woken.0.load(Ordering::SeqCst) && !reader.is_empty());
}

#[test]
fn a_turn_writes_no_more_than_a_quarter_of_the_ring_and_whole_exchange_events() {
    let options = IngestOptions { ring_slots: 16, ..IngestOptions::default() };
    let line = "R b1:1 b2:1. b3:1 b4:1. t1:1. R b1:1 b2:1 b3:1 b4:1 b5:1.";
    let (mut ingest, mut reader) = begin_with(script([Gives(line, 0)]), options);
    let mut check = |wanted| {
        ingest.turn(NOW).unwrap();
        assert_eq!(text(&read(&mut reader)), wanted);
    };
    check("tick@0 R#1 b1:1#2 b2:1#3.");
    check("b3:1#4 b4:1#5. t1:1#6.");
    check("R#7~ b1:1#8~ b2:1#9~ b3:1#10~.");
    check("b4:1#11 b5:1#12.");
    check("");
}

#[test]
fn a_source_that_is_a_sequencer_keeps_its_epoch() {
    let source = Script { epoch: Some(Epoch(99)), ..script([Gives("R#8 b1:1#9.", 0)]) };
    let (mut ingest, mut reader) = begin(source);
    ingest.turn(NOW).unwrap();
    assert_eq!(ingest.ids().epoch, Epoch(99));
    assert_eq!(text(&read(&mut reader)), "tick@0 R#8 b1:1#9.");
}

#[test]
fn a_source_is_asked_for_the_book_of_a_symbol_with_a_hole() {
    let source = script([Gives("R#1. b1:1#3.", 0)]);
    let refreshed = Arc::clone(&source.refreshed);
    let (mut ingest, _) = begin(source);
    ingest.turn(at(0)).unwrap();
    assert_eq!(*refreshed.lock().unwrap(), [0], "at once");
    ingest.turn(at(0)).unwrap();
    assert_eq!(refreshed.lock().unwrap().len(), 1);
    ingest.turn(at(1)).unwrap();
    assert_eq!(*refreshed.lock().unwrap(), [0, 0], "again after a second");
}

#[test]
fn faults_are_counted_for_other_threads_and_warned_of_once() {
    let (mut ingest, _) = begin(script([Gives("9/R. 9/R.", 0), Gives("9/R.", 0)]));
    ingest.turn(NOW).unwrap();
    ingest.turn(NOW).unwrap();
    assert_eq!(ingest.stats().faults(Fault::UnknownSymbol), 3);
    let warnings: Vec<String> = ingest.take_warnings().map(|warning| warning.to_string()).collect();
    assert_eq!(
        warnings,
        [
            "the feed is at fault (unknown_symbol), instrument 9: it is not in the feed's table of instruments; its \
          events are dropped; further ones are only counted"
        ]
    );
}

#[test]
fn a_new_instrument_is_in_the_table_before_it_is_announced() {
    let (mut ingest, mut reader) = begin(script([Lists("XRP/USDT"), Gives("2/R.", 0)]));
    let table = ingest.instruments();
    assert_eq!(table.load().len(), 2);
    ingest.turn(NOW).unwrap();
    assert_eq!(table.load().find("XRP/USDT"), Some(SymbolId(2)));
    ingest.turn(NOW).unwrap();
    assert_eq!(text(&read(&mut reader)), "2/listing tick@0 2/R#1.");
}

#[test]
fn a_feed_that_gives_nothing_is_stalled_once_until_it_flows_again() {
    let (mut ingest, mut reader) = begin(script([Gives("@5 R.", 5), Gives("", 5)]));
    let stats = ingest.stats();
    let mut check = |seconds, stalled, wanted| {
        ingest.turn(at(seconds)).unwrap();
        assert_eq!(
            (stats.is_feed_stalled(), text(&read(&mut reader)).as_str()),
            (stalled, wanted),
            "at {seconds} s"
        );
    };
    check(0, false, "tick@5 R#1.");
    check(4, false, "");
    check(5, true, "stalled");
    check(9, true, "");
}

#[test]
fn a_watermark_is_a_sign_of_life_and_ends_a_stall() {
    let silence = || Gives("", 0);
    let (mut ingest, _) = begin(script([Gives("", 1), Gives("", 2), silence(), Gives("", 3), silence()]));
    let stats = ingest.stats();
    for (seconds, stalled) in [(0, false), (4, false), (9, true), (10, false), (14, false), (15, true)] {
        ingest.turn(at(seconds)).unwrap();
        assert_eq!(stats.is_feed_stalled(), stalled, "at {seconds} s");
    }
}

#[test]
fn a_feed_that_is_held_is_not_stalled() {
    let hold = PauseHandle::default();
    let options = IngestOptions { hold: hold.clone(), ..IngestOptions::default() };
    let (mut ingest, _) = begin_with(script([]), options);
    let stats = ingest.stats();
    ingest.turn(at(0)).unwrap();
    hold.pause();
    ingest.turn(at(60)).unwrap();
    assert!(!stats.is_feed_stalled());
    hold.resume();
    ingest.turn(at(64)).unwrap();
    assert!(!stats.is_feed_stalled(), "its time begins with the end of the pause");
    ingest.turn(at(65)).unwrap();
    assert!(stats.is_feed_stalled());
}

#[test]
fn the_end_is_told_once_and_what_was_begun_is_missing() {
    let source = Script { then: FeedState::Ended, ..script([Gives("R.", 0), Gives("b1:1", 0)]) };
    let (mut ingest, mut reader) = begin(source);
    let turns: Vec<bool> = (0..5).map(|s| ingest.turn(at(10 * s)).unwrap().ended).collect();
    assert_eq!(turns, [false, false, true, true, true]);
    assert_eq!(text(&read(&mut reader)), "tick@0 R#1. gap ended");
    assert!(ingest.stats().is_feed_ended() && !ingest.stats().is_feed_stalled());
}

#[test]
fn a_broken_source_is_reported_and_replaced_and_its_books_are_stale() {
    let (mut ingest, mut reader) = begin(script([Gives("R#1 b1:1#2.", 0), Fails]));
    ingest.turn(at(0)).unwrap();
    assert_eq!(ingest.turn(at(1)).unwrap_err().to_string(), "feed script: broken");
    ingest.turn(at(6)).unwrap();
    assert!(ingest.stats().is_feed_stalled(), "without a source nothing flows");

    let next = script([Gives("b2:1#2.", 0), Gives("R#1 b3:1#2.", 0)]);
    let refreshed = Arc::clone(&next.refreshed);
    ingest.replace_source(Box::new(next), at(7)).unwrap();
    (0..4).for_each(|_| assert!(!ingest.turn(at(7)).unwrap().ended));
    assert_eq!(text(&read(&mut reader)), "tick@0 R#1 b1:1#2. stalled gap Rgap#3 b3:1#4.");
    assert!(refreshed.lock().unwrap().contains(&0));
    assert!(!ingest.stats().is_feed_stalled());
}

#[test]
fn another_feed_cannot_take_the_place_of_a_source() {
    let (mut ingest, _) = begin(script([]));
    let with = |list: &[(&str, u8)]| {
        let list = list.iter().map(|(symbol, decimals)| instrument(symbol, *decimals));
        Script { instruments: Instruments::new(list).unwrap(), ..script([]) }
    };
    let mut check = |source: Script, wanted| {
        assert_eq!(ingest.replace_source(Box::new(source), NOW), wanted);
    };
    let other = |place, was: &str, now: &str| {
        Err(ReplaceError::OtherInstruments { place, was: was.into(), now: now.into() })
    };
    check(with(&[("BTC/USDT", 2), ("ETH/USDT", 2), ("XRP/USDT", 5)]), Ok(()));
    check(with(&[("BTC/USDT", 2)]), Ok(()));
    check(with(&[("BTC/USDT", 2), ("XRP/USDT", 2)]), other(1, "ETH/USDT", "XRP/USDT"));
    check(with(&[("BTC/USDT", 3)]), other(0, "BTC/USDT", "BTC/USDT"));
    let sequencer = Script { epoch: Some(Epoch(1)), ..script([]) };
    check(sequencer, Err(ReplaceError::OtherEpoch { was: None, now: Some(Epoch(1)) }));
}

/// Asks for the books of these symbols; what comes is in the receiver.
fn ask(ingest: &Ingest, symbols: &[u32]) -> crossbeam::channel::Receiver<book::Image> {
    let (sender, receiver) = unbounded();
    let symbols = symbols.iter().copied().map(SymbolId).collect();
    let reply = Box::new(move |image| drop(sender.send(image)));
    ingest.requests().ask(BookRequest { symbols, reply }).unwrap();
    receiver
}

#[test]
fn a_lapped_worker_gets_a_book_and_goes_on_from_it() {
    let polls = [
        Gives("@5 R b1:1 a9:1. 1/t5:1.", 5),
        Gives("@6 b2:1.", 6),
        Gives("@15 b3:1. b1:0.", 15),
        Gives("@16 a8:2.", 16),
    ];
    let (mut ingest, reader) = begin(script(polls));
    ingest.turn(NOW).unwrap();
    let images = ask(&ingest, &[1, 0, 7]);
    ingest.turn(NOW).unwrap();
    let images: Vec<book::Image> = images.try_iter().collect();
    let symbols: Vec<u32> = images.iter().map(|image| image.symbol.0).collect();
    assert_eq!(symbols, [1, 0], "in the order asked, but for those that do not exist");
    assert_eq!((images[0].levels.is_none(), images[0].mark.seq, images[0].stale), (true, 1, false));

    let image = &images[1];
    assert_eq!((image.ids.epoch, image.mark.seq, image.feed_time), (EPOCH, 4, Nanos(6 * MS)));
    let (mut history, mut book) = (book::History::new(1 << 16), Book::new());
    book.restore(image.levels.as_ref().unwrap(), image.mark, &mut history);
    ingest.turn(NOW).unwrap();
    ingest.turn(NOW).unwrap();
    let mut behind = reader;
    behind.jump_to(image.position);
    read(&mut behind).iter().for_each(|event| book.apply(event, &mut history));

    let mut ladder = Ladder::default();
    book.view(0, &mut ladder);
    let levels = |side| ladder.side(side).iter().map(|l| (l.price.0, l.qty.0)).collect::<Vec<_>>();
    assert_eq!((levels(Side::Bid), levels(Side::Ask)), (vec![(3, 1), (2, 1)], vec![(8, 2), (9, 1)]));
    assert_eq!(book.seq(), 7);
}

#[test]
fn the_image_of_a_stale_book_is_as_before_the_gap() {
    let (mut ingest, _) = begin(script([Gives("R#1 b1:1#2. b2:1#9.", 0)]));
    ingest.turn(NOW).unwrap();
    let images = ask(&ingest, &[0]);
    ingest.turn(NOW).unwrap();
    let image = images.try_recv().unwrap();
    assert_eq!((image.stale, image.mark.seq, image.levels.unwrap().bids.len()), (true, 2, 1));
}

#[test]
fn a_book_is_given_only_when_all_of_it_is_in_the_ring() {
    let options = IngestOptions { ring_slots: 16, ..IngestOptions::default() };
    let (mut ingest, reader) = begin_with(script([Gives("R b1:1 b2:1. b3:1 b4:1.", 0)]), options);
    let images = ask(&ingest, &[0]);
    let turn = ingest.turn(NOW).unwrap();
    assert_eq!((turn.events, turn.next_due, images.len()), (4, Some(NOW), 0));
    ingest.turn(NOW).unwrap();
    let image = images.try_recv().unwrap();
    assert_eq!((image.position, image.mark.seq), (reader.head(), 5));
}

#[test]
fn books_are_given_a_bounded_number_a_turn() {
    let table = (0..30_000).map(|i| instrument(&format!("S{i}"), 2));
    let source = Script { instruments: Instruments::new(table).unwrap(), ..script([]) };
    let (mut ingest, _) = begin(source);
    let images = ask(&ingest, &(0..30_000).collect::<Vec<_>>());
    let turn = ingest.turn(NOW).unwrap();
    assert_eq!((images.len(), turn.next_due), (20_000, Some(NOW)));
    let turn = ingest.turn(NOW).unwrap();
    assert_eq!((images.len(), turn.next_due), (30_000, None));
}

#[test]
fn too_many_requests_are_given_back() {
    let (ingest, _) = begin(script([]));
    let request = |symbol| BookRequest { symbols: vec![SymbolId(symbol)], reply: Box::new(|_| {}) };
    let requests = ingest.requests();
    let refused = (0..10_000).find_map(|symbol| requests.ask(request(symbol)).err()).unwrap();
    assert_eq!(refused.0.symbols, [SymbolId(256)]);
}

#[test]
fn events_of_the_feed_as_a_whole_are_of_no_symbol() {
    let source = Script { then: FeedState::Ended, ..script([]) };
    let (mut ingest, mut reader) = begin(source);
    ingest.turn(NOW).unwrap();
    let events = read(&mut reader);
    assert_eq!((events[0].kind, events[0].symbol, events[0].seq), (Kind::FeedEnded, SymbolId(0), 0));
}
