//! Tardis' datasets as CSV: `incremental_book_L2` and `trades`, gzip'd as the vendor serves them.
//!
//! The columns are exactly the vendor's, as tools that read them look at all names in the header. Rows of one exchange event share
//! `local_timestamp`, which is feed time, so the rows are in its order.

use super::{
    ExportError, Tally,
    folder::Folder,
    sink::{Plan, Sink, Step, Told},
};
use flate2::{Compression, write::GzEncoder};
use market::{Level, Nanos, Price, Qty, Side, SymbolId, push_digits, push_fixed, push_unsigned_fixed};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
};

const BOOK: &str = "incremental_book_L2.csv.gz";
const TRADES: &str = "trades.csv.gz";

/// The two datasets.
pub(super) struct Csv {
    folder: Folder,
    exchange: String,
    book: Dataset,
    trades: Dataset,
    /// The symbols whose last row was of a snapshot.
    in_snapshot: HashSet<SymbolId>,
}

impl Csv {
    /// What is written.
    pub const FILES: &[&str] = &[BOOK, TRADES];

    /// Begins both files.
    pub fn new(mut folder: Folder, plan: &Plan<'_>) -> Result<Csv, ExportError> {
        let book = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n";
        let trades = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n";
        Ok(Csv {
            book: Dataset::new(&mut folder, BOOK, book)?,
            trades: Dataset::new(&mut folder, TRADES, trades)?,
            exchange: plan.exchange.to_owned(),
            in_snapshot: HashSet::new(),
            folder,
        })
    }

    fn level(
        &mut self,
        told: &Told<'_>,
        is_snapshot: bool,
        side: Side,
        level: Level,
    ) -> Result<(), ExportError> {
        let row = self.book.begin(&self.exchange, told, told.last().timestamp);
        let words: [&[u8]; 2] = [
            if is_snapshot { b"true," } else { b"false," },
            if side == Side::Bid { b"bid," } else { b"ask," },
        ];
        words.iter().for_each(|word| row.extend_from_slice(word));
        push_level(row, told, level.price, level.qty);
        self.book.end()
    }

    /// A snapshot. Rows of one that follow rows of another would add to it: then what stood before is taken away first, as it is where
    /// there is nothing else to say.
    fn whole(&mut self, told: &Told<'_>, before: &book::Levels) -> Result<(), ExportError> {
        let is_empty = Side::BOTH.iter().all(|&side| told.levels.len(side) == 0);
        if is_empty || self.in_snapshot.contains(&told.symbol) {
            for side in Side::BOTH {
                for level in before.iter(side) {
                    self.level(told, false, side, Level { qty: Qty::ZERO, ..level })?;
                    self.in_snapshot.remove(&told.symbol);
                }
            }
        }
        for side in Side::BOTH {
            for level in told.levels.iter(side) {
                self.level(told, true, side, level)?;
                self.in_snapshot.insert(told.symbol);
            }
        }
        Ok(())
    }
}

impl Sink for Csv {
    fn take(&mut self, told: &Told<'_>, tally: &mut Tally) -> Result<(), ExportError> {
        told.tally_status(tally);
        for trade in told.trades() {
            let row = self.trades.begin(&self.exchange, told, trade.timestamp);
            push_digits(row, trade.number);
            row.extend_from_slice(if trade.side == Side::Bid { b",buy," } else { b",sell," });
            push_level(row, told, trade.price, trade.qty);
            self.trades.end()?;
            tally.trades += 1;
        }
        match told.step {
            Step::Same => {}
            Step::Changed => {
                for change in told.changes() {
                    let level = Level { price: change.price, qty: change.qty };
                    self.level(told, false, change.side, level)?;
                }
                self.in_snapshot.remove(&told.symbol);
                tally.updates += 1;
            }
            Step::Anew { before } => {
                self.whole(told, before)?;
                tally.snapshots += 1;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportError> {
        self.book.finish()?;
        self.trades.finish()?;
        self.folder.finish()
    }
}

/// The price and the quantity of a row, and its end.
fn push_level(row: &mut Vec<u8>, told: &Told<'_>, price: Price, qty: Qty) {
    push_fixed(row, price.0, told.instrument.price_decimals);
    row.push(b',');
    push_unsigned_fixed(row, qty.0, told.instrument.qty_decimals);
    row.push(b'\n');
}

/// A file of rows.
struct Dataset {
    path: PathBuf,
    out: GzEncoder<BufWriter<File>>,
    /// Rows that were not written yet.
    rows: Vec<u8>,
}

impl Dataset {
    /// So many bytes of rows are written at once.
    const BUFFER: usize = 64 << 10;

    fn new(folder: &mut Folder, name: &'static str, header: &str) -> Result<Dataset, ExportError> {
        let out = GzEncoder::new(folder.create(name)?, Compression::default());
        Ok(Dataset { path: folder.path(name), out, rows: header.as_bytes().to_vec() })
    }

    /// Begins a row: the columns that both datasets begin with.
    fn begin(&mut self, exchange: &str, told: &Told<'_>, timestamp: Nanos) -> &mut Vec<u8> {
        let row = &mut self.rows;
        for name in [exchange, &told.instrument.venue_symbol] {
            row.extend_from_slice(name.as_bytes());
            row.push(b',');
        }
        for time in [timestamp, told.feed_time] {
            push_digits(row, time.0 / 1_000);
            row.push(b',');
        }
        row
    }

    fn end(&mut self) -> Result<(), ExportError> {
        if self.rows.len() < Dataset::BUFFER {
            return Ok(());
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), ExportError> {
        self.out.write_all(&self.rows).map_err(ExportError::io("write", &self.path))?;
        self.rows.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.write()?;
        let finish = || self.out.finish()?.flush();
        finish().map_err(ExportError::io("write", &self.path))
    }
}
