//! Long polling: answers between which nothing is kept. Each is a resume of its own, from the client's token to the present.

use crate::{
    publisher::{Publisher, Standing},
    requests::shared_by_most,
    subscriber::Catch,
    topic::{Stand, TopicKey},
};
use market::{Instruments, Nanos, Seq, Side};
use wire::{
    codec::{Body, Codec},
    dialect::binance::{Form, StreamName},
    envelope::{Envelope, long_poll},
    message::{
        Channel, Depth, Encoding, ErrorCode, Gap, GapReason, Interval, Policy, Refusal, SnapshotReason,
        Subscribe,
    },
    token::{self, Token, TokenEntry},
};

/// Bytes of trades in one answer, unless those of one exchange event are more.
const TRADES_BYTES: usize = 64 << 10;

/// What a client asks for again and again.
#[derive(Debug, Clone)]
pub struct Poll {
    /// In their order, so that all of a symbol stand together.
    keys: Vec<TopicKey>,
    /// Whether a stream without a cursor begins with a snapshot; `None` for the channel's own default.
    snapshot: Option<bool>,
    cursor: Option<Token>,
}

impl Poll {
    /// A poll for these subscriptions, from a cursor on: the token of the answer before.
    ///
    /// # Errors
    /// If a poll cannot have what they ask for.
    pub fn new(
        subscribe: &[Subscribe],
        instruments: &Instruments,
        cursor: Option<Token>,
    ) -> Result<Poll, Refusal> {
        let mut keys = Vec::new();
        for subscribe in subscribe {
            check(subscribe)?;
            let symbols = subscribe.symbols.iter().filter_map(|name| instruments.find(name));
            keys.extend(symbols.map(|symbol| {
                shared_by_most(TopicKey {
                    symbol,
                    channel: subscribe.channel,
                    depth: subscribe.depth,
                    interval: Interval::EACH_EVENT,
                    stamps: subscribe.stamps,
                    codec: Codec::native(Encoding::Json, Envelope::LongPoll),
                })
            }));
        }
        keys.sort_unstable();
        let snapshot = subscribe.first().and_then(|subscribe| subscribe.snapshot);
        Ok(Poll { keys, snapshot, cursor })
    }

    /// A poll for these streams, which begin with what happens next.
    ///
    /// # Errors
    /// If a poll cannot have one of them.
    pub fn of_streams(streams: &[StreamName], cursor: Option<Token>) -> Result<Poll, Refusal> {
        let mut keys = Vec::new();
        for &StreamName { symbol, stream } in streams {
            let (channel, depth, _) = stream.source();
            if channel == Channel::Summary {
                let text = "tickers, candles and averages are no sequence that a cursor could go on in; subscribe to them over another \
                            transport";
                return Err(Refusal::new(ErrorCode::BadChannel, text));
            }
            let codec = Codec {
                body: Body::Binance(Form { stream, combined: true, encoding: Encoding::Json }),
                envelope: Envelope::LongPoll,
            };
            let interval = Interval::EACH_EVENT;
            keys.push(TopicKey { symbol, channel, depth, interval, stamps: false, codec });
        }
        keys.sort_unstable();
        keys.dedup();
        Ok(Poll { keys, snapshot: Some(false), cursor })
    }
}

fn check(subscribe: &Subscribe) -> Result<(), Refusal> {
    let (code, text) = if subscribe.policy == Policy::Lossless {
        (
            ErrorCode::BadPolicy,
            "a poll gets what happened since the last one merged; lossless is not offered here",
        )
    } else if subscribe.interval != Interval::EACH_EVENT {
        (ErrorCode::BadInterval, "a poll has no interval; ask as often as you want to know")
    } else if subscribe.channel == Channel::Stats {
        (
            ErrorCode::BadChannel,
            "a poll has no connection whose figures could be told; use book, trade, or bbo",
        )
    } else {
        return Ok(());
    };
    Err(Refusal::new(code, text))
}

