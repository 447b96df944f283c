//! Requests as JSON text.

use crate::Subscription;
use market::Seq;
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};
use wire::{message::Channel, token::Token};

/// Symbols in one request: with their part of a token it stays well within the gateway's inbound limit of 64 KiB.
const SYMBOLS_IN_REQUEST: usize = 256;

/// The requests that begin a subscription, each with its part of `token`.
pub(crate) fn subscribe(wanted: &Subscription, heartbeat: Duration, token: Option<&Token>) -> Vec<String> {
    let requests = wanted.symbols.chunks(SYMBOLS_IN_REQUEST);
    requests.map(|symbols| subscribe_some(wanted, symbols, heartbeat, token).to_string()).collect()
}

fn subscribe_some(
    wanted: &Subscription,
    symbols: &[String],
    heartbeat: Duration,
    token: Option<&Token>,
) -> Value {
    let mut params = json!({
        "channel": wanted.channel.as_str(),
        "symbol": symbols,
        "stamps": wanted.stamps,
        "policy": wanted.policy.as_str(),
        "heartbeat_ms": heartbeat.as_millis() as u64,
    });
    if wanted.channel == Channel::Book {
        params["depth"] = wanted.depth.get().into();
    }
    if wanted.channel != Channel::Trade {
        params["interval_ms"] = wanted.interval.millis().into();
    }
    if let Some(part) = token.and_then(|token| part(token, symbols)) {
        params["since"] = part.to_string().into();
    }
    json!({ "method": "subscribe", "params": params })
}

/// The token's entries of these symbols.
fn part(token: &Token, symbols: &[String]) -> Option<Token> {
    let wanted: HashSet<&str> = symbols.iter().map(String::as_str).collect();
    let entries = token.entries().iter().filter(|entry| wanted.contains(entry.symbol.as_str())).cloned();
    Token::new(token.epoch(), entries.collect()).ok().filter(|token| !token.entries().is_empty())
}

/// The request that compares a checksum.
pub(crate) fn verify(symbol: &str, seq: Seq, checksum: u32) -> String {
    json!({ "method": "verify", "params": { "symbol": symbol, "seq": seq, "checksum": checksum } })
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{
        dialect::native_json::parse_request,
        message::{Method, Subscribe},
    };

    fn read(text: &str) -> Subscribe {
        match parse_request(&mut text.as_bytes().to_vec()).unwrap().method {
            Method::Subscribe(subscribe) => subscribe,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_gateway_reads_what_is_meant() {
        let symbols: Vec<String> = (0..600).map(|i| format!("S{i:04}/USDT")).collect();
        let token: Token = "9c41d7e0a25b7f3a:S0001/USDT@10=7,S0599/USDT=9".parse().unwrap();
        for channel in [Channel::Book, Channel::Trade, Channel::Bbo] {
            let wanted = Subscription { stamps: true, ..Subscription::new(channel, symbols.clone()) };
            let requests = subscribe(&wanted, Duration::from_millis(250), Some(&token));
            let requests: Vec<Subscribe> = requests.iter().map(|text| read(text)).collect();
            let asked: Vec<_> = requests.iter().flat_map(|request| request.symbols.clone()).collect();
            assert_eq!(asked, symbols);
            let tokens = requests.iter().map(|request| request.since.as_ref().map(Token::to_string));
            assert_eq!(
                tokens.collect::<Vec<_>>(),
                [
                    Some("9c41d7e0a25b7f3a:S0001/USDT@10=7".into()),
                    None,
                    Some("9c41d7e0a25b7f3a:S0599/USDT=9".into())
                ]
            );
            assert!(requests.iter().all(|request| request.channel == channel
                && request.stamps
                && request.heartbeat == Some(Duration::from_millis(250))));
        }
    }

    #[test]
    fn the_longest_request_is_within_the_gateways_limit() {
        let symbols: Vec<String> = (0..SYMBOLS_IN_REQUEST).map(|i| format!("{i:0>32}")).collect();
        let entries = symbols.iter().map(|symbol| wire::token::TokenEntry {
            symbol: symbol.clone(),
            depth: wire::message::Depth::new(1000).ok(),
            seq: u64::MAX,
        });
        let token = Token::new(market::Epoch(u64::MAX), entries.collect()).unwrap();
        let wanted = Subscription::new(Channel::Book, symbols);
        let requests = subscribe(&wanted, Duration::from_secs(60), Some(&token));
        assert_eq!(requests.len(), 1);
        assert!(requests[0].len() < 64 << 10, "{}", requests[0].len());
    }
}
