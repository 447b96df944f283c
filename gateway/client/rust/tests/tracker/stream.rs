//! The messages of one symbol, `X/Y` with 2 and 3 decimals, as a gateway writes them.

use book::{Ladder, Mark};
use market::{Epoch, Instrument, Level, Nanos, Price, Qty, Seq, Side, Status};
use wire::{
    dialect::native_json,
    message::{
        BboMessage, BookKind, BookMessage, Channel, Depth, Gap, GapReason, Interval, Policy, Quiet,
        SnapshotReason, Subscribed, Subscription, Trade, TradeKind, TradeMessage,
    },
};

pub const SYMBOL: &str = "X/Y";
pub const EPOCH: Epoch = Epoch(0x9c41_d7e0_a25b_7f3a);

pub fn instrument() -> Instrument {
    Instrument {
        symbol: SYMBOL.into(),
        venue_symbol: "XY".into(),
        price_decimals: 2,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    }
}

pub fn level(price: i64, qty: u64) -> Level {
    Level { price: Price(price), qty: Qty(qty) }
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn mark(seq: Seq) -> Mark {
    Mark { seq, timestamp: Nanos(1_700_000_000_000_000_000 + seq), ..Mark::default() }
}

pub fn subscribed(channel: Channel, depth: Depth, epoch: Epoch, seq: Seq, recovered: bool) -> String {
    let subscription = Subscription {
        channel,
        symbol: Some(SYMBOL),
        depth: (channel == Channel::Book).then_some(depth),
        interval: (channel != Channel::Trade).then_some(Interval::EACH_EVENT),
        policy: Some(Policy::Conflate),
        stamps: false,
    };
    text(|out| {
        native_json::push_subscribed(out, &Subscribed { subscription, epoch, seq, recovered }, None);
    })
}

/// A book message that is right when `view` is the book after it.
pub fn book(epoch: Epoch, kind: BookKind, seq: Seq, levels: &Ladder, view: &Ladder, depth: Depth) -> String {
    let instrument = &instrument();
    let (mark, checksum) = (mark(seq), view.checksum(depth.get()));
    text(|out| {
        let message =
            BookMessage { instrument, ids: epoch.into(), kind, levels, checksum, mark, stamps: None };
        native_json::push_book(out, &message);
    })
}

pub fn bbo(epoch: Epoch, kind: BookKind, seq: Seq, view: &Ladder) -> String {
    let instrument = &instrument();
    let (bid, ask, mark) = (view.bids.first().copied(), view.asks.first().copied(), mark(seq));
    text(|out| {
        native_json::push_bbo(
            out,
            &BboMessage { instrument, ids: epoch.into(), kind, bid, ask, mark, stamps: None },
        );
    })
}

/// Trades given by their seq and id.
pub fn trades(epoch: Epoch, kind: TradeKind, seq: Seq, trades: &[(Seq, u64)]) -> String {
    let instrument = &instrument();
    let trade = |&(seq, trade_id): &(Seq, u64)| Trade {
        side: Side::Bid,
        price: Price(100),
        qty: Qty(7),
        trade_id,
        timestamp: mark(seq).timestamp,
        seq,
    };
    let trades: Vec<Trade> = trades.iter().map(trade).collect();
    text(|out| {
        let message =
            TradeMessage { instrument, ids: epoch.into(), kind, seq, trades: &trades, stamps: None };
        native_json::push_trade(out, &message);
    })
}

pub fn update(first_seq: Seq) -> BookKind {
    BookKind::Update { first_seq, merged: None }
}

pub fn snapshot(reason: SnapshotReason) -> BookKind {
    BookKind::Snapshot(reason)
}

/// What is quiet: channel, seq, through.
pub fn heartbeat(quiet: &[(Channel, Seq, Seq)]) -> String {
    let quiet = quiet.iter().map(|&(channel, seq, through)| Quiet { channel, symbol: SYMBOL, seq, through });
    text(|out| native_json::push_heartbeat(out, Nanos(1_700_000_000_000_000_000), quiet))
}

pub fn gap(channel: Channel, from_seq: Seq, to_seq: Seq) -> String {
    let gap = Gap { channel, symbol: SYMBOL, from_seq, to_seq, reason: GapReason::SlowConsumer };
    text(|out| native_json::push_gap(out, &gap))
}
