//! What clients ask for, and what they are told when they ask wrongly.

use crate::text;
use market::{Nanos, Speed};
use std::time::Duration;
use wire::{
    dialect::native_json::{self as json, parse_request},
    message::*,
};

fn parse(request: &str) -> Result<Request, RequestError> {
    parse_request(&mut request.as_bytes().to_vec())
}

fn book(symbols: &[&str]) -> Subscribe {
    Subscribe {
        channel: Channel::Book,
        symbols: symbols.iter().map(|symbol| symbol.to_string()).collect(),
        depth: Depth::new(10).unwrap(),
        interval: Interval::EACH_EVENT,
        policy: Policy::Conflate,
        stamps: false,
        snapshot: None,
        since: None,
        heartbeat: None,
    }
}

#[track_caller]
fn understood(request: &str, method: Method) {
    assert_eq!(parse(request), Ok(Request { id: None, method }), "{request}");
}

#[test]
fn a_subscription_has_defaults() {
    understood(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":"BTC/USDT"}}"#,
        Method::Subscribe(book(&["BTC/USDT"])),
    );
    understood(
        r#"{"method":"subscribe","params":{"channel":"stats"}}"#,
        Method::Subscribe(Subscribe { channel: Channel::Stats, ..book(&[]) }),
    );
}

#[test]
fn a_subscription_takes_all_its_parameters() {
    understood(
        r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USDT","\u0045TH/USDT","no such"],"depth":0,
            "interval_ms":100,"policy":"lossless","stamps":true,"snapshot":false,"heartbeat_ms":250,
            "since":"9c41d7e0a25b7f3a:BTC/USDT@10=1041"}}"#,
        Method::Subscribe(Subscribe {
            depth: Depth::ALL,
            interval: Interval::new(100).unwrap(),
            policy: Policy::Lossless,
            stamps: true,
            snapshot: Some(false),
            since: Some("9c41d7e0a25b7f3a:BTC/USDT@10=1041".parse().unwrap()),
            heartbeat: Some(Duration::from_millis(250)),
            ..book(&["BTC/USDT", "ETH/USDT", "no such"])
        }),
    );
}

