//! What a query says about a stream or a poll: how the connection is wanted, and what it subscribes to.

use super::{
    parameters::{Parameters, bad},
    reply::Problem,
};
use crate::worker::Wanted;
use hyper::Uri;
use market::Instruments;
use session::{Limits, OpenOptions, OpenStreams, find_stream};
use std::{ops::RangeInclusive, time::Duration};
use wire::{
    dialect::Dialect,
    envelope::websocket::NATIVE_SBE,
    message::{Channel, Depth, Encoding, ErrorCode, Interval, Policy, Refusal, Subscribe, TOPICS_WITH_TOKEN},
    token::Token,
};

/// What a client may ask for between two heartbeats, in ms; 0 is none.
const HEARTBEAT_MS: RangeInclusive<u64> = 250..=60_000;
/// What a client may ask for between two pings, in seconds.
const PING_S: RangeInclusive<u64> = 5..=300;

/// How a connection is wanted: `heartbeat_ms` and `ping_s`.
pub(super) fn options(parameters: &mut Parameters<'_>, limits: &Limits) -> Result<OpenOptions, Problem> {
    let mut options = OpenOptions::new(limits);
    if let Some(ms) = parameters.value("heartbeat_ms")? {
        if ms != 0 && !HEARTBEAT_MS.contains(&ms) {
            return Err(bad(format!("heartbeat_ms={ms}: it is 250 to 60000, or 0 for none")));
        }
        options.heartbeat = Duration::from_millis(ms);
    }
    if let Some(seconds) = parameters.value("ping_s")? {
        if !PING_S.contains(&seconds) {
            return Err(bad(format!("ping_s={seconds}: it is 5 to 300")));
        }
        options.ping = Duration::from_secs(seconds);
    }
    Ok(options)
}

/// What is spoken and what is subscribed to: Binance's streams where there is `streams=btcusdt@trade/ethusdt@depth`. It has to name
/// some, as nothing can be asked for later.
///
/// # Errors
/// As [`subscriptions`].
pub(super) fn wanted(
    parameters: &mut Parameters<'_>,
    instruments: &Instruments,
    better_token: Option<Token>,
) -> Result<(Dialect, Wanted), Problem> {
    let Some(names) = parameters.text("streams") else {
        let subscribe = subscriptions(parameters, instruments, better_token)?;
        return Ok((Dialect::default(), Wanted::Topics(subscribe)));
    };
    offered(parameters, "binance")?;
    let since = parameters.text("since").map(|text| token(&text)).transpose()?;
    let mut streams = streams(&names, Encoding::Json, instruments);
    if let Some(fault) = streams.faults.first() {
        return Err(bad(format!("streams: {}", fault.text())));
    }
    if streams.names.is_empty() {
        return Err(bad("streams: it names none; give some, such as btcusdt@depth/ethusdt@trade".into()));
    }
    if streams.names.len() > TOPICS_WITH_TOKEN {
        return Err(too_many());
    }
    streams.since = better_token.or(since);
    Ok((Dialect::binance(true), Wanted::Streams(streams)))
}

/// What a query subscribes to, without a connection: topics of the native protocol, or streams of Binance's. For gateway/fuzz.
///
/// # Errors
/// The text of the first thing that is wrong.
pub fn read_query(uri: &Uri, instruments: &Instruments) -> Result<(Vec<Subscribe>, OpenStreams), String> {
    let read = || {
        let mut parameters = Parameters::of(uri)?;
        options(&mut parameters, &Limits::default())?;
        let (_, wanted) = wanted(&mut parameters, instruments, None)?;
        parameters.finish()?;
        Ok(match wanted {
            Wanted::Topics(topics) => (topics, OpenStreams::default()),
            Wanted::Streams(streams) => (Vec::new(), streams),
        })
    };
    read().map_err(|problem: Problem| problem.text().to_owned())
}

/// The streams with events of this encoding of names between slashes, and what is wrong with the others.
pub(super) fn streams(names: &str, encoding: Encoding, instruments: &Instruments) -> OpenStreams {
    let mut streams = OpenStreams::default();
    for name in names.split('/').filter(|name| !name.is_empty()) {
        match find_stream(name, encoding, instruments) {
            Ok(name) => streams.names.push(name),
            Err(fault) => streams.faults.push(fault),
        }
    }
    streams
}

fn too_many() -> Problem {
    let text = format!(
        "at most {TOPICS_WITH_TOKEN} subscriptions here, so that the resume token fits into a header"
    );
    Refusal::new(ErrorCode::TooManyTopics, text).into()
}

