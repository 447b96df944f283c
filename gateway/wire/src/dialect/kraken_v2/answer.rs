//! Answers to requests, and what comes unasked besides data.

use super::{
    feed::{Feed, minutes_of},
    request::Subscribe,
};
use crate::{
    dialect::json::{push, push_id, push_number, push_text, push_time},
    message::{ErrorAnswer, ErrorCode, Pong, ReqId},
};
use market::Nanos;

/// Appends the answer to a `subscribe`, for one symbol, that was taken and answered at `now`.
pub fn push_subscribed(
    out: &mut Vec<u8>,
    symbol: &str,
    subscribe: &Subscribe,
    id: Option<&ReqId>,
    now: Nanos,
) {
    push_channel(out, "subscribe", subscribe.feed.channel());
    match subscribe.feed {
        Feed::Book => push_number(out, ",\"depth\":", u64::from(subscribe.depth.get())),
        Feed::Trade => {}
        Feed::Ticker(trigger) => push_text(out, ",\"event_trigger\":", trigger.as_str()),
        Feed::Ohlc(interval) => push_number(out, ",\"interval\":", minutes_of(interval)),
    }
    push(out, if subscribe.snapshot { ",\"snapshot\":true" } else { ",\"snapshot\":false" });
    push_text(out, ",\"symbol\":", symbol);
    push_success(out, id, now);
}

/// Appends the answer to an `unsubscribe`, for one symbol.
pub fn push_unsubscribed(out: &mut Vec<u8>, symbol: &str, feed: Feed, id: Option<&ReqId>, now: Nanos) {
    push_channel(out, "unsubscribe", feed.channel());
    if let Feed::Ohlc(interval) = feed {
        push_number(out, ",\"interval\":", minutes_of(interval));
    }
    push_text(out, ",\"symbol\":", symbol);
    push_success(out, id, now);
}

/// Appends the answer to a `subscribe` of the instruments.
pub fn push_instrument_subscribed(out: &mut Vec<u8>, snapshot: bool, id: Option<&ReqId>, now: Nanos) {
    push_channel(out, "subscribe", "instrument");
    push(out, if snapshot { ",\"snapshot\":true" } else { ",\"snapshot\":false" });
    push_success(out, id, now);
}

/// Appends the answer to an `unsubscribe` of the instruments.
pub fn push_instrument_unsubscribed(out: &mut Vec<u8>, id: Option<&ReqId>, now: Nanos) {
    push_channel(out, "unsubscribe", "instrument");
    push_success(out, id, now);
}

fn push_channel(out: &mut Vec<u8>, method: &str, channel: &str) {
    push(out, "{\"method\":\"");
    push(out, method);
    push(out, "\",\"result\":{\"channel\":\"");
    push(out, channel);
    out.push(b'"');
}

/// Closes the result, and with it the answer.
fn push_success(out: &mut Vec<u8>, id: Option<&ReqId>, now: Nanos) {
    push(out, "},\"success\":true");
    push_end(out, id, now);
}

fn push_end(out: &mut Vec<u8>, id: Option<&ReqId>, now: Nanos) {
    push_id(out, ",\"req_id\":", id);
    push_time(out, ",\"time_in\":", now);
    push_time(out, ",\"time_out\":", now);
    out.push(b'}');
}

/// Appends the answer to a request that was refused, in the venue's words where it has some.
pub fn push_error(out: &mut Vec<u8>, answer: &ErrorAnswer<'_>, id: Option<&ReqId>, now: Nanos) {
    push(out, "{\"error\":");
    match (answer.code, answer.symbol) {
        (ErrorCode::BadSymbol, Some(symbol)) => {
            push_text(out, "", &format!("Currency pair not supported {symbol}"));
        }
        (ErrorCode::AlreadySubscribed, _) => push_text(out, "", "Already subscribed"),
        (ErrorCode::NotSubscribed, _) => push_text(out, "", "Subscription Not Found"),
        (ErrorCode::RateLimited, _) => {
            push_text(out, "", &format!("Exceeded msg rate: {}", answer.text));
        }
        _ => push_text(out, "", answer.text),
    }
    if let Some(method) = answer.method {
        push_text(out, ",\"method\":", method);
    }
    push(out, ",\"success\":false");
    if let Some(symbol) = answer.symbol {
        push_text(out, ",\"symbol\":", symbol);
    }
    push_end(out, id, now);
}

/// Appends the answer to a `ping`.
pub fn push_pong(out: &mut Vec<u8>, pong: &Pong, id: Option<&ReqId>) {
    push(out, "{\"method\":\"pong\"");
    push_id(out, ",\"req_id\":", id);
    push_time(out, ",\"time_in\":", pong.time_in);
    push_time(out, ",\"time_out\":", pong.time_out);
    out.push(b'}');
}

/// Appends what says once a second that the connection lives.
pub fn push_heartbeat(out: &mut Vec<u8>) {
    push(out, "{\"channel\":\"heartbeat\"}");
}

/// Appends what a connection begins with.
pub fn push_status(out: &mut Vec<u8>, connection_id: u64) {
    push(out, "{\"channel\":\"status\",\"type\":\"update\",\"data\":[{\"version\":\"");
    push(out, env!("CARGO_PKG_VERSION"));
    push_number(out, "\",\"system\":\"online\",\"api_version\":\"v2\",\"connection_id\":", connection_id);
    push(out, "}]}");
}
