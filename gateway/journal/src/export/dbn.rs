//! Databento's DBN, version 3: `mbp-10` (the ten best levels after each exchange event that changes them, and trades), `trades`, and
//! `definition`, which says what a size is counted in.
//!
//! What is recorded is by price and not by order, so there is no MBO to write. A price is in billionths; a size is a count of the
//! instrument's lots, whose quantity stands in its definition. What does not fit is refused, never rounded.

mod file;
mod units;

use super::{
    ExportError, Tally,
    folder::Folder,
    sink::{Plan, Sink, Step, Told},
};
use ::dbn::{
    FlagSet, InstrumentDefMsg, Mbp10Msg, RecordHeader, Schema, SecurityUpdateAction, TradeMsg, UNDEF_PRICE,
    record::str_to_c_chars, rtype,
};
use book::{Ladder, Levels};
use file::RecordFile;
use market::{Event, Level, Side, SymbolId};
use std::{collections::HashMap, ffi::c_char, path::PathBuf};
use units::Units;

const BOOK: &str = "mbp-10.dbn.zst";
const TRADES: &str = "trades.dbn.zst";
const DEFINITION: &str = "definition.dbn.zst";

/// How many levels of a side a record holds.
const DEPTH: usize = 10;
/// None of Databento's publishers has this number.
const PUBLISHER: u16 = 0;
/// One, in billionths.
const ONE: i64 = 1_000_000_000;

/// The three files.
pub(super) struct Dbn {
    folder: Folder,
    book: RecordFile,
    trades: RecordFile,
    definition: RecordFile,
    /// The ten best levels that were told last.
    views: HashMap<SymbolId, Ladder>,
}

impl Dbn {
    /// What is written.
    pub const FILES: &[&str] = &[BOOK, TRADES, DEFINITION];

    /// Begins all files, and writes what the instruments are.
    pub fn new(mut folder: Folder, plan: &Plan<'_>) -> Result<Dbn, ExportError> {
        let mut dbn = Dbn {
            book: RecordFile::new(&mut folder, BOOK, Schema::Mbp10, plan)?,
            trades: RecordFile::new(&mut folder, TRADES, Schema::Trades, plan)?,
            definition: RecordFile::new(&mut folder, DEFINITION, Schema::Definition, plan)?,
            views: HashMap::new(),
            folder,
        };
        for &symbol in plan.chosen {
            dbn.define(symbol, plan)?;
        }
        Ok(dbn)
    }

    fn define(&mut self, symbol: SymbolId, plan: &Plan<'_>) -> Result<(), ExportError> {
        let instrument = &plan.instruments[symbol];
        let units = Units(instrument);
        let raw_symbol =
            str_to_c_chars(&instrument.venue_symbol).map_err(|error| units.unfit(error.to_string()))?;
        self.definition.push(&InstrumentDefMsg {
            hd: RecordHeader::new::<InstrumentDefMsg>(
                rtype::INSTRUMENT_DEF,
                PUBLISHER,
                id(symbol),
                plan.from.0,
            ),
            ts_recv: plan.from.0,
            raw_symbol,
            min_price_increment: units.price(instrument.tick)?,
            display_factor: ONE,
            unit_of_measure_qty: units.lot()?,
            security_update_action: SecurityUpdateAction::Add as c_char,
            ..InstrumentDefMsg::default()
        })
    }

    /// Tells the trades, each with the levels of before it; the last one ends the event if nothing follows.
    fn tell_trades(&mut self, told: &Told<'_>, before: &Ladder, is_all: bool) -> Result<u64, ExportError> {
        let units = Units(told.instrument);
        let levels = units.levels(before)?;
        let mut trades = told.trades().peekable();
        let mut count = 0;
        while let Some(trade) = trades.next() {
            let ends = is_all && trades.peek().is_none();
            let record = TradeMsg {
                hd: header::<TradeMsg>(rtype::MBP_0, told, trade),
                price: units.price(trade.price)?,
                size: units.size(trade.qty)?,
                action: b'T' as c_char,
                side: letter(trade.side),
                flags: flags(ends, false),
                depth: 0,
                ts_recv: told.feed_time.0,
                ts_in_delta: 0,
                sequence: sequence(trade),
            };
            self.trades.push(&record)?;
            self.book.push(&Mbp10Msg {
                hd: header::<Mbp10Msg>(rtype::MBP_10, told, trade),
                price: record.price,
                size: record.size,
                action: record.action,
                side: record.side,
                flags: record.flags,
                depth: 0,
                ts_recv: record.ts_recv,
                ts_in_delta: 0,
                sequence: record.sequence,
                levels: levels.clone(),
            })?;
            count += 1;
        }
        Ok(count)
    }

