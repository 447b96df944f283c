//! A random market, encoded as the gateway does: every message is taken; and whatever single thing is done to the stream,
//! it is noticed at the next heartbeat at the latest.

use crate::stream::{EPOCH, SYMBOL, bbo, book as book_text, heartbeat, snapshot, subscribed, trades, update};
use book::{Book, EventView, Ladder};
use client::{Fault, Tracker};
use market::{Event, Kind, Price, Qty, ResetReason, Seq, Side, SymbolId};
use proptest::prelude::*;
use wire::message::{Channel, Depth, SnapshotReason, TradeKind};

#[derive(Debug, Clone)]
struct Message {
    /// `None` for answers and heartbeats.
    channel: Option<Channel>,
    text: String,
}

/// One event of an exchange event: a level change, or a trade.
#[derive(Debug, Clone, Copy)]
enum Step {
    Level(Side, i64, u64),
    Trade,
}

/// A market and the topics of its one client.
struct Source {
    book: Book,
    depth: Depth,
    seq: Seq,
    trade_id: u64,
    /// The last message's seq of trade, book and bbo.
    tails: [Seq; 3],
    messages: Vec<Message>,
}

impl Source {
    fn new(depth: Depth) -> Source {
        let mut book = Book::new();
        book.watch(depth.get());
        book.watch(1);
        Source { book, depth, seq: 0, trade_id: 100, tails: [0; 3], messages: Vec::new() }
    }

    fn begin(&mut self) {
        let mut reset = Event::reset(SymbolId(0), ResetReason::Feed);
        (reset.seq, self.seq) = (1, 1);
        self.book.apply_plain(&reset);
        for i in 0..6 {
            self.apply(Step::Level(Side::Bid, 100 - i, 10), false);
            self.apply(Step::Level(Side::Ask, 101 + i, 10), i == 5);
        }
        self.tails = [self.seq; 3];
        for channel in [Channel::Trade, Channel::Book, Channel::Bbo] {
            self.push(None, subscribed(channel, self.depth, EPOCH, self.seq, false));
        }
        let (view, kind) = (self.view(self.depth), snapshot(SnapshotReason::Subscribe));
        self.push(Some(Channel::Book), book_text(EPOCH, kind, self.seq, &view, &view, self.depth));
        self.push(Some(Channel::Bbo), bbo(EPOCH, kind, self.seq, &view));
    }

    fn exchange_event(&mut self, steps: &[Step]) {
        let mut dealt = Vec::new();
        for (i, &step) in steps.iter().enumerate() {
            self.apply(step, i + 1 == steps.len());
            if let Step::Trade = step {
                dealt.push((self.seq, self.trade_id));
            }
        }
        if !dealt.is_empty() {
            let first_seq = self.advance(0);
            self.push(Some(Channel::Trade), trades(EPOCH, TradeKind::Update { first_seq }, self.seq, &dealt));
        }
        let mut changes = Ladder::default();
        let view = self.view(self.depth);
        if self.book.event_changes(self.depth.get(), &mut changes) == EventView::Changed {
            let kind = update(self.advance(1));
            self.push(Some(Channel::Book), book_text(EPOCH, kind, self.seq, &changes, &view, self.depth));
        }
        if self.book.event_changes(1, &mut changes) == EventView::Changed {
            let kind = update(self.advance(2));
            self.push(Some(Channel::Bbo), bbo(EPOCH, kind, self.seq, &view));
        }
    }

    fn heartbeat(&mut self) {
        let channels = [Channel::Trade, Channel::Book, Channel::Bbo].into_iter().zip(self.tails);
        let quiet: Vec<_> = channels.map(|(channel, tail)| (channel, tail, self.seq)).collect();
        self.push(None, heartbeat(&quiet));
    }

    fn apply(&mut self, step: Step, last: bool) {
        self.seq += 1;
        let event = match step {
            Step::Level(side, price, qty) => {
                Event { side, price: Price(price), qty: Qty(qty), ..Event::new(Kind::Level) }
            }
            Step::Trade => {
                self.trade_id += 1;
                Event { number: self.trade_id, ..Event::new(Kind::Trade) }
            }
        };
        self.book.apply_plain(&Event { seq: self.seq, last, ..event });
    }

    /// The first seq of a topic's next message, which ends now.
    fn advance(&mut self, topic: usize) -> Seq {
        std::mem::replace(&mut self.tails[topic], self.seq) + 1
    }

    fn view(&self, depth: Depth) -> Ladder {
        let mut view = Ladder::default();
        self.book.view(depth.get(), &mut view);
        view
    }

    fn push(&mut self, channel: Option<Channel>, text: String) {
        self.messages.push(Message { channel, text });
    }
}

/// A depth, and exchange events of which some are followed by a heartbeat.
type Script = (u64, Vec<(Vec<Step>, bool)>);

