//! One file of records, as Zstandard, with what its ids stand for at its beginning.

use super::id;
use crate::export::{ExportError, folder::Folder, sink::Plan};
use dbn::{
    MappingInterval, Metadata, SType, Schema, SymbolMapping,
    encode::{
        DbnEncodable, EncodeRecord,
        dbn::{MetadataEncoder, RecordEncoder},
    },
};
use market::{Nanos, SymbolId};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    num::NonZeroU64,
    path::PathBuf,
};
use time::{Date, Duration, OffsetDateTime};

/// What stands for the dataset.
const DATASET: &str = "DEPTHCAST";

/// A file that is being written.
pub(super) struct RecordFile {
    path: PathBuf,
    out: zstd::Encoder<'static, BufWriter<File>>,
}

impl RecordFile {
    /// Begins a file of this schema.
    pub fn new(
        folder: &mut Folder,
        name: &'static str,
        schema: Schema,
        plan: &Plan<'_>,
    ) -> Result<RecordFile, ExportError> {
        let path = folder.path(name);
        let out = folder.create(name)?;
        let begin = || {
            let mut out = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            MetadataEncoder::new(&mut out).encode(&metadata(schema, plan)).map_err(io::Error::other)?;
            Ok(out)
        };
        let out = begin().map_err(ExportError::io("write", &path))?;
        Ok(RecordFile { path, out })
    }

    /// Appends a record.
    pub fn push<R: DbnEncodable>(&mut self, record: &R) -> Result<(), ExportError> {
        let pushed = RecordEncoder::new(&mut self.out).encode_record(record).map_err(io::Error::other);
        pushed.map_err(ExportError::io("write", &self.path))
    }

    /// Writes what is left.
    pub fn finish(self) -> Result<(), ExportError> {
        let finish = || self.out.finish()?.flush();
        finish().map_err(ExportError::io("write", &self.path))
    }
}

fn metadata(schema: Schema, plan: &Plan<'_>) -> Metadata {
    let name = |symbol| plan.instruments[symbol].venue_symbol.clone();
    let interval = |symbol| MappingInterval {
        start_date: date(plan.from),
        end_date: date(plan.until).saturating_add(Duration::DAY),
        symbol: id(symbol).to_string(),
    };
    let mapping =
        |&symbol: &SymbolId| SymbolMapping { raw_symbol: name(symbol), intervals: vec![interval(symbol)] };
    Metadata::builder()
        .version(dbn::v3::DBN_VERSION)
        .dataset(DATASET)
        .schema(Some(schema))
        .start(plan.from.0)
        .end(NonZeroU64::new(plan.until.0.saturating_add(1)))
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .symbols(plan.chosen.iter().map(|&symbol| name(symbol)).collect())
        .mappings(plan.chosen.iter().map(mapping).collect())
        .build()
}

fn date(time: Nanos) -> Date {
    // 64 bits of nanoseconds end in the year 2554.
    OffsetDateTime::from_unix_timestamp_nanos(time.0.into()).map_or(Date::MAX, OffsetDateTime::date)
}
