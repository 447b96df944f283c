//! Heartbeats, gaps, status messages and a connection's own figures.

use crate::dialect::json::{push, push_epoch, push_id, push_number, push_text, push_time};
use crate::message::{Gap, Quiet, Refusal, ReqId, Stats, Status};
use market::{Epoch, Nanos, Seq};

/// Appends a heartbeat that names the quiet subscriptions.
pub fn push_heartbeat<'a>(out: &mut Vec<u8>, time: Nanos, quiet: impl IntoIterator<Item = Quiet<'a>>) {
    push_time(out, "{\"channel\":\"heartbeat\",\"time\":", time);
    push(out, ",\"data\":[");
    let mut opening = "{\"channel\":";
    for subscription in quiet {
        push_text(out, opening, subscription.channel.as_str());
        push_text(out, ",\"symbol\":", subscription.symbol);
        push_number(out, ",\"seq\":", subscription.seq);
        push_number(out, ",\"through\":", subscription.through);
        out.push(b'}');
        opening = ",{\"channel\":";
    }
    push(out, "]}");
}

/// Appends a message that names what is missing.
pub fn push_gap(out: &mut Vec<u8>, gap: &Gap<'_>) {
    push_text(out, "{\"channel\":\"gap\",\"data\":[{\"channel\":", gap.channel.as_str());
    push_text(out, ",\"symbol\":", gap.symbol);
    push_number(out, ",\"from_seq\":", gap.from_seq);
    push_number(out, ",\"to_seq\":", gap.to_seq);
    push_text(out, ",\"reason\":", gap.reason.as_str());
    push(out, "}]}");
}

/// Appends a status message.
pub fn push_status(out: &mut Vec<u8>, status: &Status<'_>) {
    push_text(out, "{\"channel\":\"status\",\"data\":[{\"event\":", status.name());
    match *status {
        Status::FeedGap { symbol } | Status::Crossed { symbol } => push_text(out, ",\"symbol\":", symbol),
        Status::FeedStalled | Status::FeedEnded => {}
        Status::Closing { code, reason } => {
            push_number(out, ",\"code\":", code.into());
            push_text(out, ",\"reason\":", reason);
        }
        Status::Shutdown { retry_after_ms, reason } => {
            push_number(out, ",\"retry_after_ms\":", retry_after_ms);
            push_text(out, ",\"reason\":", reason);
        }
    }
    push(out, "}]}");
}

/// Appends the status message that ends a replay: whatever was in it was sent, or why it cannot go on.
pub fn push_replay_ended(out: &mut Vec<u8>, replay: &ReqId, failed: Option<&Refusal>) {
    let event = "{\"channel\":\"status\",\"data\":[{\"event\":\"replay_ended\",\"replay\":";
    push_id(out, event, Some(replay));
    if let Some(refusal) = failed {
        push_text(out, ",\"error\":", &refusal.text);
        push_text(out, ",\"code\":", refusal.code.as_str());
    }
    push(out, "}]}");
}

/// Appends the status message that names where a replay of a symbol becomes a live subscription: what follows live
/// continues from this number of this epoch.
pub fn push_live(out: &mut Vec<u8>, replay: &ReqId, symbol: &str, epoch: Epoch, seq: Seq) {
    push_text(out, "{\"channel\":\"status\",\"data\":[{\"event\":\"live\",\"symbol\":", symbol);
    push_epoch(out, ",\"epoch\":", epoch);
    push_number(out, ",\"seq\":", seq);
    push_id(out, ",\"replay\":", Some(replay));
    push(out, "}]}");
}

/// Marks the message that begins at `at` as one of a replay.
pub fn mark_as_replay(message: &[u8], replay: &ReqId, out: &mut Vec<u8>) {
    debug_assert!(message.starts_with(b"{\""), "a message is an object with members");
    push_id(out, "{\"replay\":", Some(replay));
    out.push(b',');
    out.extend_from_slice(&message[1..]);
}

/// Appends a connection's own figures.
pub fn push_stats(out: &mut Vec<u8>, stats: &Stats) {
    push_number(out, "{\"channel\":\"stats\",\"type\":\"update\",\"data\":[{\"lag_seq\":", stats.lag_seq);
    push_number(out, ",\"conflated\":", stats.conflated);
    push_number(out, ",\"gaps\":", stats.gaps);
    push_number(out, ",\"bytes_sent\":", stats.bytes_sent);
    push_number(out, ",\"p50\":", stats.p50);
    push_number(out, ",\"p99\":", stats.p99);
    push_number(out, ",\"p999\":", stats.p999);
    push(out, "}]}");
}
