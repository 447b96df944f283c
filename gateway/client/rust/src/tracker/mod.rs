//! The protocol as a client sees it: text messages in, proven books and trades out. It knows no socket and no clock.

mod answers;
mod cursor;
mod fault;
mod form;
mod market_data;
mod notices;
mod number;
mod resume;
mod state;

pub use fault::{Fault, FaultKind};
pub use resume::Polled;
pub use state::{BboState, BookState, Counters};

use book::Ladder;
use form::{Head, read};
use market::{Epoch, Seq};
use state::Symbol;
use std::collections::HashMap;
use wire::{
    message::{Channel, GapReason, SnapshotReason, Stamps, Trade, Verdict},
    token::{Token, TokenEntry},
};

/// Takes the messages of one client's connections, one after the other, and keeps what the client has to keep.
///
/// It is strict: beyond the rule for clients it holds the gateway to what it promises within one connection, and takes
/// nothing that the protocol does not name. After a [`Fault`] connect again: call [`Tracker::reconnected`], subscribe
/// with [`Tracker::token`], and only what is wrong comes as a snapshot.
///
/// Book and bbo are subscribed to with their first snapshot (`snapshot` not false).
///
/// Transports that carry tokens of the gateway's own tell them to [`Tracker::on_token`]; with long polling, where nothing is
/// answered by name, [`Tracker::polled`] says what an answer continues.
///
/// ```
/// use client::{Tracker, Update};
/// let mut tracker = Tracker::new();
/// let ack = br#"{"method":"subscribe","success":true,"result":{"channel":"bbo","symbol":"BTC/USDT","interval_ms":0,
///     "policy":"conflate","epoch":"9c41d7e0a25b7f3a","seq":7,"recovered":false},"req_id":1}"#;
/// assert!(matches!(tracker.on_text(ack), Ok(Update::Subscribed(_))));
/// let bbo = br#"{"channel":"bbo","type":"snapshot","data":[{"symbol":"BTC/USDT","bid":61659.70,"bid_qty":1.5,
///     "ask":null,"ask_qty":null,"timestamp":"2026-11-23T08:00:00.123456789Z","epoch":"9c41d7e0a25b7f3a","seq":7,
///     "reason":"subscribe"}]}"#;
/// assert!(matches!(tracker.on_text(bbo), Ok(Update::Bbo { symbol: "BTC/USDT", .. })));
/// assert_eq!(tracker.token().unwrap().to_string(), "9c41d7e0a25b7f3a:BTC/USDT=7");
/// ```
#[derive(Debug, Default)]
pub struct Tracker {
    symbols: Vec<Symbol>,
    by_name: HashMap<String, usize>,
    /// The numbering of the last acknowledgement or snapshot.
    epoch: Option<Epoch>,
    dense_trade_ids: bool,
    counters: Counters,
    /// The levels of the last book message.
    changes: Ladder,
    /// The trades of the last trade message.
    trades: Vec<Trade>,
}

/// What a message told.
#[derive(Debug)]
pub enum Update<'t> {
    /// A book, proven by its checksum.
    Book {
        /// Whose.
        symbol: &'t str,
        /// As it is now.
        book: &'t BookState,
        /// The levels of the message: all of a snapshot, the changed ones of an update (zero is gone).
        changes: &'t Ladder,
        /// Why it was a snapshot, if it was one.
        snapshot: Option<SnapshotReason>,
        /// If they were asked for.
        stamps: Option<Stamps>,
    },
    /// The top of a book.
    Bbo {
        /// Whose.
        symbol: &'t str,
        /// As it is now.
        bbo: &'t BboState,
        /// Why it was a snapshot, if it was one.
        snapshot: Option<SnapshotReason>,
        /// If they were asked for.
        stamps: Option<Stamps>,
    },
    /// New trades, oldest first; of a snapshot, the last ones before the stream begins.
    Trades {
        /// Whose.
        symbol: &'t str,
        /// Those that were not known already.
        trades: &'t [Trade],
        /// Why it was a snapshot, if it was one.
        snapshot: Option<SnapshotReason>,
        /// If they were asked for.
        stamps: Option<Stamps>,
    },
    /// An update that was known already and changed nothing.
    Dropped {
        /// Whose.
        symbol: &'t str,
        /// Of which channel.
        channel: Channel,
    },
    /// These numbers were not sent and will not be; both ends are missing. Trades can be fetched by range.
    Gap {
        /// Whose.
        symbol: &'t str,
        /// Of which channel.
        channel: Channel,
        /// The first missing number.
        from_seq: Seq,
        /// The last missing number.
        to_seq: Seq,
        /// Why.
        reason: GapReason,
    },
    /// The connection lives; what was quiet is up to date.
    Heartbeat,
    /// News of the feed or the gateway.
    Status(Status),
    /// A subscription begins.
    Subscribed(Subscribed<'t>),
    /// The answer to a `verify`.
    Verified(Verified<'t>),
    /// A request was refused.
    Refused {
        /// For programs.
        code: String,
        /// For people: what is wrong and what to do.
        text: String,
        /// The symbol that it is about.
        symbol: Option<String>,
        /// When to come back, after too many requests.
        retry_after_ms: Option<u64>,
    },
    /// An answer with nothing to keep: pong, list, unsubscribe, modify; and the connection's own figures.
    Noted,
}

/// News of the feed or the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The gateway closes the connection after this message.
    Shutdown {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The gateway closes the connection after this message, where the transport has no close codes.
    Closing {
        /// As the close code of a WebSocket.
        code: u16,
        /// For people.
        reason: String,
    },
    /// The feed came to its end.
    FeedEnded,
    /// The feed is silent.
    FeedStalled,
    /// The feed lost part of this symbol: its book is stale until a snapshot.
    FeedGap {
        /// The symbol.
        symbol: String,
    },
    /// The book of this symbol is crossed.
    Crossed {
        /// The symbol.
        symbol: String,
    },
}

/// A subscription begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed<'t> {
    /// Of which symbol.
    pub symbol: &'t str,
    /// Of which channel.
    pub channel: Channel,
    /// Whether everything since the token follows.
    pub recovered: bool,
}

