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
#[inline]
pub fn read(text: &[u8]) -> Option<Message<'_>> {
    let keys = &*KEYS;
    match book_update(text, keys) {
        Some(update) => Some(Message::Update(update)),
        None => search(text, keys),
    }
}

/// An update of a book that was not merged, in one pass over its members: nearly all messages are that. `None` if it is
/// anything else.
#[inline]
fn book_update<'a>(text: &'a [u8], keys: &Keys) -> Option<Update<'a>> {
    let rest = text.strip_prefix(br#"{"channel":"book","type":"update","data":[{"symbol":""#)?;
    let (symbol, rest) = rest.split_at(rest.iter().position(|&byte| byte == b'"')?);
    let (first_seq, rest) = leading_number(after(rest, &keys.first_seq)?)?;
    let (seq, rest) = leading_number(rest.strip_prefix(b",\"seq\":")?)?;
    let (_, rest) = leading_number(rest.strip_prefix(b",\"venue_seq\":")?)?;
    let rest = rest.strip_prefix(br#","conflated":false,"ts":{"engine":"#)?;
    let (engine, _) = leading_number(rest)?;
    Some(Update { symbol, first_seq, seq, conflated: false, engine: Nanos(engine) })
}

/// Whatever message, by searching for its members.
fn search<'a>(text: &'a [u8], keys: &Keys) -> Option<Message<'a>> {
    Some(match text_after(text, &keys.kind) {
        Some(b"update") => Message::Update(search_update(text, keys)?),
        Some(b"snapshot") => {
            let (seq, _) = leading_number(after(text, &keys.seq)?)?;
            Message::Snapshot { symbol: text_after(text, &keys.symbol)?, seq }
        }
        _ if text.starts_with(b"{\"channel\":\"gap\"") => Message::Gap,
        _ => Message::Other,
    })
}

fn search_update<'a>(text: &'a [u8], keys: &Keys) -> Option<Update<'a>> {
    let range = after(text, &keys.first_seq)?;
    let stamps = after(range, &keys.engine)?;
    let oldest = after(stamps, &keys.engine_first).unwrap_or(stamps);
    Some(Update {
        symbol: text_after(text, &keys.symbol)?,
        first_seq: leading_number(range)?.0,
        seq: leading_number(after(range, &keys.seq)?)?.0,
        conflated: keys.conflated.find(range).is_some(),
        engine: Nanos(leading_number(oldest)?.0),
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

/// The number at the beginning, and what follows it. `None` if there is none, or one of more than 64 bits.
#[inline]
fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut number, mut rest) = (0u64, text);
    while let Some((digits, behind)) = rest.split_first_chunk()
        && let Some(eight) = eight_digits(*digits)
    {
        number = number.checked_mul(100_000_000)?.checked_add(eight)?;
        rest = behind;
    }
    while let Some((&byte, behind)) = rest.split_first()
        && byte.is_ascii_digit()
    {
        number = number.checked_mul(10)?.checked_add((byte - b'0').into())?;
        rest = behind;
    }
    (rest.len() < text.len()).then_some((number, rest))
}

/// The number that eight digits are, in three multiplications: neighbours are put together to pairs, those to fours, and
/// those to eight. `None` if one is no digit.
#[inline]
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(digits);
    let above_nine = text.wrapping_add(EACH * 0x46);
    let below_zero = text.wrapping_sub(EACH * 0x30);
    if (above_nine | below_zero) & (EACH * 0x80) != 0 {
        return None;
    }
    let pairs = below_zero.wrapping_mul(10).wrapping_add(below_zero >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF)
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
                    ids: Epoch(1).into(),
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
                let message =
                    BboMessage { instrument, ids: Epoch(1).into(), kind, bid, ask, mark: MARK, stamps };
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
                    ids: Epoch(1).into(),
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

    #[test]
    fn numbers_of_any_length_end_where_their_digits_do() {
        let check = |text: &str, expected: Option<(u64, &str)>| {
            let read = leading_number(text.as_bytes());
            let read = read.map(|(number, rest)| (number, std::str::from_utf8(rest).unwrap()));
            assert_eq!(read, expected, "{text}");
        };
        check("", None);
        check("x1", None);
        check("0", Some((0, "")));
        check("7,\"", Some((7, ",\"")));
        check("12345678", Some((12_345_678, "")));
        check("12345678:", Some((12_345_678, ":")));
        check("1234567/90", Some((1_234_567, "/90")));
        check("1802345678901234567,\"ingest\":1", Some((1_802_345_678_901_234_567, ",\"ingest\":1")));
        check("18446744073709551615}", Some((u64::MAX, "}")));
        check("18446744073709551616}", None);
    }
}
