//! A client that proves all it gets, comes back on any transport, and keeps account of its trades.

use crate::support::{
    Wrong,
    account::{Account, Heard},
    transport::{Connection, Query, Transport},
};
use ::wire::{
    message::{Channel, Depth, Encoding},
    token::Token,
};
use client::Polled;
use simulation::line::Item;
use std::io;

pub const SYMBOLS: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];
const CHANNELS: [Channel; 3] = [Channel::Book, Channel::Trade, Channel::Bbo];

/// A client of all channels of all symbols.
pub struct Client {
    pub account: Account,
    depth: Depth,
    /// The last token of the gateway's own, from whatever transport.
    given: Option<Token>,
}

impl Client {
    /// One that wants books so deep.
    pub fn new(depth: u64) -> Client {
        Client { account: Account::default(), depth: Depth::new(depth).unwrap(), given: None }
    }

    /// What it wants, and from where on: by its own reckoning, or by the gateway's last token, which may be older.
    pub fn query(&mut self, by_given: bool, by_header: bool) -> Query {
        let (depth, symbols) = (self.depth.get(), SYMBOLS.join(","));
        let text = format!("channel=book,trade,bbo&symbol={symbols}&depth={depth}");
        let given = self.given.take().filter(|token| by_given && self.covers(token));
        let since = given.or_else(|| self.account.tracker.token());
        if since.is_none() {
            // Without a token everything begins anew.
            self.account = Account::default();
        }
        self.account.tracker.reconnected();
        Query { path: "/feed?heartbeat_ms=250", text, since, by_header, encoding: Encoding::Json }
    }

    fn covers(&self, token: &Token) -> bool {
        SYMBOLS.iter().all(|symbol| token.find(symbol).is_some())
    }

    /// Whether it has something of one channel of a symbol and nothing of another: no one token says that.
    pub fn is_ragged(&self) -> bool {
        SYMBOLS.iter().any(|symbol| {
            let held = |&channel: &Channel| self.account.tracker.through(channel, symbol).is_some();
            CHANNELS.iter().any(held) && !CHANNELS[1..].iter().all(held)
        })
    }

    /// Asks for what it wants, where the transport has requests.
    pub fn subscribe(&self, connection: &mut Connection, since: Option<&Token>) -> io::Result<()> {
        for channel in CHANNELS {
            for symbol in SYMBOLS {
                let held = self.account.tracker.through(channel, symbol).is_some();
                let since = since.filter(|_| held).map(|token| format!(",\"since\":\"{token}\""));
                let (name, depth, since) = (channel.as_str(), self.depth.get(), since.unwrap_or_default());
                let params =
                    format!("{{\"channel\":\"{name}\",\"symbol\":\"{symbol}\",\"depth\":{depth}{since}}}");
                connection.request("subscribe", &params)?;
            }
        }
        Ok(())
    }

    /// Takes what came.
    pub fn take(&mut self, items: Vec<Item>) -> Result<(), Wrong> {
        for item in items {
            match item {
                Item::Message(text) => told(self.account.message(&text)?)?,
                Item::Token(text) => self.token(&text)?,
            }
        }
        Ok(())
    }

    /// Polls once, and says with which cursor to go on.
    pub fn poll(&mut self, connection: &mut Connection, query: &mut Query) -> io::Result<Result<(), Wrong>> {
        let answer = connection.poll(&query.text, query.since.as_ref())?;
        let Some((cursor, messages)) = answer else { return Ok(Ok(())) };
        Ok(self.polled(query, &cursor, messages))
    }

    fn polled(&mut self, query: &mut Query, cursor: &str, messages: Vec<Vec<u8>>) -> Result<(), Wrong> {
        let depth = self.depth;
        let wanted =
            CHANNELS.into_iter().flat_map(|channel| SYMBOLS.map(|symbol| Polled { channel, symbol, depth }));
        let heard = self.account.polled(wanted, query.since.as_ref(), cursor, messages)?;
        heard.into_iter().try_for_each(told)?;
        self.note_token(cursor)?;
        query.since = Some(cursor.parse().map_err(|error| format!("{error}"))?);
        Ok(())
    }

    fn token(&mut self, text: &str) -> Result<(), Wrong> {
        self.account.token(text)?;
        self.note_token(text)
    }

    fn note_token(&mut self, text: &str) -> Result<(), Wrong> {
        // It speaks for what was subscribed to by then.
        if self.account.tracker.subscriptions().count() == CHANNELS.len() * SYMBOLS.len() {
            self.given = Some(text.parse().map_err(|error| format!("{error}"))?);
        }
        Ok(())
    }

    /// Whether a transport can carry this client's token.
    pub fn can_use(&self, transport: Transport) -> bool {
        transport.takes_requests() || !self.is_ragged()
    }
}

/// It asks for nothing that there is not.
fn told(heard: Heard) -> Result<(), Wrong> {
    match heard {
        Heard::Refused { text, .. } => Err(text),
        _ => Ok(()),
    }
}
