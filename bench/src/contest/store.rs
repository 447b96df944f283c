//! Where the figures are written: `results.json` with all runs, and an interval log of each. It is whole after each run, so
//! that a contest that is stopped loses nothing but the run that it was in.

use super::conduct::Measured;
use crate::{
    machine,
    result::{Contest, Run},
};
use anyhow::Context;
use market::clock;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A directory of figures.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    contest: Contest,
}

impl Store {
    /// Makes the directory if there is none.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub fn open(directory: &Path) -> anyhow::Result<Store> {
        fs::create_dir_all(directory)?;
        let command: Vec<_> = std::env::args().collect();
        let contest = Contest {
            machine: machine::here()?,
            command: command.join(" "),
            started: clock::now().to_string(),
            results: Vec::new(),
        };
        let store = Store { directory: directory.to_owned(), contest };
        store.write()?;
        Ok(store)
    }

    /// The runs so far.
    pub fn runs(&self) -> &[Run] {
        &self.contest.results
    }

    /// Writes a run down.
    ///
    /// # Errors
    /// If that cannot be.
    pub fn keep(&mut self, Measured { run, report }: Measured) -> anyhow::Result<()> {
        self.contest.results.push(run);
        let log = self.directory.join(log_name(&self.contest.results));
        report.write_interval_log(&log).with_context(|| format!("write {}", log.display()))?;
        self.write()
    }

    /// Writes all runs anew, in one step.
    fn write(&self) -> anyhow::Result<()> {
        let mut file = NamedTempFile::new_in(&self.directory)?;
        serde_json::to_writer_pretty(&mut file, &self.contest)?;
        file.flush()?;
        file.persist(self.directory.join("results.json"))?;
        Ok(())
    }
}

/// The interval log of the last run: its place among all runs, and what it was.
fn log_name(runs: &[Run]) -> String {
    let name = runs.last().map_or(String::new(), |run| format!("{} {}", run.title(), run.server));
    let plain = |sign: char| if sign.is_ascii_alphanumeric() || sign == '.' { sign } else { '-' };
    format!("{:03}-{}.hlog", runs.len(), name.chars().map(plain).collect::<String>())
}
