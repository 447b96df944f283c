//! Reads requests: a client's text in, what it asks for or what is wrong with it out.

use super::params::Params;
use crate::message::{
    Channel, Chaos, ChaosPlan, Encoding, ErrorCode, MAX_REQ_ID_BYTES, Method, Modify, Refusal, Replay, ReqId,
    Request, RequestError, Steer, Steering, Subscribe, Unsubscribe, Verify,
};
use market::Speed;
use simd_json::{
    Buffers,
    prelude::*,
    tape::{Object, Tape, Value},
};

/// How deep a request may be nested. Ours need three levels; more is a mistake or an attack.
const MAX_NESTING: usize = 16;
/// Longer names of methods are not echoed.
const MAX_METHOD_BYTES: usize = 64;

/// Reads one request. The text is used as scratch space: what it holds afterwards is of no use.
///
/// # Errors
/// [`RequestError`] says what is wrong and what to do, and holds what of the request could be read.
pub fn parse_request(text: &mut [u8]) -> Result<Request, RequestError> {
    let tape = parse_json(text)?;
    let top = tape.as_value().as_object().ok_or_else(not_an_object)?;
    let Top { method, params, id, encoding } = Top::read(&top)?;
    let name = method.as_ref().and_then(|method| method.as_str());
    let echo = name.filter(|name| name.len() <= MAX_METHOD_BYTES).map(Box::from);
    let id = match id.map(read_id).transpose() {
        Ok(id) => id,
        Err(refusal) => return Err(RequestError { method: echo, ..refusal.into() }),
    };
    let method = if name == Some("hello") { hello(params, encoding) } else { parse_method(name, params) };
    match method {
        Ok(method) => Ok(Request { id, method }),
        Err(refusal) => {
            let symbols = params.map(Params::symbols_of).unwrap_or_default();
            Err(RequestError { refusal, id, method: echo, symbols })
        }
    }
}

/// Reads a request in the form of an event: a JSON array of the method's name and its params. The text is used as scratch
/// space.
///
/// # Errors
/// As [`parse_request`].
pub fn parse_event(text: &mut [u8]) -> Result<Request, RequestError> {
    let tape = parse_json(text)?;
    let array = tape.as_value().as_array().ok_or_else(not_an_event)?;
    let mut arguments = array.iter();
    let name = arguments.next();
    let name = name.as_ref().and_then(|name| name.as_str());
    let params = arguments.next().filter(|params| !params.is_null());
    let echo = name.filter(|name| name.len() <= MAX_METHOD_BYTES).map(Box::from);
    if arguments.next().is_some() {
        let refusal =
            Refusal::new(ErrorCode::BadParams, "an event takes one argument: an object with the params");
        return Err(RequestError { method: echo, ..refusal.into() });
    }
    match parse_method(name, params) {
        Ok(method) => Ok(Request { id: None, method }),
        Err(refusal) => {
            let symbols = params.map(Params::symbols_of).unwrap_or_default();
            Err(RequestError { refusal, id: None, method: echo, symbols })
        }
    }
}

fn not_an_event() -> Refusal {
    Refusal::new(
        ErrorCode::BadJson,
        "the event is no JSON array; send its name and one object with the params",
    )
}

pub(in crate::dialect) fn parse_json(text: &mut [u8]) -> Result<Tape<'_>, Refusal> {
    let mut buffers = Buffers::with_max_depth(text.len(), MAX_NESTING);
    simd_json::to_tape_with_buffers(text, &mut buffers).map_err(|_| {
        Refusal::new(
            ErrorCode::BadJson,
            "the message is not valid JSON; send one object, such as {\"method\":\"ping\"}",
        )
    })
}

fn not_an_object() -> Refusal {
    Refusal::new(
        ErrorCode::BadJson,
        "the message is JSON, but no object; send one object, such as {\"method\":\"ping\"}",
    )
}

/// The members of a request; others are ignored.
#[derive(Default)]
pub(in crate::dialect) struct Top<'t, 'i> {
    pub(in crate::dialect) method: Option<Value<'t, 'i>>,
    pub(in crate::dialect) params: Option<Value<'t, 'i>>,
    pub(in crate::dialect) id: Option<Value<'t, 'i>>,
    /// Of a `hello`, which has no params.
    encoding: Option<Value<'t, 'i>>,
}

