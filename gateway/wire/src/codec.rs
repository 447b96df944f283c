//! How a topic's messages are written: in a dialect, in an envelope. The two add up and know nothing of each other.

use crate::{
    dialect::{
        binance::{self, Form, Stream},
        kraken_v2::{self, Feed, Trigger},
        native_json,
    },
    envelope::Envelope,
    message::{BboMessage, BookMessage, Depth, Gap, Summary, TradeMessage},
};
use market::{Instrument, Nanos};

/// In which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Body {
    /// Those of the native protocol, as JSON.
    Native,
    /// Those of Kraken, version 2, as messages of a feed.
    Kraken(Feed),
    /// As events of a stream of Binance.
    Binance(Form),
}

/// How the messages of a topic are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Codec {
    /// In which words.
    pub body: Body,
    /// How they are wrapped for the transport.
    pub envelope: Envelope,
}

impl Codec {
    /// The native protocol on a transport.
    pub const fn native(envelope: Envelope) -> Codec {
        Codec { body: Body::Native, envelope }
    }

    /// Whether a stream goes on after a hole: there is a message that starts a client's book over, or that names what is
    /// missing, or each says all there is. Where that is not so, the stream is visibly broken off, and the connection ends.
    pub const fn mends_holes(self) -> bool {
        match self.body {
            Body::Native | Body::Kraken(_) => true,
            Body::Binance(form) => {
                !matches!(form.stream, Stream::Depth(_) | Stream::Trade | Stream::AggTrade)
            }
        }
    }

    /// Whether the first message of a summary is another one than those that follow: a snapshot.
    pub const fn tells_snapshots(self) -> bool {
        matches!(self.body, Body::Kraken(_))
    }

    /// Whether each message of a book says all that is in view, and not only what changed.
    pub const fn shows_views(self) -> bool {
        matches!(self.body, Body::Binance(Form { stream: Stream::Partial(..), .. }))
    }

    /// Whether changes are told so that they are right for whoever has anything in their midst: each level that was touched is
    /// named, not only those that differ in the end. Clients of Binance join a stream to a snapshot that they fetch
    /// elsewhere, which may lie within a message.
    pub const fn names_all_touched(self) -> bool {
        matches!(self.body, Body::Binance(Form { stream: Stream::Depth(_), .. }))
    }

    /// Whether messages of a book with an interval end with the last exchange event that changed it, and not with the last one
    /// of whatever kind: so the ids of streams with several intervals, and of books that are fetched, are the same ones.
    pub const fn ends_with_changes(self) -> bool {
        matches!(self.body, Body::Binance(_))
    }

    /// How much of a book the checksum in its messages is of, of a topic of this depth.
    pub const fn checksum_depth(self, depth: Depth) -> Option<Depth> {
        match self.body {
            Body::Native => Some(depth),
            Body::Kraken(_) => Some(kraken_v2::CHECKSUM_DEPTH),
            Body::Binance(_) => None,
        }
    }

    /// Whether trades that are left out are named; that the others are numbered says it too.
    pub const fn names_gaps(self) -> bool {
        matches!(self.body, Body::Native)
    }

    /// Appends a message of a book.
    pub fn push_book(self, out: &mut Vec<u8>, message: &BookMessage<'_>) {
        self.envelope.message(out, |out| match self.body {
            Body::Native => native_json::push_book(out, message),
            Body::Kraken(_) => kraken_v2::push_book(out, message),
            Body::Binance(form) => form.wrap(out, message.instrument, |out| {
                binance::push_event_of_book(out, form.stream, message);
            }),
        });
    }

    /// Appends a message of the top of a book.
    pub fn push_bbo(self, out: &mut Vec<u8>, message: &BboMessage<'_>) {
        self.envelope.message(out, |out| match self.body {
            // Kraken has no such channel.
            Body::Native | Body::Kraken(_) => native_json::push_bbo(out, message),
            Body::Binance(form) => {
                form.wrap(out, message.instrument, |out| binance::push_event_of_top(out, message));
            }
        });
    }

