//! The messages that all servers send here but depthcast, whose own they resemble: an update of one level with stamps, and
//! snapshots. Only numbers and times differ from one to the next.
//!
//! Each update sets a level to the quantity that it has already, so that one checksum is right for all of them: a client
//! that proves every message has nothing to complain of.

use book::{Ladder, Mark};
use market::{Epoch, Instrument, Level, Nanos, Price, Qty, Seq};
use std::sync::LazyLock;
use wire::{
    dialect::native_json,
    message::{BookKind, BookMessage, SnapshotReason, Stamps},
};

/// The numbering of all of them.
pub const EPOCH: Epoch = Epoch(0xF100);
/// The number before the first one: all have ten digits, as the gateway's have after a while.
pub const FIRST: Seq = 1_000_000_000;

/// Levels a side.
const LEVELS: i64 = 10;

/// What all of them say of the market.
struct Scene {
    book: Ladder,
    change: Ladder,
    /// Of the book, before and after the change.
    checksum: u32,
}

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let best_bid = 6_165_970;
    let level = |price| Level { price: Price(price), qty: Qty(148_600) };
    let book = Ladder {
        bids: (0..LEVELS).map(|place| level(best_bid - place)).collect(),
        asks: (0..LEVELS).map(|place| level(best_bid + 1 + place)).collect(),
    };
    let change = Ladder { bids: book.bids[..1].to_vec(), asks: Vec::new() };
    Scene { checksum: book.checksum(LEVELS as u32), change, book }
});

/// Appends the update of this number, meant to happen then.
pub fn push_update(out: &mut Vec<u8>, instrument: &Instrument, seq: Seq, engine: Nanos) {
    let kind = BookKind::Update { first_seq: seq, merged: None };
    push(out, instrument, kind, &SCENE.change, seq, engine);
}

/// Appends a snapshot as of a number.
pub fn push_snapshot(out: &mut Vec<u8>, instrument: &Instrument, seq: Seq, engine: Nanos) {
    push(out, instrument, BookKind::Snapshot(SnapshotReason::Subscribe), &SCENE.book, seq, engine);
}

fn push(
    out: &mut Vec<u8>,
    instrument: &Instrument,
    kind: BookKind,
    levels: &Ladder,
    seq: Seq,
    moment: Nanos,
) {
    let message = BookMessage {
        instrument,
        ids: EPOCH.into(),
        kind,
        levels,
        checksum: SCENE.checksum,
        mark: Mark { seq, event: seq, engine: moment, ingest: moment, timestamp: moment, venue_seq: 0 },
        stamps: Some(Stamps { engine: moment, ingest: moment, encode: moment, engine_first: None }),
    };
    native_json::push_book(out, &message);
}
