//! A client that proves all it gets, comes back on any transport, and keeps account of its trades.

use crate::wire::{Query, Transport, Wire};
use client::{Polled, Tracker, Update};
use simulation::{ledger::Ledger, line::Item};
use std::{collections::BTreeMap, io};
use wire::{
    message::{Channel, Depth},
    token::Token,
};

pub const SYMBOLS: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];
const CHANNELS: [Channel; 3] = [Channel::Book, Channel::Trade, Channel::Bbo];

/// A client of all channels of all symbols.
pub struct Client {
    pub tracker: Tracker,
    pub trades: BTreeMap<String, Ledger>,
    depth: Depth,
    /// The last token of the gateway's own, from whatever transport.
    given: Option<Token>,
}

/// What a message must not be.
pub type Wrong = String;

impl Client {
    /// One that wants books so deep.
    pub fn new(depth: u64) -> Client {
        let depth = Depth::new(depth).unwrap();
        Client { tracker: Tracker::new(), trades: BTreeMap::new(), depth, given: None }
    }

    /// What it wants, and from where on: by its own reckoning, or by the gateway's last token, which may be older.
    pub fn query(&mut self, by_given: bool) -> Query {
        let (depth, symbols) = (self.depth.get(), SYMBOLS.join(","));
        let text = format!("channel=book,trade,bbo&symbol={symbols}&depth={depth}");
        let given = self.given.take().filter(|token| by_given && self.covers(token));
        let since = given.or_else(|| self.tracker.token());
        if since.is_none() {
            // Without a token everything begins anew.
            self.tracker = Tracker::new();
            self.trades.clear();
        }
        self.tracker.reconnected();
        Query { text, since }
    }

    fn covers(&self, token: &Token) -> bool {
        SYMBOLS.iter().all(|symbol| token.find(symbol).is_some())
    }

    /// Whether it has something of one channel of a symbol and nothing of another: no one token says that.
    pub fn is_ragged(&self) -> bool {
        SYMBOLS.iter().any(|symbol| {
            let held = |&channel: &Channel| self.tracker.through(channel, symbol).is_some();
            CHANNELS.iter().any(held) && !CHANNELS[1..].iter().all(held)
        })
    }

    /// Asks for what it wants, where the transport has requests.
    pub fn subscribe(&self, wire: &mut Wire, since: Option<&Token>) -> io::Result<()> {
        for channel in CHANNELS {
            for symbol in SYMBOLS {
                let held = self.tracker.through(channel, symbol).is_some();
                let since = since.filter(|_| held).map(|token| format!(",\"since\":\"{token}\""));
                let (name, depth, since) = (channel.as_str(), self.depth.get(), since.unwrap_or_default());
                let params =
                    format!("{{\"channel\":\"{name}\",\"symbol\":\"{symbol}\",\"depth\":{depth}{since}}}");
                wire.request("subscribe", &params)?;
            }
        }
        Ok(())
    }

    /// Takes what came.
    pub fn take(&mut self, items: Vec<Item>) -> Result<(), Wrong> {
        for item in items {
            match item {
                Item::Message(text) => self.message(&text)?,
                Item::Token(text) => self.token(&text)?,
            }
        }
        Ok(())
    }

    /// Polls once, and says with which cursor to go on.
    pub fn poll(&mut self, wire: &mut Wire, query: &mut Query) -> io::Result<Result<(), Wrong>> {
        let answer = wire.poll(&query.text, query.since.as_ref())?;
        let Some((cursor, messages)) = answer else { return Ok(Ok(())) };
        Ok(self.polled(query, &cursor, messages))
    }

    fn polled(&mut self, query: &mut Query, cursor: &str, messages: Vec<Vec<u8>>) -> Result<(), Wrong> {
        let depth = self.depth;
        let wanted =
            CHANNELS.into_iter().flat_map(|channel| SYMBOLS.map(|symbol| Polled { channel, symbol, depth }));
        self.tracker.polled(wanted, query.since.as_ref(), cursor).map_err(|fault| fault.to_string())?;
        for text in messages {
            self.message(&text)?;
        }
        self.token(cursor)?;
        for symbol in SYMBOLS {
            if let Some(through) = self.tracker.through(Channel::Trade, symbol) {
                self.trades.entry(symbol.into()).or_default().begin(through);
            }
        }
        query.since = Some(cursor.parse().map_err(|error| format!("{error}"))?);
        Ok(())
    }

    pub fn message(&mut self, text: &[u8]) -> Result<(), Wrong> {
        let mut begun = None;
        match self.tracker.on_text(text).map_err(|fault| fault.to_string())? {
            Update::Trades { symbol, trades, snapshot: None, .. } => {
                let ledger = self.trades.entry(symbol.into()).or_default();
                trades.iter().for_each(|trade| ledger.see(trade.seq));
            }
            Update::Gap { symbol, from_seq, to_seq, .. } => {
                self.trades.entry(symbol.into()).or_default().miss(from_seq, to_seq);
            }
            Update::Subscribed(answer) if answer.channel == Channel::Trade => {
                begun = Some(answer.symbol.to_owned());
            }
            Update::Refused { text, .. } => return Err(text),
            _ => {}
        }
        if let Some(symbol) = begun
            && let Some(through) = self.tracker.through(Channel::Trade, &symbol)
        {
            self.trades.entry(symbol).or_default().begin(through);
        }
        Ok(())
    }

    fn token(&mut self, text: &str) -> Result<(), Wrong> {
        self.tracker.on_token(text).map_err(|fault| fault.to_string())?;
        // It speaks for what was subscribed to by then.
        if self.tracker.subscriptions().count() == CHANNELS.len() * SYMBOLS.len() {
            self.given = Some(text.parse().map_err(|error| format!("{error}"))?);
        }
        Ok(())
    }

    /// Whether a transport can carry this client's token.
    pub fn can_use(&self, transport: Transport) -> bool {
        !matches!(transport, Transport::Sse | Transport::LongPoll) || !self.is_ragged()
    }
}
