//! What is asked about a symbol outside of any subscription: its book now, its trades.

use crate::{
    frame::wire_trade,
    publisher::{Publisher, Replica, Standing},
};
use market::{Seq, SymbolId};
use wire::{
    dialect::native_json,
    message::{BookKind, BookMessage, Depth, ErrorCode, Refusal, SnapshotReason},
};

/// Most trades in one answer.
pub const MAX_TRADES: usize = 10_000;

/// Which trades are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeRange {
    /// The newest, so many at most.
    Newest(usize),
    /// Those with a number from the first to the second, both included.
    Between(Seq, Seq),
}

impl Publisher {
    /// Appends the object that a snapshot of this book's view at this depth holds.
    ///
    /// # Errors
    /// If the book does not stand yet, or is stale.
    pub fn push_book_object(
        &mut self,
        symbol: SymbolId,
        depth: Depth,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        match self.standing(symbol) {
            Standing::Whole => {}
            Standing::Absent => {
                return Err(Refusal::new(
                    ErrorCode::OutOfRange,
                    "this book has not begun yet; try again soon",
                ));
            }
            Standing::Stale | Standing::Resyncing => {
                return Err(Refusal::new(ErrorCode::Stale, "this book is being recovered; try again soon"));
            }
        }
        let Replica { book, ids, .. } = &self.replicas[symbol.index()];
        book.view(depth.get(), &mut self.scratch.view);
        let message = BookMessage {
            instrument: &self.instruments[symbol],
            ids: *ids,
            kind: BookKind::Snapshot(SnapshotReason::Subscribe),
            levels: &self.scratch.view,
            checksum: self.scratch.view.checksum(depth.get()),
            mark: book.mark(),
            stamps: None,
        };
        native_json::push_book_object(out, &message);
        Ok(())
    }

    /// Appends the object that holds these trades, oldest first, at most [`MAX_TRADES`].
    ///
    /// # Errors
    /// If not all of a range is held any more, or if it holds too many.
    pub fn push_trades_object(
        &mut self,
        symbol: SymbolId,
        range: TradeRange,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let store = &self.replicas[symbol.index()].trades;
        let trades = &mut self.scratch.wire_trades;
        trades.clear();
        match range {
            TradeRange::Newest(count) => {
                trades.extend(store.newest(count.min(MAX_TRADES)).map(wire_trade));
                trades.reverse();
            }
            TradeRange::Between(from, to) => {
                if from <= store.whole_after() {
                    let first = store.whole_after() + 1;
                    let text = format!("trades of this symbol are held from seq {first} on");
                    return Err(Refusal::new(ErrorCode::OutOfRange, text));
                }
                let after = store.after(from - 1).skip_while(|trade| trade.seq < from);
                let within = after.take_while(|trade| trade.seq <= to);
                trades.extend(within.take(MAX_TRADES + 1).map(wire_trade));
            }
        }
        if trades.len() > MAX_TRADES {
            let text = format!("the range holds more than {MAX_TRADES} trades; ask for a part of it");
            return Err(Refusal::new(ErrorCode::TooLarge, text));
        }
        native_json::push_trades(out, &self.instruments[symbol], trades);
        Ok(())
    }
}
