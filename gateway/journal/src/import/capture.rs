//! Reads the lines of capture files, plain or compressed, in the order in which they were received. Knows nothing of what a line
//! says.

use super::{error::ImportError, line::Head, lines::Lines, source::Step};
use market::Nanos;
use std::path::{Path, PathBuf};

/// A line of one of the files.
pub(super) struct Line<'a> {
    /// The index of its file.
    pub file: usize,
    /// When it was received, or the line before it if it does not say so.
    pub received: Nanos,
    /// What was asked for, if it is an answer.
    pub url: Option<&'a str>,
    /// Whether a connection was made.
    pub connects: bool,
    /// What it says, to be parsed in place; `None` if it is not a market's message.
    pub message: Option<&'a mut [u8]>,
}

/// Several captures as one stream, by the time at which lines were received. Lines of one file keep their order.
pub(super) struct Captures {
    files: Vec<Capture>,
    /// The file of the present line.
    present: Option<usize>,
}

struct Capture {
    lines: Lines,
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
        Ok(Captures { files, present: None })
    }

    /// Moves to the next line of all files; `None` at their end.
    pub fn advance(&mut self) -> Result<Option<Step>, ImportError> {
        if let Some(file) = self.present.take() {
            self.files[file].advance()?;
        }
        let earliest = self.files.iter().enumerate().min_by_key(|(_, capture)| capture.received);
        let Some((file, capture)) = earliest.filter(|(_, capture)| capture.received < Nanos::MAX) else {
            return Ok(None);
        };
        self.present = Some(file);
        Ok(Some(Step { file, number: capture.lines.number, received: capture.received }))
    }

    /// The present line.
    pub fn line(&mut self) -> Option<Line<'_>> {
        let file = self.present?;
        let Capture { lines, head, received } = &mut self.files[file];
        let (before, message) = lines.line.split_at_mut(head.message_at);
        Some(Line {
            file,
            received: *received,
            connects: head.connects,
            url: Some(&before[..head.url])
                .filter(|url| !url.is_empty())
                .and_then(|url| std::str::from_utf8(url).ok()),
            message: head.received.map(|_| message),
        })
    }
}

impl Capture {
    fn open(path: &Path) -> Result<Capture, ImportError> {
        Ok(Capture { lines: Lines::open(path)?, head: Head::default(), received: Nanos::ZERO })
    }

    /// Moves to the next line that is not blank.
    fn advance(&mut self) -> Result<(), ImportError> {
        if !self.lines.advance()? {
            self.received = Nanos::MAX;
            return Ok(());
        }
        self.head = Head::of(&self.lines.line)
            .ok_or_else(|| self.lines.wrong("the line does not begin as one of a capture does"))?;
        self.received = self.head.received.unwrap_or(self.received);
        Ok(())
    }
}
