//! What a client may ask for.

use super::{Channel, Chaos, Depth, Encoding, ErrorAnswer, Interval, Policy, Refusal, Replay, Steer};
use crate::token::Token;
use market::Seq;
use std::time::Duration;

/// Most symbols in one request.
pub const MAX_SYMBOLS: usize = 1024;
/// Longest text of a [`ReqId`], in bytes.
pub const MAX_REQ_ID_BYTES: usize = 128;

/// A client's own mark on a request; comes back on the answer as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReqId {
    /// From -2^63 to 2^64 - 1.
    Integer(i128),
    /// At most [`MAX_REQ_ID_BYTES`].
    Text(Box<str>),
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's mark, if it gave one.
    pub id: Option<ReqId>,
    /// What it asks for.
    pub method: Method,
}

/// What a request asks for. Symbols are as the client wrote them: whether they exist is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Begin subscriptions.
    Subscribe(Subscribe),
    /// End subscriptions.
    Unsubscribe(Unsubscribe),
    /// Change live subscriptions.
    Modify(Modify),
    /// Name the live subscriptions.
    List,
    /// Answer at once.
    Ping,
    /// Compare checksums.
    Verify(Verify),
    /// Have events in this encoding, where a connection begins without a word about it.
    Hello(Encoding),
    /// Play what was recorded to this client alone.
    Replay(Box<Replay>),
    /// Steer a replay that this client has begun.
    Steer(Steer),
    /// Do faults to what this connection is sent, or say which were done.
    Chaos(Chaos),
}

impl Method {
    /// The name in requests and answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Method::Subscribe(_) => "subscribe",
            Method::Unsubscribe(_) => "unsubscribe",
            Method::Modify(_) => "modify",
            Method::List => "list",
            Method::Ping => "ping",
            Method::Verify(_) => "verify",
            Method::Hello(_) => "hello",
            Method::Replay(_) => "replay",
            Method::Steer(steer) => steer.how.name(),
            Method::Chaos(_) => "chaos",
        }
    }
}

/// Begin subscriptions, one for each symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// To which channel.
    pub channel: Channel,
    /// Of which symbols: 1 to [`MAX_SYMBOLS`]; none for [`Channel::Stats`].
    pub symbols: Vec<String>,
    /// How deep a book.
    pub depth: Depth,
    /// How much feed time a message covers.
    pub interval: Interval,
    /// What happens when the client is slow.
    pub policy: Policy,
    /// Whether messages carry stamps.
    pub stamps: bool,
    /// Whether a snapshot begins the stream; `None` for the channel's own default.
    pub snapshot: Option<bool>,
    /// Where to go on.
    pub since: Option<Token>,
    /// How often heartbeats are wanted, zero for never; counts in a connection's first request.
    pub heartbeat: Option<Duration>,
}

/// End subscriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbols, as in [`Subscribe`].
    pub symbols: Vec<String>,
}

/// Change live subscriptions; what is `None` stays. At least one is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modify {
    /// Of which channel.
    pub channel: Channel,
    /// Of which symbols, as in [`Subscribe`].
    pub symbols: Vec<String>,
    /// The new depth.
    pub depth: Option<Depth>,
    /// The new interval.
    pub interval: Option<Interval>,
    /// The new policy.
    pub policy: Option<Policy>,
    /// Whether messages carry stamps from now on.
    pub stamps: Option<bool>,
}

/// Compare the client's checksum of a book with the gateway's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    /// Of which symbol.
    pub symbol: String,
    /// At which seq.
    pub seq: Seq,
    /// What the client computed, at its subscribed depth.
    pub checksum: u32,
}

/// A request that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct RequestError {
    /// What is wrong and what to do.
    pub refusal: Refusal,
    /// The client's mark, if it could be read.
    pub id: Option<ReqId>,
    /// The method as the client wrote it, if it could be read.
    pub method: Option<Box<str>>,
    /// The symbols of the request, if they could be read: each gets an answer of its own.
    pub symbols: Vec<String>,
}

impl RequestError {
    /// The answers that this makes: one for each symbol, or one if there is none.
    pub fn answers(&self) -> impl Iterator<Item = ErrorAnswer<'_>> {
        let one = ErrorAnswer {
            method: self.method.as_deref(),
            text: &self.refusal.text,
            code: self.refusal.code,
            symbol: None,
            retry_after_ms: None,
        };
        let without = self.symbols.is_empty().then_some(one);
        without
            .into_iter()
            .chain(self.symbols.iter().map(move |symbol| ErrorAnswer { symbol: Some(symbol), ..one }))
    }
}

impl From<Refusal> for RequestError {
    /// Nothing of the request could be read.
    fn from(refusal: Refusal) -> RequestError {
        RequestError { refusal, id: None, method: None, symbols: Vec::new() }
    }
}