impl<'t, 'i> Top<'t, 'i> {
    pub(in crate::dialect) fn read(object: &Object<'t, 'i>) -> Result<Top<'t, 'i>, Refusal> {
        let mut top = Top::default();
        for (name, value) in object.iter() {
            let member = match name {
                "method" => &mut top.method,
                "params" => &mut top.params,
                "req_id" => &mut top.id,
                "encoding" => &mut top.encoding,
                _ => continue,
            };
            if member.replace(value).is_some() {
                return Err(Refusal::new(ErrorCode::BadJson, format!("'{name}' stands twice; send it once")));
            }
        }
        top.params = top.params.filter(|params| !params.is_null());
        top.id = top.id.filter(|id| !id.is_null());
        Ok(top)
    }
}

pub(in crate::dialect) fn read_id(value: Value<'_, '_>) -> Result<ReqId, Refusal> {
    if let Some(text) = value.as_str().filter(|text| text.len() <= MAX_REQ_ID_BYTES) {
        return Ok(ReqId::Text(text.into()));
    }
    let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    number.map(ReqId::Integer).ok_or_else(|| {
        Refusal::new(
            ErrorCode::BadParams,
            format!("req_id must be an integer of 64 bits or a text of at most {MAX_REQ_ID_BYTES} bytes"),
        )
    })
}

fn parse_method(name: Option<&str>, params: Option<Value<'_, '_>>) -> Result<Method, Refusal> {
    match name {
        Some("subscribe") => subscribe(params).map(Method::Subscribe),
        Some("unsubscribe") => unsubscribe(params).map(Method::Unsubscribe),
        Some("modify") => modify(params).map(Method::Modify),
        Some("list") => Params::read(params, "list", &[]).map(|_| Method::List),
        Some("ping") => Params::read(params, "ping", &[]).map(|_| Method::Ping),
        Some("verify") => verify(params).map(Method::Verify),
        Some("replay") => replay(params).map(Method::Replay),
        Some(name @ ("pause" | "continue" | "seek" | "speed" | "stop")) => {
            steer(name, params).map(Method::Steer)
        }
        Some("chaos") => chaos(params).map(Method::Chaos),
        Some(_) => Err(bad_method("there is no such method here")),
        None => Err(bad_method("the method is missing or no text")),
    }
}

fn bad_method(what: &str) -> Refusal {
    Refusal::new(
        ErrorCode::BadMethod,
        format!(
            "{what}; use subscribe, unsubscribe, modify, list, ping, verify, replay, pause, continue, seek, speed, stop, or chaos"
        ),
    )
}

fn hello(params: Option<Value<'_, '_>>, encoding: Option<Value<'_, '_>>) -> Result<Method, Refusal> {
    Params::read(params, "hello", &[])?;
    let encoding = encoding.ok_or_else(|| {
        let text = "hello lacks its encoding; send {\"method\":\"hello\",\"encoding\":\"sbe\"}";
        Refusal::new(ErrorCode::BadParams, text)
    })?;
    Encoding::parse(encoding.as_str().unwrap_or_default()).map(Method::Hello)
}

fn subscribe(params: Option<Value<'_, '_>>) -> Result<Subscribe, Refusal> {
    let params = Params::read(
        params,
        "subscribe",
        &[
            "channel",
            "symbol",
            "depth",
            "interval_ms",
            "policy",
            "stamps",
            "snapshot",
            "since",
            "heartbeat_ms",
        ],
    )?;
    wanted(&params)
}

/// What a client wants of a channel; a member that `params` does not know is left out of it.
fn wanted(params: &Params<'_, '_>) -> Result<Subscribe, Refusal> {
    let channel = params.channel()?;
    Ok(Subscribe {
        channel,
        symbols: params.symbols(channel)?,
        depth: params.depth()?.unwrap_or_default(),
        interval: params.interval()?.unwrap_or_default(),
        policy: params.policy()?.unwrap_or_default(),
        stamps: params.flag("stamps")?.unwrap_or_default(),
        snapshot: params.flag("snapshot")?,
        since: params.since()?,
        heartbeat: params.heartbeat()?,
    })
}