/// Where a client stands with one symbol.
#[derive(Clone, Copy)]
enum Since {
    /// It has nothing of it.
    Nothing,
    /// It has everything up to here.
    Held(Seq),
    /// What it has cannot be continued.
    Lost(SnapshotReason),
}

impl Publisher {
    /// Appends an answer, `{"cursor":TOKEN,"messages":[…]}`, if there is something to say: always to a client that has no
    /// cursor yet. Whether there was.
    pub fn push_poll(&mut self, poll: &Poll, now: Nanos, out: &mut Vec<u8>) -> bool {
        if poll.keys.iter().any(|key| self.has_to_wait(poll, key)) {
            return false;
        }
        let mut messages = Vec::new();
        let through: Vec<Option<Seq>> =
            poll.keys.iter().map(|key| self.push_since(poll, key, now, &mut messages)).collect();
        if messages.is_empty() && poll.cursor.is_some() {
            return false;
        }
        long_poll::push_answer(out, |out| self.push_cursor(&poll.keys, &through, out), &messages);
        true
    }

    /// Whether a subscription cannot go on and cannot begin anew either: its cursor is of another epoch, and the book that
    /// takes its place does not stand yet. A book is told apart in the next cursor by the depth that is left out.
    fn has_to_wait(&self, poll: &Poll, key: &TopicKey) -> bool {
        key.channel != Channel::Book
            && self.standing(key.symbol) != Standing::Whole
            && matches!(self.since(poll, key), Since::Lost(_))
    }

    /// Appends what a client is to be told of one key. Through where it has everything then, if it has anything.
    fn push_since(&mut self, poll: &Poll, key: &TopicKey, now: Nanos, out: &mut Vec<u8>) -> Option<Seq> {
        let since = self.since(poll, key);
        let held = if let Since::Held(seq) = since { Some(seq) } else { None };
        if key.channel == Channel::Trade {
            if self.waits_for_book(poll, key) {
                return held;
            }
            return Some(self.push_trades_since(poll, key, since, now, out));
        }
        let stand = self.stand(key);
        let here = stand.unchanged_to.seq;
        let reason = match since {
            _ if self.standing(key.symbol) != Standing::Whole => return held,
            Since::Held(seq) if !self.is_changed_since(key, seq) => return Some(here),
            Since::Held(seq) if self.push_catch(&stand, seq, Catch::Resume, now, out).is_ok() => {
                return Some(here);
            }
            // The client sees by the id that is left out that what follows does not continue what it has.
            Since::Held(_) | Since::Lost(_) if !key.codec.mends_holes() => {
                let (instrument, time) = (&self.instruments()[key.symbol], stand.tail.timestamp);
                let sent = self.ids_of(key.symbol).of(held.unwrap_or_default());
                key.codec.push_break(out, instrument, time, sent);
                return Some(here);
            }
            Since::Held(_) => SnapshotReason::Resume,
            Since::Nothing if poll.snapshot == Some(false) => return Some(here),
            Since::Nothing => SnapshotReason::Subscribe,
            Since::Lost(reason) => reason,
        };
        self.push_snapshot(&stand, reason, now, out);
        Some(here)
    }

    /// Whether a symbol's trades have to wait until its book can be told, which the client wants too: the cursor's one number
    /// could not go on with the trades alone, and the same ones would be told again and again.
    fn waits_for_book(&self, poll: &Poll, trades: &TopicKey) -> bool {
        let is_wanted = |key: &TopicKey| key.symbol == trades.symbol && key.channel != Channel::Trade;
        self.standing(trades.symbol) != Standing::Whole && poll.keys.iter().any(is_wanted)
    }

    /// Whether the view was another one at any time since a seq, or that is no longer known. That it is the same again does
    /// not do: a client may have more than its cursor says, when that came from another transport.
    fn is_changed_since(&mut self, key: &TopicKey, seq: Seq) -> bool {
        let (book, touched) = (&self.replicas[key.symbol.index()].book, &mut self.scratch.levels);
        if book.catch_up(&self.history, seq, book.seq(), Depth::ALL.get(), touched).is_err() {
            return true;
        }
        Side::BOTH.into_iter().any(|side| {
            let last_in_view = book.levels(side).nth(key.depth.levels() - 1);
            let best_touched = touched.side(side).first();
            best_touched
                .is_some_and(|best| last_in_view.is_none_or(|last| !side.is_better(last.price, best.price)))
        })
    }

