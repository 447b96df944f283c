//! Captures that someone has tampered with: whatever is in them, an import ends, and it says where it could not go on.

use crate::support::Captured;
use feed::{FeedSource, FeedState};
use journal::import::{Format, Import, ImportError};
use market::{Event, Kind, Nanos};
use proptest::prelude::*;

/// What each venue sends, in its own words: books, changes, trades.
const LINES: [(&str, &[&str]); 10] = [
    (
        "binance",
        &[
            r#"1.1: {"stream":"a@depth","data":{"e":"depthUpdate","E":1000,"s":"ABUSDT","U":4,"u":6,"pu":3,"b":[["1.50","2.0"]],"a":[]}}"#,
            r#"https://h/depth?symbol=ABUSDT&limit=5 -> 1.2: {"lastUpdateId":5,"bids":[["1.50","1"]],"asks":[["2","1"]]}"#,
            r#"1300000000 {"stream":"a@trade","data":{"e":"trade","E":1001,"s":"ABUSDT","t":9,"p":"1.5","q":"3","m":true}}"#,
            r#"1.4: {"lastUpdateId":7,"bids":[["1.50","1"]],"asks":[["2","1"]]}"#,
        ],
    ),
    (
        "kraken",
        &[
            r#"1.1: [1,{"as":[["2.0","1.00","1.0"]],"bs":[["1.0","1.00","1.0"]]},"book-2","A/B"]"#,
            r#"1.2: [1,{"a":[["2.5","1.00","1.2"]]},{"b":[["1.5","1.00","1.2"]],"c":"17"},"book-2","A/B"]"#,
            r#"1.3: [1,[["2.0","1.0","1.3","b","l",""]],"trade","A/B"]"#,
        ],
    ),
    (
        "kraken-futures",
        &[
            r#"1.1: {"feed":"book_snapshot","product_id":"PI_X","timestamp":1000,"seq":7,"bids":[{"price":1.5,"qty":2.0}],"asks":[]}"#,
            r#"1.2: {"feed":"book","product_id":"PI_X","side":"buy","seq":8,"price":1.5,"qty":3.0,"timestamp":1000}"#,
            r#"1.3: {"feed":"trade","product_id":"PI_X","side":"buy","seq":3,"price":1.5,"qty":3.0,"time":1000}"#,
        ],
    ),
    (
        "okx",
        &[
            r#"1.1: {"arg":{"channel":"books","instId":"A-B"},"action":"snapshot","data":[{"bids":[["1.10","2","0","1"]],"asks":[],"ts":"1000","seqId":5,"prevSeqId":-1}]}"#,
            r#"1.2: {"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"bids":[["1.1","0","0","0"]],"asks":[],"ts":"1001","checksum":-5,"seqId":6,"prevSeqId":5}]}"#,
            r#"1.3: {"arg":{"channel":"trades","instId":"A-B"},"data":[{"tradeId":"4","px":"1.5","sz":"1","side":"sell","ts":"1002"}]}"#,
        ],
    ),
    (
        "bitget",
        &[
            r#"1.1: {"action":"snapshot","arg":{"instType":"sp","channel":"books","instId":"ABUSDT"},"data":[{"asks":[["1.2","3"]],"bids":[["1.1","3"]],"ts":"1000"}]}"#,
            r#"1.2: {"action":"update","arg":{"instType":"sp","channel":"trade","instId":"ABUSDT"},"data":[["1000","1.5","2","buy"]]}"#,
        ],
    ),
    (
        "coinbase",
        &[
            r#"1.1: {"type":"snapshot","product_id":"A-B","asks":[["1.2","3"]],"bids":[["1.1","3"]]}"#,
            r#"1.2: {"type":"l2update","product_id":"A-B","changes":[["sell","1.2","0"]],"time":"2021-04-17T16:43:37.075687Z"}"#,
            r#"1.3: {"type":"match","product_id":"A-B","trade_id":7,"side":"sell","size":"9","price":"1.2","time":"2021-04-17T16:43:37.089723Z"}"#,
        ],
    ),
    (
        "bitstamp",
        &[
            r#"https://h/api/v2/order_book/abusd -> 1.1: {"microtimestamp":"20","bids":[["1.0","1"]],"asks":[]}"#,
            r#"1.2: {"event":"data","channel":"diff_order_book_abusd","data":{"microtimestamp":"30","bids":[["1.5","2"]],"asks":[]}}"#,
            r#"1.3: {"event":"trade","channel":"live_trades_abusd","data":{"id":7,"amount":0.5,"price":1.5,"type":0,"microtimestamp":"31"}}"#,
        ],
    ),
    (
        "deribit",
        &[
            r#"1.1: {"params":{"channel":"book.A.raw","data":{"type":"snapshot","timestamp":1000,"change_id":5,"bids":[["new",0.5,2.0]],"asks":[]}}}"#,
            r#"1.2: {"params":{"channel":"book.A.raw","data":{"type":"change","timestamp":1000,"change_id":6,"prev_change_id":5,"bids":[["delete",0.5,0.0]],"asks":[]}}}"#,
            r#"1.3: {"params":{"channel":"trades.A.raw","data":[{"trade_seq":3,"timestamp":1000,"price":0.5,"amount":1.0,"direction":"buy","instrument_name":"A"}]}}"#,
        ],
    ),
    (
        "bitmex",
        &[
            r#"1.1: {"table":"orderBookL2","action":"partial","data":[{"symbol":"XBTUSD","id":1,"side":"Buy","size":10,"price":1.5}]}"#,
            r#"1.2: {"table":"orderBookL2","action":"update","data":[{"symbol":"XBTUSD","id":1,"side":"Buy","size":5}]}"#,
            r#"1.3: {"table":"trade","action":"insert","data":[{"timestamp":"2021-07-22T22:36:10.014Z","symbol":"XBTUSD","side":"Buy","size":52,"price":1.5}]}"#,
        ],
    ),
    (
        "databento-csv",
        &[
            "ts_recv,ts_event,publisher_id,instrument_id,action,side,price,size,order_id,flags,sequence,symbol",
            "1,1,2,7,R,N,,0,0,128,1,ABC",
            "2,1970-01-01T00:00:02.000000001Z,2,7,A,B,5250000000,3,1,128,2,ABC",
            "3,3,2,7,T,A,5.25,1,1,0,3,ABC",
            "3,3,2,7,C,B,5.25,1,1,128,3,ABC",
        ],
    ),
];

