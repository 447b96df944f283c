//! What a message says, as far as it is counted. It is not parsed, only searched: the load generator must cost less than
//! what it measures. That works because members stand in a fixed order and symbols need no escapes.

use market::{Nanos, Seq};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// A message of market data, or one that stands among them.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Market data that continues what was sent before.
    Update(Update<'a>),
    /// Market data that starts over.
    Snapshot {
        /// Of which symbol.
        symbol: &'a [u8],
        /// Through which number.
        seq: Seq,
    },
    /// Something could not be sent.
    Gap,
    /// Anything else that is not counted: heartbeats, notices.
    Other,
}

/// Market data that continues what was sent before.
#[derive(Debug, PartialEq, Eq)]
pub struct Update<'a> {
    /// Of which symbol.
    pub symbol: &'a [u8],
    /// The first number that it covers.
    pub first_seq: Seq,
    /// The last number that it covers.
    pub seq: Seq,
    /// Whether it was merged because the client was slow.
    pub conflated: bool,
    /// When the (oldest) event in it was meant to happen.
    pub engine: Nanos,
}

/// Looks at a message; `None` if it is market data that lacks what every such message with stamps has.
pub fn read(text: &[u8]) -> Option<Message<'_>> {
    let keys = &*KEYS;
    Some(match text_after(text, &keys.kind) {
        Some(b"update") => Message::Update(read_update(text, keys)?),
        Some(b"snapshot") => {
            let seq = number(after(text, &keys.seq)?)?;
            Message::Snapshot { symbol: text_after(text, &keys.symbol)?, seq }
        }
        _ if text.starts_with(b"{\"channel\":\"gap\"") => Message::Gap,
        _ => Message::Other,
    })
}

fn read_update<'a>(text: &'a [u8], keys: &Keys) -> Option<Update<'a>> {
    let range = after(text, &keys.first_seq)?;
    let stamps = after(range, &keys.engine)?;
    let oldest = after(stamps, &keys.engine_first).unwrap_or(stamps);
    Some(Update {
        symbol: text_after(text, &keys.symbol)?,
        first_seq: number(range)?,
        seq: number(after(range, &keys.seq)?)?,
        conflated: keys.conflated.find(range).is_some(),
        engine: Nanos(number(oldest)?),
    })
}

/// What is searched for, prepared once.
struct Keys {
    kind: Finder<'static>,
    symbol: Finder<'static>,
    first_seq: Finder<'static>,
    seq: Finder<'static>,
    conflated: Finder<'static>,
    engine: Finder<'static>,
    engine_first: Finder<'static>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    kind: Finder::new("\"type\":\""),
    symbol: Finder::new("\"symbol\":\""),
    first_seq: Finder::new("\"first_seq\":"),
    seq: Finder::new("\"seq\":"),
    conflated: Finder::new("\"conflated\":true"),
    engine: Finder::new("\"ts\":{\"engine\":"),
    engine_first: Finder::new("\"engine_first\":"),
});

fn after<'a>(text: &'a [u8], key: &Finder<'_>) -> Option<&'a [u8]> {
    key.find(text).map(|at| &text[at + key.needle().len()..])
}

fn text_after<'a>(text: &'a [u8], key: &Finder<'_>) -> Option<&'a [u8]> {
    let text = after(text, key)?;
    text.iter().position(|&byte| byte == b'"').map(|end| &text[..end])
}

/// The number at the beginning.
fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|&digit| digit < 10);
    let mut digits = digits.peekable();
    digits.peek()?;
    digits.try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(digit.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use book::{Ladder, Mark};
    use market::{Epoch, Instrument, Price, Qty, Side, Status};
    use wire::{
        dialect::native_json,
        message::{
            BboMessage, BookKind, BookMessage, SnapshotReason, Stamps, Trade, TradeKind, TradeMessage,
        },
    };

    const MARK: Mark =
        Mark { seq: 47, event: 3, engine: Nanos(5), ingest: Nanos(6), timestamp: Nanos(4), venue_seq: 9 };
    const KIND: BookKind = BookKind::Update { first_seq: 42, merged: None };
    const MERGED: BookKind = BookKind::Update { first_seq: 42, merged: Some(3) };

    fn stamps(engine_first: Option<u64>) -> Option<Stamps> {
        let engine_first = engine_first.map(Nanos);
        Some(Stamps { engine: Nanos(5), ingest: Nanos(6), encode: Nanos(7), engine_first })
    }

    fn instrument() -> Instrument {
        Instrument {
            symbol: "BTC/USDT".into(),
            venue_symbol: "BTCUSDT".into(),
            price_decimals: 2,
            qty_decimals: 5,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }

    fn update(conflated: bool, engine: u64) -> Message<'static> {
        let engine = Nanos(engine);
        Message::Update(Update { symbol: b"BTC/USDT", first_seq: 42, seq: 47, conflated, engine })
    }

    fn check(write: impl FnOnce(&Instrument, &mut Vec<u8>), expected: Message<'_>) {
        let mut text = Vec::new();
        write(&instrument(), &mut text);
        assert_eq!(read(&text), Some(expected), "{}", String::from_utf8_lossy(&text));
    }

    fn check_book(kind: BookKind, stamps: Option<Stamps>, expected: Message<'_>) {
        let levels = Ladder::default();
        check(
            |instrument, out| {
                let message = BookMessage {
                    instrument,
                    epoch: Epoch(1),
                    kind,
                    levels: &levels,
                    checksum: 8,
                    mark: MARK,
                    stamps,
                };
                native_json::push_book(out, &message);
            },
            expected,
        );
    }

    #[test]
    fn books_as_the_gateway_writes_them() {
        check_book(KIND, stamps(None), update(false, 5));
        check_book(MERGED, stamps(Some(3)), update(true, 3));
        let snapshot = Message::Snapshot { symbol: b"BTC/USDT", seq: 47 };
        check_book(BookKind::Snapshot(SnapshotReason::Subscribe), stamps(None), snapshot);
    }

    #[test]
    fn the_best_bid_and_offer_as_the_gateway_writes_it() {
        let write = |kind, stamps| {
            move |instrument: &Instrument, out: &mut Vec<u8>| {
                let (bid, ask) = (None, None);
                let message = BboMessage { instrument, epoch: Epoch(1), kind, bid, ask, mark: MARK, stamps };
                native_json::push_bbo(out, &message);
            }
        };
        check(write(KIND, stamps(None)), update(false, 5));
        check(write(MERGED, stamps(Some(3))), update(true, 3));
    }

    #[test]
    fn trades_as_the_gateway_writes_them() {
        let trade = Trade {
            side: Side::Bid,
            price: Price(1),
            qty: Qty(2),
            trade_id: 3,
            timestamp: Nanos(4),
            seq: 44,
        };
        check(
            |instrument, out| {
                let message = TradeMessage {
                    instrument,
                    epoch: Epoch(1),
                    kind: TradeKind::Update { first_seq: 42 },
                    trades: &[trade, trade],
                    seq: 47,
                    stamps: stamps(None),
                };
                native_json::push_trade(out, &message);
            },
            update(false, 5),
        );
    }

    #[test]
    fn what_is_no_market_data() {
        let check = |text: &str, expected| assert_eq!(read(text.as_bytes()), Some(expected), "{text}");
        check(r#"{"channel":"gap","data":[{"from_seq":1}]}"#, Message::Gap);
        check(r#"{"channel":"heartbeat","time":"…","data":[{"seq":1}]}"#, Message::Other);
    }
}
