//! Requests of each dialect, resume tokens, and queries: what is read is what serde_json and the standard library find there too.

use http::Uri;
use market::{Instrument, Instruments, Price, Qty, Status};
use serde_json::Value;
use std::sync::OnceLock;
use wire::{
    dialect::{binance, kraken_v2, native_json},
    message::{
        Chance, Channel, Chaos, Encoding, MAX_REQ_ID_BYTES, MAX_SYMBOLS, Method, ReqId, TOPICS_WITH_TOKEN,
    },
    token::Token,
};

/// The text of a request, or of an event of Socket.IO.
pub(crate) fn native(data: &[u8]) {
    let _ = native_json::parse_event(&mut data.to_vec());
    let Ok(request) = native_json::parse_request(&mut data.to_vec()) else { return };
    let json = json(data);
    assert_eq!(json["method"], request.method.name());
    check_id(request.id.as_ref(), &json["req_id"]);
    let symbols = match &request.method {
        Method::Subscribe(subscribe) => &subscribe.symbols,
        Method::Unsubscribe(unsubscribe) => &unsubscribe.symbols,
        Method::Modify(modify) => &modify.symbols,
        Method::Verify(verify) => {
            assert_eq!(json["params"]["symbol"], verify.symbol);
            assert_eq!(json["params"]["seq"], verify.seq);
            assert_eq!(json["params"]["checksum"], verify.checksum);
            return;
        }
        Method::Hello(encoding) => {
            assert_eq!(json["encoding"], encoding.as_str());
            return;
        }
        Method::Replay(replay) => {
            assert_eq!(replay.goes_live, json["params"]["then"] == "live");
            assert!(replay.from.zip(replay.to).is_none_or(|(from, to)| from <= to));
            &replay.subscribe.symbols
        }
        Method::Steer(steer) => return check_id(Some(&steer.replay), &json["params"]["replay"]),
        Method::Chaos(Chaos::Begin { symbols, channel, plan }) => {
            let params = &json["params"];
            assert_eq!(params["channel"].as_str(), channel.map(Channel::as_str));
            let chances = [plan.drop, plan.repeat, plan.reorder, plan.corrupt];
            assert!(chances.map(Chance::parts).iter().sum::<u32>() <= Chance::CERTAIN);
            assert_eq!(params["seed"].as_u64().unwrap_or_default(), plan.seed);
            symbols
        }
        Method::Chaos(Chaos::Report) => {
            assert_eq!(json["params"]["report"], true);
            return;
        }
        Method::List | Method::Ping => return,
    };
    check_names(symbols, &json["params"]["symbol"]);
    if let Method::Subscribe(subscribe) = &request.method {
        assert_eq!(subscribe.since.is_some(), !json["params"]["since"].is_null());
        assert_eq!(subscribe.stamps, json["params"]["stamps"] == true);
    }
}

/// The text of a request, of an event of Socket.IO, or the name of a stream.
pub(crate) fn binance(data: &[u8]) {
    stream(data);
    let _ = binance::parse_event(&mut data.to_vec());
    let is_request = binance::is_request(&mut data.to_vec());
    let Ok(request) = binance::parse_request(&mut data.to_vec()) else { return };
    assert!(is_request, "what is a request is known as one");
    let json = json(data);
    match &request.id {
        binance::Id::Given(id) => check_id(Some(id), &json["id"]),
        binance::Id::Null | binance::Id::Needless => check_id(None, &json["id"]),
    }
    let name = match &request.method {
        binance::Method::Subscribe { names, .. } => {
            check_names(names, &json["params"]);
            "SUBSCRIBE"
        }
        binance::Method::Unsubscribe(names) => {
            check_names(names, &json["params"]);
            "UNSUBSCRIBE"
        }
        binance::Method::SetCombined(combined) => {
            assert_eq!(json["params"][1], *combined);
            "SET_PROPERTY"
        }
        binance::Method::List => "LIST_SUBSCRIPTIONS",
        binance::Method::GetCombined => "GET_PROPERTY",
    };
    assert_eq!(json["method"], name);
}

