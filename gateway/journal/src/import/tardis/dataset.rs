//! One file of a dataset, with a header: columns are found by their names, so there may be others between them.
//!
//! A row is one level; the rows of one message of the exchange stand together and share the time at which it was received.

use crate::import::{
    error::{ImportError, Refused},
    line::decimal_time,
    message::Trade,
    number::Number,
    table::{Table, shown},
};
use market::{Nanos, Side, parse_fixed};
use std::path::Path;

/// The most rows of one message; the largest whole book of a venue has a tenth of it.
const MAX_ROWS: usize = 1 << 20;
/// Decimals of times in microseconds, in nanoseconds.
const MICROS: u8 = 3;
/// Digits behind the point that a number may have.
const MAX_DECIMALS: usize = 18;

/// A file, and the message in it that was read last.
pub(super) struct Dataset {
    table: Table,
    columns: Columns,
    /// Whether the table's row is not of the message, but of the next one.
    is_ahead: bool,
    pub message: Message,
}

/// What an exchange sent at once of one symbol.
pub(super) struct Message {
    pub exchange: String,
    pub symbol: String,
    /// The latest that the exchange says of its rows.
    pub time: Nanos,
    /// When it arrived; later than everything at the end of the file.
    pub received: Nanos,
    /// The number of its first line, from 1.
    pub number: u64,
    pub said: Said,
}

/// What it is.
pub(super) enum Said {
    Levels(Levels),
    /// `None` if no aggressor is told.
    Trade(Option<Trade<'static>>),
}

/// Levels of a book, each as it is now, gone if its quantity is zero.
#[derive(Default)]
pub(super) struct Levels {
    pub of_snapshot: bool,
    pub list: Vec<(Side, Number<'static>, Number<'static>)>,
}

/// Where the columns are.
struct Columns {
    exchange: usize,
    symbol: usize,
    time: usize,
    received: usize,
    side: usize,
    price: usize,
    amount: usize,
    kind: Kind,
}

/// Which dataset it is, and the column that only it has.
#[derive(Clone, Copy)]
enum Kind {
    Book { is_snapshot: usize },
    Trades { id: usize },
}

impl Columns {
    fn of(header: &Table) -> Result<Columns, Refused> {
        let find = |name: &str| header.cells().position(|column| column == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| {
                Refused(format!(
                    "the header has no column {name}; of Tardis' datasets, incremental_book_L2 and trades are read"
                ))
            })
        };
        let kind = match find("is_snapshot") {
            Some(is_snapshot) => Kind::Book { is_snapshot },
            None => Kind::Trades { id: need("id")? },
        };
        Ok(Columns {
            exchange: need("exchange")?,
            symbol: need("symbol")?,
            time: need("timestamp")?,
            received: need("local_timestamp")?,
            side: need("side")?,
            price: need("price")?,
            amount: need("amount")?,
            kind,
        })
    }
}

impl Dataset {
    /// Opens a file and reads its header and its first row. A file without anything is one of a day on which nothing happened.
    pub fn open(path: &Path) -> Result<Dataset, ImportError> {
        let mut table = Table::open(path)?;
        let message = Message {
            exchange: String::new(),
            symbol: String::new(),
            time: Nanos::ZERO,
            received: Nanos::ZERO,
            number: 0,
            said: Said::Trade(None),
        };
        if !table.advance()? {
            let columns = Columns::none();
            return Ok(Dataset { table, columns, is_ahead: false, message });
        }
        let columns = Columns::of(&table).map_err(|refused| table.wrong(&refused))?;
        let is_ahead = table.advance()?;
        Ok(Dataset { table, columns, is_ahead, message })
    }

    /// Reads the rows of the next message, or comes to the end.
    pub fn advance(&mut self) -> Result<(), ImportError> {
        if !self.is_ahead {
            self.message.received = Nanos::MAX;
            return Ok(());
        }
        self.begin().map_err(|refused| self.table.wrong(&refused))?;
        loop {
            self.is_ahead = self.table.advance()?;
            if !self.is_ahead || !self.take().map_err(|refused| self.table.wrong(&refused))? {
                return Ok(());
            }
        }
    }

