//! Reads the lines of capture files, plain or gzip'd, in the order in which they were received. Knows nothing of what a line
//! says.

use super::{ImportError, Place};
use flate2::bufread::MultiGzDecoder;
use market::Nanos;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// The longest line that is read; the largest whole book of a venue is a fifth of it.
const MAX_LINE: u64 = 32 << 20;

const BUFFER: usize = 128 << 10;

/// How a line begins.
pub(super) struct Head {
    /// When it was received; `None` of a line that says nothing about a market.
    pub received: Option<Nanos>,
    /// Where its message begins.
    pub message_at: usize,
}

/// Takes a line apart; `None` if it has not the format's form.
pub(super) type SplitHead = fn(&[u8]) -> Option<Head>;

/// A line of one of the files.
pub(super) struct Line<'a> {
    /// Where it stands.
    pub at: At<'a>,
    /// What it says, to be parsed in place; `None` if it is not a market's message.
    pub message: Option<&'a mut [u8]>,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The file's index, and its path.
    pub file: usize,
    path: &'a Path,
    number: u64,
}

impl At<'_> {
    /// For a person.
    pub fn place(self) -> Place {
        Place { file: self.path.to_owned(), line: self.number }
    }
}

/// Several captures as one stream, by the time at which lines were received. Lines of one file keep their order.
pub(super) struct Captures {
    files: Vec<Capture>,
    split: SplitHead,
    /// The file whose present line was yielded.
    yielded: Option<usize>,
}

struct Capture {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
    message_at: Option<usize>,
    /// Of the present line, or of the one before if it has none; later than everything at the end of the file.
    received: Nanos,
}

impl Captures {
    /// Opens all of them and reads their first lines.
    pub fn open(paths: &[PathBuf], split: SplitHead) -> Result<Captures, ImportError> {
        let mut files = Vec::new();
        for path in paths {
            let mut capture = Capture::open(path)?;
            capture.advance(split)?;
            files.push(capture);
        }
        Ok(Captures { files, split, yielded: None })
    }

    /// The next line of all files; `None` at their end.
    pub fn next(&mut self) -> Result<Option<Line<'_>>, ImportError> {
        if let Some(file) = self.yielded.take() {
            self.files[file].advance(self.split)?;
        }
        let earliest = self.files.iter().enumerate().min_by_key(|(_, capture)| capture.received);
        let Some((file, _)) = earliest.filter(|(_, capture)| capture.received < Nanos::MAX) else {
            return Ok(None);
        };
        self.yielded = Some(file);
        let Capture { path, line, number, message_at, .. } = &mut self.files[file];
        let message = message_at.map(|at| &mut line[at..]);
        Ok(Some(Line { at: At { file, path, number: *number }, message }))
    }
}

impl Capture {
    fn open(path: &Path) -> Result<Capture, ImportError> {
        let failed = |source| ImportError::Unreadable { file: path.to_owned(), source };
        let mut plain = BufReader::with_capacity(BUFFER, File::open(path).map_err(failed)?);
        let is_gzip = plain.fill_buf().map_err(failed)?.starts_with(&[0x1F, 0x8B]);
        let input: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        Ok(Capture {
            path: path.to_owned(),
            input,
            line: Vec::new(),
            number: 0,
            message_at: None,
            received: Nanos::ZERO,
        })
    }

    /// Moves to the next line that is not blank.
    fn advance(&mut self, split: SplitHead) -> Result<(), ImportError> {
        loop {
            self.line.clear();
            let length = self
                .input
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut self.line)
                .map_err(|e| self.failed(e))?;
            if length == 0 {
                self.received = Nanos::MAX;
                return Ok(());
            }
            self.number += 1;
            if length as u64 == MAX_LINE {
                return Err(self.wrong("the line is longer than 32 MiB; is this a capture?"));
            }
            let trimmed = self.line.trim_ascii_end().len();
            self.line.truncate(trimmed);
            if trimmed > 0 {
                break;
            }
        }
        let head = split(&self.line)
            .ok_or_else(|| self.wrong("the line does not begin as one of this format does"))?;
        self.message_at = head.received.map(|_| head.message_at);
        self.received = head.received.unwrap_or(self.received);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> ImportError {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.wrong("the gzip data ends in the middle behind this line: the file was cut; fetch it again, or import what `gzip -dc` can still read of it")
            }
            _ => ImportError::Unreadable { file: self.path.clone(), source },
        }
    }

    fn wrong(&self, what: &str) -> ImportError {
        ImportError::Line {
            place: Place { file: self.path.clone(), line: self.number },
            what: what.to_owned(),
        }
    }
}
