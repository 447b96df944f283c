//! A book by price (MBP): each record holds the best levels of both sides as they are after it. Those that differ are told.

use super::row::{self, Row};
use crate::import::{
    error::Refused,
    message::{BookMessage, Content, Link, Pass},
    number::Number,
};
use book::Ladder;
use dbn::{BidAskPair, UNDEF_PRICE};
use market::{Level, Price, Qty, Side};

/// A market's best levels.
#[derive(Default)]
pub(super) struct BestLevels {
    /// As told.
    told: Ladder,
    /// After the latest record.
    now: Ladder,
    /// Whether `now` is newer.
    is_open: bool,
    /// Whether a whole book was told.
    stands: bool,
}

impl BestLevels {
    /// Takes a record. The levels of a trade are those of before it: the change that it makes comes in a record of its own.
    pub fn take(
        &mut self,
        row: &Row<'_>,
        levels: &[BidAskPair],
        name: &str,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        if row.action != b'T' {
            self.look(levels);
            self.is_open = true;
        }
        // A cleared book is told at once: what follows may be hours away.
        if self.is_open && (row.flags.is_last() || row.action == b'R') {
            self.is_open = false;
            self.tell(row, name, pass)?;
        }
        Ok(())
    }

    fn look(&mut self, levels: &[BidAskPair]) {
        self.now.clear();
        for pair in levels {
            push(&mut self.now.bids, pair.bid_px, pair.bid_sz);
            push(&mut self.now.asks, pair.ask_px, pair.ask_sz);
        }
    }

    fn tell(&mut self, row: &Row<'_>, name: &str, pass: &mut dyn Pass) -> Result<(), Refused> {
        let number = row.sequence.into();
        let is_whole = !self.stands || row.action == b'R';
        if is_whole {
            self.told.clear();
        } else if self.told == self.now {
            return Ok(());
        }
        pass.market(name)?;
        for side in Side::BOTH {
            for change in changes(self.told.side(side), self.now.side(side)) {
                // A size of a level has 32 bits.
                let qty = Number::Whole(change.qty.0 as i64);
                pass.level(side, row::price(change.price.0), qty)?;
            }
        }
        let content = match is_whole {
            true => Content::Whole { number, depth: None },
            false => Content::Change(Link::Named { number }),
        };
        pass.book(&BookMessage { content, time: row.time, checksum: None });
        self.told.clone_from(&self.now);
        self.stands = true;
        Ok(())
    }

    /// At the end of the files: accounts for an event that was not ended.
    pub fn end(&mut self, pass: &mut dyn Pass) {
        if std::mem::take(&mut self.is_open) {
            pass.skip("event or snapshot whose end is not in the files", 1);
        }
    }
}

fn push(side: &mut Vec<Level>, price: i64, size: u32) {
    if price != UNDEF_PRICE && size > 0 {
        side.push(Level { price: Price(price), qty: Qty(size.into()) });
    }
}

/// What leads from one side to another: ten levels are compared faster than they are sorted.
fn changes<'a>(from: &'a [Level], to: &'a [Level]) -> impl Iterator<Item = Level> + 'a {
    let is_gone = |level: &&Level| to.iter().all(|other| other.price != level.price);
    let gone = from.iter().filter(is_gone).map(|level| Level { qty: Qty::ZERO, ..*level });
    gone.chain(to.iter().filter(|level| !from.contains(level)).copied())
}
