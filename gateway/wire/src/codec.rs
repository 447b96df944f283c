//! How a topic's messages are written: in a dialect, in an envelope. The two add up and know nothing of each other.

use crate::{
    dialect::{
        binance::{self, Form, Stream, sbe},
        kraken_v2::{self, Feed, Trigger},
        native_json, native_sbe,
    },
    envelope::Envelope,
    message::{
        BboMessage, BookMessage, Depth, Encoding, Gap, Quiet, Stats, Status, Summary, Trade, TradeMessage,
    },
};
use market::{Instrument, Nanos};

/// In which words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Body {
    /// Those of the native protocol, in this encoding.
    Native(Encoding),
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
    pub const fn native(encoding: Encoding, envelope: Envelope) -> Codec {
        Codec { body: Body::Native(encoding), envelope }
    }

    /// How messages are encoded.
    const fn encoding(self) -> Encoding {
        match self.body {
            Body::Native(encoding) | Body::Binance(Form { encoding, .. }) => encoding,
            Body::Kraken(_) => Encoding::Json,
        }
    }

    /// Appends one message, whose body `body` appends.
    pub(crate) fn message(self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        self.envelope.encoded(out, self.encoding(), body);
    }

    /// Whether a stream goes on after a hole: there is a message that starts a client's book over, or that names what is
    /// missing, or each says all there is. Where that is not so, the stream is visibly broken off, and the connection ends.
    pub const fn mends_holes(self) -> bool {
        match self.body {
            Body::Native(_) | Body::Kraken(_) => true,
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
            Body::Native(_) => Some(depth),
            Body::Kraken(_) => Some(kraken_v2::CHECKSUM_DEPTH),
            Body::Binance(_) => None,
        }
    }

    /// Whether trades that are left out are named; that the others are numbered says it too.
    pub const fn names_gaps(self) -> bool {
        matches!(self.body, Body::Native(_))
    }

    /// Appends a message of a book.
    pub fn push_book(self, out: &mut Vec<u8>, message: &BookMessage<'_>) {
        match self.body {
            Body::Binance(form @ Form { encoding: Encoding::Sbe, .. }) => {
                self.push_binary_book(out, form.stream, message);
            }
            body => self.message(out, |out| match body {
                Body::Native(Encoding::Json) => native_json::push_book(out, message),
                Body::Native(Encoding::Sbe) => native_sbe::push_book(out, message),
                Body::Kraken(_) => kraken_v2::push_book(out, message),
                Body::Binance(form) => form.wrap(out, message.instrument, |out| {
                    binance::push_event_of_book(out, form.stream, message);
                }),
            }),
        }
    }

    fn push_binary_book(self, out: &mut Vec<u8>, stream: Stream, message: &BookMessage<'_>) {
        if let Stream::Partial(..) = stream {
            return self.message(out, |out| sbe::push_view(out, message));
        }
        let first_id = binance::first_id(message);
        sbe::push_changes(out, message, first_id, |out, event| self.message(out, event));
    }

    /// Appends a message of the top of a book.
    pub fn push_bbo(self, out: &mut Vec<u8>, message: &BboMessage<'_>) {
        self.message(out, |out| match self.body {
            // Kraken has no such channel.
            Body::Native(Encoding::Json) | Body::Kraken(_) => native_json::push_bbo(out, message),
            Body::Native(Encoding::Sbe) => native_sbe::push_bbo(out, message),
            Body::Binance(Form { encoding: Encoding::Sbe, .. }) => sbe::push_top(out, message),
            Body::Binance(form) => {
                form.wrap(out, message.instrument, |out| binance::push_event_of_top(out, message));
            }
        });
    }

    /// Appends the messages of some trades: one, or one each.
    pub fn push_trades(self, out: &mut Vec<u8>, message: &TradeMessage<'_>) {
        let instrument = message.instrument;
        match self.body {
            Body::Native(Encoding::Json) => self.message(out, |out| native_json::push_trade(out, message)),
            Body::Native(Encoding::Sbe) => self.message(out, |out| native_sbe::push_trade(out, message)),
            Body::Kraken(_) => self.message(out, |out| kraken_v2::push_trades(out, message)),
            Body::Binance(Form { encoding: Encoding::Sbe, .. }) => {
                let at_once = |a: &Trade, b: &Trade| a.timestamp == b.timestamp;
                for trades in message.trades.chunk_by(at_once) {
                    self.message(out, |out| sbe::push_trades(out, trades, instrument));
                }
            }
            Body::Binance(form) => {
                for trade in message.trades {
                    self.message(out, |out| {
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
        self.message(out, |out| {
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
                self.message(out, |out| {
                    form.wrap(out, summary.instrument, |out| out.extend_from_slice(event));
                });
            }),
            Body::Kraken(feed) => {
                self.message(out, |out| kraken_v2::push_summary(out, summary, feed));
            }
            // It has no such channel.
            Body::Native(_) => {}
        }
    }

    /// Appends the name of a gap, where [`Codec::names_gaps`].
    pub fn push_gap(self, out: &mut Vec<u8>, gap: &Gap<'_>) {
        if let Body::Native(encoding) = self.body {
            self.message(out, |out| match encoding {
                Encoding::Json => native_json::push_gap(out, gap),
                Encoding::Sbe => native_sbe::push_gap(out, gap),
            });
        }
    }

    /// Appends a status of the native protocol.
    pub fn push_status(self, out: &mut Vec<u8>, status: &Status<'_>) {
        self.message(out, |out| match self.encoding() {
            Encoding::Json => native_json::push_status(out, status),
            Encoding::Sbe => native_sbe::push_status(out, status),
        });
    }

    /// Appends a heartbeat of the native protocol.
    pub fn push_heartbeat<'a>(
        self,
        out: &mut Vec<u8>,
        time: Nanos,
        quiet: impl IntoIterator<Item = Quiet<'a>>,
    ) {
        self.message(out, |out| match self.encoding() {
            Encoding::Json => native_json::push_heartbeat(out, time, quiet),
            Encoding::Sbe => native_sbe::push_heartbeat(out, time, quiet),
        });
    }

    /// Appends a connection's own figures, as the native protocol tells them.
    pub fn push_stats(self, out: &mut Vec<u8>, stats: &Stats) {
        self.message(out, |out| match self.encoding() {
            Encoding::Json => native_json::push_stats(out, stats),
            Encoding::Sbe => native_sbe::push_stats(out, stats),
        });
    }

    /// Appends what makes a hole visible to a client that counts, before its connection ends: of a stream that
    /// [mends no holes](Codec::mends_holes), to a client that was sent all up to the id `sent`.
    pub fn push_break(self, out: &mut Vec<u8>, instrument: &Instrument, time: Nanos, sent: u64) {
        if let Body::Binance(form) = self.body
            && let Stream::Depth(_) = form.stream
        {
            self.message(out, |out| match form.encoding {
                Encoding::Json => {
                    form.wrap(out, instrument, |out| binance::push_break(out, instrument, time, sent));
                }
                Encoding::Sbe => sbe::push_diff(out, instrument, time, [sent + 2; 2], [&[], &[]]),
            });
        }
    }
}
