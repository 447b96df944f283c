//! Looks over a segment without reading all of it: the headers of its blocks, and what single ones hold.

use crate::{
    block::{self, MAX_PAYLOAD},
    error::JournalError,
    format::{BlockHeader, SegmentHeader},
};
use std::{fs::File, os::unix::fs::FileExt, path::Path};

/// A segment that is looked over from its beginning, as far as it is whole.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    path: &'a Path,
    file: File,
    at: u64,
    len: u64,
}

impl<'a> Scan<'a> {
    /// Begins at `offset`, where a block begins; at the first one if that is 0.
    pub fn open(path: &'a Path, offset: u64) -> Result<Scan<'a>, JournalError> {
        let file = File::open(path).map_err(JournalError::io("open", path))?;
        let len = file.metadata().map_err(JournalError::io("measure", path))?.len();
        Ok(Scan { path, file, at: offset.max(SegmentHeader::LEN as u64), len })
    }

    /// The next block's place and header; `None` at the end, or where something is not whole.
    pub fn next(&mut self) -> Result<Option<(u64, BlockHeader)>, JournalError> {
        let offset = self.at;
        let behind = offset + BlockHeader::LEN as u64;
        if behind > self.len {
            return Ok(None);
        }
        let mut bytes = [0; BlockHeader::LEN];
        self.file.read_exact_at(&mut bytes, offset).map_err(JournalError::io("read", self.path))?;
        let Ok(header) = BlockHeader::of_bytes(&bytes) else { return Ok(None) };
        let end = behind + u64::from(header.payload_len);
        if end > self.len || header.payload_len > MAX_PAYLOAD {
            return Ok(None);
        }
        self.at = end;
        Ok(Some((offset, header)))
    }

    /// Where the next block begins.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Calls `read` with what the block at `offset` holds; `None` if that is not what was written.
    pub fn payload<T>(
        &self,
        offset: u64,
        header: &BlockHeader,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, JournalError> {
        let mut stored = vec![0; header.payload_len as usize];
        let at = offset + BlockHeader::LEN as u64;
        self.file.read_exact_at(&mut stored, at).map_err(JournalError::io("read", self.path))?;
        Ok(block::open(header, &stored, &mut Vec::new()).ok().and_then(read))
    }
}
