//! Events as bytes: each as its difference from the ones before it in the same block, in variable-length integers. Knows
//! nothing of blocks' headers, files or checksums.
//!
//! A record begins with one byte, from the low bit: kind 2 (level, trade, reset, status), side 1, last 1, partial 1, then
//! three that say what is left out because it follows from before: the symbol is that of the previous record, the seq is the
//! symbol's next, the timestamp is that of the previous record. What is not left out follows in this order; integers are
//! LEB128, differences zigzag:
//!
//! | field | of | as |
//! |---|---|---|
//! | symbol | all | integer |
//! | timestamp | all | difference to the previous record |
//! | seq | numbered | difference to the symbol's next |
//! | price | level, trade | difference to the last price on that side of the symbol's book |
//! | quantity | numbered | integer (of a reset: its reason) |
//! | number | numbered | difference to the symbol's last book number, or last trade number |
//! | which | status | 0 listing, 1 feed gap |
//! | instrument | listing | length, then a table in TOML |
//!
//! A block begins with all of that at zero, so it can be read alone.

use crate::meta;
use market::{Event, Instruments, Kind, Nanos, Price, Qty, Seq, Side, SymbolId};

const TRADE: u8 = 1;
const RESET: u8 = 2;
const STATUS: u8 = 3;
const ASK: u8 = 1 << 2;
const LAST: u8 = 1 << 3;
const PARTIAL: u8 = 1 << 4;
const SAME_SYMBOL: u8 = 1 << 5;
const NEXT_SEQ: u8 = 1 << 6;
const SAME_TIME: u8 = 1 << 7;

/// What the records of a block so far let the next one leave out; the writer's and the reader's are always equal.
#[derive(Debug, Default)]
pub(crate) struct Context {
    block: u64,
    symbol: u32,
    time: u64,
    books: Vec<Past>,
}

/// The last values of one symbol, meant for `block` only.
#[derive(Debug, Clone, Copy, Default)]
struct Past {
    block: u64,
    seq: Seq,
    prices: [i64; 2],
    /// The last number of a book change, and of a trade.
    numbers: [u64; 2],
}

impl Context {
    /// Forgets everything, as at the beginning of a block.
    pub fn begin_block(&mut self) {
        self.block += 1;
        self.symbol = 0;
        self.time = 0;
    }

    /// The past of a symbol; `symbol` is in the instrument table, which bounds the memory.
    fn past(&mut self, symbol: u32) -> &mut Past {
        let index = symbol as usize;
        if index >= self.books.len() {
            self.books.resize(index + 1, Past::default());
        }
        let past = &mut self.books[index];
        if past.block != self.block {
            *past = Past { block: self.block, ..Past::default() };
        }
        past
    }

    /// Appends `event`, whose symbol is in `instruments`. Ticks and what is said of the whole feed have no form here.
    pub fn encode(&mut self, event: &Event, instruments: &Instruments, out: &mut Vec<u8>) {
        let code = match event.kind {
            Kind::Level => 0,
            Kind::Trade => TRADE,
            Kind::Reset => RESET,
            _ => STATUS,
        };
        let mut head = code
            | if event.side == Side::Ask { ASK } else { 0 }
            | if event.last { LAST } else { 0 }
            | if event.partial { PARTIAL } else { 0 };
        let at = out.len();
        out.push(0);
        if event.symbol.0 == self.symbol {
            head |= SAME_SYMBOL;
        } else {
            self.symbol = event.symbol.0;
            push_varint(out, u64::from(event.symbol.0));
        }
        if event.timestamp.0 == self.time {
            head |= SAME_TIME;
        } else {
            push_difference(out, event.timestamp.0, self.time);
            self.time = event.timestamp.0;
        }
        if code == STATUS {
            encode_status(event, instruments, out);
        } else {
            head |= self.encode_numbered(event, out);
        }
        out[at] = head;
    }

    /// Returns the bits to add to the head.
    fn encode_numbered(&mut self, event: &Event, out: &mut Vec<u8>) -> u8 {
        let past = self.past(event.symbol.0);
        let next = past.seq.wrapping_add(1);
        past.seq = event.seq;
        let bits = if event.seq == next {
            NEXT_SEQ
        } else {
            push_difference(out, event.seq, next);
            0
        };
        if event.kind != Kind::Reset {
            let price = &mut past.prices[book_side(event.kind, event.side)];
            push_difference(out, event.price.0 as u64, *price as u64);
            *price = event.price.0;
        }
        push_varint(out, event.qty.0);
        let number = &mut past.numbers[usize::from(event.kind == Kind::Trade)];
        push_difference(out, event.number, *number);
        *number = event.number;
        bits
    }