/// What is put in the place of a part of a line.
const SPLICES: [&str; 20] = [
    "",
    "null",
    "{}",
    "[]",
    "[[]]",
    "\"",
    "-1",
    "-0",
    "0",
    "1e999",
    "1e-300",
    "0.1",
    "18446744073709551615",
    "9223372036854775807",
    "99999999999999999999",
    "\"\"",
    "\"-1\"",
    ",",
    "\\u0000",
    "0.1234567890123456789",
];

/// Imports to the end; the events, or why there are none or no more.
fn run(format: &str, lines: &[String]) -> Result<Vec<Event>, String> {
    let captured = Captured::new(&[&lines.join("\n")]);
    let format: Format = format.parse().unwrap();
    let mut events = Vec::new();
    let mut import = match Import::open(format, &captured.files, &[]) {
        Err(ImportError::Nothing { .. }) => return Ok(events),
        opened => opened.map_err(|error| error.to_string())?,
    };
    loop {
        match import.poll(Nanos::ZERO, &mut events) {
            Err(error) => panic!("the first pass has to find it: {error}"),
            Ok(status) if status.state == FeedState::Ended => return Ok(events),
            Ok(_) => {}
        }
    }
}

#[test]
fn what_is_tampered_with_is_read_whole() {
    for (format, lines) in LINES {
        let lines: Vec<_> = lines.iter().map(|&line| line.to_owned()).collect();
        let events = run(format, &lines).unwrap();
        for kind in [Kind::Reset, Kind::Trade] {
            assert!(events.iter().any(|event| event.kind == kind), "{format} shows a {kind:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_in_a_capture_an_import_ends_and_says_where(
        venue in 0..LINES.len(),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 1..8),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..12, 0..SPLICES.len()), 0..4),
    ) {
        let (format, known) = LINES[venue];
        let mut lines: Vec<String> = order.iter().map(|line| (*line.get(known)).to_owned()).collect();
        for (at, length, splice) in cuts {
            let line = &mut lines[at.index(order.len())];
            let begin = at.index(line.len().max(1)).min(line.len());
            let end = (begin + length).min(line.len());
            if line.is_char_boundary(begin) && line.is_char_boundary(end) {
                line.replace_range(begin..end, SPLICES[splice]);
            }
        }
        match run(format, &lines) {
            Err(error) => prop_assert!(error.contains("capture0:"), "{error}"),
            Ok(events) => {
                let mut open = false;
                for event in events {
                    prop_assert!(!open || event.kind.is_numbered(), "an exchange event is not interrupted");
                    open = event.kind.is_numbered() && !event.last;
                }
                prop_assert!(!open, "the last exchange event ends");
            }
        }
    }
}