    /// Takes the table's row as the first of a message.
    fn begin(&mut self) -> Result<(), Refused> {
        let Dataset { table, columns, message, .. } = self;
        for (name, at) in [(&mut message.exchange, columns.exchange), (&mut message.symbol, columns.symbol)] {
            name.clear();
            name.push_str(table.cell(at));
        }
        message.number = table.number();
        (message.time, message.received) =
            (time(table.cell(columns.time))?, time(table.cell(columns.received))?);
        match columns.kind {
            Kind::Book { is_snapshot } => {
                let mut list = match &mut message.said {
                    Said::Levels(levels) => std::mem::take(&mut levels.list),
                    Said::Trade(_) => Vec::new(),
                };
                list.clear();
                list.push(columns.level(table)?);
                message.said = Said::Levels(Levels { of_snapshot: flag(table.cell(is_snapshot))?, list });
            }
            Kind::Trades { id } => {
                message.said = Said::Trade(columns.trade(table, id, message.time)?);
            }
        }
        Ok(())
    }

    /// Takes the table's row if it is of the message, too; whether it is.
    fn take(&mut self) -> Result<bool, Refused> {
        let Dataset { table, columns, message, .. } = self;
        let (Kind::Book { is_snapshot }, Said::Levels(levels)) = (columns.kind, &mut message.said) else {
            return Ok(false);
        };
        let is_same = table.cell(columns.symbol) == message.symbol
            && table.cell(columns.exchange) == message.exchange
            && time(table.cell(columns.received))? == message.received
            && flag(table.cell(is_snapshot))? == levels.of_snapshot;
        if is_same {
            if levels.list.len() == MAX_ROWS {
                return Err("there are more than 1048576 rows of one message".into());
            }
            levels.list.push(columns.level(table)?);
            message.time = message.time.max(time(table.cell(columns.time))?);
        }
        Ok(is_same)
    }
}

impl Columns {
    /// Of a file without a header.
    fn none() -> Columns {
        let kind = Kind::Trades { id: 0 };
        Columns { exchange: 0, symbol: 0, time: 0, received: 0, side: 0, price: 0, amount: 0, kind }
    }

    fn level(&self, row: &Table) -> Result<(Side, Number<'static>, Number<'static>), Refused> {
        let side = match row.cell(self.side) {
            "bid" => Side::Bid,
            "ask" => Side::Ask,
            other => return Err(Refused(format!("there is no side '{}' of a book", shown(other)))),
        };
        Ok((side, number(row.cell(self.price))?, number(row.cell(self.amount))?))
    }

    fn trade(&self, row: &Table, id: usize, time: Nanos) -> Result<Option<Trade<'static>>, Refused> {
        let (price, qty) = (number(row.cell(self.price))?, number(row.cell(self.amount))?);
        let aggressor = match row.cell(self.side) {
            "buy" => Side::Bid,
            "sell" => Side::Ask,
            "unknown" => return Ok(None),
            other => return Err(Refused(format!("there is no side '{}' of a trade", shown(other)))),
        };
        // Not every exchange's ids are numbers.
        let id = row.cell(id).parse().ok();
        Ok(Some(Trade { id, time, price, qty, aggressor }))
    }
}

fn time(text: &str) -> Result<Nanos, Refused> {
    decimal_time(text.as_bytes(), MICROS)
        .ok_or_else(|| Refused(format!("'{}' is no time in microseconds since 1970", shown(text))))
}

fn flag(text: &str) -> Result<bool, Refused> {
    text.parse().map_err(|_| Refused(format!("'{}' is neither true nor false", shown(text))))
}

/// A decimal number, or one with an exponent, as JavaScript writes small ones.
fn number(text: &str) -> Result<Number<'static>, Refused> {
    let refused = |why: &str| Refused(format!("'{}' is no number: {why}", shown(text)));
    if text.contains(['e', 'E']) {
        let float = text.parse().ok().filter(|float: &f64| float.is_finite());
        return float.map(Number::Float).ok_or_else(|| refused("not a plain decimal number"));
    }
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
    let decimals = decimals.min(MAX_DECIMALS) as u8;
    let mantissa = parse_fixed(text.as_bytes(), decimals).map_err(|error| refused(&error.to_string()))?;
    Ok(Number::Fixed { mantissa, decimals })
}
