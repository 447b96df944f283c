//! Reads requests.

use super::feed::{Feed, Trigger, candles_of};
use crate::{
    dialect::native_json::{Top, parse_json, read_id},
    message::{Depth, ErrorCode, MAX_SYMBOLS, Refusal, ReqId, RequestError},
};
use simd_json::{prelude::*, tape::Value};
use stats::Interval as Candles;

/// The checksum is over so many levels a side.
pub const CHECKSUM_DEPTH: Depth = Depth::TEN;

/// The depths that there are.
const DEPTHS: [u64; 5] = [10, 25, 100, 500, 1000];

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's mark, if it gave one.
    pub id: Option<ReqId>,
    /// What it asks for.
    pub method: Method,
}

/// What a request asks for. Symbols are as the client wrote them: whether they exist is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Answer at once.
    Ping,
    /// Begin subscriptions.
    Subscribe(Subscribe),
    /// End subscriptions.
    Unsubscribe {
        /// Of what. A ticker is meant whatever its trigger, a book whatever its depth.
        feed: Feed,
        /// Of which symbols: 1 to [`MAX_SYMBOLS`].
        symbols: Vec<String>,
    },
    /// To be told of the instruments, now and when there are new ones.
    SubscribeInstrument {
        /// Whether of those that there are already.
        snapshot: bool,
    },
    /// Not to be told of them any more.
    UnsubscribeInstrument,
}

impl Method {
    /// The name in requests and answers.
    pub const fn name(&self) -> &'static str {
        match self {
            Method::Ping => "ping",
            Method::Subscribe(_) | Method::SubscribeInstrument { .. } => "subscribe",
            Method::Unsubscribe { .. } | Method::UnsubscribeInstrument => "unsubscribe",
        }
    }
}

/// Begin subscriptions, one for each symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// To what.
    pub feed: Feed,
    /// Of which symbols: 1 to [`MAX_SYMBOLS`].
    pub symbols: Vec<String>,
    /// How deep a book.
    pub depth: Depth,
    /// Whether a snapshot begins the stream.
    pub snapshot: bool,
}

/// Reads one request. The text is used as scratch space.
///
/// # Errors
/// [`RequestError`] says what is wrong, and holds what of the request could be read.
pub fn parse_request(text: &mut [u8]) -> Result<Request, RequestError> {
    let malformed = |_| RequestError::from(Refusal::new(ErrorCode::BadJson, "Malformed request"));
    let tape = parse_json(text).map_err(malformed)?;
    let top = tape.as_value().as_object().ok_or(Refusal::new(ErrorCode::BadJson, "Malformed request"))?;
    let Top { method, params, id, .. } = Top::read(&top)?;
    let name = method.as_ref().and_then(|method| method.as_str()).unwrap_or_default();
    let echo = (!name.is_empty() && name.len() <= 64).then(|| Box::from(name));
    let id = id
        .map(read_id)
        .transpose()
        .map_err(|refusal| RequestError { method: echo.clone(), ..refusal.into() })?;
    let is_instrument =
        params.and_then(|params| member(params, "channel")).is_some_and(|name| name == "instrument");
    let method = match name {
        "ping" => Ok(Method::Ping),
        "subscribe" if is_instrument => {
            snapshot(params).map(|snapshot| Method::SubscribeInstrument { snapshot })
        }
        "unsubscribe" if is_instrument => Ok(Method::UnsubscribeInstrument),
        "subscribe" => subscribe(params).map(Method::Subscribe),
        "unsubscribe" => unsubscribe(params),
        _ => {
            Err(Refusal::new(ErrorCode::BadMethod, "Unsupported method; use subscribe, unsubscribe, or ping"))
        }
    };
    match method {
        Ok(method) => Ok(Request { id, method }),
        Err(refusal) => {
            let symbols = params.and_then(|params| symbols(params).ok()).unwrap_or_default();
            Err(RequestError { refusal, id, method: echo, symbols })
        }
    }
}

