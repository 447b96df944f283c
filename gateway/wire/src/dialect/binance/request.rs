//! Reads what a client asks of its streams.

use super::answer::Fault;
use crate::{
    message::{MAX_REQ_ID_BYTES, ReqId},
    token::Token,
};
use simd_json::{
    Buffers,
    prelude::*,
    tape::{Object, Tape, Value},
};

/// How deep a request may be nested. Ours need two levels.
const MAX_NESTING: usize = 16;
/// Most names in one request: as many streams as a connection has at most, if nothing else is configured.
const MAX_NAMES: usize = 1_024;

/// A client's mark on a request, which comes back on the answer as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// The answer needs none: it comes as the acknowledgement of an event.
    Needless,
    /// It was null, or left out.
    Null,
    /// An integer or a text.
    Given(ReqId),
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its mark.
    pub id: Id,
    /// What it asks for.
    pub method: Method,
}

/// What a request asks for. Names of streams are as the client wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Begin these streams.
    Subscribe {
        /// Their names.
        names: Vec<String>,
        /// Where to go on; only in an event.
        since: Option<Token>,
    },
    /// End these streams.
    Unsubscribe(Vec<String>),
    /// Name the streams.
    List,
    /// Whether each event is to be wrapped with its stream's name.
    SetCombined(bool),
    /// Whether it is.
    GetCombined,
}

/// A request that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    /// Its mark, if it could be read.
    pub id: Id,
    /// What is wrong.
    pub fault: Fault,
}

const METHODS: [&str; 5] = ["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"];

/// Whether a text is a request of this dialect, where others are spoken too. The text is used as scratch space.
pub fn is_request(text: &mut [u8]) -> bool {
    let Ok(tape) = parse_json(text) else { return false };
    let Some(top) = tape.as_value().as_object() else { return false };
    top.iter()
        .any(|(name, value)| name == "method" && value.as_str().is_some_and(|name| METHODS.contains(&name)))
}

/// Reads one request. The text is used as scratch space.
///
/// # Errors
/// [`RequestError`] says what is wrong, in the venue's words where it has some.
pub fn parse_request(text: &mut [u8]) -> Result<Request, RequestError> {
    let without_id = |fault| RequestError { id: Id::Null, fault };
    let tape = parse_json(text).map_err(without_id)?;
    let top = tape.as_value().as_object().ok_or_else(|| {
        without_id(Fault::request(
            "the request must be an object, such as {\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}",
        ))
    })?;
    let Top { method, params, id } = Top::read(&top);
    let id = id.map_or(Ok(Id::Null), read_id).map_err(without_id)?;
    match parse_method(method, params) {
        Ok(method) => Ok(Request { id, method }),
        Err(fault) => Err(RequestError { id, fault }),
    }
}

/// Reads a request in the form of an event of Socket.IO, if it is one of this dialect: `subscribe` or `unsubscribe` with one
/// argument, `{"streams":[…],"since"?}`. The text is used as scratch space.
pub fn parse_event(text: &mut [u8]) -> Option<Result<Request, RequestError>> {
    let tape = parse_json(text).ok()?;
    let arguments = tape.as_value().as_array()?;
    let streams = arguments.get(1)?.get("streams")?;
    let is_subscribe = match arguments.get(0)?.as_str()? {
        "subscribe" => true,
        "unsubscribe" => false,
        _ => return None,
    };
    let id = Id::Needless;
    let since = arguments.get(1)?.get("since").filter(|since| !since.is_null());
    let method = names(Some(streams)).and_then(|names| match (is_subscribe, since) {
        (false, _) => Ok(Method::Unsubscribe(names)),
        (true, None) => Ok(Method::Subscribe { names, since: None }),
        (true, Some(since)) => {
            let token = since.as_str().and_then(|since| since.parse().ok());
            let since = token.ok_or_else(|| Fault::request("since must be the text of a cursor event"))?;
            Ok(Method::Subscribe { names, since: Some(since) })
        }
    });
    Some(match method {
        Ok(method) => Ok(Request { id, method }),
        Err(fault) => Err(RequestError { id, fault }),
    })
}

fn parse_json(text: &mut [u8]) -> Result<Tape<'_>, Fault> {
    let mut buffers = Buffers::with_max_depth(text.len(), MAX_NESTING);
    simd_json::to_tape_with_buffers(text, &mut buffers).map_err(|_| Fault::json())
}

