//! Whatever a client sends costs it an answer and nobody anything else: no panic, no deep stack, no invalid text.

use crate::text;
use proptest::prelude::*;
use wire::{
    dialect::native_json::{self as json, parse_request},
    message::ErrorCode,
};

const INBOUND_LIMIT: usize = 64 * 1024;

/// Parses, and writes the answer if there is one: it has to be JSON.
fn answer(request: &[u8]) -> Option<ErrorCode> {
    let error = parse_request(&mut request.to_vec()).err()?;
    for answer in error.answers() {
        let text = text(|out| json::push_error(out, &answer, error.id.as_ref()));
        serde_json::from_str::<serde_json::Value>(&text).expect(&text);
    }
    Some(error.refusal.code)
}

#[test]
fn deep_nesting_is_refused() {
    let check = |request: Vec<u8>| {
        // A stack of 64 KiB: one call for each bracket would not fit.
        let parse = std::thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || parse_request(&mut request.clone()).map_err(|error| error.refusal.code));
        assert_eq!(parse.unwrap().join().unwrap(), Err(ErrorCode::BadJson));
    };
    check(vec![b'['; INBOUND_LIMIT]);
    check(br#"{"a":"#.repeat(INBOUND_LIMIT / 5));
    check([vec![b'['; INBOUND_LIMIT / 2], vec![b']'; INBOUND_LIMIT / 2]].concat());
    let inside =
        [br#"{"method":"ping","x":"#.to_vec(), vec![b'['; 30_000], vec![b']'; 30_000], b"}".to_vec()];
    check(inside.concat());
}

#[test]
fn broken_texts_are_refused() {
    for request in [
        &br#"{"method":"\xff"}"#[..],
        b"{\"method\":\"\xff\"}",
        b"{\"method\":\"\xc0\xaf\"}",
        b"{\"method\":\"\xed\xa0\x80\"}",
        b"\xef\xbb\xbf{\"method\":\"ping\"}",
        br#"{"method":"\ud800"}"#,
        br#"{"method":"\udc00"}"#,
        br#"{"method":"\ud800\ud800"}"#,
        br#"{"method":"\ud800\u0041"}"#,
        br#"{"method":"\u12"}"#,
        b"{\"method\":\"pi\0ng\"}",
        b"\0",
        b"{\"method\":\"ping\"}\0",
        br#"{"method":"ping","req_id":1e999}"#,
        br#"{"method":"ping","req_id":99999999999999999999999999}"#,
        br#"{"method":"ping","req_id":01}"#,
        br#"{"method":"ping","req_id":NaN}"#,
        br#"{"method":"ping","req_id":--1}"#,
    ] {
        assert_eq!(answer(request), Some(ErrorCode::BadJson), "{}", request.escape_ascii());
    }
}

#[test]
fn strange_but_valid_texts_are_read() {
    for (request, code) in [
        (r#"{"method":"ping","req_id":"\u0000\uD83D\uDE00\u007f"}"#, None),
        (r#"{"m\u0065thod":"ping"}"#, None),
        (r#"{"method":"\u0000"}"#, Some(ErrorCode::BadMethod)),
        (r#"{"method":"ping","x":1,"x":2,"":{"":[]}}"#, None),
        (r#"{"method":"ping","req_id":1,"req_id":1}"#, Some(ErrorCode::BadJson)),
    ] {
        assert_eq!(answer(request.as_bytes()), code, "{request}");
    }
}

#[test]
fn a_long_unknown_name_is_cut_in_the_answer() {
    let name = "é".repeat(10_000);
    let request = format!(r#"{{"method":"ping","params":{{"x{name}":1}}}}"#);
    let error = parse_request(&mut request.into_bytes()).unwrap_err();
    assert_eq!(error.refusal.code, ErrorCode::BadParams);
    assert!(error.to_string().len() < 100, "{error}");
}

/// JSON values that look like parameters, right or wrong.
fn values() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        prop::sample::select(vec!["0", "10", "\"book\"", "\"trade\"", "\"BTC/USDT\"", "\"conflate\""])
            .prop_map(String::from),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop::collection::vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(",")))
    })
}

fn requests() -> impl Strategy<Value = String> {
    let methods = vec!["subscribe", "unsubscribe", "modify", "list", "ping", "verify", "replay"];
    let names = vec![
        "channel",
        "symbol",
        "depth",
        "interval_ms",
        "policy",
        "stamps",
        "snapshot",
        "since",
        "heartbeat_ms",
        "seq",
        "checksum",
        "x",
    ];
    let member =
        (prop::sample::select(names), values()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    (prop::sample::select(methods), prop::collection::vec(member, 0..6), values()).prop_map(
        |(method, members, id)| {
            format!(r#"{{"method":"{method}","params":{{{}}},"req_id":{id}}}"#, members.join(","))
        },
    )
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answer(&bytes);
    }

    #[test]
    fn arbitrary_structure_is_answered(text in r#"[\[\]{}:,"\\u0-9a-f.eE+ -]{0,100}"#) {
        answer(text.as_bytes());
    }

    #[test]
    fn arbitrary_parameters_are_answered(request in requests()) {
        answer(request.as_bytes());
    }

    #[test]
    fn a_request_that_is_cut_or_damaged_is_answered(request in requests(), at: prop::sample::Index, byte: u8) {
        let mut bytes = request.into_bytes();
        let at = at.index(bytes.len());
        answer(&bytes[..at]);
        bytes[at] = byte;
        answer(&bytes);
    }
}