/// A member of the params; of one that stands twice the last counts, as most readers of JSON have it.
fn member<'t, 'i>(params: Value<'t, 'i>, name: &str) -> Option<Value<'t, 'i>> {
    params.as_object()?.iter().filter(|(other, _)| *other == name).last().map(|(_, value)| value)
}

fn subscribe(params: Option<Value<'_, '_>>) -> Result<Subscribe, Refusal> {
    let params = needed(params)?;
    let feed = read_feed(params)?;
    let depth = match member(params, "depth") {
        Some(depth) if feed == Feed::Book => {
            let depth = depth.as_u64().filter(|depth| DEPTHS.contains(depth));
            Depth::new(depth.ok_or_else(|| {
                Refusal::new(
                    ErrorCode::BadDepth,
                    "Subscription depth not supported; use 10, 25, 100, 500, or 1000",
                )
            })?)?
        }
        _ => Depth::default(),
    };
    Ok(Subscribe { feed, symbols: symbols(params)?, depth, snapshot: snapshot(Some(params))? })
}

fn unsubscribe(params: Option<Value<'_, '_>>) -> Result<Method, Refusal> {
    let params = needed(params)?;
    Ok(Method::Unsubscribe { feed: read_feed(params)?, symbols: symbols(params)? })
}

fn needed<'t, 'i>(params: Option<Value<'t, 'i>>) -> Result<Value<'t, 'i>, Refusal> {
    params.filter(|params| params.is_object()).ok_or(Refusal::new(
        ErrorCode::BadParams,
        "Field(s) missing: params, an object with channel and symbol",
    ))
}

fn read_feed(params: Value<'_, '_>) -> Result<Feed, Refusal> {
    let name =
        member(params, "channel").ok_or(Refusal::new(ErrorCode::BadParams, "Field(s) missing: channel"))?;
    match name.as_str() {
        Some("book") => Ok(Feed::Book),
        Some("trade") => Ok(Feed::Trade),
        Some("ticker") => read_trigger(params).map(Feed::Ticker),
        Some("ohlc") => read_interval(params).map(Feed::Ohlc),
        _ => Err(Refusal::new(
            ErrorCode::BadChannel,
            "Unsupported channel; there is book, trade, ticker, ohlc, and instrument",
        )),
    }
}

fn read_trigger(params: Value<'_, '_>) -> Result<Trigger, Refusal> {
    let Some(name) = member(params, "event_trigger") else { return Ok(Trigger::default()) };
    name.as_str()
        .and_then(Trigger::parse)
        .ok_or(Refusal::new(ErrorCode::BadParams, "event_trigger not supported; use trades or bbo"))
}

fn read_interval(params: Value<'_, '_>) -> Result<Candles, Refusal> {
    let Some(minutes) = member(params, "interval") else { return Ok(Candles::OneMinute) };
    minutes.as_u64().and_then(candles_of).ok_or(Refusal::new(
        ErrorCode::BadInterval,
        "Subscription interval not supported; use 1, 5, 15, 30, 60, 240, 1440, or 10080",
    ))
}

fn symbols(params: Value<'_, '_>) -> Result<Vec<String>, Refusal> {
    let bad = |text: &'static str| Refusal::new(ErrorCode::BadParams, text);
    let symbols = member(params, "symbol").ok_or(bad("Field(s) missing: symbol"))?;
    let symbols =
        symbols.as_array().ok_or(bad("symbol must be an array of texts, such as [\"BTC/USDT\"]"))?;
    if symbols.is_empty() || symbols.len() > MAX_SYMBOLS {
        return Err(Refusal::new(ErrorCode::BadParams, format!("symbol must name 1 to {MAX_SYMBOLS} pairs")));
    }
    let texts = symbols.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    texts.ok_or(bad("symbol must be an array of texts, such as [\"BTC/USDT\"]"))
}

