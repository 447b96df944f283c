//! One Parquet file, written row by row: rows are gathered until they are a group, and then written column by column.

use crate::export::{ExportError, folder::Folder, sink::Plan};
use bytes::Bytes;
use market::Nanos;
use parquet::{
    basic::{Compression, ZstdLevel},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use std::{
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
    sync::Arc,
};

/// Rows of a group: as many as are kept in memory, some tens of MiB.
const GROUP: usize = 1 << 18;
/// Bytes of a decimal.
const DECIMAL: usize = 16;

/// A file of rows.
pub(super) struct Table {
    path: PathBuf,
    writer: SerializedFileWriter<BufWriter<File>>,
    columns: Vec<Column>,
    rows: usize,
}

/// What a column holds of a row.
pub(super) enum Cell<'a> {
    Text(&'a ByteArray),
    /// A time in nanoseconds, or a number.
    Unsigned(u64),
    /// The mantissa, in the column's decimals.
    Decimal(i128),
    Flag(bool),
    Null,
}

/// The values of a column, and for each row 1 if it has one.
#[derive(Default)]
struct Column {
    text: Vec<ByteArray>,
    whole: Vec<i64>,
    decimal: Vec<u8>,
    flag: Vec<bool>,
    has_value: Vec<i16>,
}

impl Table {
    /// Begins a file with this schema.
    pub fn new(
        folder: &mut Folder,
        name: &'static str,
        schema: &str,
        plan: &Plan<'_>,
    ) -> Result<Table, ExportError> {
        let path = folder.path(name);
        let out = folder.create(name)?;
        let failed = |error: ParquetError| ExportError::io("write", &path)(io::Error::other(error));
        let schema = parse_message_type(schema).map_err(failed)?;
        let columns = schema.get_fields().iter().map(|_| Column::default()).collect();
        let of = |key: &str, value: String| KeyValue::new(format!("depthcast.{key}"), value);
        let time = |time: Nanos| time.to_string();
        let about = vec![
            of("epoch", plan.epoch.to_string()),
            of("from", time(plan.from)),
            of("until", time(plan.until)),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(concat!("depthcast version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(about))
            .build();
        let writer =
            SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        Ok(Table { path, writer, columns, rows: 0 })
    }

    /// Appends a row of as many cells as there are columns.
    pub fn push(&mut self, row: &[Cell<'_>]) -> Result<(), ExportError> {
        debug_assert_eq!(row.len(), self.columns.len());
        self.columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
        self.rows += 1;
        if self.rows == GROUP { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), ExportError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_group(&mut self.writer, &mut self.columns)
            .map_err(|error| ExportError::io("write", &self.path)(io::Error::other(error)))
    }

    /// Writes what is left.
    pub fn finish(mut self) -> Result<(), ExportError> {
        self.write()?;
        let failed = ExportError::io("write", &self.path);
        let out = self.writer.into_inner().map_err(io::Error::other);
        out.and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error)).map(drop).map_err(failed)
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<BufWriter<File>>,
    columns: &mut [Column],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut out) = group.next_column()? else { break };
        column.write(out.untyped())?;
        out.close()?;
    }
    group.close()?;
    Ok(())
}

impl Column {
    fn push(&mut self, cell: &Cell<'_>) {
        self.has_value.push(i16::from(!matches!(cell, Cell::Null)));
        match *cell {
            Cell::Text(text) => self.text.push(text.clone()),
            // Parquet has no unsigned words: the schema says what the bits are.
            Cell::Unsigned(number) => self.whole.push(number.cast_signed()),
            Cell::Decimal(mantissa) => self.decimal.extend_from_slice(&mantissa.to_be_bytes()),
            Cell::Flag(flag) => self.flag.push(flag),
            Cell::Null => {}
        }
    }

    /// Writes the values, and forgets them.
    fn write(&mut self, out: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(&self.has_value[..]);
        match out {
            ColumnWriter::ByteArrayColumnWriter(out) => out.write_batch(&self.text, levels, None)?,
            ColumnWriter::Int64ColumnWriter(out) => out.write_batch(&self.whole, levels, None)?,
            ColumnWriter::BoolColumnWriter(out) => out.write_batch(&self.flag, levels, None)?,
            ColumnWriter::FixedLenByteArrayColumnWriter(out) => {
                let bytes = Bytes::from(std::mem::take(&mut self.decimal));
                let value = |at| FixedLenByteArray::from(ByteArray::from(bytes.slice(at..at + DECIMAL)));
                let values: Vec<_> = (0..bytes.len()).step_by(DECIMAL).map(value).collect();
                out.write_batch(&values, levels, None)?
            }
            _ => return Err(ParquetError::General("a column of a type that no table has".to_owned())),
        };
        self.text.clear();
        self.whole.clear();
        self.flag.clear();
        self.has_value.clear();
        Ok(())
    }
}
