//! Heartbeats, gaps, status messages and a connection's own figures.

use super::{
    schema::{gap, heartbeat, stats, status},
    words::{channel, gap_reason, status_event},
};
use crate::message::{Gap, Quiet, Stats, Status};
use market::Nanos;

/// Appends a heartbeat that names the quiet subscriptions.
pub fn push_heartbeat<'a>(out: &mut Vec<u8>, time: Nanos, quiet: impl IntoIterator<Item = Quiet<'a>>) {
    let quiet = quiet.into_iter().map(|quiet| heartbeat::Quiet {
        symbol: quiet.symbol,
        seq: quiet.seq,
        through: quiet.through,
        channel: channel(quiet.channel),
    });
    heartbeat::push(out, &heartbeat::Block { time: time.0 }, quiet);
}

/// Appends a message that names what is missing.
pub fn push_gap(out: &mut Vec<u8>, gap: &Gap<'_>) {
    let block = gap::Block {
        symbol: gap.symbol,
        from_seq: gap.from_seq,
        to_seq: gap.to_seq,
        channel: channel(gap.channel),
        reason: gap_reason(gap.reason),
    };
    gap::push(out, &block);
}

/// Appends a status message.
pub fn push_status(out: &mut Vec<u8>, status: &Status<'_>) {
    let event = status_event(status);
    let mut block = status::Block { symbol: "", retry_after_ms: None, code: None, event, reason: "" };
    match *status {
        Status::FeedGap { symbol } | Status::Crossed { symbol } => block.symbol = symbol,
        Status::FeedStalled | Status::FeedEnded => {}
        Status::Closing { code, reason } => (block.code, block.reason) = (Some(code), reason),
        Status::Shutdown { retry_after_ms, reason } => {
            (block.retry_after_ms, block.reason) = (Some(retry_after_ms), reason);
        }
    }
    status::push(out, &block);
}

/// Appends a connection's own figures.
pub fn push_stats(out: &mut Vec<u8>, stats: &Stats) {
    let block = stats::Block {
        lag_seq: stats.lag_seq,
        conflated: stats.conflated,
        gaps: stats.gaps,
        bytes_sent: stats.bytes_sent,
        p50: stats.p50,
        p99: stats.p99,
        p999: stats.p999,
    };
    stats::push(out, &block);
}
