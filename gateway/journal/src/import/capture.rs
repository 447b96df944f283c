//! Reads the lines of capture files, plain or gzip'd, in the order in which they were received. Knows nothing of what a line
//! says.

use super::{
    error::{ImportError, Place},
    line::Head,
};
use flate2::bufread::MultiGzDecoder;
use market::Nanos;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The longest line that is read; the largest whole book of a venue is a fifth of it.
const MAX_LINE: u64 = 32 << 20;

const BUFFER: usize = 128 << 10;

/// A line of one of the files.
pub(super) struct Line<'a> {
    /// Where it stands.
    pub at: At<'a>,
    /// When it was received, or the line before it if it does not say so.
    pub received: Nanos,
    /// What was asked for, if it is an answer.
    pub url: Option<&'a str>,
    /// Whether a connection was made.
    pub connects: bool,
    /// What it says, to be parsed in place; `None` if it is not a market's message.
    pub message: Option<&'a mut [u8]>,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    /// The file's index, and its path.
    pub file: usize,
    path: &'a Arc<Path>,
    /// The line's number, from 1.
    pub number: u64,
}

/// Where a line stood that is gone.
#[derive(Debug, Clone)]
pub(super) struct KeptAt {
    file: usize,
    path: Arc<Path>,
    number: u64,
}

impl KeptAt {
    /// As of a line that is there.
    pub fn at(&self) -> At<'_> {
        At { file: self.file, path: &self.path, number: self.number }
    }
}

impl At<'_> {
    /// For a person.
    pub fn place(self) -> Place {
        Place { file: self.path.to_path_buf(), line: self.number }
    }

    /// To outlive the line.
    pub fn keep(self) -> KeptAt {
        KeptAt { file: self.file, path: self.path.clone(), number: self.number }
    }
}

/// Several captures as one stream, by the time at which lines were received. Lines of one file keep their order.
pub(super) struct Captures {
    files: Vec<Capture>,
    /// The file whose present line was yielded.
    yielded: Option<usize>,
}

struct Capture {
    path: Arc<Path>,
    input: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
    head: Head,
    /// Of the present line, or of the one before if it has none; later than everything at the end of the file.
    received: Nanos,
}

impl Captures {
    /// Opens all of them and reads their first lines.
    pub fn open(paths: &[PathBuf]) -> Result<Captures, ImportError> {
        let mut files = Vec::new();
        for path in paths {
            let mut capture = Capture::open(path)?;
            capture.advance()?;
            files.push(capture);
        }
        Ok(Captures { files, yielded: None })
    }

    /// The next line of all files; `None` at their end.
    pub fn next(&mut self) -> Result<Option<Line<'_>>, ImportError> {
        if let Some(file) = self.yielded.take() {
            self.files[file].advance()?;
        }
        let earliest = self.files.iter().enumerate().min_by_key(|(_, capture)| capture.received);
        let Some((file, _)) = earliest.filter(|(_, capture)| capture.received < Nanos::MAX) else {
            return Ok(None);
        };
        self.yielded = Some(file);
        let Capture { path, line, number, head, received, .. } = &mut self.files[file];
        let (before, message) = line.split_at_mut(head.message_at);
        Ok(Some(Line {
            at: At { file, path, number: *number },
            received: *received,
            connects: head.connects,
            url: Some(&before[..head.url])
                .filter(|url| !url.is_empty())
                .and_then(|url| std::str::from_utf8(url).ok()),
            message: head.received.map(|_| message),
        }))
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
            path: path.into(),
            input,
            line: Vec::new(),
            number: 0,
            head: Head::default(),
            received: Nanos::ZERO,
        })
    }

    /// Moves to the next line that is not blank.
    fn advance(&mut self) -> Result<(), ImportError> {
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
        self.head = Head::of(&self.line)
            .ok_or_else(|| self.wrong("the line does not begin as one of a capture does"))?;
        self.received = self.head.received.unwrap_or(self.received);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> ImportError {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                self.wrong("the gzip data ends in the middle behind this line: the file was cut; fetch it again, or import what `gzip -dc` can still read of it")
            }
            _ => ImportError::Unreadable { file: self.path.to_path_buf(), source },
        }
    }

    fn wrong(&self, what: &str) -> ImportError {
        ImportError::Line {
            place: Place { file: self.path.to_path_buf(), line: self.number },
            what: what.to_owned(),
        }
    }
}
