//! Databento's files (DBN, versions 1 to 3) as a source: markets by order (MBO), by price (MBP), and trades.
//!
//! Several files are one stream, by the times at which their records were received; records of one file keep their order.

mod best_levels;
mod file;
mod markets;
mod order_book;
mod row;

use super::{
    error::{ImportError, Refused},
    message::Pass,
    naming::Pairs,
    number::Digits,
    rules::{Holes, Rules, Snapshots},
    source::{Source, Step},
};
use file::DbnFile;
use market::Nanos;
use markets::Markets;
use row::Row;
use std::path::PathBuf;

const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(&[]),
};

/// Files that hold records.
pub(super) struct Databento {
    paths: Vec<PathBuf>,
    files: Vec<DbnFile>,
    /// The file of the present record.
    present: Option<usize>,
    markets: Markets,
}

impl Databento {
    /// Opens the files.
    pub fn open(paths: &[PathBuf]) -> Result<Databento, ImportError> {
        let files = open_all(paths)?;
        Ok(Databento { paths: paths.to_vec(), files, present: None, markets: Markets::default() })
    }
}

/// Opens all and reads their first records.
fn open_all(paths: &[PathBuf]) -> Result<Vec<DbnFile>, ImportError> {
    let open = |path: &PathBuf| {
        let mut file = DbnFile::open(path)?;
        file.advance()?;
        Ok(file)
    };
    paths.iter().map(open).collect()
}

impl Source for Databento {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn advance(&mut self) -> Result<Option<Step>, ImportError> {
        if let Some(file) = self.present.take() {
            self.files[file].advance()?;
        }
        let earliest = self.files.iter().enumerate().min_by_key(|(_, file)| file.received());
        let Some((index, file)) = earliest.filter(|(_, file)| file.received() < Nanos::MAX) else {
            return Ok(None);
        };
        self.present = Some(index);
        Ok(Some(Step { file: index, number: file.number(), received: file.received() }))
    }

    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(index) = self.present else { return Ok(()) };
        let file = &self.files[index];
        let Some(record) = file.record() else { return Ok(()) };
        match Row::of(record, file.schema()) {
            Some(row) => {
                let symbol = file.symbol(row.instrument);
                self.markets.take(&row, symbol, index, pass)
            }
            None => {
                pass.skip(&row::kind(record), 1);
                Ok(())
            }
        }
    }

    fn end(&mut self, pass: &mut dyn Pass) {
        self.markets.end(pass);
    }

    fn rewind(&mut self) -> Result<(), ImportError> {
        self.files = open_all(&self.paths)?;
        self.present = None;
        self.markets = Markets::default();
        Ok(())
    }
}
