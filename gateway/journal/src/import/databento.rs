//! Databento's files (DBN, versions 1 to 3, and CSV) as a source: markets by order (MBO), by price (MBP), and trades.
//!
//! Several files are one stream, by the times at which their records were received; records of one file keep their order.

mod csv_file;
mod dbn_file;
mod level_book;
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
use csv_file::CsvFile;
use dbn_file::DbnFile;
use market::Nanos;
use markets::Markets;
use row::Row;
use std::path::{Path, PathBuf};

const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(&[]),
};

/// How the records are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    Dbn,
    Csv,
}

/// A file of records, each of which says something of a market or is left out.
trait RecordFile: Send {
    /// Reads the next record, or comes to the end.
    fn advance(&mut self) -> Result<(), ImportError>;

    /// What the present record says of a book or of trades, if it says anything.
    fn row(&self) -> Result<Option<Row<'_>>, Refused>;

    /// For a person, what the present record is.
    fn kind(&self) -> String {
        "row".to_owned()
    }

    /// What the instrument was called when the present record was received.
    fn symbol(&self, instrument: u32) -> Option<&str>;

    /// The number of the present record or of its line, from 1.
    fn number(&self) -> u64;

    /// When the present record was received, or the one before it if it does not say so; the latest time of all at the end.
    fn received(&self) -> Nanos;
}

/// Files that hold records.
pub(super) struct Databento {
    encoding: Encoding,
    paths: Vec<PathBuf>,
    files: Vec<Box<dyn RecordFile>>,
    /// The file of the present record.
    present: Option<usize>,
    markets: Markets,
}

impl Databento {
    /// Opens the files.
    pub fn open(encoding: Encoding, paths: &[PathBuf]) -> Result<Databento, ImportError> {
        let files = encoding.open_all(paths)?;
        Ok(Databento { encoding, paths: paths.to_vec(), files, present: None, markets: Markets::default() })
    }
}

impl Encoding {
    /// Opens all and reads their first records.
    fn open_all(self, paths: &[PathBuf]) -> Result<Vec<Box<dyn RecordFile>>, ImportError> {
        let open = |path: &PathBuf| {
            let mut file = self.open(path)?;
            file.advance()?;
            Ok(file)
        };
        paths.iter().map(open).collect()
    }

    fn open(self, path: &Path) -> Result<Box<dyn RecordFile>, ImportError> {
        Ok(match self {
            Encoding::Dbn => Box::new(DbnFile::open(path)?),
            Encoding::Csv => Box::new(CsvFile::open(path)?),
        })
    }
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
        let Some(row) = file.row()? else {
            pass.skip(&file.kind(), 1);
            return Ok(());
        };
        let symbol = file.symbol(row.instrument);
        self.markets.take(&row, symbol, index, pass)
    }

    fn end(&mut self, pass: &mut dyn Pass) {
        self.markets.end(pass);
    }

    fn rewind(&mut self) -> Result<(), ImportError> {
        self.files = self.encoding.open_all(&self.paths)?;
        self.present = None;
        self.markets = Markets::default();
        Ok(())
    }
}