    /// Reads one record from the front of `bytes`. A listing is added to `instruments`. `None` if the bytes are no record.
    pub fn decode(&mut self, bytes: &mut &[u8], instruments: &mut Instruments) -> Option<Event> {
        let (&head, rest) = bytes.split_first()?;
        *bytes = rest;
        let mut event = Event::new(match head & 3 {
            0 => Kind::Level,
            TRADE => Kind::Trade,
            RESET => Kind::Reset,
            _ => Kind::FeedGap,
        });
        event.side = if head & ASK == 0 { Side::Bid } else { Side::Ask };
        event.last = head & LAST != 0;
        event.partial = head & PARTIAL != 0;
        if head & SAME_SYMBOL == 0 {
            self.symbol = u32::try_from(take_varint(bytes)?).ok()?;
        }
        if head & SAME_TIME == 0 {
            self.time = take_difference(bytes, self.time)?;
        }
        event.symbol = SymbolId(self.symbol);
        event.timestamp = Nanos(self.time);
        if event.kind == Kind::FeedGap {
            decode_status(&mut event, bytes, instruments)?;
        }
        if event.symbol.index() >= instruments.len() {
            return None;
        }
        if event.kind.is_numbered() {
            self.decode_numbered(&mut event, head & NEXT_SEQ != 0, bytes)?;
        }
        Some(event)
    }

    fn decode_numbered(&mut self, event: &mut Event, is_next: bool, bytes: &mut &[u8]) -> Option<()> {
        let past = self.past(event.symbol.0);
        let next = past.seq.wrapping_add(1);
        past.seq = if is_next { next } else { take_difference(bytes, next)? };
        event.seq = past.seq;
        if event.kind != Kind::Reset {
            let price = &mut past.prices[book_side(event.kind, event.side)];
            *price = take_difference(bytes, *price as u64)? as i64;
            event.price = Price(*price);
        }
        event.qty = Qty(take_varint(bytes)?);
        let number = &mut past.numbers[usize::from(event.kind == Kind::Trade)];
        *number = take_difference(bytes, *number)?;
        event.number = *number;
        Some(())
    }
}

/// The side of the book whose last price is nearest: an aggressor trades at the other side's.
fn book_side(kind: Kind, side: Side) -> usize {
    if kind == Kind::Trade { side.opposite().index() } else { side.index() }
}

const LISTING: u8 = 0;
const FEED_GAP: u8 = 1;

fn encode_status(event: &Event, instruments: &Instruments, out: &mut Vec<u8>) {
    if event.kind == Kind::Listing {
        let text = meta::instrument_text(&instruments[event.symbol]);
        out.push(LISTING);
        push_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    } else {
        out.push(FEED_GAP);
    }
}

fn decode_status(event: &mut Event, bytes: &mut &[u8], instruments: &mut Instruments) -> Option<()> {
    let (&which, rest) = bytes.split_first()?;
    *bytes = rest;
    match which {
        FEED_GAP => Some(()),
        LISTING => {
            event.kind = Kind::Listing;
            let length = usize::try_from(take_varint(bytes)?).ok()?;
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            let instrument = meta::instrument_of(std::str::from_utf8(text).ok()?).ok()?;
            match instruments.get(event.symbol) {
                Some(known) => (*known == instrument).then_some(()),
                None => instruments.push(instrument).is_ok_and(|id| id == event.symbol).then_some(()),
            }
        }
        _ => None,
    }
}

pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7F);
        if i == 9 && byte > 1 {
            return None;
        }
        value |= bits << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Zigzag, so that small steps either way are short; wrapping, so that every pair of values has a difference.
pub(crate) fn push_difference(out: &mut Vec<u8>, value: u64, before: u64) {
    let step = value.wrapping_sub(before) as i64;
    push_varint(out, ((step << 1) ^ (step >> 63)) as u64);
}

pub(crate) fn take_difference(bytes: &mut &[u8], before: u64) -> Option<u64> {
    let zigzag = take_varint(bytes)?;
    let step = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    Some(before.wrapping_add(step as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn differences_of_any_two_values_round_trip(value: u64, before: u64) {
            let mut out = Vec::new();
            push_difference(&mut out, value, before);
            let mut bytes = &out[..];
            prop_assert_eq!(take_difference(&mut bytes, before), Some(value));
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let mut bytes = &bytes[..];
            let mut instruments = Instruments::default();
            let mut context = Context::default();
            context.begin_block();
            while context.decode(&mut bytes, &mut instruments).is_some() {}
        }
    }

    #[test]
    fn a_number_longer_than_64_bits_is_refused() {
        let mut bytes: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02];
        assert_eq!(take_varint(&mut bytes), None);
    }
}
