//! The native protocol, with its events in JSON or in SBE.

use crate::{
    as_json::as_json,
    dialect::{Dialect, Mistake, Request},
    support::{
        Wrong,
        account::{Account, Heard},
        transport::{ALL, Transport},
    },
    witness::Witness,
};
use client::Polled;
use market::Seq;
use std::net::SocketAddr;
use wire::{
    message::{Channel, Depth, Encoding},
    token::Token,
};

/// What everything is about.
pub const SYMBOL: &str = "BTC/USDT";

/// A client; whether its events are binary.
pub struct Native<const BINARY: bool> {
    account: Account,
    /// The last token of the gateway's own that speaks for all that the client is subscribed to.
    given: Option<Token>,
}

impl<const BINARY: bool> Dialect for Native<BINARY> {
    const NAME: &'static str = if BINARY { "native SBE" } else { "native JSON" };
    const TRANSPORTS: &'static [Transport] =
        if BINARY { &[Transport::WebSocket, Transport::Tcp] } else { &ALL };
    const PATH: &'static str = "/feed?heartbeat_ms=250";
    const ENCODING: Encoding = if BINARY { Encoding::Sbe } else { Encoding::Json };
    const ENOUGH: usize = 20;
    const SAYS_IF_RECOVERED: bool = true;

    fn client(_: [SocketAddr; 2]) -> Self {
        Native { account: Account::with_dense_trade_ids(), given: None }
    }

    fn is_answered(transport: Transport) -> bool {
        transport != Transport::LongPoll
    }

    fn has_tokens(_: Transport) -> bool {
        true
    }

    fn query(channels: &[Channel]) -> String {
        let names: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
        query(&names.join(","), SYMBOL, Depth::default().get())
    }

    fn subscribe(&mut self, _: Transport, channel: Channel, since: Option<&Token>) -> Request {
        let since = since.map(|token| format!(",\"since\":\"{token}\"")).unwrap_or_default();
        subscribe(channel.as_str(), SYMBOL, Depth::default().get(), &since)
    }

    fn unsubscribe(&mut self, _: Transport, channel: Channel) -> Request {
        let channel = channel.as_str();
        let params = format!("{{\"channel\":\"{channel}\",\"symbol\":\"{SYMBOL}\"}}");
        Request { method: "unsubscribe", params }
    }

    fn mistakes(_: Transport) -> [Mistake; 3] {
        let mistake = |channel, symbol, depth, code, status| Mistake {
            request: subscribe(channel, symbol, depth, ""),
            query: query(channel, symbol, depth),
            code,
            query_code: code,
            status,
        };
        [
            mistake("book", "NO/SUCH", 10, "bad_symbol", 404),
            mistake("book", SYMBOL, 7, "bad_depth", 400),
            mistake("news", SYMBOL, 10, "bad_channel", 400),
        ]
    }

    fn connects(&mut self, _: Transport, _: &[Channel], _: Option<&Token>) {
        self.account.tracker.reconnected();
    }

    fn outlives(&self, addresses: [SocketAddr; 2]) -> Self {
        Self::client(addresses)
    }

    fn message(&mut self, message: &[u8]) -> Result<Heard, Wrong> {
        let is_answer = message.starts_with(b"{\"method\"") || message.starts_with(b"{\"success\"");
        if !BINARY || is_answer {
            return self.account.message(message);
        }
        self.account.message(as_json(message)?.as_bytes())
    }

    fn given(&mut self, token: &str) -> Result<(), Wrong> {
        self.account.token(token)?;
        // It speaks for what was subscribed to by then.
        let held = |channel| self.account.tracker.through(channel, SYMBOL).is_some();
        if held(Channel::Book) && held(Channel::Trade) {
            self.given = Some(token.parse().map_err(|error| format!("{error}"))?);
        }
        Ok(())
    }

    fn polled(
        &mut self,
        channels: &[Channel],
        since: Option<&Token>,
        cursor: &str,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Heard>, Wrong> {
        let depth = Depth::default();
        let wanted = channels.iter().map(|&channel| Polled { channel, symbol: SYMBOL, depth });
        let heard = self.account.polled(wanted, since, cursor, messages)?;
        self.given(cursor)?;
        Ok(heard)
    }

    fn token(&self) -> Option<Token> {
        self.given.clone().or_else(|| self.account.tracker.token())
    }

    fn through(&self) -> Seq {
        self.account.tracker.book(SYMBOL).map_or(0, |book| book.seq)
    }

    fn prove(&self, witness: &Witness) -> Result<(), Wrong> {
        let book = self.account.tracker.book(SYMBOL).ok_or("there is no book")?;
        let real = witness.book_at(book.seq, Depth::default())?;
        if book.ladder != real {
            return Err(format!("at {} the book is {:?}\nand not {real:?}", book.seq, book.ladder));
        }
        let Some(through) = self.account.tracker.through(Channel::Trade, SYMBOL) else { return Ok(()) };
        let happened = witness.trades_through(through)?;
        self.account.trades.get(SYMBOL).map_or(Ok(()), |ledger| ledger.compare(&happened))
    }
}

fn query(channel: &str, symbol: &str, depth: u32) -> String {
    format!("channel={channel}&symbol={symbol}&depth={depth}")
}

fn subscribe(channel: &str, symbol: &str, depth: u32, more: &str) -> Request {
    let params = format!("{{\"channel\":\"{channel}\",\"symbol\":\"{symbol}\",\"depth\":{depth}{more}}}");
    Request { method: "subscribe", params }
}
