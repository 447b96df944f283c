//! Blocks: the unit that is written, checked and read. Knows nothing of files.

use crate::{
    codec::Context,
    format::{BlockHeader, Coding, Content},
};
use market::{Event, Instruments, Nanos};
use std::io;

/// A block is closed at the first end of an exchange event beyond this many bytes of records.
pub(crate) const TARGET: usize = 64 << 10;

/// The most events of one exchange event; a larger reset has to be cut into several.
pub(crate) const MAX_EXCHANGE_EVENT: usize = 1 << 19;

/// The most bytes that a reader takes for a payload, compressed or not: the target and one exchange event of at most 58 bytes
/// an event, or the largest book ([`crate::books::MAX_LEVELS`]).
pub(crate) const MAX_PAYLOAD: u32 = 64 << 20;

/// The level of compression: the fastest usual one. What is gained beyond it costs more time than the disk does.
const ZSTD_LEVEL: i32 = 1;

/// Puts headers before payloads, and compresses them if it is to.
pub(crate) struct Sealer {
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Sealer {
    pub fn new(coding: Coding) -> io::Result<Sealer> {
        let compressor = match coding {
            Coding::Plain => None,
            Coding::Zstd => Some(zstd::bulk::Compressor::new(ZSTD_LEVEL)?),
        };
        Ok(Sealer { compressor })
    }

    /// Appends a block to `out`. What is not made smaller by it is not compressed.
    pub fn seal(&mut self, out: &mut Vec<u8>, content: Content, count: u32, at: Place, payload: &[u8]) {
        let compressed = self.compressor.as_mut().and_then(|compressor| compressor.compress(payload).ok());
        let (coding, payload) = match &compressed {
            Some(smaller) if smaller.len() < payload.len() => (Coding::Zstd, &smaller[..]),
            _ => (Coding::Plain, payload),
        };
        let header = BlockHeader {
            payload_len: u32::try_from(payload.len()).expect("a payload is bounded"),
            count,
            content,
            coding,
            first_record: at.record,
            first_time: at.first_time.0,
            last_time: at.last_time.0,
            payload_sum: crc32c::crc32c(payload),
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(payload);
    }
}

/// Where a block stands in its run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The number of its first record, or of the one that follows.
    pub record: u64,
    pub first_time: Nanos,
    pub last_time: Nanos,
}

impl Place {
    /// Between two records.
    pub fn between(record: u64, feed_time: Nanos) -> Place {
        Place { record, first_time: feed_time, last_time: feed_time }
    }
}

/// The payload of a block as it was before it was compressed, if it was; what is wrong with it, if it cannot be had.
pub(crate) fn open<'a>(
    header: &BlockHeader,
    payload: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<&'a [u8], &'static str> {
    if crc32c::crc32c(payload) != header.payload_sum {
        return Err("the checksum of a block is wrong");
    }
    if header.coding == Coding::Plain {
        return Ok(payload);
    }
    let size = zstd::zstd_safe::get_frame_content_size(payload).ok().flatten();
    let size = size.filter(|&size| size <= u64::from(MAX_PAYLOAD)).ok_or("a block has an impossible size")?;
    scratch.resize(size as usize, 0);
    match zstd::bulk::decompress_to_buffer(payload, scratch) {
        Ok(length) if length == scratch.len() => Ok(scratch),
        _ => Err("a block cannot be decompressed"),
    }
}

/// Gathers the records of the block that comes next.
#[derive(Debug)]
pub(crate) struct Builder {
    context: Context,
    payload: Vec<u8>,
    count: u32,
    first_record: u64,
    first_time: Nanos,
    feed_time: Nanos,
}

impl Builder {
    /// For records from this number on.
    pub fn new(first_record: u64) -> Builder {
        let mut context = Context::default();
        context.begin_block();
        Builder {
            context,
            payload: Vec::with_capacity(2 * TARGET),
            count: 0,
            first_record,
            first_time: Nanos::ZERO,
            feed_time: Nanos::ZERO,
        }
    }

    /// The number that the next record gets.
    pub fn next_record(&self) -> u64 {
        self.first_record + u64::from(self.count)
    }

    /// Bytes of records gathered so far.
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// The feed time at the last record.
    pub fn feed_time(&self) -> Nanos {
        self.feed_time
    }

    /// Feed time went on while nothing was recorded.
    pub fn reach(&mut self, feed_time: Nanos) {
        debug_assert!(self.count == 0, "a block is open");
        self.feed_time = self.feed_time.max(feed_time);
    }

    /// Appends an event whose symbol is in `instruments`.
    pub fn push(&mut self, event: &Event, instruments: &Instruments) {
        self.feed_time = self.feed_time.max(event.timestamp);
        if self.count == 0 {
            self.first_time = self.feed_time;
        }
        self.context.encode(event, instruments, &mut self.payload);
        self.count += 1;
    }

    /// Appends the block to `out`, if there is anything in it, and begins the next. Returns how long its payload was.
    pub fn close(&mut self, sealer: &mut Sealer, out: &mut Vec<u8>) -> usize {
        let length = self.payload.len();
        if self.count == 0 {
            return 0;
        }
        let (record, first_time, last_time) = (self.first_record, self.first_time, self.feed_time);
        let at = Place { record, first_time, last_time };
        sealer.seal(out, Content::Events, self.count, at, &self.payload);
        self.first_record = self.next_record();
        self.payload.clear();
        self.count = 0;
        self.context.begin_block();
        length
    }
}

/// Appends the events of an opened block to `out`; what is wrong with it, if it cannot be read. Instruments that are listed in it
/// are added to the table.
pub(crate) fn decode(
    header: &BlockHeader,
    mut payload: &[u8],
    context: &mut Context,
    instruments: &mut Instruments,
    out: &mut Vec<Event>,
) -> Result<(), &'static str> {
    context.begin_block();
    for _ in 0..header.count {
        out.push(context.decode(&mut payload, instruments).ok_or("a block holds what is no record")?);
    }
    if payload.is_empty() { Ok(()) } else { Err("a block holds more than its records") }
}
