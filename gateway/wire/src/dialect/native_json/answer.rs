//! Answers to requests.

use crate::dialect::{
    json::{push, push_epoch, push_id, push_number, push_text, push_time},
    native_sbe,
};
use crate::message::{
    Channel, ChaosAct, ChaosDeed, ChaosSubject, Encoding, ErrorAnswer, Pong, Replaying, ReqId, Steer,
    Steering, Subscribed, Subscription, Unsubscribed, Verified,
};
use market::{Seq, Speed};

/// Appends the answer to a `subscribe`, for one symbol.
pub fn push_subscribed(out: &mut Vec<u8>, answer: &Subscribed<'_>, id: Option<&ReqId>) {
    push(out, "{\"method\":\"subscribe\",\"success\":true,\"result\":");
    push_parameters(out, &answer.subscription);
    push_epoch(out, ",\"epoch\":", answer.epoch);
    push_number(out, ",\"seq\":", answer.seq);
    push_flag(out, ",\"recovered\":", answer.recovered);
    push_end_of_result(out, id);
}

/// Appends the answer to an `unsubscribe`, for one symbol.
pub fn push_unsubscribed(out: &mut Vec<u8>, answer: &Unsubscribed<'_>, id: Option<&ReqId>) {
    push(out, "{\"method\":\"unsubscribe\",\"success\":true,\"result\":");
    push_name(out, answer.channel, answer.symbol);
    push_end_of_result(out, id);
}

/// Appends the answer to a `modify`, for one symbol: the subscription as it is now.
pub fn push_modified(out: &mut Vec<u8>, subscription: &Subscription<'_>, id: Option<&ReqId>) {
    push(out, "{\"method\":\"modify\",\"success\":true,\"result\":");
    push_parameters(out, subscription);
    push_flag(out, ",\"stamps\":", subscription.stamps);
    push_end_of_result(out, id);
}

/// Appends the answer to a `list`: each subscription with the last seq that it was sent.
pub fn push_list<'a>(
    out: &mut Vec<u8>,
    subscriptions: impl IntoIterator<Item = (Subscription<'a>, Seq)>,
    id: Option<&ReqId>,
) {
    push(out, "{\"method\":\"list\",\"success\":true,\"result\":{\"subscriptions\":[");
    let mut comma = "";
    for (subscription, seq) in subscriptions {
        push(out, comma);
        push_parameters(out, &subscription);
        push_flag(out, ",\"stamps\":", subscription.stamps);
        push_number(out, ",\"seq\":", seq);
        out.push(b'}');
        comma = ",";
    }
    out.push(b']');
    push_end_of_result(out, id);
}

/// Appends the answer to a `ping`.
pub fn push_pong(out: &mut Vec<u8>, pong: &Pong, id: Option<&ReqId>) {
    push(out, "{\"method\":\"pong\"");
    push_id(out, ",\"req_id\":", id);
    push_time(out, ",\"time_in\":", pong.time_in);
    push_time(out, ",\"time_out\":", pong.time_out);
    out.push(b'}');
}

/// Appends the answer to a `hello`: the schema of the events from now on, where they have one.
pub fn push_hello(out: &mut Vec<u8>, encoding: Encoding, id: Option<&ReqId>) {
    push(out, "{\"method\":\"hello\",\"success\":true,\"result\":");
    push_text(out, "{\"encoding\":", encoding.as_str());
    if encoding == Encoding::Sbe {
        push_number(out, ",\"schema_id\":", native_sbe::SCHEMA_ID.into());
        push_number(out, ",\"schema_version\":", native_sbe::SCHEMA_VERSION.into());
    }
    push_end_of_result(out, id);
}

/// Appends the answer to a `verify`.
pub fn push_verified(out: &mut Vec<u8>, answer: &Verified<'_>, id: Option<&ReqId>) {
    push(out, "{\"method\":\"verify\",\"success\":true,\"result\":");
    push_text(out, "{\"symbol\":", answer.symbol);
    push_number(out, ",\"seq\":", answer.seq);
    push_text(out, ",\"verdict\":", answer.verdict.as_str());
    push_end_of_result(out, id);
}

/// Appends the answer to a `replay`, for all its symbols.
pub fn push_replaying(out: &mut Vec<u8>, answer: &Replaying<'_>, id: Option<&ReqId>) {
    push_id(out, "{\"method\":\"replay\",\"success\":true,\"result\":{\"replay\":", Some(answer.replay));
    push_text(out, ",\"channel\":", answer.subscription.channel.as_str());
    let mut opening = ",\"symbol\":[";
    for symbol in answer.symbols {
        push_text(out, opening, symbol);
        opening = ",";
    }
    out.push(b']');
    push_view(out, &answer.subscription);
    push_flag(out, ",\"stamps\":", answer.subscription.stamps);
    push_epoch(out, ",\"epoch\":", answer.epoch);
    push_time(out, ",\"from\":", answer.from);
    if let Some(to) = answer.to {
        push_time(out, ",\"to\":", to);
    }
    push_speed(out, answer.speed);
    if answer.goes_live {
        push(out, ",\"then\":\"live\"");
    }
    push_end_of_result(out, id);
}

