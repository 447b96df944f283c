//! The members of each message, exactly: one that is missing or not named here is an error.

use super::fault::FaultKind;
use market::{Epoch, Nanos, Seq};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use wire::message::{Channel, GapReason, SnapshotReason, Stamps};

pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, FaultKind> {
    serde_json::from_slice(text).map_err(|error| FaultKind::Malformed(error.to_string()))
}

/// By what a message is told apart; the other members are not looked at.
#[derive(Deserialize)]
pub(super) struct Head<'a> {
    pub channel: Option<&'a str>,
    pub method: Option<&'a str>,
    pub success: Option<bool>,
}

/// A message of a channel with its entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope<'a, D> {
    #[serde(rename = "channel")]
    _channel: &'a str,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub data: D,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Snapshot,
    Update,
}

/// A gap or status message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notice<'a, D> {
    #[serde(rename = "channel")]
    _channel: &'a str,
    pub data: D,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Heartbeat<'a> {
    #[serde(rename = "channel")]
    _channel: &'a str,
    pub time: &'a str,
    #[serde(borrow)]
    pub data: Vec<QuietEntry<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BookEntry<'a> {
    pub symbol: &'a str,
    #[serde(borrow)]
    pub bids: Vec<LevelEntry<'a>>,
    #[serde(borrow)]
    pub asks: Vec<LevelEntry<'a>>,
    pub checksum: u32,
    pub timestamp: &'a str,
    pub epoch: &'a str,
    pub first_seq: Option<Seq>,
    pub seq: Seq,
    pub venue_seq: u64,
    pub reason: Option<&'a str>,
    pub conflated: Option<bool>,
    pub merged: Option<u64>,
    pub ts: Option<StampsEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelEntry<'a> {
    #[serde(borrow)]
    pub price: &'a RawValue,
    #[serde(borrow)]
    pub qty: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BboEntry<'a> {
    pub symbol: &'a str,
    #[serde(borrow)]
    pub bid: &'a RawValue,
    #[serde(borrow)]
    pub bid_qty: &'a RawValue,
    #[serde(borrow)]
    pub ask: &'a RawValue,
    #[serde(borrow)]
    pub ask_qty: &'a RawValue,
    pub timestamp: &'a str,
    pub epoch: &'a str,
    pub first_seq: Option<Seq>,
    pub seq: Seq,
    pub reason: Option<&'a str>,
    pub conflated: Option<bool>,
    pub merged: Option<u64>,
    pub ts: Option<StampsEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TradeForm<'a> {
    #[serde(rename = "channel")]
    _channel: &'a str,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Of a snapshot, which may hold no trade that names it.
    pub symbol: Option<&'a str>,
    pub epoch: &'a str,
    pub first_seq: Option<Seq>,
    pub seq: Seq,
    pub reason: Option<&'a str>,
    #[serde(borrow)]
    pub data: Vec<TradeEntry<'a>>,
    pub ts: Option<StampsEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TradeEntry<'a> {
    pub symbol: &'a str,
    pub side: &'a str,
    #[serde(borrow)]
    pub price: &'a RawValue,
    #[serde(borrow)]
    pub qty: &'a RawValue,
    pub trade_id: u64,
    pub timestamp: &'a str,
    pub seq: Seq,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct StampsEntry {
    engine: u64,
    ingest: u64,
    encode: u64,
    engine_first: Option<u64>,
}

