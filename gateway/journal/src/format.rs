//! Where things stand in a recording: folders, file names, and the fixed headers of segments and blocks. Knows nothing of
//! what an event is.
//!
//! ```text
//! DIR/recording.lock                             held by the writer while it writes
//! DIR/kept.toml                                  the first record that retention has left, once it took something
//! DIR/run-000001/run.toml                        epoch, first record, instruments
//! DIR/run-000001/00000000000000000001.events     a segment, named after its first record
//! ```
//!
//! A segment is a header and then blocks; a block is a header and then its payload ([`Content`] says of what). Integers are
//! little-endian. Every byte is under a checksum (CRC32C), and each header has its own, so that a length that was changed by
//! chance cannot pass for a file that was cut.

use std::path::{Path, PathBuf};

/// Held by whoever writes.
pub(crate) const LOCK_FILE: &str = "recording.lock";
/// What a run says of itself.
pub(crate) const META_FILE: &str = "run.toml";
/// What retention has left.
pub(crate) const KEPT_FILE: &str = "kept.toml";

/// The folder of a run.
pub(crate) fn run_dir(dir: &Path, run: u32) -> PathBuf {
    dir.join(format!("run-{run:06}"))
}

/// The run whose folder has this name.
pub(crate) fn run_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("run-")?;
    let plain = digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// The name of the segment that begins with this record.
pub(crate) fn segment_name(first_record: u64) -> String {
    format!("{first_record:020}.events")
}

/// The first record of the segment of this name.
pub(crate) fn segment_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".events")?;
    let plain = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// A header whose checksum or first bytes are wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadHeader;

/// The beginning of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub version: u32,
    pub run: u32,
    pub epoch: u64,
    pub first_record: u64,
}

impl SegmentHeader {
    pub const LEN: usize = 36;
    const MAGIC: [u8; 8] = *b"dcevents";

    /// Magic 8, version 4, run 4, epoch 8, first record 8, checksum of all before 4.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0..8].copy_from_slice(&Self::MAGIC);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.run.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first_record.to_le_bytes());
        close(&mut bytes);
        bytes
    }

    pub fn of_bytes(bytes: &[u8; Self::LEN]) -> Result<SegmentHeader, BadHeader> {
        if bytes[0..8] != Self::MAGIC || !is_closed(bytes) {
            return Err(BadHeader);
        }
        Ok(SegmentHeader {
            version: u32_at(bytes, 8),
            run: u32_at(bytes, 12),
            epoch: u64_at(bytes, 16),
            first_record: u64_at(bytes, 24),
        })
    }
}

/// What a block is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Content {
    /// Records: whole exchange events ([`crate::codec`]).
    Events = 0,
    /// Books as they stood before the next record ([`crate::books`]).
    Books = 1,
    /// Something is missing before the next record ([`crate::Gap`]).
    Gap = 2,
    /// Instruments that were listed since the run began, written as records that have no number.
    Listings = 3,
}

/// How the payload of a block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(crate) enum Coding {
    /// As it is.
    #[default]
    Plain = 0,
    /// As one frame of Zstandard.
    Zstd = 1,
}

/// The beginning of a block, which is readable alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// Bytes that follow.
    pub payload_len: u32,
    /// How many records, books or listings they are, at least one.
    pub count: u32,
    pub content: Content,
    pub coding: Coding,
    /// The number of the first record in it, or behind it where it holds none.
    pub first_record: u64,
    /// The feed time at the first and at the last record in it, or at the last one before it; before and behind a gap. Feed time
    /// never goes back within a run.
    pub first_time: u64,
    pub last_time: u64,
    /// CRC32C of the payload.
    pub payload_sum: u32,
}

impl BlockHeader {
    pub const LEN: usize = 48;
    const MAGIC: [u8; 4] = *b"dcbk";

    /// Magic 4, payload length 4, count 4, content 1, coding 1, zero 2, first record 8, first time 8, last time 8, checksum of the payload
    /// 4, checksum of all before 4.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0..4].copy_from_slice(&Self::MAGIC);
        bytes[4..8].copy_from_slice(&self.payload_len.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.count.to_le_bytes());
        bytes[12] = self.content as u8;
        bytes[13] = self.coding as u8;
        bytes[16..24].copy_from_slice(&self.first_record.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.first_time.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.last_time.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.payload_sum.to_le_bytes());
        close(&mut bytes);
        bytes
    }

    pub fn of_bytes(bytes: &[u8; Self::LEN]) -> Result<BlockHeader, BadHeader> {
        if bytes[0..4] != Self::MAGIC || !is_closed(bytes) || bytes[14..16] != [0, 0] {
            return Err(BadHeader);
        }
        let content = [Content::Events, Content::Books, Content::Gap, Content::Listings];
        let coding = [Coding::Plain, Coding::Zstd];
        Ok(BlockHeader {
            payload_len: u32_at(bytes, 4),
            count: u32_at(bytes, 8),
            content: *content.get(usize::from(bytes[12])).ok_or(BadHeader)?,
            coding: *coding.get(usize::from(bytes[13])).ok_or(BadHeader)?,
            first_record: u64_at(bytes, 16),
            first_time: u64_at(bytes, 24),
            last_time: u64_at(bytes, 32),
            payload_sum: u32_at(bytes, 40),
        })
    }

    /// How many records are in it.
    pub fn records(&self) -> u64 {
        if self.content == Content::Events { u64::from(self.count) } else { 0 }
    }

    /// The number of the record behind it.
    pub fn next_record(&self) -> u64 {
        self.first_record.saturating_add(self.records())
    }
}

/// Writes the checksum of all that stands before it into the last four bytes.
fn close(bytes: &mut [u8]) {
    let at = bytes.len() - 4;
    let sum = crc32c::crc32c(&bytes[..at]);
    bytes[at..].copy_from_slice(&sum.to_le_bytes());
}

fn is_closed(bytes: &[u8]) -> bool {
    let at = bytes.len() - 4;
    u32_at(bytes, at) == crc32c::crc32c(&bytes[..at])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
