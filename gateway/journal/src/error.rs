//! What can be wrong with a recording, and what to do about it.

use feed::FeedError;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is nothing of a recording in the folder.
    #[error(
        "there is no recording in {0}; `depthcast record` or `depthcast import` with `--out {0}` makes one"
    )]
    Missing(PathBuf),
    /// The recording has no run that holds an event.
    #[error("the recording in {0} holds no events yet; there is nothing to replay")]
    Empty(PathBuf),
    /// A file is of a later format than this program knows.
    #[error("{} is of recording format {version}, this program reads up to {known}; use a newer depthcast", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        version: u32,
        /// The latest format that is understood.
        known: u32,
    },
    /// A part of it is not what was written.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// Another writer has it open.
    #[error("another process is recording into {0}; stop it or record into another folder")]
    Busy(PathBuf),
    /// The disk could not keep what it was given, so that nothing more may be promised for this run.
    #[error("{0}: the disk lost what was written; start the recording again, it goes on as a new run")]
    Unsafe(PathBuf),
    /// An event that has no place in a recording: the caller's fault.
    #[error("record {record} of {}: {what}", run.display())]
    Refused {
        /// The run that was being written.
        run: PathBuf,
        /// The number the record would have had.
        record: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The operating system refused.
    #[error("cannot {what} {}: {source}", file.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file.
        file: PathBuf,
        /// What it answered.
        source: io::Error,
    },
}

impl JournalError {
    /// Wraps what the operating system answered to doing `what` to `file`; made for `map_err`.
    pub(crate) fn io(what: &'static str, file: &Path) -> impl FnOnce(io::Error) -> JournalError + use<> {
        let file = file.to_owned();
        move |source| JournalError::Io { what, file, source }
    }

    /// As the error of the feed that `dir` is.
    pub(crate) fn of_feed(self, dir: &Path) -> FeedError {
        FeedError { feed: format!("journal:{}", dir.display()), what: self.to_string() }
    }
}

/// A place in a recording that is not what was written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where in it, in bytes from its start.
    pub offset: u64,
    /// The first record that is lost by it.
    pub first_record: u64,
    /// The last one, if that can still be told.
    pub last_record: Option<u64>,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at byte {}: {}; ", self.file.display(), self.offset, self.what)?;
        match self.last_record {
            Some(last) => write!(f, "records {} to {last} are lost", self.first_record)?,
            None => write!(f, "records from {} on are lost in it", self.first_record)?,
        }
        write!(f, ". Bring the file back from a copy, or play a recording that is whole")
    }
}

impl From<Damage> for JournalError {
    fn from(damage: Damage) -> JournalError {
        JournalError::Damaged(Box::new(damage))
    }
}