#[test]
fn the_other_methods_are_understood() {
    let symbols = vec!["BTC/USDT".to_string()];
    understood(
        r#"{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USDT"]}}"#,
        Method::Unsubscribe(Unsubscribe { channel: Channel::Trade, symbols: symbols.clone() }),
    );
    understood(
        r#"{"params":{"channel":"book","symbol":["BTC/USDT"],"depth":25,"stamps":null},"method":"modify"}"#,
        Method::Modify(Modify {
            channel: Channel::Book,
            symbols,
            depth: Some(Depth::new(25).unwrap()),
            interval: None,
            policy: None,
            stamps: None,
        }),
    );
    understood(r#"{"method":"list","params":{}}"#, Method::List);
    understood(r#" {"method":"ping","params":null,"jsonrpc":"2.0"} "#, Method::Ping);
    understood(
        r#"{"method":"verify","params":{"symbol":"BTC/USDT","seq":18446744073709551615,"checksum":4294967295}}"#,
        Method::Verify(Verify { symbol: "BTC/USDT".into(), seq: u64::MAX, checksum: u32::MAX }),
    );
}

#[test]
fn a_req_id_comes_back_as_it_was() {
    let longest = format!("\"{}\"", "x".repeat(MAX_REQ_ID_BYTES));
    for id in [
        "0",
        "-1",
        "9223372036854775808",
        "18446744073709551615",
        "-9223372036854775808",
        r#""""#,
        r#""a\"é\n""#,
        &longest,
    ] {
        let request = parse(&format!(r#"{{"req_id":{id},"method":"list"}}"#)).expect(id);
        let answer = text(|out| json::push_list(out, [], request.id.as_ref()));
        assert_eq!(
            answer,
            format!(r#"{{"method":"list","success":true,"result":{{"subscriptions":[]}},"req_id":{id}}}"#)
        );
    }
    assert_eq!(parse(r#"{"req_id":null,"method":"list"}"#).unwrap().id, None);
}

/// The request is answered with this code and a text that holds `advice`.
#[track_caller]
fn refused(request: &str, code: ErrorCode, advice: &str) {
    let error = parse(request).expect_err(request);
    assert_eq!(error.refusal.code, code, "{request}: {error}");
    assert!(error.to_string().contains(advice), "{request}: {error}");
}

#[test]
fn what_is_no_json_object_is_refused() {
    let check = |request, advice| refused(request, ErrorCode::BadJson, advice);
    for request in [
        "",
        " ",
        "{",
        "}",
        "subscribe",
        "{} x",
        "{\"a\":}",
        "{'method':'ping'}",
        "[1,]",
        "\"",
        "{\"method\":\"ping\"}{}",
    ] {
        check(request, "not valid JSON; send one object");
    }
    for request in ["[]", "1", "\"ping\"", "null", r#"[{"method":"ping"}]"#] {
        check(request, "no object; send one object");
    }
    check(r#"{"method":"ping","method":"list"}"#, "'method' stands twice; send it once");
}

#[test]
fn a_method_that_is_not_served_is_refused() {
    let offered = "use subscribe, unsubscribe, modify, list, ping, verify, replay, pause, continue, seek, speed, stop, or chaos";
    for method in ["auth", "SUBSCRIBE", ""] {
        refused(&format!(r#"{{"method":"{method}"}}"#), ErrorCode::BadMethod, offered);
    }
    for request in ["{}", r#"{"method":7}"#, r#"{"method":null}"#] {
        refused(request, ErrorCode::BadMethod, offered);
    }
}

#[test]
fn wrong_parameters_are_named() {
    let check = |params: &str, code, advice| {
        refused(&format!(r#"{{"method":"subscribe","params":{params}}}"#), code, advice);
    };
    let with = |members: &str| format!(r#"{{"channel":"book","symbol":"BTC/USDT",{members}}}"#);
    use ErrorCode::*;
    check("[]", BadParams, "params must be an object");
    check("{}", BadParams, "params lack 'channel'");
    check(r#"{"channel":"book"}"#, BadParams, "params lack 'symbol'");
    check(r#"{"channel":"book","symbol":[]}"#, BadParams, "a list of 1 to 1024 texts");
    check(r#"{"channel":"book","symbol":["A",1]}"#, BadParams, "a list of 1 to 1024 texts");
    check(r#"{"channel":"level2","symbol":"A"}"#, BadChannel, "use book, trade, bbo, or stats");
    check(r#"{"channel":1,"symbol":"A"}"#, BadChannel, "use book, trade, bbo, or stats");
    check(&with(r#""depht":10"#), BadParams, "no param 'depht'; it takes channel, symbol, depth");
    check(&with(r#""depth":10,"depth":5"#), BadParams, "'depth' stands twice");
    check(
        &with(r#""depth":7"#),
        BadDepth,
        "depth 7 is not offered; use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all",
    );
    for depth in ["-1", "10.0", "\"10\"", "true", "1e1"] {
        check(&with(&format!(r#""depth":{depth}"#)), BadDepth, "depth must be an integer: 1, 5, 10");
    }
    check(&with(r#""interval_ms":50"#), BadInterval, "use 0 for each event, 10, 100, or 1000");
    check(&with(r#""interval_ms":"10""#), BadInterval, "must be an integer: 0");
    check(&with(r#""policy":"drop""#), BadPolicy, "use conflate or lossless");
    check(&with(r#""stamps":1"#), BadParams, "stamps must be true or false");
    check(&with(r#""snapshot":"no""#), BadParams, "snapshot must be true or false");
    check(&with(r#""since":"yesterday""#), BadToken, "a token is EPOCH:SYMBOL@DEPTH=SEQ");
    check(&with(r#""since":7"#), BadToken, "a token is EPOCH:SYMBOL@DEPTH=SEQ");
    for millis in ["1", "249", "60001", "-250", "1e3"] {
        check(&with(&format!(r#""heartbeat_ms":{millis}"#)), BadParams, "from 250 to 60000, or 0");
    }
}

#[test]
fn wrong_parameters_of_the_other_methods_are_named() {
    let check = |method: &str, params: &str, advice| {
        let request = format!(r#"{{"method":"{method}","params":{params}}}"#);
        refused(&request, ErrorCode::BadParams, advice);
    };
    check("modify", r#"{"channel":"book","symbol":"A"}"#, "give depth, interval_ms, policy, or stamps");
    check("unsubscribe", r#"{"channel":"book","symbol":"A","depth":10}"#, "it takes channel, symbol");
    check("ping", r#"{"x":1}"#, "ping takes no params");
    check("list", "[]", "params must be an object");
    check("verify", r#"{"symbol":["A"],"seq":1,"checksum":1}"#, "symbol must be one text");
    check("verify", r#"{"symbol":"A","seq":-1,"checksum":1}"#, "seq must be an integer");
    check("verify", r#"{"symbol":"A","seq":1,"checksum":4294967296}"#, "from 0 to 4294967295");
    check("verify", r#"{"symbol":"A","seq":1}"#, "params lack 'checksum'");
}

#[test]
fn chaos_takes_a_plan_or_asks_for_the_report() {
    let chance = |number| Chance::new(number).unwrap();
    let begin = |symbols: &[&str], channel, plan| {
        let symbols = symbols.iter().map(|symbol| symbol.to_string()).collect();
        Method::Chaos(Chaos::Begin { symbols, channel, plan })
    };
    understood(r#"{"method":"chaos","params":{"report":true}}"#, Method::Chaos(Chaos::Report));
    understood(
        r#"{"method":"chaos","params":{"symbol":"BTC/USDT","report":false}}"#,
        begin(&["BTC/USDT"], None, ChaosPlan::default()),
    );
    let plan = ChaosPlan {
        seed: u64::MAX,
        drop: chance(0.01),
        repeat: chance(0.000001),
        reorder: chance(0.0),
        corrupt: chance(0.989999),
        stall: Duration::from_millis(600_000),
        disconnect_after: 1,
    };
    understood(
        r#"{"method":"chaos","params":{"symbol":["A","B"],"channel":"bbo","seed":18446744073709551615,"drop":0.01,"repeat":1e-6,
            "reorder":0,"corrupt":0.989999,"stall_ms":600000,"disconnect_after":1}}"#,
        begin(&["A", "B"], Some(Channel::Bbo), plan),
    );
    let drop = chance(1.0);
    understood(
        r#"{"method":"chaos","params":{"symbol":"A","drop":1}}"#,
        begin(&["A"], None, ChaosPlan { drop, ..ChaosPlan::default() }),
    );
}

#[test]
fn chaos_that_cannot_be_is_refused() {
    let check = |members: &str, code, advice| {
        refused(&format!(r#"{{"method":"chaos","params":{{{members}}}}}"#), code, advice);
    };
    use ErrorCode::*;
    check("", BadParams, "params lack 'symbol'");
    check(r#""symbol":"A","channel":"stats""#, BadChannel, "name book, trade, or bbo");
    check(r#""symbol":"A","report":true"#, BadParams, "report stands alone");
    for chance in ["-0.01", "1.01", "\"0.1\"", "true", "1e300"] {
        check(&format!(r#""symbol":"A","drop":{chance}"#), BadParams, "drop must be a number from 0 to 1");
    }
    check(r#""symbol":"A","drop":0.5,"corrupt":0.500001"#, BadParams, "must add up to at most 1");
    check(
        r#""symbol":"A","drop":1,"repeat":1,"reorder":1,"corrupt":1"#,
        BadParams,
        "must add up to at most 1",
    );
    for millis in ["-1", "600001", "1.5"] {
        check(&format!(r#""symbol":"A","stall_ms":{millis}"#), BadParams, "from 0 to 600000");
    }
    check(r#""symbol":"A","seed":-1"#, BadParams, "seed must be an integer, not negative");
    check(r#""symbol":"A","disconnect_after":2.5"#, BadParams, "disconnect_after must be an integer");
    check(r#""symbol":"A","dorp":0.1"#, BadParams, "no param 'dorp'; it takes symbol, channel, seed, drop");
}

#[test]
fn at_most_1024_symbols_fit_one_request() {
    let request = |count| {
        let symbols = vec!["\"A\""; count].join(",");
        format!(r#"{{"method":"subscribe","params":{{"channel":"trade","symbol":[{symbols}]}}}}"#)
    };
    assert!(parse(&request(MAX_SYMBOLS)).is_ok());
    refused(&request(MAX_SYMBOLS + 1), ErrorCode::BadParams, "a list of 1 to 1024 texts");
}

/// The answers that a refused request gets, as text.
fn answers(request: &str) -> Vec<String> {
    let error = parse(request).unwrap_err();
    error.answers().map(|answer| text(|out| json::push_error(out, &answer, error.id.as_ref()))).collect()
}

#[test]
fn each_symbol_of_a_refused_request_is_answered() {
    let text = "depth 7 is not offered; use 1, 5, 10, 25, 50, 100, 500, 1000, or 0 for all";
    let answer = |symbol: &str| {
        format!(
            r#"{{"method":"subscribe","success":false,"error":"{text}","code":"bad_depth","symbol":"{symbol}","req_id":"x"}}"#
        )
    };
    assert_eq!(
        answers(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["A","B"],"depth":7},"req_id":"x"}"#
        ),
        [answer("A"), answer("B")]
    );
}

#[test]
fn a_refusal_echoes_what_could_be_read() {
    let id = "req_id must be an integer of 64 bits or a text of at most 128 bytes";
    for unreadable in ["1.5", "true", "{}", "[1]", &format!("\"{}\"", "x".repeat(MAX_REQ_ID_BYTES + 1))] {
        assert_eq!(
            answers(&format!(r#"{{"method":"ping","req_id":{unreadable}}}"#)),
            [format!(r#"{{"method":"ping","success":false,"error":"{id}","code":"bad_params"}}"#)]
        );
    }
    let served = "there is no such method here; use subscribe, unsubscribe, modify, list, ping, verify, replay, pause, continue, seek, \
        speed, stop, or chaos";
    assert_eq!(
        answers(r#"{"method":"fly","req_id":9}"#),
        [format!(r#"{{"method":"fly","success":false,"error":"{served}","code":"bad_method","req_id":9}}"#)]
    );
    assert_eq!(
        answers(&format!(r#"{{"method":"{}","req_id":9}}"#, "x".repeat(1000))),
        [format!(r#"{{"success":false,"error":"{served}","code":"bad_method","req_id":9}}"#)]
    );
}

#[test]
fn a_replay_is_a_subscription_with_a_time_and_a_speed() {
    let request = r#"{"method":"replay","params":{"channel":"book","symbol":["A","B"],"depth":5,"policy":"lossless",
        "from":"2024-08-08T23:54:10.5Z","to":1723161300000000000,"speed":0.5,"max_gap_ms":250,"replay":"mine"},"req_id":2}"#;
    let Method::Replay(replay) = parse(request).unwrap().method else { panic!("another method") };
    assert_eq!((replay.subscribe.symbols.len(), replay.subscribe.depth.get()), (2, 5));
    assert_eq!(replay.name, Some(ReqId::Text("mine".into())));
    assert_eq!(replay.from, Some(Nanos(1_723_161_250_500_000_000)));
    assert_eq!(replay.to, Some(Nanos(1_723_161_300_000_000_000)));
    assert_eq!(
        (replay.speed, replay.max_gap),
        (Speed::times(0.5).unwrap(), Some(Duration::from_millis(250)))
    );
    assert!(!replay.goes_live);

    let least =
        r#"{"method":"replay","params":{"channel":"trade","symbol":"A","speed":"max","then":"live"}}"#;
    let Method::Replay(replay) = parse(least).unwrap().method else { panic!("another method") };
    assert_eq!((replay.from, replay.to, replay.max_gap, replay.name), (None, None, None, None));
    assert_eq!((replay.speed, replay.goes_live), (Speed::MAX, true));
}

#[test]
fn a_replay_is_steered_by_its_mark() {
    let check = |method: &str, more: &str, how| {
        let request = format!(r#"{{"method":"{method}","params":{{"replay":7{more}}}}}"#);
        assert_eq!(parse(&request).unwrap().method, Method::Steer(Steer { replay: ReqId::Integer(7), how }));
        refused(
            &format!(r#"{{"method":"{method}","params":{{"replay":1.5{more}}}}}"#),
            ErrorCode::BadParams,
            "its request was",
        );
        refused(&format!(r#"{{"method":"{method}","params":{{}}}}"#), ErrorCode::BadParams, "params lack");
    };
    check("pause", "", Steering::Pause);
    check("continue", "", Steering::Continue);
    check("stop", "", Steering::Stop);
    check("seek", r#","to":5"#, Steering::Seek(Nanos(5)));
    check("speed", r#","speed":3"#, Steering::Speed(Speed::times(3.0).unwrap()));
    refused(
        r#"{"method":"pause","params":{"replay":7,"to":5}}"#,
        ErrorCode::BadParams,
        "pause has no param 'to'",
    );
    refused(
        r#"{"method":"seek","params":{"replay":7,"to":"soon"}}"#,
        ErrorCode::BadParams,
        "to must be a time",
    );
    refused(
        r#"{"method":"speed","params":{"replay":7,"speed":-1}}"#,
        ErrorCode::BadParams,
        "a number above 0",
    );
}

#[test]
fn a_replay_that_cannot_be_is_refused() {
    let check = |more: &str, code, text| {
        let request =
            format!(r#"{{"method":"replay","params":{{"channel":"book","symbol":"A"{more}}},"req_id":1}}"#);
        refused(&request, code, text);
    };
    check(r#","from":2,"to":1"#, ErrorCode::BadParams, "later than");
    check(r#","then":"stop""#, ErrorCode::BadParams, "then must be");
    check(r#","max_gap_ms":-1"#, ErrorCode::BadParams, "not negative");
    check(r#","since":"x""#, ErrorCode::BadParams, "no param 'since'");
    check(r#","speed":"fast""#, ErrorCode::BadParams, "or \"max\"");
}