impl From<StampsEntry> for Stamps {
    fn from(entry: StampsEntry) -> Stamps {
        Stamps {
            engine: Nanos(entry.engine),
            ingest: Nanos(entry.ingest),
            encode: Nanos(entry.encode),
            engine_first: entry.engine_first.map(Nanos),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuietEntry<'a> {
    pub channel: &'a str,
    pub symbol: &'a str,
    pub seq: Seq,
    pub through: Seq,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GapEntry<'a> {
    pub channel: &'a str,
    pub symbol: &'a str,
    pub from_seq: Seq,
    pub to_seq: Seq,
    pub reason: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusEntry<'a> {
    pub event: &'a str,
    pub symbol: Option<&'a str>,
    pub retry_after_ms: Option<u64>,
    /// Where the transport has no close codes.
    pub code: Option<u16>,
    /// Why the connection closes, or a word of the operator's.
    #[serde(borrow, default)]
    pub reason: Option<Cow<'a, str>>,
}

/// The answer to a request that was granted; `result` is read by whoever knows the method.
#[derive(Deserialize)]
pub(super) struct Granted<T> {
    pub result: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscribedResult<'a> {
    pub channel: &'a str,
    pub symbol: Option<&'a str>,
    pub depth: Option<u64>,
    #[serde(rename = "interval_ms")]
    pub interval: Option<u64>,
    #[serde(rename = "policy")]
    _policy: Option<&'a str>,
    /// Of a `modify`.
    #[serde(rename = "stamps")]
    _stamps: Option<bool>,
    /// Of a `subscribe`, as the two behind it.
    pub epoch: Option<&'a str>,
    pub seq: Option<Seq>,
    pub recovered: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnsubscribedResult<'a> {
    pub channel: &'a str,
    pub symbol: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifiedResult<'a> {
    pub symbol: &'a str,
    pub seq: Seq,
    pub verdict: &'a str,
}

/// The answer to a request that was refused.
#[derive(Deserialize)]
pub(super) struct Refused<'a> {
    #[serde(borrow)]
    pub error: Cow<'a, str>,
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    #[serde(borrow, default)]
    pub symbol: Option<Cow<'a, str>>,
    pub retry_after_ms: Option<u64>,
}

pub(super) fn epoch(text: &str) -> Result<Epoch, FaultKind> {
    text.parse().map_err(|error| FaultKind::Malformed(format!("'{text}': {error}")))
}

pub(super) fn time(text: &str) -> Result<Nanos, FaultKind> {
    text.parse().map_err(|error| FaultKind::Malformed(format!("'{text}': {error}")))
}

pub(super) fn channel(name: &str) -> Result<Channel, FaultKind> {
    Channel::parse(name).map_err(|_| FaultKind::UnknownChannel(name.into()))
}

pub(super) fn snapshot_reason(word: &str) -> Result<SnapshotReason, FaultKind> {
    let found = SnapshotReason::ALL.iter().find(|reason| reason.as_str() == word);
    found.copied().ok_or_else(|| FaultKind::Malformed(format!("no snapshot has the reason '{word}'")))
}

pub(super) fn gap_reason(word: &str) -> Result<GapReason, FaultKind> {
    let found = GapReason::ALL.iter().find(|reason| reason.as_str() == word);
    found.copied().ok_or_else(|| FaultKind::Malformed(format!("no gap has the reason '{word}'")))
}

/// Which numbers a message covers, and how.
pub(super) struct Span {
    pub epoch: Epoch,
    pub seq: Seq,
    pub range: Range,
}

#[derive(Clone, Copy)]
pub(super) enum Range {
    Snapshot(SnapshotReason),
    Update { first_seq: Seq, merged: Option<u64> },
}

/// The members that say so, which depend on the type.
pub(super) struct SpanMembers<'a> {
    pub kind: Kind,
    pub epoch: &'a str,
    pub first_seq: Option<Seq>,
    pub seq: Seq,
    pub reason: Option<&'a str>,
    pub conflated: Option<bool>,
    pub merged: Option<u64>,
}

impl SpanMembers<'_> {
    /// An update has its first seq, a snapshot its reason, and each only that; a merge says of how many.
    pub fn read(&self) -> Result<Span, FaultKind> {
        let conflated = self.conflated.unwrap_or_default();
        let range = match (self.kind, self.first_seq, self.reason) {
            (Kind::Snapshot, None, Some(reason)) if self.conflated.is_none() && self.merged.is_none() => {
                Range::Snapshot(snapshot_reason(reason)?)
            }
            (Kind::Update, Some(first_seq), None) if conflated == self.merged.is_some() => {
                Range::Update { first_seq, merged: self.merged }
            }
            _ => {
                return Err(FaultKind::Malformed(
                    "first_seq, reason, conflated and merged do not fit to its type".into(),
                ));
            }
        };
        Ok(Span { epoch: epoch(self.epoch)?, seq: self.seq, range })
    }
}
