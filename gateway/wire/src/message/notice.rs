//! Messages about the stream itself: heartbeats, gaps, status, the connection's own figures.

use super::{Channel, GapReason};
use market::Seq;

/// A subscription that was quiet since the last heartbeat: nothing for it lies between `seq` and `through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet<'a> {
    /// Its channel.
    pub channel: Channel,
    /// Its symbol.
    pub symbol: &'a str,
    /// Of the last message that it was sent.
    pub seq: Seq,
    /// The client has everything up to here, if it has `seq`.
    pub through: Seq,
}

/// A range that is missing from what a subscriber was sent; both ends are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap<'a> {
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbol.
    pub symbol: &'a str,
    /// The first missing number.
    pub from_seq: Seq,
    /// The last missing number.
    pub to_seq: Seq,
    /// Why.
    pub reason: GapReason,
}

/// An event that concerns the feed or the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'a> {
    /// The feed's numbering of this symbol has a hole: its book is stale until a snapshot.
    FeedGap {
        /// The symbol.
        symbol: &'a str,
    },
    /// The book of this symbol is crossed.
    Crossed {
        /// The symbol.
        symbol: &'a str,
    },
    /// The feed gave neither event nor watermark for too long.
    FeedStalled,
    /// The feed came to its end; the last books go on being served.
    FeedEnded,
    /// The gateway closes the connection after this message, on a transport that cannot say why by itself.
    Closing {
        /// What a WebSocket would be closed with.
        code: u16,
        /// The same in words.
        reason: &'a str,
    },
    /// The gateway closes the connection after this message.
    Shutdown {
        /// When to come back, in milliseconds; spread at random by whoever sends it.
        retry_after_ms: u64,
        /// A word of the operator's.
        reason: &'a str,
    },
}

impl Status<'_> {
    /// The name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Status::FeedGap { .. } => "feed_gap",
            Status::Crossed { .. } => "crossed",
            Status::FeedStalled => "feed_stalled",
            Status::FeedEnded => "feed_ended",
            Status::Closing { .. } => "closing",
            Status::Shutdown { .. } => "shutdown",
        }
    }
}

/// The connection's own figures, since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// How many numbers behind the feed the furthest subscription is now.
    pub lag_seq: u64,
    /// Merged messages.
    pub conflated: u64,
    /// Gap messages.
    pub gaps: u64,
    /// Bytes handed to the kernel.
    pub bytes_sent: u64,
    /// From engine to write, in ns: the median.
    pub p50: u64,
    /// The 99th percentile, in ns.
    pub p99: u64,
    /// The 99.9th percentile, in ns.
    pub p999: u64,
}
