//! Reads a file line by line, plain or compressed. Knows nothing of what a line says.

use super::{
    compressed,
    error::{ImportError, Place},
};
use std::{
    io::{BufRead, Read},
    path::{Path, PathBuf},
};

/// The longest line that is read; the largest whole book of a venue is a fifth of it.
const MAX_LINE: u64 = 32 << 20;

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
            let length = self
                .input
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut self.line)
                .map_err(|error| compressed::failed(&self.path, self.number, error))?;
            if length == 0 {
                return Ok(false);
            }
            self.number += 1;
            if length as u64 == MAX_LINE {
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