/// Appends the answer to what steers a replay.
pub fn push_steered(out: &mut Vec<u8>, steer: &Steer, id: Option<&ReqId>) {
    push_text(out, "{\"method\":", steer.how.name());
    push_id(out, ",\"success\":true,\"result\":{\"replay\":", Some(&steer.replay));
    match steer.how {
        Steering::Seek(to) => push_time(out, ",\"to\":", to),
        Steering::Speed(speed) => push_speed(out, speed),
        Steering::Pause | Steering::Continue | Steering::Stop => {}
    }
    push_end_of_result(out, id);
}

fn push_speed(out: &mut Vec<u8>, speed: Speed) {
    push(out, ",\"speed\":");
    match speed.factor() {
        // As short as it can be told, which is what JSON takes for a number.
        Some(_) => push(out, &speed.to_string()),
        None => push(out, "\"max\""),
    }
}

/// Appends the answer to a `chaos`, for one symbol: of which channel, if not of all, and whether anything is done from now on.
pub fn push_chaos(
    out: &mut Vec<u8>,
    symbol: &str,
    channel: Option<Channel>,
    is_on: bool,
    id: Option<&ReqId>,
) {
    push(out, "{\"method\":\"chaos\",\"success\":true,\"result\":");
    push_text(out, "{\"symbol\":", symbol);
    if let Some(channel) = channel {
        push_text(out, ",\"channel\":", channel.as_str());
    }
    push_flag(out, ",\"on\":", is_on);
    push_end_of_result(out, id);
}

/// Appends what was done: how often each act, to which subscriptions, and the newest deeds, oldest first.
pub fn push_chaos_report<'a>(
    out: &mut Vec<u8>,
    counts: impl IntoIterator<Item = (ChaosAct, u64)>,
    subjects: impl IntoIterator<Item = ChaosSubject<'a>>,
    deeds: impl IntoIterator<Item = ChaosDeed<'a>>,
    id: Option<&ReqId>,
) {
    push(out, "{\"method\":\"chaos\",\"success\":true,\"result\":{\"counts\":{");
    let mut opening = "\"";
    for (act, count) in counts {
        push(out, opening);
        push(out, act.as_str());
        push_number(out, "\":", count);
        opening = ",\"";
    }
    push(out, "},\"subscriptions\":[");
    let mut comma = "";
    for ChaosSubject { channel, symbol, messages } in subjects {
        push(out, comma);
        push_name(out, channel, Some(symbol));
        push_number(out, ",\"messages\":", messages);
        out.push(b'}');
        comma = ",";
    }
    push(out, "],\"acts\":[");
    let mut opening = "{\"act\":";
    for ChaosDeed { act, channel, symbol, message, first_seq, seq } in deeds {
        push_text(out, opening, act.as_str());
        push_text(out, ",\"channel\":", channel.as_str());
        push_text(out, ",\"symbol\":", symbol);
        push_number(out, ",\"message\":", message);
        if let Some(first_seq) = first_seq {
            push_number(out, ",\"first_seq\":", first_seq);
        }
        push_number(out, ",\"seq\":", seq);
        out.push(b'}');
        opening = ",{\"act\":";
    }
    out.push(b']');
    push_end_of_result(out, id);
}

/// Appends the answer to a request that was refused.
pub fn push_error(out: &mut Vec<u8>, answer: &ErrorAnswer<'_>, id: Option<&ReqId>) {
    out.push(b'{');
    if let Some(method) = answer.method {
        push_text(out, "\"method\":", method);
        out.push(b',');
    }
    push_text(out, "\"success\":false,\"error\":", answer.text);
    push_text(out, ",\"code\":", answer.code.as_str());
    if let Some(millis) = answer.retry_after_ms {
        push_number(out, ",\"retry_after_ms\":", millis);
    }
    if let Some(symbol) = answer.symbol {
        push_text(out, ",\"symbol\":", symbol);
    }
    push_id(out, ",\"req_id\":", id);
    out.push(b'}');
}

/// Appends `{"channel":…,"symbol":…`, the object left open.
fn push_name(out: &mut Vec<u8>, channel: Channel, symbol: Option<&str>) {
    push_text(out, "{\"channel\":", channel.as_str());
    if let Some(symbol) = symbol {
        push_text(out, ",\"symbol\":", symbol);
    }
}

/// Appends a subscription up to its policy, the object left open.
fn push_parameters(out: &mut Vec<u8>, subscription: &Subscription<'_>) {
    push_name(out, subscription.channel, subscription.symbol);
    push_view(out, subscription);
    if let Some(policy) = subscription.policy {
        push_text(out, ",\"policy\":", policy.as_str());
    }
}

/// Appends how much of a book a subscription shows, and how often.
fn push_view(out: &mut Vec<u8>, subscription: &Subscription<'_>) {
    if let Some(depth) = subscription.depth {
        push_number(out, ",\"depth\":", u64::from(depth.get()));
    }
    if let Some(interval) = subscription.interval {
        push_number(out, ",\"interval_ms\":", u64::from(interval.millis()));
    }
}

fn push_flag(out: &mut Vec<u8>, prefix: &str, flag: bool) {
    push(out, prefix);
    push(out, if flag { "true" } else { "false" });
}

/// Closes the result, and with it the answer.
fn push_end_of_result(out: &mut Vec<u8>, id: Option<&ReqId>) {
    out.push(b'}');
    push_id(out, ",\"req_id\":", id);
    out.push(b'}');
}
