//! Answers to requests.

use super::{Channel, Depth, ErrorCode, Interval, Policy, ReqId};
use market::{Epoch, Nanos, Seq, Speed};

/// A subscription with its parameters. What the channel has no use for is `None` and is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Its channel.
    pub channel: Channel,
    /// Its symbol; `None` for [`Channel::Stats`].
    pub symbol: Option<&'a str>,
    /// Of a book.
    pub depth: Option<Depth>,
    /// Of a book or its top.
    pub interval: Option<Interval>,
    /// What happens when the client is slow.
    pub policy: Option<Policy>,
    /// Whether messages carry stamps.
    pub stamps: bool,
}

/// "You are subscribed": sent before the first message of the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscribed<'a> {
    /// What to.
    pub subscription: Subscription<'a>,
    /// The numbering that the stream is in.
    pub epoch: Epoch,
    /// Where the stream begins: the token's after a recovered resume, else the snapshot's; 0 if the book does not
    /// stand yet.
    pub seq: Seq,
    /// Whether everything since the resume token follows.
    pub recovered: bool,
}

/// "You are being played to": sent before the first message of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaying<'a> {
    /// The mark on its messages.
    pub replay: &'a ReqId,
    /// What is played; its symbol and policy are left out.
    pub subscription: Subscription<'a>,
    /// Of which symbols.
    pub symbols: &'a [&'a str],
    /// The numbering that it begins in.
    pub epoch: Epoch,
    /// The feed time at which it begins.
    pub from: Nanos,
    /// The feed time up to which it goes; `None` for now.
    pub to: Option<Nanos>,
    /// How fast.
    pub speed: Speed,
    /// Whether it becomes a live subscription.
    pub goes_live: bool,
}

/// "You are no longer subscribed": nothing of the subscription follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsubscribed<'a> {
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbol; `None` for [`Channel::Stats`].
    pub symbol: Option<&'a str>,
}

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pong {
    /// When the request was read.
    pub time_in: Nanos,
    /// When the answer was written.
    pub time_out: Nanos,
}

/// What comes of a client's checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The client's book is the gateway's.
    Ok,
    /// It is not; a snapshot follows.
    Mismatch,
    /// The seq is not the end of an exchange event, or no longer held.
    Unknown,
}

impl Verdict {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Mismatch => "mismatch",
            Verdict::Unknown => "unknown",
        }
    }
}

/// The answer to `verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    /// Of which symbol.
    pub symbol: &'a str,
    /// At which seq.
    pub seq: Seq,
    /// What came of it.
    pub verdict: Verdict,
}

/// A request that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorAnswer<'a> {
    /// The method that was asked for, if it could be read.
    pub method: Option<&'a str>,
    /// For people: what is wrong and what to do.
    pub text: &'a str,
    /// For programs.
    pub code: ErrorCode,
    /// The symbol that it is about.
    pub symbol: Option<&'a str>,
    /// With [`ErrorCode::RateLimited`], when to come back.
    pub retry_after_ms: Option<u64>,
}

impl<'a> ErrorAnswer<'a> {
    /// An answer to something of which nothing could be read.
    pub fn new(code: ErrorCode, text: &'a str) -> ErrorAnswer<'a> {
        ErrorAnswer { method: None, text, code, symbol: None, retry_after_ms: None }
    }
}
