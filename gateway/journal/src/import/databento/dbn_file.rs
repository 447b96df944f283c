//! One file of DBN records, plain or compressed, whole or a fragment. Knows nothing of what a record says.

use super::{
    RecordFile,
    row::{self, Row},
};
use crate::import::{
    compressed,
    error::{ImportError, Place, Refused},
};
use dbn::{
    Metadata, RType, Schema, TsSymbolMap, VersionUpgradePolicy,
    decode::dbn::fsm::{DbnFsm, ProcessResult},
};
use market::Nanos;
use std::{
    io::BufRead,
    path::{Path, PathBuf},
};

/// What every file but a fragment begins with.
const MAGIC: &[u8] = b"DBN";

/// Records of all types are as long as some of these.
const ALIGNMENT: usize = 8;

/// The most bytes of what a file tells of itself: hundreds of thousands of instruments.
const MOST_DESCRIBED: u32 = 32 << 20;

/// A file, and the record in it that was read last.
pub(super) struct DbnFile {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    decoder: DbnFsm,
    schema: Option<Schema>,
    /// Names of instruments by their ids, from the file's beginning and from what it says in between.
    symbols: TsSymbolMap,
    number: u64,
    /// Of the present record, or of the one before if it does not say so; later than everything at the end of the file.
    received: Nanos,
}

impl DbnFile {
    /// Opens a file; its first record is not read yet.
    pub fn open(path: &Path) -> Result<DbnFile, ImportError> {
        let mut input = compressed::open(path)?;
        let begin = input.fill_buf().map_err(|error| compressed::failed(path, 0, error))?;
        let is_fragment = !begin.starts_with(MAGIC);
        let described = begin.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
        let mut file = DbnFile {
            path: path.to_owned(),
            input,
            decoder: DbnFsm::default(),
            schema: None,
            symbols: TsSymbolMap::new(),
            number: 0,
            received: Nanos::ZERO,
        };
        if is_fragment {
            file.decoder = file.fragment_decoder()?;
        } else if described > MOST_DESCRIBED {
            // The decoder makes room for what the file says, be it there or not.
            return Err(file.wrong(&format!(
                "what describes the file would take {described} bytes, of which {MOST_DESCRIBED} are allowed; the file is damaged"
            )));
        }
        Ok(file)
    }

    /// For a file of records alone. Those of markets are the same in all versions, and the length of the others is all that is
    /// wanted of them.
    fn fragment_decoder(&self) -> Result<DbnFsm, ImportError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        if !name.contains(".frag") {
            return Err(self.wrong(
                "this is no DBN. A fragment, which has no beginning, is known by '.frag' in its name; DBZ, which came before DBN, \
                 is turned into DBN by Databento's own tool, `dbn`",
            ));
        }
        DbnFsm::builder()
            .skip_metadata(true)
            .input_dbn_version(Some(dbn::DBN_VERSION))
            .and_then(|builder| builder.upgrade_policy(VersionUpgradePolicy::AsIs).build())
            .map_err(|error| self.wrong(&error.to_string()))
    }

    fn begin(&mut self, metadata: &Metadata) {
        self.schema = metadata.schema;
        // A file may name its instruments by other names than ids on both sides: then it maps no id.
        self.symbols = metadata.symbol_map().unwrap_or_default();
    }

    /// Takes what matters of a record whatever it says.
    fn look(&mut self) -> Result<(), ImportError> {
        let Some(record) = self.decoder.last_record() else { return Ok(()) };
        let length = record.header().record_size();
        if !length.is_multiple_of(ALIGNMENT) {
            // The decoder would find no record behind it.
            return Err(self.wrong(&format!("no record has {length} bytes; the file is damaged")));
        }
        if record.header().rtype == RType::SymbolMapping as u8 {
            // One that cannot be read names nothing.
            let _ = self.symbols.on_record(record);
        }
        if let Some(received) = row::received(record) {
            self.received = Nanos(received);
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> ImportError {
        let place = Place { file: self.path.clone(), line: self.number };
        ImportError::Line { place, what: what.to_owned() }
    }
}

impl RecordFile for DbnFile {
    fn advance(&mut self) -> Result<(), ImportError> {
        loop {
            match self.decoder.process() {
                ProcessResult::Record(()) => break,
                ProcessResult::Metadata(metadata) => self.begin(&metadata),
                ProcessResult::Err(error) => return Err(self.wrong(&error.to_string())),
                ProcessResult::ReadMore(_) => {
                    let read = self.input.read(self.decoder.space());
                    match read.map_err(|error| compressed::failed(&self.path, self.number, error))? {
                        0 if self.decoder.data().is_empty() => {
                            self.received = Nanos::MAX;
                            return Ok(());
                        }
                        0 => {
                            return Err(
                                self.wrong("the file ends in the middle of the record behind this one")
                            );
                        }
                        length => self.decoder.fill(length),
                    }
                }
            }
        }
        self.number += 1;
        self.look()
    }

    fn row(&self) -> Result<Option<Row<'_>>, Refused> {
        self.decoder.last_record().map_or(Ok(None), |record| Row::of(record, self.schema))
    }

    fn kind(&self) -> String {
        self.decoder.last_record().map(row::kind).unwrap_or_default()
    }

    fn symbol(&self, instrument: u32) -> Option<&str> {
        self.symbols.get_for_ts(self.received.0, instrument).map(String::as_str)
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn received(&self) -> Nanos {
        self.received
    }
}
