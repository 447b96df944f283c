//! What can be wrong with a feed in shared memory.

use super::name::FOLDER;
use crate::FeedError;
use market::InstrumentError;
use std::{io, path::PathBuf};

/// Why a feed cannot be written or read; for the operator to mend.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// This system has no shared memory where it is looked for.
    #[error("there is no {FOLDER}: a feed in shared memory needs Linux with a tmpfs there")]
    NoSharedMemory,
    /// Nobody has written this feed yet.
    #[error("there is no feed {}: start its writer, such as feed-sim --to shm:NAME", .0.display())]
    Missing(PathBuf),
    /// Another process writes it.
    #[error("the feed {} is being written by process {pid}: stop that one, or choose another name", path.display())]
    Busy {
        /// The feed's file.
        path: PathBuf,
        /// Who writes it, as far as the file tells.
        pid: u64,
    },
    /// The file is something else.
    #[error("{} is no feed: choose another name, or remove the file", .0.display())]
    NoFeed(PathBuf),
    /// It is written by another version of these programs.
    #[error("the feed {} has layout {found}, and this program reads layout {known}: use programs of one version", path.display())]
    OtherLayout {
        /// The feed's file.
        path: PathBuf,
        /// Its layout.
        found: u64,
        /// The layout of this program.
        known: u64,
    },
    /// It says things of itself that cannot be.
    #[error("the feed {} is damaged ({what}): start its writer anew", path.display())]
    Damaged {
        /// The feed's file.
        path: PathBuf,
        /// What cannot be.
        what: &'static str,
    },
    /// It belongs to another user, who could do anything to its readers.
    #[error("the feed {} belongs to user {owner}, not to the one who runs this: run both as one user", path.display())]
    Foreign {
        /// The feed's file.
        path: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// The ring cannot have that size.
    #[error("a ring of {0} slots cannot be: it has to be a power of two from 1024 to 67108864")]
    BadSlots(usize),
    /// More instruments than the file has room for.
    #[error("the feed has room for {room} instruments and is to have {wanted}: start its writer anew")]
    TooManyInstruments {
        /// How many there can be.
        room: usize,
        /// How many there are to be.
        wanted: usize,
    },
    /// An instrument of the feed cannot stand in the table.
    #[error("the instruments of the feed: {0}")]
    Instrument(#[from] InstrumentError),
    /// The feed came back as another one.
    #[error(
        "the feed came back with another instrument at place {place} ('{now}' for '{was}', or other decimals): restart the gateway"
    )]
    OtherInstruments {
        /// The place in the table.
        place: usize,
        /// The symbol that was there.
        was: String,
        /// The symbol that is there now.
        now: String,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// There is too little shared memory.
    #[error(
        "{FOLDER} has no room for {bytes} bytes: make the ring smaller, or {FOLDER} larger (docker run --shm-size)"
    )]
    NoRoom {
        /// The size of the file.
        bytes: u64,
    },
}

impl SharedError {
    /// Why the feed of this name cannot go on.
    pub(super) fn of(self, name: &super::FeedName) -> FeedError {
        FeedError { feed: format!("shm:{name}"), what: self.to_string() }
    }
}
