//! Why captures cannot be imported, and where in them.

use super::{at::At, tally::Tally};
use market::InstrumentError;
use std::{fmt, io, path::PathBuf};

/// A line of a capture, or a record of a file that has no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line's or the record's number, from 1.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Why captures cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system or the decompressor said.
        source: io::Error,
    },
    /// A file is not what the format wants in its place.
    #[error("{}: {what}", file.display())]
    Unfit {
        /// The file.
        file: PathBuf,
        /// What is wanted.
        what: String,
    },
    /// A line cannot be understood.
    #[error("{place}: {what}")]
    Line {
        /// Where.
        place: Place,
        /// What is wrong with it.
        what: String,
    },
    /// A market cannot have its name, or its numbers need too many decimals.
    #[error("{place}: {venue} cannot be imported: {error} (--symbol {venue}=NAME gives it another name)")]
    Market {
        /// Where it appears first.
        place: Place,
        /// Its name at the venue.
        venue: String,
        /// What is wrong with it.
        error: InstrumentError,
    },
    /// A market's largest number does not fit beside its most precise one.
    #[error(
        "{place}: {whole} of {venue} is too large for the {decimals} decimals that other numbers of it need"
    )]
    TooLarge {
        /// Where the number stands.
        place: Place,
        /// The market's name at the venue.
        venue: String,
        /// The number's digits before the point.
        whole: u64,
        /// The decimals.
        decimals: u8,
    },
    /// A name was given to a market that is not there.
    #[error("--symbol {venue}=…: no {venue} is in these files, which hold {held}")]
    UnknownMarket {
        /// The name that was looked for.
        venue: String,
        /// What is there.
        held: String,
    },
    /// There is nothing to import.
    #[error("there is no market in these files; is the format right?{}", left_out.reasons())]
    Nothing {
        /// What is in them.
        left_out: Tally,
    },
}

/// A message that cannot be understood; the caller knows where it stands.
#[derive(Debug)]
pub(super) struct Refused(pub String);

impl Refused {
    pub fn at(self, at: At<'_>) -> ImportError {
        ImportError::Line { place: at.place(), what: self.0 }
    }
}

impl From<&str> for Refused {
    fn from(what: &str) -> Refused {
        Refused(what.to_owned())
    }
}
