//! A book by order (MBO). Its changes are told level by level, net, where the venue ends an event.
//!
//! Fills and trades change no order: the cancellation or the modification that follows does.

use super::row::{self, Row};
use crate::import::{
    error::Refused,
    message::{BookMessage, Content, Link, Pass},
    number::Number,
};
use book::{OrderError, Orders};
use market::{Nanos, Price, Qty, Side};

/// A market's orders.
#[derive(Default)]
pub(super) struct OrderBook {
    orders: Orders,
    /// While a snapshot comes, the file that it is in.
    snapshot: Option<usize>,
    /// Whether something in the present event cannot be.
    is_broken: bool,
    /// Whether an event was begun and not ended.
    is_open: bool,
}

impl OrderBook {
    /// Takes a record of order `id`; the file's index tells snapshots apart.
    pub fn take(
        &mut self,
        row: &Row<'_>,
        id: u64,
        file: usize,
        name: &str,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        let is_clear = row.action == b'R';
        if row.flags.is_snapshot() {
            if self.snapshot != Some(file) {
                self.orders.clear();
                self.snapshot = Some(file);
            }
        } else {
            if self.snapshot.take().is_some() {
                self.tell_whole(row, None, name, pass)?;
            }
            self.is_broken |= row.flags.is_maybe_bad_book() && !is_clear;
        }
        self.is_open = true;
        if self.apply(row, id)?.is_err() {
            self.is_broken = true;
        }
        if is_clear && self.snapshot.is_none() {
            self.tell_whole(row, row.time, name, pass)?;
        }
        if row.flags.is_last() {
            self.close(row, name, pass)?;
        }
        Ok(())
    }

    fn apply(&mut self, row: &Row<'_>, id: u64) -> Result<Result<(), OrderError>, Refused> {
        let qty = Qty(row.size.into());
        Ok(match row.action {
            b'A' if row.flags.is_tob() => {
                let side = row.side.ok_or("a best level without a side")?;
                self.orders.clear_side(side);
                // The whole side is this one level, or nothing.
                row.price.map_or(Ok(()), |price| self.orders.add(id, side, Price(price), qty))
            }
            b'A' => {
                let (side, price) = row.order()?;
                self.orders.add(id, side, Price(price), qty)
            }
            b'M' => {
                let (_, price) = row.order()?;
                self.orders.modify(id, Price(price), qty)
            }
            b'C' => self.orders.reduce(id, qty),
            b'R' => {
                self.orders.clear();
                Ok(())
            }
            b'T' | b'F' | b'N' => Ok(()),
            other => {
                return Err(Refused(format!("there is no action '{}'", char::from(other).escape_default())));
            }
        })
    }

    fn close(&mut self, row: &Row<'_>, name: &str, pass: &mut dyn Pass) -> Result<(), Refused> {
        self.is_open = false;
        if self.snapshot.take().is_some() {
            return self.tell_whole(row, None, name, pass);
        }
        let is_broken = std::mem::take(&mut self.is_broken);
        let mut changes = self.orders.take_changes().peekable();
        if changes.peek().is_none() && !is_broken {
            return Ok(());
        }
        pass.market(name)?;
        for (side, level) in changes {
            pass.level(side, row::price(level.price.0), quantity(level.qty)?)?;
        }
        let link = if is_broken { Link::Broken } else { Link::Named { number: row.sequence.into() } };
        pass.book(&BookMessage { content: Content::Change(link), time: row.time, checksum: None });
        Ok(())
    }

    /// Tells the book as it is. Orders of a snapshot are of different times, so it is as late as what was seen before.
    fn tell_whole(
        &mut self,
        row: &Row<'_>,
        time: Option<Nanos>,
        name: &str,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        drop(self.orders.take_changes());
        self.is_broken = false;
        pass.market(name)?;
        for side in Side::BOTH {
            for level in self.orders.levels().iter(side) {
                pass.level(side, row::price(level.price.0), quantity(level.qty)?)?;
            }
        }
        let content = Content::Whole { number: row.sequence.into(), depth: None };
        pass.book(&BookMessage { content, time, checksum: None });
        Ok(())
    }

    /// At the end of the files: accounts for an event that was not ended.
    pub fn end(&mut self, pass: &mut dyn Pass) {
        if std::mem::take(&mut self.is_open) {
            pass.skip("event or snapshot whose end is not in the files", 1);
        }
    }
}

fn quantity(qty: Qty) -> Result<Number<'static>, Refused> {
    let whole = i64::try_from(qty.0).map_err(|_| Refused(format!("the quantity {} is too large", qty.0)))?;
    Ok(Number::Whole(whole))
}
