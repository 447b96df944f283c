//! How the recording is doing, for telemetry.

use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the recorder tells of itself; written by it alone.
#[derive(Debug)]
pub(crate) struct RecordingStats {
    recording: AtomicBool,
    position: AtomicU64,
    written: AtomicU64,
    write_wanted: AtomicBool,
    records: AtomicU64,
    durable: AtomicU64,
    bytes: AtomicU64,
    gaps: AtomicU64,
    missed: AtomicU64,
}

/// All of it at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// The number of the last record taken.
    pub records: u64,
    /// All records up to this one survive a power cut.
    pub durable_seq: u64,
    /// Bytes of this run.
    pub bytes: u64,
    /// Gaps in this run.
    pub gaps: u64,
    /// Events that are missing in them.
    pub missed: u64,
    /// Whether what happens now is recorded.
    pub recording: bool,
}

impl RecordingStats {
    pub(crate) fn new() -> RecordingStats {
        RecordingStats {
            recording: AtomicBool::new(true),
            position: AtomicU64::new(0),
            written: AtomicU64::new(0),
            write_wanted: AtomicBool::new(false),
            records: AtomicU64::new(0),
            durable: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            gaps: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        }
    }

    /// The ring position up to which it has read.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// The ring position up to which everything is in the files of the recording.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Has it write what it has read, soon.
    pub(crate) fn want_written(&self) {
        self.write_wanted.store(true, Ordering::Release);
    }

    pub(super) fn take_write_wanted(&self) -> bool {
        self.write_wanted.swap(false, Ordering::AcqRel)
    }

    pub(super) fn set_written(&self, position: u64) {
        self.written.store(position, Ordering::Release);
    }

    pub(crate) fn recorded(&self) -> Recorded {
        // The durable one first: it is never ahead of the others.
        let durable_seq = self.durable.load(Ordering::Acquire);
        Recorded {
            durable_seq,
            records: self.records.load(Ordering::Acquire),
            bytes: self.bytes.load(Ordering::Acquire),
            gaps: self.gaps.load(Ordering::Acquire),
            missed: self.missed.load(Ordering::Acquire),
            recording: self.recording.load(Ordering::Acquire),
        }
    }

    pub(super) fn set_position(&self, position: u64) {
        self.position.store(position, Ordering::Release);
    }

    pub(super) fn set_recording(&self, recording: bool) {
        self.recording.store(recording, Ordering::Release);
    }

    pub(super) fn set_progress(&self, records: u64, durable: u64, bytes: u64) {
        self.records.store(records, Ordering::Release);
        self.bytes.store(bytes, Ordering::Release);
        self.durable.store(durable, Ordering::Release);
    }

    pub(super) fn add_gap(&self, missed: u64) {
        self.gaps.fetch_add(1, Ordering::AcqRel);
        self.missed.fetch_add(missed, Ordering::AcqRel);
    }
}
