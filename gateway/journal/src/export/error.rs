//! Why a recording cannot be exported.

use crate::JournalError;
use market::Nanos;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a recording cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The recording cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is no such run, or it holds no events.
    #[error("run {run} holds no events, or is not there; those that hold some are {held:?}")]
    NoRun {
        /// What was asked for.
        run: u32,
        /// Those that hold events.
        held: Vec<u32>,
    },
    /// There is no such symbol.
    #[error("there is no {name} in the recording, which holds {}", held.join(", "))]
    UnknownSymbol {
        /// What was asked for.
        name: String,
        /// What is there.
        held: Vec<String>,
    },
    /// The range of time holds nothing.
    #[error("there is nothing in this range of time: the run goes from {first} to {last}")]
    OutOfRange {
        /// Its first feed time.
        first: Nanos,
        /// Its last one.
        last: Nanos,
    },
    /// A file is there already.
    #[error("{} is there already; --overwrite replaces it", .0.display())]
    Exists(PathBuf),
    /// The format has no room for a number.
    #[error(
        "{symbol} cannot be written in this format: {what}; `--to csv` and `--to parquet` hold every number"
    )]
    Unfit {
        /// The symbol.
        symbol: String,
        /// What does not fit, and into what.
        what: String,
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
    /// The program was built without this format.
    #[error(
        "this depthcast is built without {format}; `cargo build --release --features {format}` builds one with it"
    )]
    NotBuilt {
        /// The format, which is also the name of the feature.
        format: &'static str,
    },
}

impl ExportError {
    /// Wraps what the operating system answered to doing `what` to `file`; made for `map_err`.
    pub(super) fn io(what: &'static str, file: &Path) -> impl FnOnce(io::Error) -> ExportError + use<> {
        let file = file.to_owned();
        move |source| ExportError::Io { what, file, source }
    }
}
