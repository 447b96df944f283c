//! Reads a file line by line, plain or compressed. Knows nothing of what a line says.

use super::{
    compressed,
    error::{ImportError, Place},
};
use memchr::memchr;
use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};

/// The longest line that is read; the largest whole book of a venue is a fifth of it.
const MAX_LINE: usize = 32 << 20;

/// A file, and the line in it that was read last.
pub(super) struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    /// The present line, without what ends it.
    pub line: Vec<u8>,
    /// Its number, from 1.
    pub number: u64,
}

impl Lines {
    /// Opens a file; its first line is not read yet.
    pub fn open(path: &Path) -> Result<Lines, ImportError> {
        let input = compressed::open(path)?;
        Ok(Lines { path: path.to_owned(), input, line: Vec::new(), number: 0 })
    }

    /// Moves to the next line that is not blank; whether there is one.
    pub fn advance(&mut self) -> Result<bool, ImportError> {
        loop {
            self.line.clear();
            read_line(&mut *self.input, &mut self.line)
                .map_err(|error| compressed::failed(&self.path, self.number, error))?;
            if self.line.is_empty() {
                return Ok(false);
            }
            self.number += 1;
            if self.line.len() == MAX_LINE {
                return Err(self.wrong("the line is longer than 32 MiB; is the format right?"));
            }
            let trimmed = self.line.trim_ascii_end().len();
            self.line.truncate(trimmed);
            if trimmed > 0 {
                return Ok(true);
            }
        }
    }

    /// The present line cannot be read.
    pub fn wrong(&self, what: &str) -> ImportError {
        ImportError::Line {
            place: Place { file: self.path.clone(), line: self.number },
            what: what.to_owned(),
        }
    }
}

/// Appends a line with what ends it, or as much of one as may be.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    while line.len() < MAX_LINE {
        let there = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            there => there?,
        };
        let there = &there[..there.len().min(MAX_LINE - line.len())];
        let end = memchr(b'\n', there);
        let taken = end.map_or(there.len(), |at| at + 1);
        line.extend_from_slice(&there[..taken]);
        input.consume(taken);
        if end.is_some() || taken == 0 {
            break;
        }
    }
    Ok(())
}
