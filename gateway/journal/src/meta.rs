//! What a run says of itself in `run.toml`: whose numbering it keeps, and its instruments. Text, so that a person can read
//! it, closed by a checksum, so that a change by chance is noticed.

use crate::{
    checked,
    error::{Damage, JournalError},
};
use market::{Epoch, Instrument, Instruments, Price, Qty, Status, parse_fixed};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The format that is written, and the latest that is read.
pub(crate) const FORMAT: u32 = 2;

/// One uninterrupted recording, under one epoch.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub run: u32,
    pub epoch: Epoch,
    /// The number of the run's first record, whether it exists yet or not.
    pub first_record: u64,
    /// The table when the run began.
    pub instruments: Instruments,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaText {
    format: u32,
    run: u32,
    epoch: String,
    first_record: u64,
    #[serde(default, rename = "instrument")]
    instruments: Vec<InstrumentText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstrumentText {
    symbol: String,
    venue_symbol: String,
    price_decimals: u8,
    qty_decimals: u8,
    tick: String,
    lot: String,
    status: String,
}

/// Only the format, to tell a file of a later one from a damaged one.
#[derive(Deserialize)]
struct FormatText {
    format: u32,
}

impl Meta {
    /// The text of `run.toml` above its checksum.
    pub fn to_text(&self) -> String {
        let text = MetaText {
            format: FORMAT,
            run: self.run,
            epoch: self.epoch.to_string(),
            first_record: self.first_record,
            instruments: self.instruments.iter().map(|(_, instrument)| text_of(instrument)).collect(),
        };
        toml::to_string(&text).expect("a table of plain values has a text")
    }

    /// Reads the text of `file`.
    pub fn of_text(text: &[u8], file: &Path) -> Result<Meta, JournalError> {
        let damage =
            |what| Damage { file: file.to_owned(), offset: 0, first_record: 1, last_record: None, what };
        let body = checked::body(text, file)?;
        let version = toml::from_str::<FormatText>(body).map_err(|_| damage("it names no format"))?.format;
        if version > FORMAT {
            return Err(JournalError::Newer { file: file.to_owned(), version, known: FORMAT });
        }
        let wrong = |_| damage("it does not describe a run");
        let text: MetaText = toml::from_str(body).map_err(wrong)?;
        let instruments = text.instruments.into_iter().map(instrument_from).collect::<Result<Vec<_>, _>>();
        let instruments = instruments.map_err(|NotAnInstrument| damage("it describes no instrument"))?;
        Ok(Meta {
            run: text.run,
            epoch: text.epoch.parse().map_err(|_| damage("it names no epoch"))?,
            first_record: text.first_record,
            instruments: Instruments::new(instruments).map_err(|_| damage("its instruments clash"))?,
        })
    }
}

/// One instrument as a TOML table without a heading.
pub(crate) fn instrument_text(instrument: &Instrument) -> String {
    toml::to_string(&text_of(instrument)).expect("a table of plain values has a text")
}

/// Reads what [`instrument_text`] wrote.
pub(crate) fn instrument_of(text: &str) -> Result<Instrument, NotAnInstrument> {
    instrument_from(toml::from_str(text).map_err(|_| NotAnInstrument)?)
}

pub(crate) struct NotAnInstrument;

fn text_of(instrument: &Instrument) -> InstrumentText {
    InstrumentText {
        symbol: instrument.symbol.clone(),
        venue_symbol: instrument.venue_symbol.clone(),
        price_decimals: instrument.price_decimals,
        qty_decimals: instrument.qty_decimals,
        tick: instrument.tick_text(),
        lot: instrument.lot_text(),
        status: instrument.status.as_str().to_owned(),
    }
}

fn instrument_from(text: InstrumentText) -> Result<Instrument, NotAnInstrument> {
    let mantissa =
        |number: &str, decimals| parse_fixed(number.as_bytes(), decimals).map_err(|_| NotAnInstrument);
    let status = [Status::Trading, Status::Halted].into_iter().find(|status| status.as_str() == text.status);
    Ok(Instrument {
        tick: Price(mantissa(&text.tick, text.price_decimals)?),
        lot: Qty(u64::try_from(mantissa(&text.lot, text.qty_decimals)?).map_err(|_| NotAnInstrument)?),
        price_decimals: text.price_decimals,
        qty_decimals: text.qty_decimals,
        status: status.ok_or(NotAnInstrument)?,
        symbol: text.symbol,
        venue_symbol: text.venue_symbol,
    })
}