/// The members of a request; others are ignored, and of one that stands twice the last counts.
#[derive(Default)]
struct Top<'t, 'i> {
    method: Option<Value<'t, 'i>>,
    params: Option<Value<'t, 'i>>,
    id: Option<Value<'t, 'i>>,
}

impl<'t, 'i> Top<'t, 'i> {
    fn read(object: &Object<'t, 'i>) -> Top<'t, 'i> {
        let mut top = Top::default();
        for (name, value) in object.iter() {
            match name {
                "method" => top.method = Some(value),
                "params" => top.params = Some(value),
                "id" => top.id = Some(value),
                _ => {}
            }
        }
        top
    }
}

fn read_id(value: Value<'_, '_>) -> Result<Id, Fault> {
    if value.is_null() {
        return Ok(Id::Null);
    }
    if let Some(text) = value.as_str().filter(|text| text.len() <= MAX_REQ_ID_BYTES) {
        return Ok(Id::Given(ReqId::Text(text.into())));
    }
    let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    number.map(|number| Id::Given(ReqId::Integer(number))).ok_or_else(|| {
        Fault::request(format!(
            "request ID must be an integer, a string of at most {MAX_REQ_ID_BYTES} bytes, or null"
        ))
    })
}

fn parse_method(method: Option<Value<'_, '_>>, params: Option<Value<'_, '_>>) -> Result<Method, Fault> {
    let name = method.ok_or_else(|| Fault::request("missing field `method`"))?;
    let name = name.as_str().ok_or_else(|| Fault::request("the method must be a string"))?;
    match name {
        "SUBSCRIBE" => names(params).map(|names| Method::Subscribe { names, since: None }),
        "UNSUBSCRIBE" => names(params).map(Method::Unsubscribe),
        "LIST_SUBSCRIPTIONS" => Ok(Method::List),
        "SET_PROPERTY" => {
            let [property, value] = array(params)?.try_into().map_err(|_| {
                Fault::request("SET_PROPERTY takes a property and its value: [\"combined\",true]")
            })?;
            is_combined(property)?;
            value.as_bool().map(Method::SetCombined).ok_or_else(Fault::not_a_boolean)
        }
        "GET_PROPERTY" => {
            let [property] = array(params)?
                .try_into()
                .map_err(|_| Fault::request("GET_PROPERTY takes one property: [\"combined\"]"))?;
            is_combined(property).map(|()| Method::GetCombined)
        }
        _ => {
            let shown: String = name.chars().take(32).collect();
            let variants = METHODS.map(|name| format!("`{name}`")).join(", ");
            Err(Fault::request(format!("unknown variant `{shown}`, expected one of {variants}")))
        }
    }
}

fn is_combined(property: Value<'_, '_>) -> Result<(), Fault> {
    match property.as_str() {
        Some("combined") => Ok(()),
        Some(_) => Err(Fault::unknown_property()),
        None => Err(Fault::request("property name must be a string")),
    }
}

fn array<'t, 'i>(params: Option<Value<'t, 'i>>) -> Result<Vec<Value<'t, 'i>>, Fault> {
    let params = params.ok_or_else(|| Fault::request("missing field `params`"))?;
    let params = params.as_array().ok_or_else(|| Fault::request("params must be an array"))?;
    if params.len() > MAX_NAMES {
        return Err(Fault::request("too many parameters"));
    }
    Ok(params.iter().collect())
}