    /// Tells the ten best levels, and of the changes that led to them the last.
    fn tell_change(&mut self, told: &Told<'_>, before: &Ladder, view: &Ladder) -> Result<(), ExportError> {
        let is_in = |ladder: &Ladder, event: &Event| position(ladder, event).is_some();
        let changes = || told.changes().rev().filter(|&event| is_in(before, event) || is_in(view, event));
        let change = changes().next();
        let units = Units(told.instrument);
        let (action, price, size, depth) = match change {
            None => (b'M', UNDEF_PRICE, 0, 0),
            Some(event) => {
                let (was, is) = (position(before, event), position(view, event));
                let action = if event.qty.is_zero() {
                    b'C'
                } else if was.is_none() {
                    b'A'
                } else {
                    b'M'
                };
                let depth = is.or(was).unwrap_or(0) as u8;
                (action, units.price(event.price)?, units.size(event.qty)?, depth)
            }
        };
        let side = change.map_or(b'N' as c_char, |event| letter(event.side));
        let levels = units.levels(view)?;
        self.book.push(&Mbp10Msg {
            action: action as c_char,
            side,
            price,
            size,
            depth,
            levels,
            ..record(told, false)
        })
    }

    /// Tells that the book begins anew, and how.
    fn tell_anew(&mut self, told: &Told<'_>, view: &Ladder) -> Result<(), ExportError> {
        let is_all = view.is_empty();
        let clear = Mbp10Msg { action: b'R' as c_char, side: b'N' as c_char, ..record(told, true) };
        self.book.push(&Mbp10Msg { flags: flags(is_all, true), ..clear })?;
        if is_all {
            return Ok(());
        }
        let levels = Units(told.instrument).levels(view)?;
        self.book.push(&Mbp10Msg {
            action: b'A' as c_char,
            side: b'N' as c_char,
            levels,
            ..record(told, true)
        })
    }
}

impl Sink for Dbn {
    fn take(&mut self, told: &Told<'_>, tally: &mut Tally) -> Result<(), ExportError> {
        told.tally_status(tally);
        let before = self.views.remove(&told.symbol).unwrap_or_default();
        let view = match told.step {
            Step::Same => before.clone(),
            Step::Changed | Step::Anew { .. } => best(told.levels),
        };
        let is_told = matches!(told.step, Step::Anew { .. }) || view != before;
        tally.trades += self.tell_trades(told, &before, !is_told)?;
        match told.step {
            Step::Same => {}
            Step::Anew { .. } => {
                self.tell_anew(told, &view)?;
                tally.snapshots += 1;
            }
            Step::Changed if is_told => {
                self.tell_change(told, &before, &view)?;
                tally.updates += 1;
            }
            Step::Changed => tally.leave_out("book update beyond the ten best levels"),
        }
        self.views.insert(told.symbol, view);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, ExportError> {
        self.book.finish()?;
        self.trades.finish()?;
        self.definition.finish()?;
        self.folder.finish()
    }
}

/// The ten best levels of each side.
fn best(levels: &Levels) -> Ladder {
    let side = |side| levels.iter(side).take(DEPTH).collect();
    Ladder { bids: side(Side::Bid), asks: side(Side::Ask) }
}

/// Where the price of a change stands.
fn position(ladder: &Ladder, event: &Event) -> Option<usize> {
    ladder.side(event.side).iter().position(|level: &Level| level.price == event.price)
}

/// Of an instrument; zero is none.
fn id(symbol: SymbolId) -> u32 {
    symbol.0 + 1
}

fn header<T: ::dbn::HasRType>(rtype: u8, told: &Told<'_>, event: &Event) -> RecordHeader {
    RecordHeader::new::<T>(rtype, PUBLISHER, id(told.symbol), event.timestamp.0)
}

/// A record of the book that ends the event, with nothing in it.
fn record(told: &Told<'_>, is_snapshot: bool) -> Mbp10Msg {
    Mbp10Msg {
        hd: header::<Mbp10Msg>(rtype::MBP_10, told, told.last()),
        flags: flags(true, is_snapshot),
        ts_recv: told.feed_time.0,
        sequence: sequence(told.last()),
        ..Mbp10Msg::default()
    }
}

fn flags(is_last: bool, is_snapshot: bool) -> FlagSet {
    let mut flags = FlagSet::empty();
    if is_last {
        flags.set_last();
    }
    if is_snapshot {
        flags.set_snapshot();
    }
    flags
}

/// The last 32 bits of the event's number.
fn sequence(event: &Event) -> u32 {
    (event.seq & u64::from(u32::MAX)) as u32
}

fn letter(side: Side) -> c_char {
    (if side == Side::Bid { b'B' } else { b'A' }) as c_char
}
