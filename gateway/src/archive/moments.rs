//! Books and trades of the past, as REST tells them.

use super::{Archive, out_of_range, unreadable};
use book::{Ladder, Mark};
use journal::{Moment, Playback, Standing};
use market::{Event, Ids, Instrument, Kind, Level, Nanos, Qty, ResetReason, Seq, Side, SymbolId};
use serde::Serialize;
use session::MAX_TRADES;
use wire::{
    dialect::native_json,
    message::{BookKind, BookMessage, Depth, ErrorCode, Refusal, SnapshotReason, Trade},
};

/// Events that are read at most to find the trades of a range: seconds of work, a few times the largest answer.
const MOST_EVENTS: usize = 20_000_000;

impl Archive {
    /// Appends the object that a snapshot of a book at a moment holds.
    pub(crate) fn push_book(
        &self,
        symbol: SymbolId,
        depth: Depth,
        moment: Moment,
        instrument: &Instrument,
        ids: Ids,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let position = match moment {
            Moment::Time(time) => self.at_time(time)?,
            Moment::Seq(symbol, seq) => self.at_seq(symbol, seq)?,
        };
        let book = standing(position.books.get(symbol))?;
        let mut levels = ladder(book);
        levels.cut(depth.get());
        let message = BookMessage {
            instrument,
            ids,
            kind: BookKind::Snapshot(SnapshotReason::Subscribe),
            levels: &levels,
            checksum: levels.checksum(depth.get()),
            mark: Mark {
                seq: book.seq(),
                timestamp: book.timestamp(),
                venue_seq: book.venue_seq(),
                ..Mark::default()
            },
            stamps: None,
        };
        native_json::push_book_object(out, &message);
        Ok(())
    }

    /// Appends the object that says how the whole book at one number differs from that at another, in absolute quantities.
    pub(crate) fn push_difference(
        &self,
        symbol: SymbolId,
        from: Seq,
        to: Seq,
        instrument: &Instrument,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let before = ladder(standing(self.at_seq(symbol, from)?.books.get(symbol))?);
        let after = ladder(standing(self.at_seq(symbol, to)?.books.get(symbol))?);
        let changes = Ladder {
            bids: changes(&before.bids, &after.bids, Side::Bid),
            asks: changes(&before.asks, &after.asks, Side::Ask),
        };
        native_json::push_difference(out, instrument, from, to, &changes);
        Ok(())
    }

    /// Appends the object that holds the trades of a symbol with a number in a range, both included, oldest first.
    pub(crate) fn push_trades(
        &self,
        symbol: SymbolId,
        from: Seq,
        to: Seq,
        instrument: &Instrument,
        out: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let position = self.before_seq(symbol, from.saturating_sub(1))?;
        let mut playback = Playback::new(position, Nanos::MAX);
        let (mut trades, mut read, mut last) = (Vec::new(), 0, 0);
        while last < to
            && let Some(batch) = playback.next().map_err(unreadable)?
        {
            read += batch.events.len();
            let of_symbol = |event: &&Event| event.symbol == symbol && event.kind.is_numbered();
            for event in batch.events.iter().filter(of_symbol) {
                let restored = event.kind == Kind::Reset && event.reset_reason() == ResetReason::Recording;
                if restored && last < to && event.seq >= from {
                    return Err(out_of_range(
                        "something in that range was not recorded; /v1/recordings lists gaps",
                    ));
                }
                last = event.seq;
                if event.kind == Kind::Trade && (from..=to).contains(&event.seq) {
                    trades.push(trade(event));
                }
            }
            if trades.len() > MAX_TRADES || read > MOST_EVENTS {
                let text = format!(
                    "the range holds more than {MAX_TRADES} trades, or too much else; ask for a part of it"
                );
                return Err(Refusal::new(ErrorCode::TooLarge, text));
            }
        }
        if last < to {
            return Err(out_of_range("the range goes beyond what is recorded"));
        }
        native_json::push_trades(out, instrument, &trades);
        Ok(())
    }
}

fn standing(book: Option<&Standing>) -> Result<&Standing, Refusal> {
    match book {
        Some(book) if book.is_stale() => Err(out_of_range("the book was stale then: the feed had a hole")),
        Some(book) if book.stands() => Ok(book),
        _ => Err(out_of_range("the book had not begun then")),
    }
}

fn ladder(book: &Standing) -> Ladder {
    let side = |side| book.levels().iter(side).collect();
    Ladder { bids: side(Side::Bid), asks: side(Side::Ask) }
}

/// What turns the levels of one side into others, best first: those that differ as they are to be, those that are gone with zero.
fn changes(before: &[Level], after: &[Level], side: Side) -> Vec<Level> {
    let is_better = |a: &Level, b: &Level| match side {
        Side::Bid => a.price > b.price,
        Side::Ask => a.price < b.price,
    };
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    let mut changes = Vec::new();
    loop {
        match (before.peek(), after.peek()) {
            (None, None) => return changes,
            (Some(old), Some(new)) if old.price == new.price => {
                if old.qty != new.qty {
                    changes.push(**new);
                }
                before.next();
                after.next();
            }
            (Some(old), new) if new.is_none_or(|new| is_better(old, new)) => {
                changes.push(Level { qty: Qty::ZERO, ..**old });
                before.next();
            }
            _ => changes.extend(after.next()),
        }
    }
}

fn trade(event: &Event) -> Trade {
    Trade {
        side: event.side,
        price: event.price,
        qty: event.qty,
        trade_id: event.number,
        timestamp: event.timestamp,
        seq: event.seq,
    }
}

/// A run of a recording, as `/v1/recordings` tells it.
#[derive(Debug, Serialize)]
pub(crate) struct RunRow {
    run: u32,
    epoch: String,
    first_record: u64,
    last_record: u64,
    from: Option<String>,
    to: Option<String>,
    bytes: u64,
    symbols: Vec<String>,
    gaps: Vec<GapRow>,
}

/// A gap in it.
#[derive(Debug, Serialize)]
struct GapRow {
    from: String,
    to: String,
    missed: u64,
    reason: &'static str,
}

impl Archive {
    /// A row for each run, the oldest first.
    pub(crate) fn rows(&self) -> Result<Vec<RunRow>, Refusal> {
        let rows = self.contents()?.into_iter().map(|contents| RunRow {
            run: contents.run,
            epoch: contents.epoch.to_string(),
            first_record: contents.records.start,
            last_record: contents.records.end - 1,
            from: contents.times.map(|(first, _)| first.to_string()),
            to: contents.times.map(|(_, last)| last.to_string()),
            bytes: contents.bytes,
            symbols: contents.instruments.iter().map(|(_, instrument)| instrument.symbol.clone()).collect(),
            gaps: contents
                .gaps
                .iter()
                .map(|gap| GapRow {
                    from: gap.from.to_string(),
                    to: gap.to.to_string(),
                    missed: gap.missed,
                    reason: gap.reason.as_str(),
                })
                .collect(),
        });
        Ok(rows.collect())
    }
}
