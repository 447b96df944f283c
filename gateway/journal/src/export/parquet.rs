//! Parquet: a table of all that happened to books, and one of trades. Together they hold every numbered event of the recording.
//!
//! Prices and quantities are decimals, never floats. One column holds instruments of different decimals, so its scale is that of the most
//! precise one, and its 38 digits have room for any number of any instrument.

mod table;

use super::{
    ExportError, Tally,
    folder::Folder,
    sink::{Plan, Sink, Step, Told},
};
use ::parquet::data_type::ByteArray;
use market::{Event, Kind, Side, SymbolId};
use std::{collections::HashMap, path::PathBuf};
use table::{Cell, Table};

const BOOK: &str = "book.parquet";
const TRADES: &str = "trades.parquet";

/// The two tables.
pub(super) struct Parquet {
    folder: Folder,
    book: Table,
    trades: Table,
    symbols: HashMap<SymbolId, ByteArray>,
    words: Words,
    scale: Scale,
}

/// Decimals of a column, the most of any instrument.
#[derive(Clone, Copy)]
struct Scale {
    price: u8,
    qty: u8,
}

/// The words that the tables hold.
struct Words {
    level: ByteArray,
    reset: ByteArray,
    gap: ByteArray,
    crossed: ByteArray,
    bid: ByteArray,
    ask: ByteArray,
    buy: ByteArray,
    sell: ByteArray,
}

impl Parquet {
    /// Begins both files.
    pub fn new(mut folder: Folder, plan: &Plan<'_>) -> Result<Parquet, ExportError> {
        let chosen = || plan.chosen.iter().map(|&symbol| &plan.instruments[symbol]);
        let scale = Scale {
            price: chosen().map(|instrument| instrument.price_decimals).max().unwrap_or(0),
            qty: chosen().map(|instrument| instrument.qty_decimals).max().unwrap_or(0),
        };
        let named = plan.chosen.iter().map(|&symbol| (symbol, text(&plan.instruments[symbol].symbol)));
        Ok(Parquet {
            book: Table::new(&mut folder, BOOK, &book_schema(scale), plan)?,
            trades: Table::new(&mut folder, TRADES, &trades_schema(scale), plan)?,
            symbols: named.collect(),
            words: Words {
                level: text("level"),
                reset: text("reset"),
                gap: text("gap"),
                crossed: text("crossed"),
                bid: text("bid"),
                ask: text("ask"),
                buy: text("buy"),
                sell: text("sell"),
            },
            scale,
            folder,
        })
    }

    fn book_row(&mut self, told: &Told<'_>, event: &Event) -> Result<(), ExportError> {
        let Words { level, reset, gap, crossed, bid, ask, .. } = &self.words;
        let kind = match event.kind {
            Kind::Level => level,
            Kind::Reset => reset,
            Kind::FeedGap => gap,
            Kind::Crossed => crossed,
            _ => return Ok(()),
        };
        let reason = (event.kind == Kind::Reset).then(|| text(event.reset_reason().as_str()));
        let is_level = event.kind == Kind::Level;
        let (price, qty) = self.scale.numbers(told, event);
        self.book.push(&[
            Cell::Text(&self.symbols[&told.symbol]),
            Cell::Unsigned(event.seq),
            Cell::Unsigned(event.timestamp.0),
            Cell::Unsigned(told.feed_time.0),
            Cell::Text(kind),
            reason.as_ref().map_or(Cell::Null, Cell::Text),
            if is_level { Cell::Text(if event.side == Side::Bid { bid } else { ask }) } else { Cell::Null },
            if is_level { Cell::Decimal(price) } else { Cell::Null },
            if is_level { Cell::Decimal(qty) } else { Cell::Null },
            Cell::Unsigned(event.number),
            Cell::Flag(event.last || !event.kind.is_numbered()),
        ])
    }

    fn trade_row(&mut self, told: &Told<'_>, trade: &Event) -> Result<(), ExportError> {
        let Words { buy, sell, .. } = &self.words;
        let (price, qty) = self.scale.numbers(told, trade);
        self.trades.push(&[
            Cell::Text(&self.symbols[&told.symbol]),
            Cell::Unsigned(trade.seq),
            Cell::Unsigned(trade.timestamp.0),
            Cell::Unsigned(told.feed_time.0),
            Cell::Text(if trade.side == Side::Bid { buy } else { sell }),
            Cell::Decimal(price),
            Cell::Decimal(qty),
            Cell::Unsigned(trade.number),
            Cell::Flag(trade.last),
        ])
    }
}

impl Sink for Parquet {
    fn take(&mut self, told: &Told<'_>, tally: &mut Tally) -> Result<(), ExportError> {
        for event in told.events {
            match event.kind {
                Kind::Trade => {
                    self.trade_row(told, event)?;
                    tally.trades += 1;
                }
                _ => self.book_row(told, event)?,
            }
        }
        match told.step {
            Step::Same => {}
            Step::Changed => tally.updates += 1,
            Step::Anew { .. } => tally.snapshots += 1,
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportError> {
        self.book.finish()?;
        self.trades.finish()?;
        self.folder.finish()
    }
}

impl Scale {
    /// The price and the quantity in the columns' decimals: a mantissa of 64 bits times at most ten to 18.
    fn numbers(self, told: &Told<'_>, event: &Event) -> (i128, i128) {
        let power = |scale: u8, decimals: u8| 10_i128.pow(u32::from(scale - decimals));
        (
            i128::from(event.price.0) * power(self.price, told.instrument.price_decimals),
            i128::from(event.qty.0) * power(self.qty, told.instrument.qty_decimals),
        )
    }
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

fn book_schema(Scale { price, qty }: Scale) -> String {
    format!(
        "message book {{
            required binary symbol (STRING);
            required int64 seq (INTEGER(64,false));
            required int64 timestamp (TIMESTAMP(NANOS,true));
            required int64 feed_time (TIMESTAMP(NANOS,true));
            required binary kind (STRING);
            optional binary reason (STRING);
            optional binary side (STRING);
            optional fixed_len_byte_array(16) price (DECIMAL(38,{price}));
            optional fixed_len_byte_array(16) qty (DECIMAL(38,{qty}));
            required int64 venue_seq (INTEGER(64,false));
            required boolean last;
        }}"
    )
}

fn trades_schema(Scale { price, qty }: Scale) -> String {
    format!(
        "message trades {{
            required binary symbol (STRING);
            required int64 seq (INTEGER(64,false));
            required int64 timestamp (TIMESTAMP(NANOS,true));
            required int64 feed_time (TIMESTAMP(NANOS,true));
            required binary side (STRING);
            required fixed_len_byte_array(16) price (DECIMAL(38,{price}));
            required fixed_len_byte_array(16) qty (DECIMAL(38,{qty}));
            required int64 trade_id (INTEGER(64,false));
            required boolean last;
        }}"
    )
}