    /// Appends the messages of some trades: one, or one each.
    pub fn push_trades(self, out: &mut Vec<u8>, message: &TradeMessage<'_>) {
        match self.body {
            Body::Native => self.envelope.message(out, |out| native_json::push_trade(out, message)),
            Body::Kraken(_) => self.envelope.message(out, |out| kraken_v2::push_trades(out, message)),
            Body::Binance(form) => {
                let instrument = message.instrument;
                for trade in message.trades {
                    self.envelope.message(out, |out| {
                        form.wrap(out, instrument, |out| {
                            binance::push_event_of_trade(out, form.stream, trade, instrument);
                        });
                    });
                }
            }
        }
    }

    /// Whether the numbers of an instrument can be written.
    pub fn can_write(self, instrument: &Instrument) -> bool {
        !matches!(self.body, Body::Binance(_)) || binance::is_offered(instrument)
    }

    /// Whether a topic tells of all symbols.
    pub fn is_of_all(self) -> bool {
        matches!(self.body, Body::Binance(form) if form.stream.of_each().is_some())
    }

    /// Appends the message that tells of all these symbols, of a topic that [is of all](Codec::is_of_all).
    pub fn push_summaries<'a>(self, out: &mut Vec<u8>, summaries: impl Iterator<Item = Summary<'a>>) {
        let Body::Binance(form) = self.body else { return };
        let Some(stream) = form.stream.of_each() else { return };
        let mut summaries = summaries.peekable();
        let Some(&Summary { instrument, .. }) = summaries.peek() else { return };
        self.envelope.message(out, |out| {
            form.wrap(out, instrument, |out| {
                let mut opening = b'[';
                for summary in summaries {
                    out.push(std::mem::replace(&mut opening, b','));
                    binance::push_event_of_summary(&summary, stream, |event| out.extend_from_slice(event));
                }
                out.push(b']');
            });
        });
    }

    /// Whether something of a summary closed by time alone since the last time: it is to be told.
    pub fn closes_with(self, summary: &Summary<'_>) -> bool {
        let Body::Binance(Form { stream: Stream::Kline(interval), .. }) = self.body else { return false };
        summary.since > Nanos::ZERO && interval.end_of(summary.since) <= summary.now
    }

    /// Whether a summary is to be told when the best of a side has changed, though nothing was traded.
    pub const fn follows_top(self) -> bool {
        matches!(self.body, Body::Kraken(Feed::Ticker(Trigger::Bbo)))
    }

    /// Appends the messages that say what the trades of a symbol add up to, if there is something to say since the last time.
    pub fn push_summary(self, out: &mut Vec<u8>, summary: &Summary<'_>) {
        match self.body {
            Body::Binance(form) => binance::push_event_of_summary(summary, form.stream, |event| {
                self.envelope.message(out, |out| {
                    form.wrap(out, summary.instrument, |out| out.extend_from_slice(event));
                });
            }),
            Body::Kraken(feed) => {
                self.envelope.message(out, |out| kraken_v2::push_summary(out, summary, feed));
            }
            // It has no such channel.
            Body::Native => {}
        }
    }

    /// Appends the name of a gap, where [`Codec::names_gaps`].
    pub fn push_gap(self, out: &mut Vec<u8>, gap: &Gap<'_>) {
        if self.names_gaps() {
            self.envelope.message(out, |out| native_json::push_gap(out, gap));
        }
    }

    /// Appends what makes a hole visible to a client that counts, before its connection ends: of a stream that
    /// [mends no holes](Codec::mends_holes), to a client that was sent all up to the id `sent`.
    pub fn push_break(self, out: &mut Vec<u8>, instrument: &Instrument, time: Nanos, sent: u64) {
        if let Body::Binance(form) = self.body
            && let Stream::Depth(_) = form.stream
        {
            self.envelope.message(out, |out| {
                form.wrap(out, instrument, |out| binance::push_break(out, instrument, time, sent));
            });
        }
    }
}