/// The answer to a `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'t> {
    /// Of which symbol.
    pub symbol: &'t str,
    /// At which seq.
    pub seq: Seq,
    /// What came of it; after a mismatch a snapshot follows.
    pub verdict: Verdict,
}

impl Tracker {
    /// Knows nothing yet.
    pub fn new() -> Tracker {
        Tracker::default()
    }

    /// Takes a trade whose id is not one more than the last as a fault, unless a gap was named: true for the simulated
    /// exchange, but not for every venue.
    pub fn with_dense_trade_ids(self) -> Tracker {
        Tracker { dense_trade_ids: true, ..self }
    }

    /// Takes the next text message of the connection.
    ///
    /// # Errors
    /// [`Fault`] if the message breaks the protocol or does not prove itself. What was held before it stays, unless it was
    /// found to be wrong; then that subscription waits for a snapshot.
    pub fn on_text(&mut self, text: &[u8]) -> Result<Update<'_>, Fault> {
        self.counters.messages += 1;
        match self.take(text) {
            Ok(outcome) => Ok(self.tell(outcome)),
            Err(Broken { subject, kind }) => {
                self.counters.faults += 1;
                Err(Fault {
                    channel: subject.map(|subject| subject.channel),
                    symbol: subject.map(|subject| self.symbols[subject.symbol].name.clone()),
                    kind,
                    text: Fault::text_of(text),
                })
            }
        }
    }

    /// The connection is gone and a new one begins: books stay as they are, to be resumed by [`Tracker::token`].
    pub fn reconnected(&mut self) {
        for symbol in &mut self.symbols {
            symbol.book.cursor.disconnect();
            symbol.bbo.cursor.disconnect();
            symbol.trade.cursor.disconnect();
        }
    }

    /// Where to go on: for each symbol the least seq over its channels, and the depth of the book that is held. `None` if
    /// nothing is. At most [`Token::MAX_ENTRIES`] symbols.
    pub fn token(&self) -> Option<Token> {
        let epoch = self.epoch?;
        let entries: Vec<_> = self.symbols.iter().filter_map(|symbol| token_entry(symbol, epoch)).collect();
        let entries = entries.into_iter().take(Token::MAX_ENTRIES).collect::<Vec<_>>();
        if entries.is_empty() { None } else { Token::new(epoch, entries).ok() }
    }

    /// The book of a symbol, if one is held.
    pub fn book(&self, symbol: &str) -> Option<&BookState> {
        self.symbols[*self.by_name.get(symbol)?].book.proven()
    }

    /// The number through which the client has everything of a subscription: at least that of its last message, more when
    /// a heartbeat said so.
    pub fn through(&self, channel: Channel, symbol: &str) -> Option<Seq> {
        let symbol = &self.symbols[*self.by_name.get(symbol)?];
        symbol.cursor(channel)?.held().map(|held| held.1)
    }

    /// The top of a symbol's book as the bbo channel told it, if it did.
    pub fn bbo(&self, symbol: &str) -> Option<&BboState> {
        self.symbols[*self.by_name.get(symbol)?].bbo.proven()
    }

    /// The subscriptions of the present connection.
    pub fn subscriptions(&self) -> impl Iterator<Item = (Channel, &str)> {
        self.symbols.iter().flat_map(|symbol| {
            let live =
                |channel: &Channel| symbol.cursor(*channel).is_some_and(|cursor| cursor.is_subscribed());
            Channel::ALL.into_iter().filter(live).map(|channel| (channel, symbol.name.as_str()))
        })
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn take(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let head: Head<'_> = read(text)?;
        match (head.channel, head.method) {
            (Some("book"), None) => self.take_book(text),
            (Some("bbo"), None) => self.take_bbo(text),
            (Some("trade"), None) => self.take_trades(text),
            (Some("stats"), None) => Ok(Outcome::Noted),
            (Some("heartbeat"), None) => self.take_heartbeat(text),
            (Some("gap"), None) => self.take_gap(text),
            (Some("status"), None) => self.take_status(text),
            (Some(other), None) => Err(FaultKind::UnknownChannel(other.into()).into()),
            (None, Some("pong")) => Ok(Outcome::Noted),
            (None, method) => match (method, head.success) {
                (_, Some(false)) => self.take_refusal(text),
                (Some(method), Some(true)) => self.take_answer(method, text),
                _ => Err(FaultKind::Malformed("neither a channel's message nor an answer".into()).into()),
            },
            (Some(_), Some(_)) => {
                Err(FaultKind::Malformed("both a channel's message and an answer".into()).into())
            }
        }
    }

    fn tell(&self, outcome: Outcome) -> Update<'_> {
        let name = |index: usize| self.symbols[index].name.as_str();
        match outcome {
            Outcome::Book { index, snapshot, stamps } => match &self.symbols[index].book.state {
                Some(book) => {
                    Update::Book { symbol: name(index), book, changes: &self.changes, snapshot, stamps }
                }
                None => Update::Noted,
            },
            Outcome::Bbo { index, snapshot, stamps } => match &self.symbols[index].bbo.state {
                Some(bbo) => Update::Bbo { symbol: name(index), bbo, snapshot, stamps },
                None => Update::Noted,
            },
            Outcome::Trades { index, snapshot, stamps } => {
                Update::Trades { symbol: name(index), trades: &self.trades, snapshot, stamps }
            }
            Outcome::Dropped(Subject { symbol, channel }) => {
                Update::Dropped { symbol: name(symbol), channel }
            }
            Outcome::Gap { subject: Subject { symbol, channel }, from_seq, to_seq, reason } => {
                Update::Gap { symbol: name(symbol), channel, from_seq, to_seq, reason }
            }
            Outcome::Heartbeat => Update::Heartbeat,
            Outcome::Status(status) => Update::Status(status),
            Outcome::Subscribed { subject: Subject { symbol, channel }, recovered } => {
                Update::Subscribed(Subscribed { symbol: name(symbol), channel, recovered })
            }
            Outcome::Verified { index, seq, verdict } => {
                Update::Verified(Verified { symbol: name(index), seq, verdict })
            }
            Outcome::Refused { code, text, symbol, retry_after_ms } => {
                Update::Refused { code, text, symbol, retry_after_ms }
            }
            Outcome::Noted => Update::Noted,
        }
    }

    /// The symbol of a message, which has been acknowledged before.
    fn find(&self, name: &str) -> Result<usize, FaultKind> {
        self.by_name.get(name).copied().ok_or(FaultKind::NotSubscribed)
    }
}

