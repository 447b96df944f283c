//! Books, tops of books and trades.

use super::{
    Broken, Outcome, Subject, Tracker,
    cursor::Taken,
    fault::FaultKind,
    form::{
        BboEntry, BookEntry, Envelope, Kind, LevelEntry, Range, Span, SpanMembers, TradeEntry, TradeForm,
        read, time,
    },
    number::Decimals,
    state::{BboState, BookState, Symbol, is_best_first},
};
use book::Ladder;
use market::{Level, Side};
use serde_json::value::RawValue;
use wire::message::{Channel, SnapshotReason, Trade};

impl Tracker {
    pub(super) fn take_book(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Envelope::<[BookEntry<'_>; 1]> { kind, data: [entry], .. } = read(text)?;
        let index = self.find(entry.symbol)?;
        let subject = Subject { symbol: index, channel: Channel::Book };
        let &BookEntry { epoch, first_seq, seq, reason, conflated, merged, .. } = &entry;
        let span = SpanMembers { kind, epoch, first_seq, seq, reason, conflated, merged }.read();
        let span = span.map_err(|kind| subject.broken(kind))?;
        let taken = self.symbols[index].take_book(&entry, &span, &mut self.changes);
        if taken.map_err(|kind| subject.broken(kind))? == Taken::Drop {
            self.counters.dropped += 1;
            return Ok(Outcome::Dropped(subject));
        }
        let snapshot = self.count(&span);
        Ok(Outcome::Book { index, snapshot, stamps: entry.ts.map(Into::into) })
    }

    pub(super) fn take_bbo(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let Envelope::<[BboEntry<'_>; 1]> { kind, data: [entry], .. } = read(text)?;
        let index = self.find(entry.symbol)?;
        let subject = Subject { symbol: index, channel: Channel::Bbo };
        let &BboEntry { epoch, first_seq, seq, reason, conflated, merged, .. } = &entry;
        let span = SpanMembers { kind, epoch, first_seq, seq, reason, conflated, merged }.read();
        let span = span.map_err(|kind| subject.broken(kind))?;
        let taken = self.symbols[index].take_bbo(&entry, &span);
        if taken.map_err(|kind| subject.broken(kind))? == Taken::Drop {
            self.counters.dropped += 1;
            return Ok(Outcome::Dropped(subject));
        }
        let snapshot = self.count(&span);
        Ok(Outcome::Bbo { index, snapshot, stamps: entry.ts.map(Into::into) })
    }

    pub(super) fn take_trades(&mut self, text: &[u8]) -> Result<Outcome, Broken> {
        let form: TradeForm<'_> = read(text)?;
        let &TradeForm { kind, epoch, first_seq, seq, reason, .. } = &form;
        let span =
            SpanMembers { kind, epoch, first_seq, seq, reason, conflated: None, merged: None }.read()?;
        let index = self.symbol_of_trades(&form)?;
        let subject = Subject { symbol: index, channel: Channel::Trade };
        let jumps = self.symbols[index].take_trades(&form, &span, self.dense_trade_ids, &mut self.trades);
        self.counters.trade_id_jumps += jumps.map_err(|kind| subject.broken(kind))?;
        let new = self.trades.len() as u64;
        self.counters.dropped += form.data.len() as u64 - new;
        if new == 0 && kind == Kind::Update {
            return Ok(Outcome::Dropped(subject));
        }
        self.counters.trades += new;
        let snapshot = self.count(&span);
        Ok(Outcome::Trades { index, snapshot, stamps: form.ts.map(Into::into) })
    }

    /// A trade message is one symbol's, which each trade names, and a snapshot itself.
    fn symbol_of_trades(&self, form: &TradeForm<'_>) -> Result<usize, FaultKind> {
        if form.kind == Kind::Update && form.data.is_empty() {
            return Err(FaultKind::Malformed("an update without a trade".into()));
        }
        let mut named = form.data.iter().map(|trade| trade.symbol).chain(form.symbol);
        let Some(first) = named.next() else {
            return Err(FaultKind::Malformed("a snapshot that names no symbol".into()));
        };
        if named.any(|symbol| symbol != first) {
            return Err(FaultKind::Malformed("trades of two symbols in one message".into()));
        }
        self.find(first)
    }

    /// Counts a message that was applied; answers with the reason if it was a snapshot.
    fn count(&mut self, span: &Span) -> Option<SnapshotReason> {
        match span.range {
            Range::Snapshot(reason) => {
                self.epoch = Some(span.epoch);
                *self.counters.snapshots.entry(reason.as_str()).or_default() += 1;
                Some(reason)
            }
            Range::Update { merged, .. } => {
                self.counters.updates += 1;
                self.counters.conflated += u64::from(merged.is_some());
                self.counters.merged += merged.unwrap_or(0);
                None
            }
        }
    }
}

impl Symbol {
    fn begin(&mut self, span: &Span) {
        if let Range::Snapshot(_) = span.range {
            self.enter(span.epoch);
        }
    }

    fn take_book(
        &mut self,
        entry: &BookEntry<'_>,
        span: &Span,
        levels: &mut Ladder,
    ) -> Result<Taken, FaultKind> {
        let is_snapshot = matches!(span.range, Range::Snapshot(_));
        if is_snapshot == entry.conflated.is_some() {
            return Err(FaultKind::Malformed(
                "an update, and only that, says whether it is conflated".into(),
            ));
        }
        self.begin(span);
        let timestamp = time(entry.timestamp)?;
        read_levels(&mut self.decimals, Side::Bid, &entry.bids, &mut levels.bids)?;
        read_levels(&mut self.decimals, Side::Ask, &entry.asks, &mut levels.asks)?;
        let depth = self.book.depth;
        if is_snapshot && !is_view(levels, depth.levels()) {
            return Err(FaultKind::BadLevels);
        }
        if self.book.cursor.take(span)? == Taken::Drop {
            return Ok(Taken::Drop);
        }
        let before = self.book.state.take().filter(|_| !is_snapshot);
        let mut ladder = before.map(|book| book.ladder).unwrap_or_default();
        ladder.apply(levels);
        ladder.cut(depth.get());
        let actual = ladder.checksum(depth.get());
        if actual != entry.checksum {
            self.book.cursor.lose();
            return Err(FaultKind::Checksum { seq: span.seq, expected: entry.checksum, actual });
        }
        self.book.state = Some(BookState {
            ladder,
            depth,
            interval: self.book.interval,
            epoch: span.epoch,
            seq: span.seq,
            venue_seq: entry.venue_seq,
            timestamp,
        });
        self.check_top()?;
        Ok(Taken::Apply)
    }

    fn take_bbo(&mut self, entry: &BboEntry<'_>, span: &Span) -> Result<Taken, FaultKind> {
        self.begin(span);
        let bid = read_best(&mut self.decimals, entry.bid, entry.bid_qty)?;
        let ask = read_best(&mut self.decimals, entry.ask, entry.ask_qty)?;
        let timestamp = time(entry.timestamp)?;
        if self.bbo.cursor.take(span)? == Taken::Drop {
            return Ok(Taken::Drop);
        }
        self.bbo.state = Some(BboState { bid, ask, seq: span.seq, timestamp });
        self.check_top()?;
        Ok(Taken::Apply)
    }

    /// Puts those trades into `out` that are not known already; answers how many ids did not follow the one before.
    fn take_trades(
        &mut self,
        form: &TradeForm<'_>,
        span: &Span,
        dense_ids: bool,
        out: &mut Vec<Trade>,
    ) -> Result<u64, FaultKind> {
        self.begin(span);
        out.clear();
        let (known, mut after) = match span.range {
            Range::Snapshot(_) => (0, 0),
            Range::Update { first_seq, .. } => {
                (self.trade.cursor.last_before(first_seq), first_seq.saturating_sub(1))
            }
        };
        for entry in &form.data {
            let trade = read_trade(&mut self.decimals, entry)?;
            if trade.seq <= after || trade.seq > span.seq {
                return Err(FaultKind::TradeSeq { after, seq: trade.seq });
            }
            after = trade.seq;
            out.extend((trade.seq > known).then_some(trade));
        }
        self.trade.cursor.take(span)?;
        let last_id = self.trade.last_id.filter(|_| matches!(span.range, Range::Update { .. }));
        self.trade.last_id = out.last().map(|trade| trade.trade_id).or(last_id);
        let jumps = id_jumps(last_id, out);
        if let Some((last, actual)) = jumps.first
            && dense_ids
        {
            return Err(FaultKind::TradeId { last, actual });
        }
        Ok(jumps.count)
    }
}

fn read_levels(
    decimals: &mut Decimals,
    side: Side,
    entries: &[LevelEntry<'_>],
    out: &mut Vec<Level>,
) -> Result<(), FaultKind> {
    out.clear();
    for entry in entries {
        out.push(decimals.level(entry.price.get(), entry.qty.get())?);
    }
    if is_best_first(side, out) { Ok(()) } else { Err(FaultKind::BadLevels) }
}

/// Whether levels can be a book at this depth: not too many, none of them empty.
fn is_view(levels: &Ladder, depth: usize) -> bool {
    Side::BOTH.into_iter().all(|side| {
        let levels = levels.side(side);
        levels.len() <= depth && levels.iter().all(|level| !level.qty.is_zero())
    })
}

fn read_best(decimals: &mut Decimals, price: &RawValue, qty: &RawValue) -> Result<Option<Level>, FaultKind> {
    match (price.get(), qty.get()) {
        ("null", "null") => Ok(None),
        (price, qty) => {
            let level = decimals.level(price, qty)?;
            if level.qty.is_zero() { Err(FaultKind::BadLevels) } else { Ok(Some(level)) }
        }
    }
}

fn read_trade(decimals: &mut Decimals, entry: &TradeEntry<'_>) -> Result<Trade, FaultKind> {
    let Level { price, qty } = decimals.level(entry.price.get(), entry.qty.get())?;
    let side = match entry.side {
        "buy" => Side::Bid,
        "sell" => Side::Ask,
        other => return Err(FaultKind::Malformed(format!("a trade's side is '{other}'"))),
    };
    let timestamp = time(entry.timestamp)?;
    Ok(Trade { side, price, qty, trade_id: entry.trade_id, timestamp, seq: entry.seq })
}

/// Ids that are not one more than the one before.
struct Jumps {
    count: u64,
    /// The ids on both sides of the first of them.
    first: Option<(u64, u64)>,
}

fn id_jumps(before: Option<u64>, trades: &[Trade]) -> Jumps {
    let ids = before.into_iter().chain(trades.iter().map(|trade| trade.trade_id));
    let pairs = ids.clone().zip(ids.skip(1));
    let mut jumps = pairs.filter(|&(last, next)| last.checked_add(1) != Some(next));
    let first = jumps.next();
    Jumps { count: u64::from(first.is_some()) + jumps.count() as u64, first }
}
