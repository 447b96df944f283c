//! The formats that a recording is exported to: what they are called, what they write.

use super::{
    ExportError,
    csv::Csv,
    dbn::Dbn,
    folder::Folder,
    sink::{Plan, Sink},
};
use std::{fmt::Write, path::Path, str::FromStr};

/// What files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Tardis' CSV datasets `incremental_book_L2` and `trades`, gzip'd. `timestamp` is the venue's, `local_timestamp` feed time, both in
    /// microseconds.
    Csv,
    /// Parquet: a table of all that happened to books, and one of trades. Prices and quantities are decimals, times in nanoseconds. Needs the
    /// feature `parquet`.
    Parquet,
    /// Databento's DBN, version 3, as Zstandard: schemas `mbp-10`, `trades` and `definition`. Prices are in billionths, sizes in lots.
    Dbn,
}

struct Entry {
    target: Target,
    name: &'static str,
    files: &'static [&'static str],
    holds: &'static str,
}

const ENTRIES: &[Entry] = &[
    Entry {
        target: Target::Csv,
        name: "csv",
        files: Csv::FILES,
        holds: "Tardis' datasets: every level change and trade; times in microseconds",
    },
    Entry {
        target: Target::Parquet,
        name: "parquet",
        files: PARQUET_FILES,
        holds: "every numbered event, exact decimals, times in nanoseconds",
    },
    Entry {
        target: Target::Dbn,
        name: "dbn",
        files: Dbn::FILES,
        holds: "Databento's mbp-10 (ten best levels, trades), trades, definition",
    },
];

/// What is written as Parquet.
const PARQUET_FILES: &[&str] = &["book.parquet", "trades.parquet"];

impl Target {
    /// The names that the command line takes, with commas between.
    pub fn names() -> String {
        ENTRIES.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
    }

    /// For a person: each format and what it writes.
    pub fn guide() -> String {
        let mut guide = String::from("Formats, what they hold, and the files in the folder:\n");
        for Entry { name, files, holds, .. } in ENTRIES {
            // Writing to a string cannot fail.
            let _ = write!(guide, "\n  {name:<8} {holds}\n  {:<8} {}", "", files.join(", "));
        }
        guide
    }

    /// The names of the files that are written.
    pub fn files(self) -> &'static [&'static str] {
        ENTRIES.iter().find(|entry| entry.target == self).map_or(&[], |entry| entry.files)
    }

    /// Begins the files in the folder `out`.
    pub(super) fn open(
        self,
        out: &Path,
        overwrite: bool,
        plan: &Plan<'_>,
    ) -> Result<Box<dyn Sink>, ExportError> {
        let folder = || Folder::open(out, self.files(), overwrite);
        Ok(match self {
            Target::Csv => Box::new(Csv::new(folder()?, plan)?),
            Target::Dbn => Box::new(Dbn::new(folder()?, plan)?),
            #[cfg(feature = "parquet")]
            Target::Parquet => Box::new(super::parquet::Parquet::new(folder()?, plan)?),
            #[cfg(not(feature = "parquet"))]
            Target::Parquet => return Err(ExportError::NotBuilt { format: "parquet" }),
        })
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Target, TargetError> {
        let found = ENTRIES.iter().find(|entry| entry.name == text);
        found.map(|entry| entry.target).ok_or_else(|| TargetError { name: text.to_owned() })
    }
}

/// A format that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format '{name}'; there are {}", Target::names())]
pub struct TargetError {
    /// What was asked for.
    pub name: String,
}
