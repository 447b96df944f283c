//! The words of the protocol as numbers of the schema.

use super::schema;
use crate::message::{Channel, GapReason, SnapshotReason, Status};
use market::Side;

pub(super) use schema::message_type;

pub(super) const fn boolean(value: bool) -> u8 {
    if value { schema::boolean::TRUE } else { schema::boolean::FALSE }
}

pub(super) const fn side(side: Side) -> u8 {
    match side {
        Side::Bid => schema::side::BUY,
        Side::Ask => schema::side::SELL,
    }
}

/// # Panics
/// For a channel that the native protocol does not have.
pub(super) const fn channel(channel: Channel) -> u8 {
    match channel {
        Channel::Book => schema::channel::BOOK,
        Channel::Trade => schema::channel::TRADE,
        Channel::Bbo => schema::channel::BBO,
        Channel::Stats => schema::channel::STATS,
        Channel::Summary => unreachable!(),
    }
}

/// That of an update is none.
pub(super) const fn snapshot_reason(reason: Option<SnapshotReason>) -> u8 {
    use schema::snapshot_reason as word;
    let Some(reason) = reason else { return word::NONE };
    match reason {
        SnapshotReason::Subscribe => word::SUBSCRIBE,
        SnapshotReason::Resume => word::RESUME,
        SnapshotReason::Modify => word::MODIFY,
        SnapshotReason::SlowConsumer => word::SLOW_CONSUMER,
        SnapshotReason::Lagged => word::LAGGED,
        SnapshotReason::FeedReset => word::FEED_RESET,
        SnapshotReason::FeedGap => word::FEED_GAP,
        SnapshotReason::EpochChanged => word::EPOCH_CHANGED,
        SnapshotReason::VerifyMismatch => word::VERIFY_MISMATCH,
        SnapshotReason::Seek => word::SEEK,
        SnapshotReason::Loop => word::LOOP,
        SnapshotReason::Live => word::LIVE,
    }
}

pub(super) const fn gap_reason(reason: GapReason) -> u8 {
    use schema::gap_reason as word;
    match reason {
        GapReason::Resume => word::RESUME,
        GapReason::SlowConsumer => word::SLOW_CONSUMER,
        GapReason::Lagged => word::LAGGED,
        GapReason::FeedGap => word::FEED_GAP,
        GapReason::RecordingGap => word::RECORDING_GAP,
        GapReason::Chaos => word::CHAOS,
    }
}

pub(super) const fn status_event(status: &Status<'_>) -> u8 {
    use schema::status_event as word;
    match status {
        Status::FeedGap { .. } => word::FEED_GAP,
        Status::Crossed { .. } => word::CROSSED,
        Status::FeedStalled => word::FEED_STALLED,
        Status::FeedEnded => word::FEED_ENDED,
        Status::Closing { .. } => word::CLOSING,
        Status::Shutdown { .. } => word::SHUTDOWN,
    }
}