fn snapshot(params: Option<Value<'_, '_>>) -> Result<bool, Refusal> {
    let value = params.and_then(|params| member(params, "snapshot")).filter(|value| !value.is_null());
    let Some(value) = value else { return Ok(true) };
    value.as_bool().ok_or(Refusal::new(ErrorCode::BadParams, "snapshot must be true or false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, RequestError> {
        parse_request(&mut text.to_owned().into_bytes())
    }

    #[test]
    fn requests_are_read() {
        let check = |text: &str, id: Option<i128>, method| {
            let id = id.map(ReqId::Integer);
            assert_eq!(parse(text), Ok(Request { id, method }), "{text}");
        };
        let symbols = || vec!["BTC/USD".to_owned(), "ETH/USD".to_owned()];
        check(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","ETH/USD"],"depth":25,"token":"x"},"req_id":7}"#,
            Some(7),
            Method::Subscribe(Subscribe {
                feed: Feed::Book,
                symbols: symbols(),
                depth: Depth::new(25).unwrap(),
                snapshot: true,
            }),
        );
        let subscribe =
            |feed| Subscribe { feed, symbols: symbols(), depth: Depth::default(), snapshot: false };
        check(
            r#"{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD","ETH/USD"],"event_trigger":"bbo","snapshot":false}}"#,
            None,
            Method::Subscribe(subscribe(Feed::Ticker(Trigger::Bbo))),
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD","ETH/USD"],"interval":10080,"snapshot":false}}"#,
            None,
            Method::Subscribe(subscribe(Feed::Ohlc(Candles::OneWeek))),
        );
        check(
            r#"{"method":"unsubscribe","params":{"channel":"ohlc","symbol":["BTC/USD","ETH/USD"]}}"#,
            None,
            Method::Unsubscribe { feed: Feed::Ohlc(Candles::OneMinute), symbols: symbols() },
        );
        check(r#"{"method":"ping"}"#, None, Method::Ping);
        check(
            r#"{"method":"subscribe","params":{"channel":"instrument","snapshot":false}}"#,
            None,
            Method::SubscribeInstrument { snapshot: false },
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, code, words: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.refusal.code == code && error.refusal.text.contains(words), "{text}: {error:?}");
        };
        check("{", ErrorCode::BadJson, "Malformed");
        check(r#"{"method":"buy","req_id":1}"#, ErrorCode::BadMethod, "Unsupported method");
        check(
            r#"{"method":"subscribe","params":{"channel":"level3","symbol":["A/B"]}}"#,
            ErrorCode::BadChannel,
            "Unsupported channel",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["A/B"],"depth":7}}"#,
            ErrorCode::BadDepth,
            "depth not supported",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"ohlc","symbol":["A/B"],"interval":21600}}"#,
            ErrorCode::BadInterval,
            "interval not supported",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"ticker","symbol":["A/B"],"event_trigger":"all"}}"#,
            ErrorCode::BadParams,
            "trades or bbo",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"book"}}"#,
            ErrorCode::BadParams,
            "missing: symbol",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":"A/B"}}"#,
            ErrorCode::BadParams,
            "array",
        );
        check(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["A/B"],"snapshot":1}}"#,
            ErrorCode::BadParams,
            "true or false",
        );
    }

    #[test]
    fn of_a_member_that_stands_twice_the_last_counts() {
        let text = r#"{"method":"unsubscribe","params":{"symbol":["A/B"],"channel":"ohlc","channel":"book","symbol":["C/D"]}}"#;
        let symbols = vec!["C/D".to_owned()];
        assert_eq!(parse(text).unwrap().method, Method::Unsubscribe { feed: Feed::Book, symbols });
    }

    #[test]
    fn each_symbol_of_a_wrong_request_is_known() {
        let error =
            parse(r#"{"method":"subscribe","params":{"channel":"x","symbol":["A/B","C/D"]},"req_id":1}"#);
        assert_eq!(error.unwrap_err().symbols, ["A/B", "C/D"]);
    }
}
