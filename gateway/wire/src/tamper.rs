//! Messages that are made wrong and stay well-formed, on any transport: for clients that want to see whether they notice. Nothing of this
//! stands in the way of messages that are right.

use crate::{
    codec::{Body, Codec},
    dialect::{native_json, native_sbe},
    message::{Depth, Encoding},
};

/// So many of the best levels of a side count for a checksum.
const CHECKSUM_LEVELS: u32 = 100;

impl Codec {
    /// Whether a message of a topic is an update of a book, trades or the top of a book, in the words of the native protocol.
    pub fn is_update(self, message: &[u8]) -> bool {
        let Some(body) = self.envelope.body(message) else { return false };
        match self.body {
            Body::Native(Encoding::Json) => native_json::is_update(&body),
            Body::Native(Encoding::Sbe) => native_sbe::is_update(&body),
            Body::Kraken(_) | Body::Binance(_) => false,
        }
    }

    /// An update of a book with something in it that is not so, so that its checksum does not fit: it is of this depth, and `pick`
    /// says what. `None` of anything else, as nothing else has a checksum.
    pub fn tampered(self, message: &[u8], depth: Depth, pick: u64) -> Option<Vec<u8>> {
        let mut body = self.envelope.body(message)?.into_owned();
        let all_levels_count = (1..=CHECKSUM_LEVELS).contains(&depth.get());
        let is_done = match self.body {
            Body::Native(Encoding::Json) => native_json::tamper(&mut body, all_levels_count, pick),
            Body::Native(Encoding::Sbe) => native_sbe::tamper(&mut body, all_levels_count, pick),
            Body::Kraken(_) | Body::Binance(_) => false,
        };
        let mut out = Vec::new();
        self.message(&mut out, |out| out.extend_from_slice(&body));
        is_done.then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        envelope::{Envelope, websocket::Window},
        message::{BookKind, BookMessage, SnapshotReason},
    };
    use book::{Ladder, Mark};
    use market::{Epoch, Ids, Instrument, Level, Nanos, Price, Qty, Status};

    const CODECS: [Codec; 7] = [
        Codec::native(Encoding::Json, Envelope::WebSocket),
        Codec::native(Encoding::Json, Envelope::DeflatedWebSocket(Window::Least)),
        Codec::native(Encoding::Json, Envelope::SocketIo),
        Codec::native(Encoding::Json, Envelope::Tcp),
        Codec::native(Encoding::Sbe, Envelope::WebSocket),
        Codec::native(Encoding::Sbe, Envelope::DeflatedWebSocket(Window::Whole)),
        Codec::native(Encoding::Sbe, Envelope::LengthPrefixed),
    ];

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

    fn book(codec: Codec, kind: BookKind, quantities: &[u64], checksum: u32) -> Vec<u8> {
        let level = |(&qty, price)| Level { price: Price(price), qty: Qty(qty) };
        let levels = Ladder { bids: quantities.iter().zip(1..).map(level).collect(), asks: Vec::new() };
        let (instrument, mark) = (instrument(), Mark { seq: 7, ..Mark::default() });
        let ids = Ids::from(Epoch(1));
        let message =
            BookMessage { instrument: &instrument, ids, kind, levels: &levels, checksum, mark, stamps: None };
        let mut out = Vec::new();
        codec.push_book(&mut out, &message);
        out
    }

    const UPDATE: BookKind = BookKind::Update { first_seq: 3, merged: None };

    #[test]
    fn an_update_is_told_apart_on_every_transport() {
        for codec in CODECS {
            let quantities = [1; 40];
            assert!(codec.is_update(&book(codec, UPDATE, &quantities, 1)), "{codec:?}");
            let snapshot = BookKind::Snapshot(SnapshotReason::Subscribe);
            assert!(!codec.is_update(&book(codec, snapshot, &quantities, 1)), "{codec:?}");
            let mut heartbeat = Vec::new();
            codec.push_heartbeat(&mut heartbeat, Nanos(0), []);
            assert!(!codec.is_update(&heartbeat) && !codec.is_update(b""), "{codec:?}");
        }
    }

    /// Where two bodies differ.
    fn differences(codec: Codec, a: &[u8], b: &[u8]) -> usize {
        let [a, b] = [a, b].map(|message| codec.envelope.body(message).unwrap());
        assert_eq!(a.len(), b.len());
        a.iter().zip(&*b).filter(|(a, b)| a != b).count()
    }

    #[test]
    fn one_digit_is_wrong_of_a_level_that_counts_or_of_the_checksum() {
        for codec in CODECS {
            for last in [0, 1, 2, 9, 255, 256] {
                let quantities = [0, last, 0, 100_000 + last];
                let right = book(codec, UPDATE, &quantities, u32::MAX);
                for pick in 0..5 {
                    let wrong = codec.tampered(&right, Depth::default(), pick).unwrap();
                    assert_eq!(differences(codec, &right, &wrong), 1, "{codec:?}");
                    assert!(codec.is_update(&wrong));
                }
            }
            for (depth, quantities) in [(Depth::default(), vec![0, 0]), (Depth::ALL, vec![5])] {
                let right = book(codec, UPDATE, &quantities, u32::MAX);
                let wrong = codec.tampered(&right, depth, 3).unwrap();
                let as_checksum = book(codec, UPDATE, &quantities, u32::MAX - 1);
                assert_eq!(differences(codec, &wrong, &as_checksum), 0, "{codec:?}");
            }
        }
    }

    #[test]
    fn no_level_is_gone_because_it_is_wrong() {
        for codec in CODECS {
            for qty in (1..=20).chain([256, 65_536]) {
                let right = book(codec, UPDATE, &[qty], 1);
                let wrong = codec.tampered(&right, Depth::default(), 0).unwrap();
                assert_ne!(codec.envelope.body(&wrong), codec.envelope.body(&book(codec, UPDATE, &[0], 1)));
            }
        }
    }
}
