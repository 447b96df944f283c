//! Reads requests.

use super::answer::channel;
use crate::{
    dialect::native_json::{Top, parse_json, read_id},
    message::{
        Channel, Depth, ErrorCode, Interval, MAX_SYMBOLS, Method, Policy, Refusal, ReqId, Request,
        RequestError, Subscribe, Unsubscribe,
    },
};
use simd_json::{prelude::*, tape::Value};

/// The checksum is over so many levels a side.
pub const CHECKSUM_DEPTH: Depth = Depth::TEN;

/// The depths that there are.
const DEPTHS: [u64; 5] = [10, 25, 100, 500, 1000];

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Something that the native protocol has too.
    Request(Request),
    /// To be told of the instruments, now and when there are new ones.
    SubscribeInstrument {
        /// Whether of those that there are already.
        snapshot: bool,
        /// The client's mark.
        id: Option<ReqId>,
    },
    /// Not to be told of them any more.
    UnsubscribeInstrument {
        /// The client's mark.
        id: Option<ReqId>,
    },
}

/// Reads one request. The text is used as scratch space.
///
/// # Errors
/// [`RequestError`] says what is wrong, and holds what of the request could be read.
pub fn parse_request(text: &mut [u8]) -> Result<Asked, RequestError> {
    let malformed = |_| RequestError::from(Refusal::new(ErrorCode::BadJson, "Malformed request"));
    let tape = parse_json(text).map_err(malformed)?;
    let top = tape.as_value().as_object().ok_or(Refusal::new(ErrorCode::BadJson, "Malformed request"))?;
    let Top { method, params, id } = Top::read(&top)?;
    let name = method.as_ref().and_then(|method| method.as_str()).unwrap_or_default();
    let echo = (!name.is_empty() && name.len() <= 64).then(|| Box::from(name));
    let id = id
        .map(read_id)
        .transpose()
        .map_err(|refusal| RequestError { method: echo.clone(), ..refusal.into() })?;
    let wrong = |refusal| {
        let symbols = params.and_then(|params| symbols(params).ok()).unwrap_or_default();
        RequestError { refusal, id: id.clone(), method: echo.clone(), symbols }
    };
    let request = |method| Asked::Request(Request { id: id.clone(), method });
    let is_instrument =
        || params.is_some_and(|params| params.get("channel").is_some_and(|name| name == "instrument"));
    match name {
        "ping" => Ok(request(Method::Ping)),
        "subscribe" if is_instrument() => {
            let snapshot = params.map_or(Ok(None), |params| flag(params, "snapshot")).map_err(wrong)?;
            Ok(Asked::SubscribeInstrument { snapshot: snapshot.unwrap_or(true), id })
        }
        "unsubscribe" if is_instrument() => Ok(Asked::UnsubscribeInstrument { id }),
        "subscribe" => subscribe(params).map(Method::Subscribe).map(request).map_err(wrong),
        "unsubscribe" => unsubscribe(params).map(Method::Unsubscribe).map(request).map_err(wrong),
        _ => Err(wrong(Refusal::new(
            ErrorCode::BadMethod,
            "Unsupported method; use subscribe, unsubscribe, or ping",
        ))),
    }
}

fn subscribe(params: Option<Value<'_, '_>>) -> Result<Subscribe, Refusal> {
    let params = needed(params)?;
    let channel = read_channel(params)?;
    let depth = match params.get("depth") {
        Some(depth) if channel == Channel::Book => {
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
    Ok(Subscribe {
        channel,
        symbols: symbols(params)?,
        depth,
        interval: Interval::EACH_EVENT,
        policy: Policy::Conflate,
        stamps: false,
        snapshot: Some(flag(params, "snapshot")?.unwrap_or(true)),
        since: None,
        heartbeat: None,
    })
}

fn unsubscribe(params: Option<Value<'_, '_>>) -> Result<Unsubscribe, Refusal> {
    let params = needed(params)?;
    Ok(Unsubscribe { channel: read_channel(params)?, symbols: symbols(params)? })
}

fn needed<'t, 'i>(params: Option<Value<'t, 'i>>) -> Result<Value<'t, 'i>, Refusal> {
    params.filter(|params| params.is_object()).ok_or(Refusal::new(
        ErrorCode::BadParams,
        "Field(s) missing: params, an object with channel and symbol",
    ))
}

fn read_channel(params: Value<'_, '_>) -> Result<Channel, Refusal> {
    let name =
        params.get("channel").ok_or(Refusal::new(ErrorCode::BadParams, "Field(s) missing: channel"))?;
    name.as_str().and_then(channel).ok_or(Refusal::new(
        ErrorCode::BadChannel,
        "Unsupported channel; there is book, trade, and instrument",
    ))
}

fn symbols(params: Value<'_, '_>) -> Result<Vec<String>, Refusal> {
    let bad = |text: &'static str| Refusal::new(ErrorCode::BadParams, text);
    let symbols = params.get("symbol").ok_or(bad("Field(s) missing: symbol"))?;
    let symbols =
        symbols.as_array().ok_or(bad("symbol must be an array of texts, such as [\"BTC/USDT\"]"))?;
    if symbols.is_empty() || symbols.len() > MAX_SYMBOLS {
        return Err(Refusal::new(ErrorCode::BadParams, format!("symbol must name 1 to {MAX_SYMBOLS} pairs")));
    }
    let texts = symbols.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    texts.ok_or(bad("symbol must be an array of texts, such as [\"BTC/USDT\"]"))
}

fn flag(params: Value<'_, '_>, name: &str) -> Result<Option<bool>, Refusal> {
    let Some(value) = params.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let bad = || Refusal::new(ErrorCode::BadParams, format!("{name} must be true or false"));
    value.as_bool().map(Some).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Asked, RequestError> {
        parse_request(&mut text.to_owned().into_bytes())
    }

    #[test]
    fn requests_are_read() {
        let Ok(Asked::Request(Request { id, method: Method::Subscribe(subscribe) })) = parse(
            r#"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","ETH/USD"],"depth":25,"token":"x"},"req_id":7}"#,
        ) else {
            panic!("not read as a subscription");
        };
        assert_eq!(
            (id, subscribe.depth.get(), subscribe.snapshot),
            (Some(ReqId::Integer(7)), 25, Some(true))
        );
        assert_eq!(subscribe.symbols, ["BTC/USD", "ETH/USD"]);
        assert_eq!(
            parse(r#"{"method":"ping"}"#),
            Ok(Asked::Request(Request { id: None, method: Method::Ping }))
        );
        assert_eq!(
            parse(r#"{"method":"subscribe","params":{"channel":"instrument","snapshot":false}}"#),
            Ok(Asked::SubscribeInstrument { snapshot: false, id: None })
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
    fn each_symbol_of_a_wrong_request_is_known() {
        let error =
            parse(r#"{"method":"subscribe","params":{"channel":"x","symbol":["A/B","C/D"]},"req_id":1}"#);
        assert_eq!(error.unwrap_err().symbols, ["A/B", "C/D"]);
    }
}
