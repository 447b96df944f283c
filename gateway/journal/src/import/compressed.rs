//! Opens files that may be compressed: what they are is seen from their first bytes.

use super::error::{ImportError, Place};
use flate2::bufread::MultiGzDecoder;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

const BUFFER: usize = 128 << 10;
const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// As a power of two, how far back compressed data may reach, and so how much memory it takes: `zstd`'s own default.
const ZSTD_WINDOW: u32 = 27;

/// What a file holds, plain, gzip'd or as Zstandard, of any number of members or frames.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, ImportError> {
    let failed = |source| ImportError::Unreadable { file: path.to_owned(), source };
    let mut plain = BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?);
    let begin = plain.fill_buf().map_err(failed)?;
    if begin.starts_with(GZIP) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain))));
    }
    if begin.starts_with(ZSTD) {
        let mut zstd = zstd::Decoder::with_buffer(plain).map_err(failed)?;
        zstd.window_log_max(ZSTD_WINDOW).map_err(failed)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER, zstd)));
    }
    Ok(Box::new(plain))
}

/// Why reading failed behind `number` lines or records of a file.
pub(super) fn failed(path: &Path, number: u64, source: io::Error) -> ImportError {
    let file = path.to_owned();
    if source.kind() != io::ErrorKind::UnexpectedEof {
        return ImportError::Unreadable { file, source };
    }
    let what = "the compressed data ends in the middle behind this line or record: the file was cut; fetch it again, or import what `gzip -dc` or `zstd -dc` can still read of it";
    ImportError::Line { place: Place { file, line: number }, what: what.to_owned() }
}
