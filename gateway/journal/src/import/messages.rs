//! Message logs as a source: lines of captures, each parsed and read by its venue.

use super::{
    capture::{Captures, Line},
    error::{ImportError, Refused},
    message::{Message, Pass, Venue},
    rules::{Holes, Rules, Snapshots},
    source::{Source, Step},
};
use simd_json::Tape;
use std::path::PathBuf;

/// The captures of a venue.
pub(super) struct Messages {
    files: Vec<PathBuf>,
    captures: Captures,
    reader: Reader,
}

struct Reader {
    rules: &'static Rules,
    venue: Box<dyn Venue>,
    buffers: simd_json::Buffers,
    /// Room for the next message.
    tape: Tape<'static>,
}

impl Messages {
    /// Opens the files.
    pub fn open(
        rules: &'static Rules,
        venue: Box<dyn Venue>,
        files: &[PathBuf],
    ) -> Result<Messages, ImportError> {
        let buffers = simd_json::Buffers::default();
        let reader = Reader { rules, venue, buffers, tape: Tape(Vec::new()) };
        Ok(Messages { files: files.to_vec(), captures: Captures::open(files)?, reader })
    }
}

impl Source for Messages {
    fn rules(&self) -> &'static Rules {
        self.reader.rules
    }

    fn advance(&mut self) -> Result<Option<Step>, ImportError> {
        self.captures.advance()
    }

    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused> {
        self.captures.line().map_or(Ok(()), |line| self.reader.read(line, pass))
    }

    fn rewind(&mut self) -> Result<(), ImportError> {
        self.captures = Captures::open(&self.files)?;
        self.reader.venue.rewind();
        Ok(())
    }
}

impl Reader {
    fn read(&mut self, line: Line<'_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(text) = line.message else {
            pass.skip("connection", 1);
            if line.connects && self.rules.holes == Holes::Hidden {
                pass.reconnected();
            }
            return Ok(());
        };
        if line.url.is_some() && self.rules.snapshots == Snapshots::Pushed {
            pass.skip("answer to a REST request", 1);
            return Ok(());
        }
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        simd_json::fill_tape(text, &mut self.buffers, &mut tape)
            .map_err(|error| Refused(format!("this is no JSON: {error}")))?;
        let message =
            Message { value: tape.as_value(), received: line.received, url: line.url, file: line.file };
        let told = self.venue.read(message, pass);
        self.tape = tape.reset();
        told
    }
}