/// What is subscribed to: one for each of `channel=book,trade`, of all of `symbol=BTC/USDT,ETH/USDT`, from `since` on where
/// the request has no better token.
///
/// # Errors
/// The first thing that is wrong: where the answer has a status, it is about all of it.
pub(super) fn subscriptions(
    parameters: &mut Parameters<'_>,
    instruments: &Instruments,
    better_token: Option<Token>,
) -> Result<Vec<Subscribe>, Problem> {
    offered(parameters, "native")?;
    let channels = channels(&parameters.required("channel")?)?;
    let of_symbols = channels.iter().filter(|&&channel| channel != Channel::Stats).count();
    let symbols = match parameters.text("symbol") {
        Some(names) => symbols(&names, instruments)?,
        None if of_symbols == 0 => Vec::new(),
        None => return Err(bad("'symbol' is missing in the query".to_owned())),
    };
    if symbols.len() * of_symbols > TOPICS_WITH_TOKEN {
        return Err(too_many());
    }
    let depth = number(parameters, "depth", ErrorCode::BadDepth)?.map(Depth::new).transpose()?;
    let interval =
        number(parameters, "interval_ms", ErrorCode::BadInterval)?.map(Interval::new).transpose()?;
    let policy = parameters.text("policy").map(|name| Policy::parse(&name)).transpose()?;
    let stamps = parameters.value("stamps")?;
    let snapshot = parameters.value("snapshot")?;
    let since = parameters.text("since").map(|text| token(&text)).transpose()?;
    let since = better_token.or(since);
    let subscribe = |channel| Subscribe {
        channel,
        symbols: if channel == Channel::Stats { Vec::new() } else { symbols.clone() },
        depth: depth.unwrap_or_default(),
        interval: interval.unwrap_or_default(),
        policy: policy.unwrap_or_default(),
        stamps: stamps.unwrap_or_default(),
        snapshot,
        since: since.clone(),
        heartbeat: None,
    };
    Ok(channels.into_iter().map(subscribe).collect())
}

/// A resume token.
pub(super) fn token(text: &str) -> Result<Token, Problem> {
    text.parse().map_err(|error| Refusal::new(ErrorCode::BadToken, format!("{error}")).into())
}

/// Other dialects and encodings are on other transports, or nowhere.
fn offered(parameters: &mut Parameters<'_>, dialect: &'static str) -> Result<(), Problem> {
    if let Some(other) = parameters.text("dialect").filter(|value| value != dialect) {
        let text = format!("dialect={other} is not offered here; use {dialect}, or leave it out");
        return Err(Refusal::new(ErrorCode::NotOffered, text).into());
    }
    only_json(parameters)
}

/// What is not text has other ways.
pub(super) fn only_json(parameters: &mut Parameters<'_>) -> Result<(), Problem> {
    let Some(other) = parameters.text("encoding").filter(|value| value != Encoding::Json.as_str()) else {
        return Ok(());
    };
    let text = format!(
        "encoding={other} is not offered here; use json, or leave it out. sbe is over WebSocket, by Sec-WebSocket-Protocol: \
         {NATIVE_SBE}, and over TCP, by {{\"method\":\"hello\",\"encoding\":\"sbe\"}}"
    );
    Err(Refusal::new(ErrorCode::NotOffered, text).into())
}

fn channels(names: &str) -> Result<Vec<Channel>, Problem> {
    let mut channels = Vec::new();
    for name in names.split(',') {
        let channel = Channel::parse(name)?;
        if channels.contains(&channel) {
            return Err(bad(format!("the channel {name} stands twice")));
        }
        channels.push(channel);
    }
    Ok(channels)
}

fn symbols(names: &str, instruments: &Instruments) -> Result<Vec<String>, Problem> {
    let mut symbols: Vec<String> = Vec::new();
    for name in names.split(',') {
        let Some(id) = instruments.find(name) else {
            let shown: String = name.chars().take(32).collect();
            let text = format!("there is no symbol '{shown}'; /v1/instruments lists them");
            return Err(Refusal::new(ErrorCode::BadSymbol, text).into());
        };
        let symbol = &instruments[id].symbol;
        if symbols.iter().any(|other| **other == **symbol) {
            return Err(bad(format!("the symbol {symbol} stands twice")));
        }
        symbols.push(symbol.to_string());
    }
    Ok(symbols)
}

fn number(
    parameters: &mut Parameters<'_>,
    name: &'static str,
    code: ErrorCode,
) -> Result<Option<u64>, Problem> {
    let Some(text) = parameters.text(name) else { return Ok(None) };
    let number =
        text.parse().map_err(|_| Refusal::new(code, format!("{name}={text}: not a whole number")))?;
    Ok(Some(number))
}