fn replay(params: Option<Value<'_, '_>>) -> Result<Box<Replay>, Refusal> {
    let params = Params::read(
        params,
        "replay",
        &[
            "channel",
            "symbol",
            "depth",
            "interval_ms",
            "policy",
            "stamps",
            "snapshot",
            "from",
            "to",
            "speed",
            "max_gap_ms",
            "then",
            "replay",
        ],
    )?;
    let replay = Replay {
        subscribe: wanted(&params)?,
        name: params.replay()?,
        from: params.time("from")?,
        to: params.time("to")?,
        speed: params.speed()?.unwrap_or(Speed::REAL_TIME),
        max_gap: params.max_gap()?,
        goes_live: params.goes_live()?,
    };
    if replay.subscribe.symbols.is_empty() {
        let text = "only book, trade and bbo were recorded and can be played";
        return Err(Refusal::new(ErrorCode::BadChannel, text));
    }
    if replay.goes_live && replay.to.is_some() {
        let text = "a replay that goes live has no 'to': it goes up to now";
        return Err(Refusal::new(ErrorCode::BadParams, text));
    }
    if replay.from.zip(replay.to).is_some_and(|(from, to)| from > to) {
        return Err(Refusal::new(ErrorCode::BadParams, "'from' is later than 'to'"));
    }
    Ok(Box::new(replay))
}

fn steer(name: &str, params: Option<Value<'_, '_>>) -> Result<Steer, Refusal> {
    let known: &[_] = match name {
        "seek" => &["replay", "to"],
        "speed" => &["replay", "speed"],
        _ => &["replay"],
    };
    let params = Params::read(params, name, known)?;
    let lacks = |member: &str| Refusal::new(ErrorCode::BadParams, format!("params lack '{member}'"));
    let how = match name {
        "pause" => Steering::Pause,
        "continue" => Steering::Continue,
        "seek" => Steering::Seek(params.time("to")?.ok_or_else(|| lacks("to"))?),
        "speed" => Steering::Speed(params.speed()?.ok_or_else(|| lacks("speed"))?),
        _ => Steering::Stop,
    };
    let replay = params.replay()?.ok_or_else(|| {
        let text = "params lack 'replay': the req_id of the request that began it";
        Refusal::new(ErrorCode::BadParams, text)
    })?;
    Ok(Steer { replay, how })
}

fn unsubscribe(params: Option<Value<'_, '_>>) -> Result<Unsubscribe, Refusal> {
    let params = Params::read(params, "unsubscribe", &["channel", "symbol"])?;
    let channel = params.channel()?;
    Ok(Unsubscribe { channel, symbols: params.symbols(channel)? })
}

fn modify(params: Option<Value<'_, '_>>) -> Result<Modify, Refusal> {
    let params =
        Params::read(params, "modify", &["channel", "symbol", "depth", "interval_ms", "policy", "stamps"])?;
    let channel = params.channel()?;
    let modify = Modify {
        channel,
        symbols: params.symbols(channel)?,
        depth: params.depth()?,
        interval: params.interval()?,
        policy: params.policy()?,
        stamps: params.flag("stamps")?,
    };
    if (modify.depth, modify.interval, modify.policy, modify.stamps) == (None, None, None, None) {
        return Err(Refusal::new(
            ErrorCode::BadParams,
            "modify changes nothing; give depth, interval_ms, policy, or stamps",
        ));
    }
    Ok(modify)
}

fn verify(params: Option<Value<'_, '_>>) -> Result<Verify, Refusal> {
    let params = Params::read(params, "verify", &["symbol", "seq", "checksum"])?;
    Ok(Verify { symbol: params.symbol()?, seq: params.seq()?, checksum: params.checksum()? })
}

fn chaos(params: Option<Value<'_, '_>>) -> Result<Chaos, Refusal> {
    let params = Params::read(
        params,
        "chaos",
        &[
            "symbol",
            "channel",
            "seed",
            "drop",
            "repeat",
            "reorder",
            "corrupt",
            "stall_ms",
            "disconnect_after",
            "report",
        ],
    )?;
    if params.flag("report")? == Some(true) {
        params.alone("report")?;
        return Ok(Chaos::Report);
    }
    let channel = params.channel_if_named()?;
    if channel == Some(Channel::Stats) {
        let text = "stats cannot be spoiled; name book, trade, or bbo, or leave channel out for all three";
        return Err(Refusal::new(ErrorCode::BadChannel, text));
    }
    let plan = ChaosPlan {
        seed: params.count("seed")?,
        drop: params.chance("drop")?,
        repeat: params.chance("repeat")?,
        reorder: params.chance("reorder")?,
        corrupt: params.chance("corrupt")?,
        stall: params.stall()?,
        disconnect_after: params.count("disconnect_after")?,
    };
    params.check_chances(&plan)?;
    Ok(Chaos::Begin { symbols: params.symbols(Channel::Book)?, channel, plan })
}