    fn push_trades_since(
        &mut self,
        poll: &Poll,
        key: &TopicKey,
        since: Since,
        now: Nanos,
        out: &mut Vec<u8>,
    ) -> Seq {
        // While the worker waits for a book, it may not know of trades that come after those it has.
        let known = match self.standing(key.symbol) {
            Standing::Whole => self.mark(key.symbol).seq,
            _ => self.replicas[key.symbol.index()].trades.last_end(),
        };
        match since {
            Since::Nothing if poll.snapshot == Some(true) => {
                self.push_snapshot(&self.stand(key), SnapshotReason::Subscribe, now, out);
            }
            Since::Held(seq) => {
                let sent = self.push_trades_after(key, seq, GapReason::Resume, now, TRADES_BYTES, out);
                return if sent.all { sent.through.max(known) } else { sent.through };
            }
            Since::Lost(_) if known > 0 => {
                let symbol = &self.instruments()[key.symbol].symbol;
                let (from_seq, to_seq, reason) = (1, known, GapReason::Resume);
                let gap = Gap { channel: Channel::Trade, symbol, from_seq, to_seq, reason };
                key.codec.push_gap(out, &gap);
            }
            Since::Nothing | Since::Lost(_) => {}
        }
        known
    }

    /// What ends with all that has happened.
    fn stand(&self, key: &TopicKey) -> Stand {
        let mark = self.mark(key.symbol);
        let tail = if key.codec.ends_with_changes() { self.changed_at(key.symbol) } else { mark };
        Stand { key: *key, tail, unchanged_to: mark }
    }

    fn since(&self, poll: &Poll, key: &TopicKey) -> Since {
        let instrument = &self.instruments()[key.symbol];
        let Some(cursor) = &poll.cursor else { return Since::Nothing };
        let entry = cursor.find(&instrument.symbol).or_else(|| cursor.find(&instrument.venue_symbol));
        let Some(&TokenEntry { seq, depth, .. }) = entry else { return Since::Nothing };
        let is_beyond = seq > self.mark(key.symbol).seq && self.standing(key.symbol) == Standing::Whole;
        match depth {
            _ if cursor.epoch() != self.ids_of(key.symbol).epoch || is_beyond => {
                Since::Lost(SnapshotReason::Resume)
            }
            _ if key.channel != Channel::Book => Since::Held(seq),
            None => Since::Lost(SnapshotReason::Resume),
            Some(depth) if depth < key.depth => Since::Lost(SnapshotReason::Modify),
            Some(_) => Since::Held(seq),
        }
    }

    /// Appends the token of a client that has everything of each key through what stands beside it. A symbol is left out as
    /// long as the top of its book could not be told: one number would stand for that too.
    fn push_cursor(&self, keys: &[TopicKey], through: &[Option<Seq>], out: &mut Vec<u8>) {
        token::push_epoch(out, self.epoch());
        let mut first = true;
        let mut from = 0;
        for of_symbol in keys.chunk_by(|a, b| a.symbol == b.symbol) {
            let told = of_symbol.iter().zip(&through[from..]);
            from += of_symbol.len();
            let is_behind =
                told.clone().any(|(key, through)| key.channel == Channel::Bbo && through.is_none());
            let held = told.filter_map(|(key, &through)| Some((key, through?)));
            let books = held.clone().filter(|(key, _)| key.channel == Channel::Book);
            let book = books.max_by_key(|(key, _)| key.depth);
            let is_here = self.ids_of(of_symbol[0].symbol).epoch == self.epoch();
            if let Some(seq) = held.map(|(_, through)| through).min().filter(|_| is_here && !is_behind) {
                let symbol = &self.instruments()[of_symbol[0].symbol].symbol;
                token::push_entry(out, first, symbol, book.map(|(key, _)| key.depth), seq);
                first = false;
            }
        }
    }
}
