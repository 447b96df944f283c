//! What a binary message of the native protocol is in JSON, to the letter.

use super::decoder::Schema;
use market::{Nanos, push_fixed};
use serde_json::{Map, Value};
use std::sync::LazyLock;

type Message = Map<String, Value>;

/// The schema of the native protocol.
pub static NATIVE: LazyLock<Schema<'static>> =
    LazyLock::new(|| Schema::parse(include_str!("../../../../docs/protocol/depthcast.xml")));

/// The message of the JSON protocol that says the same.
pub fn as_json(bytes: &[u8]) -> Result<String, String> {
    let (name, message) = NATIVE.decode(bytes)?;
    Ok(match name.as_str() {
        "Book" => book(&message),
        "Bbo" => bbo(&message),
        "Trade" => trade(&message),
        "Gap" => gap(&message),
        "Heartbeat" => heartbeat(&message),
        "Status" => status(&message),
        "Stats" => stats(&message),
        other => return Err(format!("{other} is not known")),
    })
}

fn text<'m>(message: &'m Message, name: &str) -> &'m str {
    message[name].as_str().unwrap_or_else(|| panic!("{name} of {message:?}"))
}

fn number(message: &Message, name: &str) -> u64 {
    message[name].as_u64().unwrap_or_else(|| panic!("{name} of {message:?}"))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

fn time(message: &Message, name: &str) -> String {
    written(|out| Nanos(number(message, name)).push_rfc3339(out))
}

/// A mantissa as its exponent in the message has it.
fn decimal(message: &Message, mantissa: &Value, exponent: &str) -> String {
    let decimals = u8::try_from(-message[exponent].as_i64().unwrap()).unwrap();
    match (mantissa.as_i64(), mantissa.as_u64()) {
        (Some(mantissa), _) => written(|out| push_fixed(out, mantissa, decimals)),
        (None, Some(mantissa)) => written(|out| market::push_unsigned_fixed(out, mantissa, decimals)),
        (None, None) => "null".into(),
    }
}

fn level(message: &Message, price: &Value, qty: &Value) -> [String; 2] {
    [decimal(message, price, "priceExponent"), decimal(message, qty, "qtyExponent")]
}

fn levels(message: &Message, side: &str) -> String {
    let levels = message[side].as_array().unwrap().iter().map(|entry| {
        let [price, qty] = level(message, &entry["price"], &entry["qty"]);
        format!("{{\"price\":{price},\"qty\":{qty}}}")
    });
    levels.collect::<Vec<_>>().join(",")
}

fn epoch(message: &Message) -> String {
    format!("\"epoch\":\"{:016x}\"", number(message, "epoch"))
}

/// The numbers that it covers.
fn range(message: &Message) -> String {
    let first = message["firstSeq"].as_u64().map(|first| format!("\"first_seq\":{first},"));
    assert_eq!(first.is_none(), text(message, "type") == "snapshot", "{message:?}");
    format!("{}\"seq\":{}", first.unwrap_or_default(), number(message, "seq"))
}

fn reason(message: &Message) -> String {
    match text(message, "reason") {
        "none" => String::new(),
        reason => format!(",\"reason\":\"{reason}\""),
    }
}

fn merged(message: &Message) -> Option<String> {
    let merged = number(message, "merged");
    let conflated = text(message, "conflated") == "true";
    assert!(conflated || merged == 0, "{message:?}");
    conflated.then(|| format!(",\"conflated\":true,\"merged\":{merged}"))
}

fn stamps(message: &Message) -> String {
    let ts = message["ts"].as_object().unwrap();
    if ts["engine"].is_null() {
        return String::new();
    }
    let first = ts["engineFirst"].as_u64().map(|first| format!(",\"engine_first\":{first}"));
    let [engine, ingest, encode] = ["engine", "ingest", "encode"].map(|name| number(ts, name));
    let first = first.unwrap_or_default();
    format!(",\"ts\":{{\"engine\":{engine},\"ingest\":{ingest},\"encode\":{encode}{first}}}")
}

fn book(message: &Message) -> String {
    let (kind, symbol) = (text(message, "type"), text(message, "symbol"));
    let [bids, asks] = ["bids", "asks"].map(|side| levels(message, side));
    let (checksum, venue_seq) = (number(message, "checksum"), number(message, "venueSeq"));
    let (timestamp, epoch, range) = (time(message, "timestamp"), epoch(message), range(message));
    let merged = match kind {
        "update" => merged(message).unwrap_or(",\"conflated\":false".into()),
        _ => String::new(),
    };
    let (reason, stamps) = (reason(message), stamps(message));
    format!(
        "{{\"channel\":\"book\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"{symbol}\",\"bids\":[{bids}],\"asks\":[{asks}],\
         \"checksum\":{checksum},\"timestamp\":\"{timestamp}\",{epoch},{range},\"venue_seq\":{venue_seq}{reason}{merged}{stamps}}}]}}"
    )
}

fn bbo(message: &Message) -> String {
    let (kind, symbol) = (text(message, "type"), text(message, "symbol"));
    let [bid, bid_qty] = level(message, &message["bid"], &message["bidQty"]);
    let [ask, ask_qty] = level(message, &message["ask"], &message["askQty"]);
    let (timestamp, epoch, range) = (time(message, "timestamp"), epoch(message), range(message));
    let (reason, merged, stamps) = (reason(message), merged(message).unwrap_or_default(), stamps(message));
    format!(
        "{{\"channel\":\"bbo\",\"type\":\"{kind}\",\"data\":[{{\"symbol\":\"{symbol}\",\"bid\":{bid},\"bid_qty\":{bid_qty},\
         \"ask\":{ask},\"ask_qty\":{ask_qty},\"timestamp\":\"{timestamp}\",{epoch},{range}{reason}{merged}{stamps}}}]}}"
    )
}

fn trade(message: &Message) -> String {
    let (kind, symbol) = (text(message, "type"), text(message, "symbol"));
    let (epoch, range, reason, stamps) = (epoch(message), range(message), reason(message), stamps(message));
    let trades = message["trades"].as_array().unwrap().iter().map(|entry| {
        let entry = entry.as_object().unwrap();
        let [price, qty] = level(message, &entry["price"], &entry["qty"]);
        let (side, id, seq) = (text(entry, "side"), number(entry, "tradeId"), number(entry, "seq"));
        let timestamp = time(entry, "timestamp");
        format!(
            "{{\"symbol\":\"{symbol}\",\"side\":\"{side}\",\"price\":{price},\"qty\":{qty},\"trade_id\":{id},\
             \"timestamp\":\"{timestamp}\",\"seq\":{seq}}}"
        )
    });
    let trades = trades.collect::<Vec<_>>().join(",");
    let named = if kind == "snapshot" { format!("\"symbol\":\"{symbol}\",") } else { String::new() };
    format!(
        "{{\"channel\":\"trade\",\"type\":\"{kind}\",{named}{epoch},{range}{reason},\"data\":[{trades}]{stamps}}}"
    )
}

fn gap(message: &Message) -> String {
    let [channel, symbol, reason] = ["channel", "symbol", "reason"].map(|name| text(message, name));
    let [from, to] = ["fromSeq", "toSeq"].map(|name| number(message, name));
    format!(
        "{{\"channel\":\"gap\",\"data\":[{{\"channel\":\"{channel}\",\"symbol\":\"{symbol}\",\"from_seq\":{from},\"to_seq\":{to},\
         \"reason\":\"{reason}\"}}]}}"
    )
}

fn heartbeat(message: &Message) -> String {
    let quiet = message["quiet"].as_array().unwrap().iter().map(|entry| {
        let entry = entry.as_object().unwrap();
        let [channel, symbol] = ["channel", "symbol"].map(|name| text(entry, name));
        let [seq, through] = ["seq", "through"].map(|name| number(entry, name));
        format!("{{\"channel\":\"{channel}\",\"symbol\":\"{symbol}\",\"seq\":{seq},\"through\":{through}}}")
    });
    let quiet = quiet.collect::<Vec<_>>().join(",");
    format!("{{\"channel\":\"heartbeat\",\"time\":\"{}\",\"data\":[{quiet}]}}", time(message, "time"))
}

fn status(message: &Message) -> String {
    let mut data = format!("\"event\":\"{}\"", text(message, "event"));
    match text(message, "symbol") {
        "" => {}
        symbol => data += &format!(",\"symbol\":\"{symbol}\""),
    }
    for (name, word) in [("code", "code"), ("retryAfterMs", "retry_after_ms")] {
        if let Some(number) = message[name].as_u64() {
            data += &format!(",\"{word}\":{number},\"reason\":{}", message["reason"]);
        }
    }
    format!("{{\"channel\":\"status\",\"data\":[{{{data}}}]}}")
}

fn stats(message: &Message) -> String {
    let data = [
        ("lag_seq", "lagSeq"),
        ("conflated", "conflated"),
        ("gaps", "gaps"),
        ("bytes_sent", "bytesSent"),
        ("p50", "p50"),
        ("p99", "p99"),
        ("p999", "p999"),
    ];
    let data = data.map(|(word, name)| format!("\"{word}\":{}", number(message, name)));
    format!("{{\"channel\":\"stats\",\"type\":\"update\",\"data\":[{{{}}}]}}", data.join(","))
}