fn script() -> impl Strategy<Value = Script> {
    let level = (any::<bool>(), 90i64..111, 0u64..4).prop_map(|(bid, price, qty)| {
        let side = if bid { Side::Bid } else { Side::Ask };
        Step::Level(side, if bid { price.min(100) } else { price.max(101) }, qty)
    });
    let step = prop_oneof![4 => level, 1 => Just(Step::Trade)];
    let events = prop::collection::vec((prop::collection::vec(step, 1..4), prop::bool::weighted(0.2)), 1..40);
    (prop::sample::select(vec![1, 5, 10, 0]), events)
}

/// The whole script between two trades (the id of a lone one says nothing), with a heartbeat at the end.
fn played((depth, events): Script) -> Source {
    let mut source = Source::new(Depth::new(depth).unwrap());
    source.begin();
    source.exchange_event(&[Step::Trade]);
    for (steps, quiet) in events {
        source.exchange_event(&steps);
        if quiet {
            source.heartbeat();
        }
    }
    source.exchange_event(&[Step::Trade]);
    source.heartbeat();
    source
}

fn track(messages: &[Message]) -> (Tracker, Result<(), Fault>) {
    let mut tracker = Tracker::new().with_dense_trade_ids();
    for message in messages {
        if let Err(fault) = tracker.on_text(message.text.as_bytes()) {
            return (tracker, Err(fault));
        }
    }
    (tracker, Ok(()))
}

/// Makes another digit of the last one of the number behind `member`, where the message has one.
fn change_digit(text: &str, member: &str) -> Option<String> {
    let number = text.find(member)? + member.len();
    let end = number + text[number..].find([',', '}'])?;
    let digit = text[..end].bytes().last().filter(u8::is_ascii_digit)?;
    let other = (b'0' + (digit - b'0' + 1) % 10) as char;
    Some(format!("{}{other}{}", &text[..end - 1], &text[end..]))
}

/// All that one thing done to the message at `at` can be.
fn mutations(messages: &[Message], at: usize) -> Vec<(&'static str, Vec<Message>)> {
    let changed = |text: String| {
        let mut changed = messages.to_vec();
        changed[at].text = text;
        changed
    };
    let mut all = Vec::new();
    let mut lost = messages.to_vec();
    lost.remove(at);
    all.push(("lost", lost));
    let next = (at + 1..messages.len()).find(|&next| messages[next].channel == messages[at].channel);
    if let Some(next) = next {
        let mut swapped = messages.to_vec();
        swapped.swap(at, next);
        all.push(("swapped", swapped));
    }
    if messages[at].text.contains("\"update\"") {
        let mut twice = messages.to_vec();
        twice.insert(at, messages[at].clone());
        all.push(("sent twice", twice));
    }
    let members: &[&str] = match messages[at].channel {
        Some(Channel::Book) => &["\"price\":", "\"qty\":", "\"checksum\":"],
        Some(Channel::Bbo) => &["\"bid\":", "\"bid_qty\":", "\"ask\":", "\"ask_qty\":"],
        _ => &["\"trade_id\":"],
    };
    // Behind a heartbeat a message may begin anywhere in what was quiet.
    let exact = !messages[..at].iter().any(|message| message.text.contains("heartbeat"));
    let members = members.iter().copied().chain(exact.then_some("\"first_seq\":"));
    let texts = members.filter_map(|member| Some((member, change_digit(&messages[at].text, member)?)));
    all.extend(texts.map(|(member, text)| (member, changed(text))));
    all
}

proptest! {
    #[test]
    fn what_a_gateway_writes_is_taken(script in script()) {
        let source = played(script);
        let (tracker, result) = track(&source.messages);
        prop_assert_eq!(result, Ok(()));
        let book = tracker.book(SYMBOL).unwrap();
        prop_assert_eq!(&book.ladder, &source.view(source.depth));
        prop_assert_eq!(tracker.through(Channel::Book, SYMBOL), Some(source.seq));
        prop_assert_eq!(tracker.counters().trades, source.trade_id - 100);
        let bbo = tracker.bbo(SYMBOL).unwrap();
        let top = source.view(Depth::new(1).unwrap());
        prop_assert_eq!((bbo.bid, bbo.ask), (top.bids.first().copied(), top.asks.first().copied()));
    }

    #[test]
    fn whatever_is_done_to_a_stream_is_noticed(script in script()) {
        let source = played(script);
        let messages = &source.messages;
        for at in (0..messages.len()).filter(|&at| messages[at].channel.is_some()) {
            for (what, mutated) in mutations(messages, at) {
                let (_, result) = track(&mutated);
                prop_assert!(result.is_err(), "{} was not noticed: {}", what, messages[at].text);
            }
        }
    }
}
