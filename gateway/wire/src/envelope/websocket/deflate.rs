//! The compression of messages (permessage-deflate, RFC 7692): each by itself, with no memory of those before it, so that its
//! bytes are the same for whoever gets it and nothing is kept for a client. Knows nothing of frames.

use super::Violation;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::cell::RefCell;

/// How far back a compressed message may refer (RFC 7692 section 7.1.2.1). Two are enough: who can take less than the whole is
/// sent what all can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// 32 KiB.
    Whole,
    /// 512 bytes.
    Least,
}

impl Window {
    /// Its size, as the base-2 logarithm of bytes.
    pub const fn bits(self) -> u8 {
        match self {
            Window::Whole => 15,
            Window::Least => 9,
        }
    }
}

/// Shorter messages are sent as they are: compression would gain little of them and costs the client as much time as it
/// costs us.
const SHORTEST: usize = 512;

/// Ends what is compressed on its own, and is left out of the message (section 7.2.1).
const TAIL: &[u8] = &[0, 0, 0xFF, 0xFF];

/// The tail that was left out, and an empty block that is marked as the last one: only if it is understood as such, the
/// message had ended where a block ends.
const END: &[u8] = &[0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF];

thread_local! {
    /// For each window, once a thread needs it.
    static DEFLATERS: RefCell<[Option<Deflater>; 2]> = const { RefCell::new([None, None]) };
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// Compresses what stands in `out` from `start` on, in its place, if it is worth it. Whether it was.
pub fn shrink(out: &mut Vec<u8>, start: usize, window: Window) -> bool {
    if out.len() - start < SHORTEST {
        return false;
    }
    DEFLATERS.with_borrow_mut(|deflaters| {
        let deflater = deflaters[window as usize].get_or_insert_with(|| Deflater::new(window));
        let Some(short) = deflater.compress(&out[start..]) else { return false };
        out.truncate(start);
        out.extend_from_slice(short);
        true
    })
}

/// Some 300 KiB, which stay with the thread: what they cost to make is more than most messages cost to compress.
struct Deflater {
    stream: Compress,
    out: Vec<u8>,
}

impl Deflater {
    fn new(window: Window) -> Deflater {
        // The fast one: of books it leaves a tenth more of what there was than the next level, in a third to half of the time,
        // in which all who listen to the worker wait.
        let stream = Compress::new_with_window_bits(Compression::fast(), false, window.bits());
        Deflater { stream, out: Vec::new() }
    }

    /// The compressed form of a message, if it is shorter.
    fn compress(&mut self, message: &[u8]) -> Option<&[u8]> {
        self.stream.reset();
        self.out.clear();
        // No byte takes more than nine bits. The stream must never run out of room: zlib-rs 0.6 writes wrong bytes, or panics,
        // when it is reset then.
        self.out.reserve(message.len() + message.len() / 8 + 64);
        self.stream.compress_vec(message, &mut self.out, FlushCompress::Sync).ok()?;
        assert!(self.out.len() < self.out.capacity(), "there is room for whatever is compressed");
        self.out.strip_suffix(TAIL).filter(|short| short.len() < message.len())
    }
}

/// What a compressed message says, if that is at most `limit` bytes: no more is inflated of it.
///
/// # Errors
/// [`Violation::TooBig`] as soon as it is, [`Violation::BadDeflate`] if it is none.
pub fn inflate(message: &[u8], limit: usize) -> Result<Vec<u8>, Violation> {
    INFLATER.with_borrow_mut(|stream| {
        stream.reset(false);
        let mut out = Vec::new();
        let is_whole = match feed(stream, message, &mut out, limit)? {
            None => feed(stream, END, &mut out, limit)?.is_some_and(<[u8]>::is_empty),
            // The message's own last block is marked as such (section 7.2.3.4).
            Some(rest) => rest == [0],
        };
        if is_whole { Ok(out) } else { Err(Violation::BadDeflate) }
    })
}

/// Inflates `input`: what is left of it behind a block that is marked as the last one, or `None` if there was none.
fn feed<'a>(
    stream: &mut Decompress,
    mut input: &'a [u8],
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<Option<&'a [u8]>, Violation> {
    while !input.is_empty() {
        grow(out, input.len(), limit);
        let (read, written) = (stream.total_in(), stream.total_out());
        let status = stream.decompress_vec(input, out, FlushDecompress::Sync);
        let status = status.map_err(|_| Violation::BadDeflate)?;
        if out.len() > limit {
            return Err(Violation::TooBig);
        }
        input = &input[(stream.total_in() - read) as usize..];
        if status == Status::StreamEnd {
            return Ok(Some(input));
        }
        if (stream.total_in(), stream.total_out()) == (read, written) {
            return Err(Violation::BadDeflate);
        }
    }
    Ok(None)
}

/// Makes room where there is none: for four times what arrived, then for twice what there is, and at most for one byte over
/// the limit, which shows that there is one.
fn grow(out: &mut Vec<u8>, arrived: usize, limit: usize) {
    if out.len() == out.capacity() {
        let room = (2 * out.capacity()).max(4 * arrived).min(limit + 1).max(out.len() + 1);
        out.reserve_exact(room - out.len());
    }
}
