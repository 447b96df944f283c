//! What is asked over the REST of the Binance dialect: books that its streams go on from, trades, prices.

use crate::{
    frame::wire_trade,
    publisher::{Publisher, Standing},
};
use market::{Nanos, Side, SymbolId};
use wire::{
    dialect::binance::{self, Fault},
    message::Interval,
};

/// Which trades are asked for: the oldest of those that fit if there is a first one, else the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeWindow {
    /// From this id on.
    pub from_id: Option<u64>,
    /// Not before this moment.
    pub from: Option<Nanos>,
    /// Before this moment.
    pub until: Option<Nanos>,
    /// At most so many.
    pub limit: usize,
}

impl Publisher {
    /// Appends the best `depth` levels of each side of a book, as of the last end of a tenth of a second.
    ///
    /// Its id is that with which an event of `@depth@100ms` ended, so that the next one begins with the id after it; it is
    /// never older than an event that was sent. This is a function of the ring's content, and so the same on each worker.
    ///
    /// # Errors
    /// If the book does not stand, or nobody knows any more what it was then: it was written anew since.
    pub fn push_depth(&mut self, symbol: SymbolId, depth: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.check_standing(symbol)?;
        let replica = &self.replicas[symbol.index()];
        let [settled, unchanged_to] = replica.settled_change(Interval::TENTH, self.feed_time);
        let view = &mut self.scratch.view;
        let is_known = replica.is_settled(Interval::TENTH, self.feed_time)
            && replica.book.view_at(&self.history, unchanged_to.seq, depth, view).is_ok();
        if !is_known {
            return Err(Fault::unavailable("this book was just written anew; try again soon"));
        }
        binance::push_depth(out, &self.instruments[symbol], replica.ids.of(settled.seq), view);
        Ok(())
    }

    fn check_standing(&self, symbol: SymbolId) -> Result<(), Fault> {
        match self.standing(symbol) {
            Standing::Whole => Ok(()),
            Standing::Absent => Err(Fault::unavailable("this book has not begun yet; try again soon")),
            Standing::Stale | Standing::Resyncing => {
                Err(Fault::unavailable("this book is being recovered; try again soon"))
            }
        }
    }

    /// Appends a list of trades, oldest first, each as an aggregate of itself if `aggregate`.
    pub fn push_trade_list(
        &mut self,
        symbol: SymbolId,
        window: TradeWindow,
        aggregate: bool,
        out: &mut Vec<u8>,
    ) {
        let TradeWindow { from_id, from, until, limit } = window;
        let store = &self.replicas[symbol.index()].trades;
        let trades = &mut self.scratch.wire_trades;
        trades.clear();
        let is_over = |time: Nanos| until.is_some_and(|until| time >= until);
        if from_id.is_some() || from.is_some() {
            let is_reached = |trade: &crate::trades::Trade| {
                from_id.is_none_or(|id| trade.id >= id) && from.is_none_or(|from| trade.timestamp >= from)
            };
            let wanted = store.split(is_reached).0.take_while(|trade| !is_over(trade.timestamp));
            trades.extend(wanted.take(limit).map(wire_trade));
        } else {
            trades.extend(store.split(|trade| is_over(trade.timestamp)).1.take(limit).map(wire_trade));
            trades.reverse();
        }
        let instrument = &self.instruments[symbol];
        binance::push_list_of(out, trades.iter(), |out, trade| match aggregate {
            true => binance::push_aggregate(out, trade, instrument),
            false => binance::push_trade(out, trade, instrument),
        });
    }

    /// Appends the price of the newest trade that is known of a symbol.
    ///
    /// # Errors
    /// If none is known.
    pub fn push_last_price(&self, symbol: SymbolId, out: &mut Vec<u8>) -> Result<(), Fault> {
        let last = self.replicas[symbol.index()].trades.newest(1).next();
        let last =
            last.ok_or_else(|| Fault::unavailable("no trade of this symbol is known yet; try again soon"))?;
        binance::push_last_price(out, &self.instruments[symbol], last.price);
        Ok(())
    }

    /// Appends the best of each side of a book.
    ///
    /// # Errors
    /// If the book does not stand.
    pub fn push_top(&self, symbol: SymbolId, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.check_standing(symbol)?;
        let book = &self.replicas[symbol.index()].book;
        binance::push_top(out, &self.instruments[symbol], Side::BOTH.map(|side| book.best(side)));
        Ok(())
    }
}
