//! The forms that events of Binance's dialect have, each brought into that of bare events in JSON.

use crate::{
    decoder::Schema,
    support::{
        Wrong,
        transport::{ALL, Transport},
    },
};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use wire::message::Channel;

/// A form of events, and where it is.
pub trait Form: 'static {
    const NAME: &'static str;
    const TRANSPORTS: &'static [Transport];
    const PATH: &'static str;
    /// The stream of changes of the book, each tenth of a second.
    const DEPTH: &'static str;

    /// The events that a message holds, bare.
    fn events(message: &[u8]) -> Result<Vec<Value>, Wrong>;
}

/// The stream of a channel.
pub const fn stream<F: Form>(channel: Channel) -> &'static str {
    match channel {
        Channel::Trade => "btcusdt@trade",
        _ => F::DEPTH,
    }
}

/// Wrapped with the names of their streams.
pub struct Combined;

impl Form for Combined {
    const NAME: &'static str = "Binance";
    const TRANSPORTS: &'static [Transport] = &ALL;
    const PATH: &'static str = "/stream";
    const DEPTH: &'static str = "btcusdt@depth@100ms";

    fn events(message: &[u8]) -> Result<Vec<Value>, Wrong> {
        let mut message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        let event = message["data"].take();
        let wanted = if event["e"] == "trade" { "btcusdt@trade" } else { Self::DEPTH };
        match message["stream"] == wanted {
            true => Ok(vec![event]),
            false => Err(format!("{event} comes in the stream {}", message["stream"])),
        }
    }
}

/// As they are.
pub struct Bare;

impl Form for Bare {
    const NAME: &'static str = "Binance with bare events";
    const TRANSPORTS: &'static [Transport] = &[Transport::WebSocket];
    const PATH: &'static str = "/ws";
    const DEPTH: &'static str = Combined::DEPTH;

    fn events(message: &[u8]) -> Result<Vec<Value>, Wrong> {
        serde_json::from_slice(message).map(|event| vec![event]).map_err(|error| error.to_string())
    }
}

/// In Simple Binary Encoding.
pub struct Binary;

impl Form for Binary {
    const NAME: &'static str = "Binance with binary events";
    const TRANSPORTS: &'static [Transport] = &[Transport::WebSocket];
    const PATH: &'static str = "/sbe/ws";
    const DEPTH: &'static str = "btcusdt@depth";

    fn events(message: &[u8]) -> Result<Vec<Value>, Wrong> {
        static SCHEMA: LazyLock<Schema<'static>> =
            LazyLock::new(|| Schema::parse(include_str!("../../../docs/protocol/binance-stream.xml")));
        let (name, event) = SCHEMA.decode(message)?;
        let time = event["eventTime"].as_u64().ok_or("no time")? / 1_000;
        match name.as_str() {
            "DepthDiffStreamEvent" => {
                let levels = |side: &str| {
                    let levels = event[side].as_array().into_iter().flatten();
                    levels.map(|level| level_of(&event, level)).collect::<Vec<_>>()
                };
                let (first, last) = (&event["firstBookUpdateId"], &event["lastBookUpdateId"]);
                Ok(vec![json!({
                    "e": "depthUpdate", "E": time, "s": event["symbol"], "U": first, "u": last, "b": levels("bids"),
                    "a": levels("asks"),
                })])
            }
            "TradesStreamEvent" => {
                let trades = event["trades"].as_array().into_iter().flatten();
                let trade = |trade: &Value| {
                    let [price, qty] = level_of(&event, trade);
                    let is_maker = trade["isBuyerMaker"] == "True";
                    json!({"e": "trade", "E": time, "s": event["symbol"], "t": trade["id"], "p": price, "q": qty, "m": is_maker})
                };
                Ok(trades.map(trade).collect())
            }
            other => Err(format!("{other} was not asked for")),
        }
    }
}

fn level_of(event: &Map<String, Value>, level: &Value) -> [String; 2] {
    [("price", "priceExponent"), ("qty", "qtyExponent")].map(|(name, exponent)| {
        let decimals = event[exponent].as_i64().map_or(0, i64::abs) as usize;
        let digits = format!("{:0>1$}", level[name].to_string(), decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        format!("{whole}.{fraction:0<8}")
    })
}