impl Symbol {
    fn cursor(&self, channel: Channel) -> Option<&cursor::Cursor> {
        match channel {
            Channel::Book => Some(&self.book.cursor),
            Channel::Bbo => Some(&self.bbo.cursor),
            Channel::Trade => Some(&self.trade.cursor),
            Channel::Stats | Channel::Summary => None,
        }
    }

    fn cursor_mut(&mut self, channel: Channel) -> Option<&mut cursor::Cursor> {
        match channel {
            Channel::Book => Some(&mut self.book.cursor),
            Channel::Bbo => Some(&mut self.bbo.cursor),
            Channel::Trade => Some(&mut self.trade.cursor),
            Channel::Stats | Channel::Summary => None,
        }
    }
}

fn token_entry(symbol: &Symbol, epoch: Epoch) -> Option<TokenEntry> {
    let held = |channel| {
        let (of, seq) = symbol.cursor(channel)?.held()?;
        (of == epoch).then_some(seq)
    };
    let seq = Channel::ALL.into_iter().filter_map(held).min()?;
    let depth = held(Channel::Book).and(symbol.book.proven()).map(|book| book.depth);
    Some(TokenEntry { symbol: symbol.name.clone(), depth, seq })
}

/// A subscription that a message is about.
#[derive(Debug, Clone, Copy)]
struct Subject {
    symbol: usize,
    channel: Channel,
}

impl Subject {
    fn broken(self, kind: FaultKind) -> Broken {
        Broken { subject: Some(self), kind }
    }
}

/// What is wrong with a message, and with which subscription's.
struct Broken {
    subject: Option<Subject>,
    kind: FaultKind,
}

impl From<FaultKind> for Broken {
    fn from(kind: FaultKind) -> Broken {
        Broken { subject: None, kind }
    }
}

/// An [`Update`] before it borrows.
enum Outcome {
    Book { index: usize, snapshot: Option<SnapshotReason>, stamps: Option<Stamps> },
    Bbo { index: usize, snapshot: Option<SnapshotReason>, stamps: Option<Stamps> },
    Trades { index: usize, snapshot: Option<SnapshotReason>, stamps: Option<Stamps> },
    Dropped(Subject),
    Gap { subject: Subject, from_seq: Seq, to_seq: Seq, reason: GapReason },
    Heartbeat,
    Status(Status),
    Subscribed { subject: Subject, recovered: bool },
    Verified { index: usize, seq: Seq, verdict: Verdict },
    Refused { code: String, text: String, symbol: Option<String>, retry_after_ms: Option<u64> },
    Noted,
}