fn names(params: Option<Value<'_, '_>>) -> Result<Vec<String>, Fault> {
    let name = |value: Value<'_, '_>| value.as_str().map(str::to_owned);
    let names: Option<Vec<String>> = array(params)?.into_iter().map(name).collect();
    let names = names.ok_or_else(|| Fault::request("names of streams must be strings"))?;
    if names.is_empty() {
        return Err(Fault::request("params names no stream; give some, such as [\"btcusdt@depth\"]"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Request, RequestError> {
        parse_request(&mut text.to_owned().into_bytes())
    }

    #[test]
    fn methods_are_read() {
        let check =
            |text: &str, id: Id, method| assert_eq!(parse(text), Ok(Request { id, method }), "{text}");
        let one = || Id::Given(ReqId::Integer(1));
        check(
            r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","x@y"],"id":1}"#,
            one(),
            Method::Subscribe { names: vec!["btcusdt@trade".into(), "x@y".into()], since: None },
        );
        check(
            r#"{"id":0,"params":["a@depth"],"method":"UNSUBSCRIBE"}"#,
            Id::Given(ReqId::Integer(0)),
            Method::Unsubscribe(vec!["a@depth".into()]),
        );
        check(
            r#"{"method":"LIST_SUBSCRIPTIONS","id":"x"}"#,
            Id::Given(ReqId::Text("x".into())),
            Method::List,
        );
        check(
            r#"{"method":"SET_PROPERTY","params":["combined",true],"id":null}"#,
            Id::Null,
            Method::SetCombined(true),
        );
        check(r#"{"method":"GET_PROPERTY","params":["combined"]}"#, Id::Null, Method::GetCombined);
    }

    #[test]
    fn what_is_wrong_has_the_venues_code() {
        let check = |text: &str, code, words: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.fault.code() == code && error.fault.text().contains(words), "{text}: {error:?}");
        };
        check("{", 3, "Invalid JSON");
        check("[1]", 2, "must be an object");
        check(r#"{"id":1}"#, 2, "missing field `method`");
        check(
            r#"{"method":"subscribe","id":1}"#,
            2,
            "unknown variant `subscribe`, expected one of `SUBSCRIBE`",
        );
        check(r#"{"method":"SUBSCRIBE","id":1}"#, 2, "missing field `params`");
        check(r#"{"method":"SUBSCRIBE","params":[],"id":1}"#, 2, "names no stream");
        check(r#"{"method":"SUBSCRIBE","params":[7],"id":1}"#, 2, "must be strings");
        check(r#"{"method":"SUBSCRIBE","params":["a@trade"],"id":1.5}"#, 2, "request ID");
        check(r#"{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}"#, 1, "expected Boolean");
        check(r#"{"method":"SET_PROPERTY","params":["other",true],"id":1}"#, 0, "Unknown property");
        check(r#"{"method":"GET_PROPERTY","params":[1],"id":1}"#, 2, "property name must be a string");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_request_or_an_error(text in ".{0,200}", json in "[\\[\\]{}\",:a-zA-Z0-9@ ]{0,80}") {
            for text in [text, json] {
                let _ = parse(&text);
                let _ = parse_event(&mut text.clone().into_bytes());
                is_request(&mut text.into_bytes());
            }
        }

        #[test]
        fn parameters_of_any_type_are_read_or_refused(
            method in proptest::sample::select(METHODS.to_vec()),
            params in proptest::sample::select(vec!["null", "7", "{}", "[]", "[[]]", "[null]", "[\"\"]", "[\"combined\",1,2]", "\"x\""]),
            id in proptest::sample::select(vec!["null", "1", "-1", "1.5", "\"a\"", "[]", "{}", "18446744073709551616", "true"]),
        ) {
            let _ = parse(&format!("{{\"method\":\"{method}\",\"params\":{params},\"id\":{id}}}"));
        }
    }

    #[test]
    fn the_mark_of_a_wrong_request_comes_back() {
        assert_eq!(parse(r#"{"method":"X","id":7}"#).unwrap_err().id, Id::Given(ReqId::Integer(7)));
    }

    #[test]
    fn events_name_streams() {
        let parse = |text: &str| parse_event(&mut text.to_owned().into_bytes());
        let wanted = Request { id: Id::Needless, method: Method::Unsubscribe(vec!["a@trade".into()]) };
        assert_eq!(parse(r#"["unsubscribe",{"streams":["a@trade"]}]"#), Some(Ok(wanted)));
        assert!(matches!(parse(r#"["subscribe",{"streams":[]}]"#), Some(Err(_))));
        assert!(matches!(parse(r#"["subscribe",{"streams":["a@trade"],"since":"x"}]"#), Some(Err(_))));
        let token = "9c41d7e0a25b7f3a:A/B=7";
        let since = Some(token.parse().unwrap());
        let wanted =
            Request { id: Id::Needless, method: Method::Subscribe { names: vec!["a@trade".into()], since } };
        let event = format!(r#"["subscribe",{{"streams":["a@trade"],"since":"{token}"}}]"#);
        assert_eq!(parse(&event), Some(Ok(wanted)));
        assert_eq!(parse(r#"["subscribe",{"channel":"book"}]"#), None);
    }

    #[test]
    fn requests_of_this_dialect_are_told_from_others() {
        let is = |text: &str| is_request(&mut text.to_owned().into_bytes());
        assert!(is(r#"{"method":"SUBSCRIBE","params":[]}"#));
        assert!(!is(r#"{"method":"subscribe"}"#) && !is("{") && !is("7"));
    }
}
