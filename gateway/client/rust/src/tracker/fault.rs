//! What a gateway can do wrong, as its client sees it.

use market::{Epoch, Seq};
use wire::message::Channel;

/// A message that breaks the protocol, or does not fit to what was received before. The gateway (or what lies between) is
/// at fault; the way on is to connect again and resume by [`super::Tracker::token`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}; in {text}", subject(.channel, .symbol))]
pub struct Fault {
    /// The subscription's channel, if it is about one.
    pub channel: Option<Channel>,
    /// Its symbol.
    pub symbol: Option<String>,
    /// What is wrong.
    pub kind: FaultKind,
    /// The message, cut to [`Fault::TEXT_BYTES`].
    pub text: String,
}

impl Fault {
    /// Most bytes of [`Fault::text`].
    pub const TEXT_BYTES: usize = 512;

    pub(super) fn text_of(message: &[u8]) -> String {
        let shown = &message[..message.len().min(Fault::TEXT_BYTES)];
        let mut text = String::from_utf8_lossy(shown).into_owned();
        text.truncate(text.floor_char_boundary(Fault::TEXT_BYTES));
        text
    }
}

fn subject(channel: &Option<Channel>, symbol: &Option<String>) -> String {
    match (channel, symbol) {
        (Some(channel), Some(symbol)) => format!("{} of {symbol}: ", channel.as_str()),
        (Some(channel), None) => format!("{}: ", channel.as_str()),
        _ => String::new(),
    }
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// It is no JSON, lacks a member, or has one that the protocol does not name.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The channel does not exist.
    #[error("unknown channel '{0}'")]
    UnknownChannel(String),
    /// A number that is not plain decimal text, or too large.
    #[error("'{0}' is not a plain decimal number")]
    BadNumber(String),
    /// A number in other decimals than the instrument's earlier ones.
    #[error("'{text}' does not have {expected} decimals, as the instrument's earlier numbers had")]
    Decimals {
        /// What the first message of the instrument had.
        expected: u8,
        /// The number as it was written.
        text: String,
    },
    /// Levels are out of order, repeated, more than the depth, or gone in a snapshot.
    #[error("the levels are out of order, repeated, empty or too many")]
    BadLevels,
    /// It belongs to nothing that was acknowledged on this connection.
    #[error("there is no such subscription on this connection")]
    NotSubscribed,
    /// A second acknowledgement of one subscription.
    #[error("acknowledged twice")]
    SubscribedTwice,
    /// Something else came where a snapshot was due.
    #[error("a snapshot is due, but this came")]
    SnapshotDue,
    /// An acknowledgement promises to continue what the client does not have.
    #[error("recovered, but the client holds nothing of epoch {0}")]
    RecoveredNothing(Epoch),
    /// A recovered subscription began with a snapshot for a new one.
    #[error("recovered, but a first snapshot came")]
    RecoveredBySnapshot,
    /// Something lies between the last message and this one.
    #[error("gap: {last} was the last seq, this begins at {first_seq}")]
    Gap {
        /// What the client had everything through.
        last: Seq,
        /// Where the message begins.
        first_seq: Seq,
    },
    /// It begins before the end of the message before, on one connection.
    #[error("overlap: {sent} was sent before, this begins at {first_seq}")]
    Overlap {
        /// The last seq of the message before.
        sent: Seq,
        /// Where the message begins.
        first_seq: Seq,
    },
    /// A snapshot that is older than what was sent before it.
    #[error("a snapshot at {seq} after {sent}")]
    Backwards {
        /// The last seq of the message before.
        sent: Seq,
        /// The snapshot's.
        seq: Seq,
    },
    /// A heartbeat names a message that did not arrive.
    #[error("lost: a heartbeat says that {seq} was sent, {last} was the last seq")]
    Lost {
        /// What the client had everything through.
        last: Seq,
        /// The last message sent, as the heartbeat says.
        seq: Seq,
    },
    /// The numbering changed without a snapshot.
    #[error("epoch {actual} without a snapshot, it was {expected}")]
    EpochChanged {
        /// The numbering of the stream so far.
        expected: Epoch,
        /// The message's.
        actual: Epoch,
    },
    /// The book after the message is not the gateway's.
    #[error("checksum at {seq}: the message says {expected}, the book has {actual}")]
    Checksum {
        /// The message's last seq.
        seq: Seq,
        /// As the message says.
        expected: u32,
        /// As the client's book has it.
        actual: u32,
    },
    /// A trade's seq is not behind the one before, or not within the message.
    #[error("a trade at {seq} that is not behind {after} or not in the message")]
    TradeSeq {
        /// The trade before, or what the message continues.
        after: Seq,
        /// The trade's.
        seq: Seq,
    },
    /// A trade's id does not follow the one before.
    #[error("trade id {actual} after {last}")]
    TradeId {
        /// The id before.
        last: u64,
        /// The trade's.
        actual: u64,
    },
    /// Book and bbo tell different tops at one seq.
    #[error("at {seq} the top of the book is not the bbo")]
    TopMismatch {
        /// Where both stand.
        seq: Seq,
    },
}
