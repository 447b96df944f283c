//! One file of Databento's CSV, with a header: columns are found by their names, so there may be others between them.
//!
//! A price with a point is a decimal number, one without is in billionths; a time is ISO 8601 or in nanoseconds since 1970: both as
//! the vendor writes them, prettily or not.

use super::{
    RecordFile,
    row::{self, Content, Row},
};
use crate::import::{
    error::{ImportError, Refused},
    table::{Table, shown},
};
use dbn::{BidAskPair, FlagSet, UNDEF_PRICE};
use market::{Nanos, parse_fixed};
use std::path::Path;

/// The most levels of a side that a file may have.
const MAX_LEVELS: usize = 10;

/// A file, and the row in it that was read last.
pub(super) struct CsvFile {
    table: Table,
    columns: Columns,
    levels: Vec<BidAskPair>,
    /// Later than everything at the end of the file.
    received: Nanos,
}

/// Where the columns are.
struct Columns {
    received: usize,
    time: usize,
    publisher: usize,
    instrument: usize,
    action: usize,
    side: usize,
    price: usize,
    size: usize,
    flags: usize,
    sequence: usize,
    /// Of files by order.
    order: Option<usize>,
    symbol: Option<usize>,
    /// Of each level: bid price and size, ask price and size.
    levels: Vec<[usize; 4]>,
}

impl Columns {
    fn of(header: &Table) -> Result<Columns, Refused> {
        let find = |name: &str| header.cells().position(|column| column == name);
        let need = |name: &str| {
            let missing =
                || Refused(format!("the header has no column {name}; is this CSV of mbo, mbp or trades?"));
            find(name).ok_or_else(missing)
        };
        let level = |at: usize| {
            let [bid, bid_size] = [format!("bid_px_{at:02}"), format!("bid_sz_{at:02}")];
            let [ask, ask_size] = [format!("ask_px_{at:02}"), format!("ask_sz_{at:02}")];
            Some([find(&bid)?, find(&bid_size)?, find(&ask)?, find(&ask_size)?])
        };
        let levels: Vec<_> = (0..MAX_LEVELS).map_while(level).collect();
        Ok(Columns {
            received: need("ts_recv")?,
            time: need("ts_event")?,
            publisher: need("publisher_id")?,
            instrument: need("instrument_id")?,
            action: need("action")?,
            side: need("side")?,
            price: need("price")?,
            size: need("size")?,
            flags: need("flags")?,
            sequence: need("sequence")?,
            order: find("order_id").filter(|_| levels.is_empty()),
            symbol: find("symbol"),
            levels,
        })
    }
}

impl CsvFile {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<CsvFile, ImportError> {
        let mut table = Table::open(path)?;
        table.advance()?;
        let columns = Columns::of(&table).map_err(|refused| table.wrong(&refused))?;
        Ok(CsvFile { table, columns, levels: Vec::new(), received: Nanos::ZERO })
    }

    /// Takes out of the row what is needed beyond [`RecordFile::row`].
    fn look(&mut self) -> Result<(), Refused> {
        if let Some(received) = time(self.table.cell(self.columns.received))? {
            self.received = received;
        }
        let level = |&[bid, bid_size, ask, ask_size]: &[usize; 4]| {
            Ok(BidAskPair {
                bid_px: price(self.table.cell(bid))?.unwrap_or(UNDEF_PRICE),
                bid_sz: self.table.whole(bid_size)?,
                ask_px: price(self.table.cell(ask))?.unwrap_or(UNDEF_PRICE),
                ask_sz: self.table.whole(ask_size)?,
                ..BidAskPair::default()
            })
        };
        let levels: Result<Vec<_>, Refused> = self.columns.levels.iter().map(level).collect();
        self.levels = levels?;
        Ok(())
    }

    fn read(&self) -> Result<Row<'_>, Refused> {
        let Columns { order, levels, .. } = &self.columns;
        let content = match order {
            Some(order) => Content::Order(self.table.whole(*order)?),
            None if levels.is_empty() => Content::Trade,
            None => Content::Levels(&self.levels),
        };
        let letter = |column| self.table.cell(column).bytes().next().unwrap_or(b'N');
        Ok(Row {
            publisher: self.table.whole(self.columns.publisher)?,
            instrument: self.table.whole(self.columns.instrument)?,
            time: time(self.table.cell(self.columns.time))?,
            action: letter(self.columns.action),
            side: row::side(letter(self.columns.side)),
            price: price(self.table.cell(self.columns.price))?,
            size: self.table.whole(self.columns.size)?,
            flags: FlagSet::new(self.table.whole(self.columns.flags)?),
            sequence: self.table.whole(self.columns.sequence)?,
            content,
        })
    }
}

impl RecordFile for CsvFile {
    fn advance(&mut self) -> Result<(), ImportError> {
        if !self.table.advance()? {
            self.received = Nanos::MAX;
            return Ok(());
        }
        self.look().map_err(|refused| self.table.wrong(&refused))
    }

    fn row(&self) -> Result<Option<Row<'_>>, Refused> {
        self.read().map(Some)
    }

    fn symbol(&self, _: u32) -> Option<&str> {
        self.columns.symbol.map(|column| self.table.cell(column)).filter(|symbol| !symbol.is_empty())
    }

    fn number(&self) -> u64 {
        self.table.number()
    }

    fn received(&self) -> Nanos {
        self.received
    }
}

/// A price in billionths, if there is one.
fn price(text: &str) -> Result<Option<i64>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let decimals = if text.contains('.') { row::PRICE_DECIMALS } else { 0 };
    let price = parse_fixed(text.as_bytes(), decimals)
        .map_err(|error| Refused(format!("the price '{}': {error}", shown(text))))?;
    Ok(Some(price).filter(|&price| price != UNDEF_PRICE))
}

/// A time, if there is one.
fn time(text: &str) -> Result<Option<Nanos>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = if text.contains('T') { text.parse().ok() } else { text.parse().ok().map(Nanos) };
    let time: Nanos = time.ok_or_else(|| Refused(format!("'{}' is no time", shown(text))))?;
    Ok(Some(time).filter(|&time| time < Nanos::MAX))
}
