//! A place in a recording where something is missing, and why.

use crate::codec::{push_varint, take_varint};
use market::Nanos;
use std::fmt;

/// Something that happened and was not recorded. What is recorded behind it begins with all books as they stood then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// How many events of the ring are missing; ticks are counted, too.
    pub missed: u64,
    /// The feed time at the last record before it.
    pub from: Nanos,
    /// The feed time at which the recording goes on.
    pub to: Nanos,
}

/// Why something was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// The recorder was slower than the feed for too long.
    Lagged = 0,
    /// The disk did not take it: it was full, or out of order.
    Disk = 1,
}

impl GapReason {
    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            GapReason::Lagged => "lagged",
            GapReason::Disk => "disk",
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gap { reason, missed, from, to } = self;
        write!(f, "{missed} events are missing between {from} and {to} ({})", reason.as_str())
    }
}

/// Its payload; the times stand in the header of the block.
pub(crate) fn payload(gap: &Gap) -> Vec<u8> {
    let mut out = vec![gap.reason as u8];
    push_varint(&mut out, gap.missed);
    out
}

pub(crate) fn read(mut payload: &[u8], from: Nanos, to: Nanos) -> Option<Gap> {
    let (&reason, rest) = payload.split_first()?;
    payload = rest;
    let missed = take_varint(&mut payload)?;
    let reason = match reason {
        0 => GapReason::Lagged,
        1 => GapReason::Disk,
        _ => return None,
    };
    payload.is_empty().then_some(Gap { reason, missed, from, to })
}
