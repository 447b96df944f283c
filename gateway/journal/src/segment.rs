//! Reads one segment file: its header, then raw blocks, and tells a file that was cut from one that was changed. Knows
//! nothing of what is in a block.

use crate::{
    block::MAX_PAYLOAD,
    error::JournalError,
    format::{BlockHeader, SegmentHeader},
};
use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// An open segment, behind its header.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    file: BufReader<File>,
    /// How far it was read, and its length when it was opened.
    at: u64,
    len: u64,
}

/// What stood at the place that was read.
pub(crate) enum Next<T> {
    /// What was looked for.
    Whole(T),
    /// The end of the file. So many bytes before it are the beginning of something that was never finished.
    End { torn: u64 },
}

/// Why reading cannot go on here.
pub(crate) enum Fault {
    /// The operating system refused.
    Failed(JournalError),
    /// What is at `offset` was not written so.
    Damaged { offset: u64, what: &'static str },
}

impl Segment {
    /// Opens a segment and reads its header.
    pub fn open(path: PathBuf) -> Result<Next<(Segment, SegmentHeader)>, Fault> {
        let file = File::open(&path).map_err(JournalError::io("open", &path)).map_err(Fault::Failed)?;
        let len = file.metadata().map_err(JournalError::io("measure", &path)).map_err(Fault::Failed)?.len();
        let mut segment = Segment { path, file: BufReader::with_capacity(128 << 10, file), at: 0, len };
        let mut bytes = [0; SegmentHeader::LEN];
        if let Next::End { torn } = segment.fill(&mut bytes)? {
            return Ok(Next::End { torn });
        }
        match SegmentHeader::of_bytes(&bytes) {
            Ok(header) => Ok(Next::Whole((segment, header))),
            Err(_) => segment.unwritten_from(0, &bytes, "the header of the segment is wrong"),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Goes on at `offset`, where a block is known to begin.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), JournalError> {
        self.file.seek(SeekFrom::Start(offset)).map_err(JournalError::io("read", &self.path))?;
        self.at = offset.min(self.len);
        Ok(())
    }

    /// Goes on at `offset`, where another reader found the end of a block.
    pub fn pass_to(&mut self, offset: u64) -> Result<(), JournalError> {
        // The file has grown since it was opened here.
        self.len = self.len.max(offset);
        self.skip_to(offset)
    }

    /// Where the next block begins.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// Reads the next block's header and its records as they are, unchecked.
    pub fn next(&mut self, payload: &mut Vec<u8>) -> Result<Next<BlockHeader>, Fault> {
        let offset = self.at;
        let mut bytes = [0; BlockHeader::LEN];
        if let Next::End { torn } = self.fill(&mut bytes)? {
            return Ok(Next::End { torn });
        }
        let Ok(header) = BlockHeader::of_bytes(&bytes) else {
            return self.unwritten_from(offset, &bytes, "the header of a block is wrong");
        };
        if header.payload_len > MAX_PAYLOAD || header.count == 0 {
            return Err(Fault::Damaged { offset, what: "the header of a block has impossible lengths" });
        }
        // No room for what is not there: a header may claim 32 MiB.
        if u64::from(header.payload_len) > self.len - self.at {
            return Ok(Next::End { torn: self.len - offset });
        }
        payload.resize(header.payload_len as usize, 0);
        Ok(match self.fill(payload)? {
            Next::Whole(()) => Next::Whole(header),
            Next::End { .. } => Next::End { torn: self.len - offset },
        })
    }

    /// Fills `bytes` from the file, if it holds so many.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<Next<()>, Fault> {
        let left = self.len - self.at;
        if left < bytes.len() as u64 {
            return Ok(Next::End { torn: left });
        }
        self.file.read_exact(bytes).map_err(JournalError::io("read", &self.path)).map_err(Fault::Failed)?;
        self.at += bytes.len() as u64;
        Ok(Next::Whole(()))
    }

    /// Judges a wrong header at `offset`. After a power cut a file may have a length that its content never reached; the
    /// rest of it reads as zeros then, which no header begins with.
    fn unwritten_from<T>(
        &mut self,
        offset: u64,
        header: &[u8],
        what: &'static str,
    ) -> Result<Next<T>, Fault> {
        let mut zero = header.iter().all(|&byte| byte == 0);
        let mut chunk = [0; 4096];
        while zero && self.at < self.len {
            let size = (self.len - self.at).min(chunk.len() as u64) as usize;
            self.fill(&mut chunk[..size])?;
            zero = chunk[..size].iter().all(|&byte| byte == 0);
        }
        if zero { Ok(Next::End { torn: self.len - offset }) } else { Err(Fault::Damaged { offset, what }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_not_there_takes_no_room() {
        let segment = SegmentHeader { version: 1, run: 1, epoch: 1, first_record: 1 };
        let block = BlockHeader {
            payload_len: MAX_PAYLOAD,
            count: 1,
            content: crate::format::Content::Events,
            coding: crate::format::Coding::Plain,
            first_record: 1,
            first_time: 0,
            last_time: 0,
            payload_sum: 0,
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segment");
        std::fs::write(&path, [&segment.to_bytes()[..], &block.to_bytes()[..], b"a little"].concat())
            .unwrap();
        let Ok(Next::Whole((mut segment, _))) = Segment::open(path) else { panic!("it has a header") };
        let mut payload = Vec::new();
        let read = segment.next(&mut payload);
        assert!(matches!(read, Ok(Next::End { torn: 56 })));
        assert_eq!(payload.capacity(), 0);
    }
}
