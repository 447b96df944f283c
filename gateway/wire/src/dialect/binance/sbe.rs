//! Events in Simple Binary Encoding: messages of the venue's schema 1, version 0 (`docs/protocol/binance-stream.xml` has it in our words), with
//! the ids of the JSON events and by the same rules. Times are microseconds since 1970. No event is wrapped: each says what it is and of
//! which symbol.
//!
//! | stream | event |
//! |---|---|
//! | `@trade` | `TradesStreamEvent`: the trades of one exchange event that have one time |
//! | `@bestBidAsk` | `BestBidAskStreamEvent`: what `@bookTicker` tells, with its time |
//! | `@depth` | `DepthDiffStreamEvent`, as `@depth@100ms`: each 100 ms in which the book changed |
//! | `@depth20` | `DepthSnapshotStreamEvent`, as `@depth20@100ms`: each 100 ms in which these levels changed |
//!
//! The source of the rules is Binance's public documentation of its SBE market data streams, and its schema `stream_1_0.xml`.

use super::market_data::NOTHING;
use crate::{
    dialect::mantissa::{exponent, signed},
    message::{BboMessage, BookMessage, Trade},
};
use market::{Instrument, Level, Nanos, Side};
use schema::{
    best_bid_ask_stream_event as best, boolean, depth_diff_stream_event as diff,
    depth_snapshot_stream_event as snapshot, trades_stream_event as trades,
};

/// A function for each message of the schema, and constants for its words.
mod schema {
    include!(concat!(env!("OUT_DIR"), "/binance_stream.rs"));
}

/// Most levels of a side that one event can tell.
const MOST_LEVELS: usize = u16::MAX as usize;

/// Appends the best levels, all that are in the message.
pub fn push_view(out: &mut Vec<u8>, message: &BookMessage<'_>) {
    let BookMessage { instrument, ids, levels, mark, .. } = *message;
    let block = snapshot::Block {
        event_time: micros(mark.timestamp),
        book_update_id: id(ids.of(mark.seq)),
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
    };
    let bids =
        levels.bids.iter().map(|level| snapshot::Bids { price: level.price.0, qty: signed(level.qty) });
    let asks =
        levels.asks.iter().map(|level| snapshot::Asks { price: level.price.0, qty: signed(level.qty) });
    snapshot::push(out, &block, bids, asks, Symbol::of(instrument).bytes());
}

/// Appends what changed in a book: one event, each as `event` frames it, or where one cannot tell so many levels several. Their ids follow one
/// another, and there are enough of them, as each level took one.
pub fn push_changes(
    out: &mut Vec<u8>,
    message: &BookMessage<'_>,
    first_id: u64,
    mut event: impl FnMut(&mut Vec<u8>, &dyn Fn(&mut Vec<u8>)),
) {
    let BookMessage { instrument, ids, levels, mark, .. } = *message;
    let last_id = ids.of(mark.seq);
    let count = levels.bids.len().max(levels.asks.len()).div_ceil(MOST_LEVELS).max(1);
    for part in 0..count {
        let [bids, asks] = [&levels.bids, &levels.asks].map(|side| part_of(side, part));
        let first = first_id + part as u64;
        let last = if part + 1 == count { last_id } else { first };
        event(out, &|out| push_diff(out, instrument, mark.timestamp, [first, last], [bids, asks]));
    }
}

fn part_of(side: &[Level], part: usize) -> &[Level] {
    let begin = (part * MOST_LEVELS).min(side.len());
    &side[begin..side.len().min(begin + MOST_LEVELS)]
}

/// Appends changes of the ids from the one through the other; those of no levels change nothing.
pub fn push_diff(
    out: &mut Vec<u8>,
    instrument: &Instrument,
    time: Nanos,
    [first, last]: [u64; 2],
    [bids, asks]: [&[Level]; 2],
) {
    let block = diff::Block {
        event_time: micros(time),
        first_book_update_id: id(first),
        last_book_update_id: id(last),
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
    };
    let bids = bids.iter().map(|level| diff::Bids { price: level.price.0, qty: signed(level.qty) });
    let asks = asks.iter().map(|level| diff::Asks { price: level.price.0, qty: signed(level.qty) });
    diff::push(out, &block, bids, asks, Symbol::of(instrument).bytes());
}

/// Appends the best of each side.
pub fn push_top(out: &mut Vec<u8>, message: &BboMessage<'_>) {
    let BboMessage { instrument, ids, mark, .. } = *message;
    let [bid, ask] = [message.bid, message.ask].map(|level| level.unwrap_or(NOTHING));
    let block = best::Block {
        event_time: micros(mark.timestamp),
        book_update_id: id(ids.of(mark.seq)),
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
        bid_price: bid.price.0,
        bid_qty: signed(bid.qty),
        ask_price: ask.price.0,
        ask_qty: signed(ask.qty),
    };
    best::push(out, &block, Symbol::of(instrument).bytes());
}

/// Appends trades that happened at one time.
pub fn push_trades(out: &mut Vec<u8>, trades: &[Trade], instrument: &Instrument) {
    let time = micros(trades.first().map_or(Nanos::ZERO, |trade| trade.timestamp));
    let block = trades::Block {
        event_time: time,
        transact_time: time,
        price_exponent: exponent(instrument.price_decimals),
        qty_exponent: exponent(instrument.qty_decimals),
    };
    let trades = trades.iter().map(|trade| trades::Trades {
        id: id(trade.trade_id),
        price: trade.price.0,
        qty: signed(trade.qty),
        is_buyer_maker: if trade.side == Side::Ask { boolean::TRUE } else { boolean::FALSE },
    });
    trades::push(out, &block, trades, Symbol::of(instrument).bytes());
}

/// The name of an instrument without its slashes, of at most as many characters as that has.
struct Symbol {
    bytes: [u8; 32],
    length: usize,
}

impl Symbol {
    fn of(instrument: &Instrument) -> Symbol {
        let mut symbol = Symbol { bytes: [0; 32], length: 0 };
        let plain = instrument.symbol.bytes().filter(|&byte| byte != b'/');
        for (place, byte) in symbol.bytes.iter_mut().zip(plain) {
            *place = byte;
            symbol.length += 1;
        }
        symbol
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

fn micros(time: Nanos) -> i64 {
    (time.0 / 1_000) as i64
}

/// Ids are below 2^53.
fn id(id: u64) -> i64 {
    id.cast_signed()
}
