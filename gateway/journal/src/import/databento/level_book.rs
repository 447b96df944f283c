//! A book by price (MBP): each record holds the best levels of both sides as they are after it.

use super::row::{self, Row};
use crate::import::{
    best_levels::{BestLevels, Moment},
    error::Refused,
    message::Pass,
};
use dbn::{BidAskPair, UNDEF_PRICE};
use market::{Level, Price, Qty};

/// A market's best levels.
pub(super) struct LevelBook {
    levels: BestLevels,
    /// Whether there are levels that were not told.
    is_open: bool,
}

impl LevelBook {
    /// A book that has not begun.
    pub fn new() -> LevelBook {
        LevelBook { levels: BestLevels::new(row::PRICE_DECIMALS), is_open: false }
    }

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
        let is_anew = row.action == b'R';
        if self.is_open && (row.flags.is_last() || is_anew) {
            self.is_open = false;
            let moment = Moment { time: row.time, number: row.sequence.into(), is_anew };
            self.levels.tell(name, moment, pass)?;
        }
        Ok(())
    }

    fn look(&mut self, levels: &[BidAskPair]) {
        let now = &mut self.levels.now;
        now.clear();
        for pair in levels {
            push(&mut now.bids, pair.bid_px, pair.bid_sz);
            push(&mut now.asks, pair.ask_px, pair.ask_sz);
        }
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
