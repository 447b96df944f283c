//! Blocks: the unit that is written, checked and read. Knows nothing of files.

use crate::{codec::Context, format::BlockHeader};
use market::{Event, Instruments, Nanos};

/// A block is closed at the first end of an exchange event beyond this many bytes of records.
pub(crate) const TARGET: usize = 64 << 10;

/// The most events of one exchange event; a larger reset has to be cut into several.
pub(crate) const MAX_EXCHANGE_EVENT: usize = 1 << 19;

/// The most bytes of records that a reader takes for a block: the target and one exchange event, at most 58 bytes an event.
pub(crate) const MAX_PAYLOAD: u32 = 32 << 20;

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

    /// The number of the first record that is not in a closed block.
    pub fn first_record(&self) -> u64 {
        self.first_record
    }

    /// Bytes of records gathered so far.
    pub fn len(&self) -> usize {
        self.payload.len()
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

    /// Appends the block to `out`, if there is anything in it, and begins the next.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let header = BlockHeader {
            payload_len: u32::try_from(self.payload.len())
                .expect("a block holds one exchange event beyond 64 KiB"),
            count: self.count,
            encoding: 0,
            first_record: self.first_record,
            first_time: self.first_time.0,
            last_time: self.feed_time.0,
            payload_sum: crc32c::crc32c(&self.payload),
        };
        out.extend_from_slice(&header.to_bytes());
        out.extend_from_slice(&self.payload);
        self.first_record = self.next_record();
        self.payload.clear();
        self.count = 0;
        self.context.begin_block();
    }
}

/// Appends the events of a block to `out`; what is wrong with it, if it cannot be read. Instruments that are listed in it are
/// added to the table.
pub(crate) fn decode(
    header: &BlockHeader,
    mut payload: &[u8],
    context: &mut Context,
    instruments: &mut Instruments,
    out: &mut Vec<Event>,
) -> Result<(), &'static str> {
    if crc32c::crc32c(payload) != header.payload_sum {
        return Err("the checksum of a block is wrong");
    }
    if header.encoding != 0 {
        return Err("a block is written in a way that only a newer depthcast knows");
    }
    context.begin_block();
    for _ in 0..header.count {
        out.push(context.decode(&mut payload, instruments).ok_or("a block holds what is no record")?);
    }
    if payload.is_empty() { Ok(()) } else { Err("a block holds more than its records") }
}