/// A name that is understood is that of the topic's own events, but for its case.
fn stream(data: &[u8]) {
    let Ok(name) = std::str::from_utf8(data) else { return };
    for encoding in [Encoding::Json, Encoding::Sbe] {
        let Ok(found) = session::find_stream(name, encoding, instruments()) else { continue };
        if !name.starts_with('!') {
            assert_eq!(name.split('@').next(), Some(if found.symbol.0 == 0 { "btcusdt" } else { "ethusdt" }));
        }
    }
}

/// The text of a request.
pub(crate) fn kraken(data: &[u8]) {
    use kraken_v2::Method;
    let Ok(request) = kraken_v2::parse_request(&mut data.to_vec()) else { return };
    let json = json(data);
    assert_eq!(json["method"], request.method.name());
    check_id(request.id.as_ref(), &json["req_id"]);
    match &request.method {
        Method::Subscribe(subscribe) => check_names(&subscribe.symbols, &json["params"]["symbol"]),
        Method::Unsubscribe { symbols, .. } => check_names(symbols, &json["params"]["symbol"]),
        Method::Ping | Method::SubscribeInstrument { .. } | Method::UnsubscribeInstrument => {}
    }
}

/// A resume token.
pub(crate) fn token(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(token) = text.parse::<Token>() else { return };
    let again = token.to_string();
    assert!(again.len() <= text.len(), "{text} became {again}");
    assert!(token.entries().len() <= Token::MAX_ENTRIES);
    assert!(token.entries().iter().all(|entry| token.find(&entry.symbol) == Some(entry)));
    assert_eq!(again.parse(), Ok(token));
}

/// The query of a stream or a poll; a fragment, which no client sends, would end it.
pub(crate) fn query(data: &[u8]) {
    let Some(query) = std::str::from_utf8(data).ok().filter(|query| !query.contains('#')) else { return };
    let read = |query: &str| {
        let uri: Uri = format!("/poll?{query}").parse().ok()?;
        gateway::read_query(&uri, instruments()).ok()
    };
    let Some((topics, streams)) = read(query) else { return };
    let count = topics.iter().map(|topic| topic.symbols.len()).sum::<usize>() + streams.names.len();
    assert!(count <= TOPICS_WITH_TOKEN);
    // No parameter depends on which stand before it.
    let turned: Vec<_> = query.split('&').rev().collect();
    let (again, streams_again) = read(&turned.join("&")).expect("the same parameters");
    assert_eq!((again, streams_again.names), (topics, streams.names));
}

fn instruments() -> &'static Instruments {
    static TABLE: OnceLock<Instruments> = OnceLock::new();
    TABLE.get_or_init(|| {
        let instrument = |symbol: &str| Instrument {
            symbol: symbol.into(),
            venue_symbol: symbol.replace('/', ""),
            price_decimals: 2,
            qty_decimals: 3,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        };
        Instruments::new(["BTC/USDT", "ETH/USDT"].map(instrument)).expect("two instruments")
    })
}

fn json(data: &[u8]) -> Value {
    serde_json::from_slice(data).expect("what was read as a request is JSON")
}

fn check_id(id: Option<&ReqId>, json: &Value) {
    match id {
        None => assert!(json.is_null()),
        Some(ReqId::Text(text)) => {
            assert!(text.len() <= MAX_REQ_ID_BYTES);
            assert_eq!(json, &**text);
        }
        // serde_json takes -0 for a float.
        Some(ReqId::Integer(0)) => assert_eq!(json.as_f64(), Some(0.0)),
        Some(ReqId::Integer(number)) => assert_eq!(json.to_string(), number.to_string()),
    }
}

/// Names are one text or a list; none for a channel that is of no symbol.
fn check_names(names: &[String], json: &Value) {
    assert!(names.len() <= MAX_SYMBOLS);
    if names.is_empty() {
        return;
    }
    let one = std::slice::from_ref(json);
    let found = json.as_array().map_or(one, Vec::as_slice);
    assert_eq!(found, names);
}
