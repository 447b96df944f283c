//! The dialect of Binance, in each of its forms.

use crate::{
    depth::{Depth, Done, integer},
    dialect::{Dialect, Mistake, Request},
    events::{Form, stream},
    support::{Wrong, account::Heard, transport::Transport},
    witness::Witness,
};
use book::Ladder;
use market::{Level, Seq, Side};
use serde_json::Value;
use std::{collections::VecDeque, marker::PhantomData, net::SocketAddr};
use wire::{
    message::{self, Channel, Encoding},
    token::Token,
};

/// A client, and which form its events have.
pub struct Binance<F> {
    depth: Depth,
    /// All trades that it has, in their order.
    trades: Vec<Trade>,
    /// The id of the first trade that it does not expect to be the next one: a new connection begins.
    trades_begin: bool,
    /// Whether that goes on where a token was.
    resumes: bool,
    /// The channels of which it asked something, and whether to begin; not answered yet.
    asked: VecDeque<(Channel, bool)>,
    /// The last token that speaks for all that it wants.
    given: Option<Token>,
    form: PhantomData<F>,
}

#[derive(Clone, Copy)]
struct Trade {
    id: u64,
    level: Level,
    side: Side,
}

impl<F: Form> Dialect for Binance<F> {
    const NAME: &'static str = F::NAME;
    const TRANSPORTS: &'static [Transport] = F::TRANSPORTS;
    const PATH: &'static str = F::PATH;
    // The path says it.
    const ENCODING: Encoding = Encoding::Json;
    const ENOUGH: usize = 5;
    const SAYS_IF_RECOVERED: bool = false;

    fn is_answered(transport: Transport) -> bool {
        transport.takes_requests()
    }

    fn has_tokens(transport: Transport) -> bool {
        !matches!(transport, Transport::WebSocket | Transport::Tcp)
    }

    fn client(addresses: [SocketAddr; 2]) -> Binance<F> {
        Binance {
            depth: Depth::new(addresses),
            trades: Vec::new(),
            trades_begin: true,
            resumes: false,
            asked: VecDeque::new(),
            given: None,
            form: PhantomData,
        }
    }

    fn query(channels: &[Channel]) -> String {
        let names: Vec<&str> = channels.iter().map(|&channel| stream::<F>(channel)).collect();
        query(&names.join("/"))
    }

    fn subscribe(&mut self, transport: Transport, channel: Channel, since: Option<&Token>) -> Request {
        self.asked.push_back((channel, true));
        request(transport, "SUBSCRIBE", stream::<F>(channel), since)
    }

    fn unsubscribe(&mut self, transport: Transport, channel: Channel) -> Request {
        self.asked.push_back((channel, false));
        request(transport, "UNSUBSCRIBE", stream::<F>(channel), None)
    }

    fn mistakes(transport: Transport) -> [Mistake; 3] {
        let mistake = |name, code| Mistake {
            request: request(transport, "SUBSCRIBE", name, None),
            query: query(name),
            code,
            query_code: "bad_params",
            status: 400,
        };
        [mistake("nosuch@depth", "-1121"), mistake("btcusdt@depth7", "2"), mistake("btcusdt@news", "2")]
    }

    fn connects(&mut self, transport: Transport, _: &[Channel], since: Option<&Token>) {
        self.depth.connects(transport, since.is_some());
        self.asked.clear();
        (self.trades_begin, self.resumes) = (true, since.is_some());
    }

    fn outlives(&self, addresses: [SocketAddr; 2]) -> Self {
        // Trades have the venue's ids, which begin anew with it.
        Binance { depth: self.depth.outlives(addresses), ..Binance::client(addresses) }
    }

    fn message(&mut self, message: &[u8]) -> Result<Heard, Wrong> {
        let starts = |with: &[&str]| with.iter().any(|with| message.starts_with(with.as_bytes()));
        if starts(&["{\"result\"", "{\"error\""]) {
            return self.answer(message);
        }
        let events = F::events(message)?;
        events.iter().try_fold(Heard::Nothing, |_, event| self.event(event))
    }

    fn given(&mut self, token: &str) -> Result<(), Wrong> {
        if self.asked.is_empty() {
            self.given = Some(token.parse().map_err(|error| format!("{error}"))?);
        }
        Ok(())
    }

    fn polled(
        &mut self,
        _: &[Channel],
        _: Option<&Token>,
        cursor: &str,
        messages: Vec<Vec<u8>>,
    ) -> Result<Vec<Heard>, Wrong> {
        let heard = messages.iter().map(|text| self.message(text)).collect();
        self.given(cursor)?;
        heard
    }

    fn token(&self) -> Option<Token> {
        self.given.clone()
    }

    fn through(&self) -> Seq {
        self.depth.through()
    }

    fn prove(&self, witness: &Witness) -> Result<(), Wrong> {
        let (seq, book) = (self.through(), self.depth.ladder().ok_or("there is no book")?);
        let real = witness.book_at(seq, message::Depth::ALL)?;
        if *book != real {
            let all = |book: &Ladder| Side::BOTH.map(|side| book.side(side).to_vec()).concat();
            let differs = all(book).into_iter().zip(all(&real)).find(|(level, real)| level != real);
            return Err(format!("the book at {seq} is not the real one: {differs:?}"));
        }
        let first = witness.first_trade()?;
        for trade in self.trades.iter().filter(|trade| trade.id >= first) {
            let message::Trade { side, price, qty, .. } = witness.trade(trade.id)?;
            if (trade.level, trade.side) != (Level { price, qty }, side) {
                return Err(format!("the trade {} is {:?}, {:?}", trade.id, trade.side, trade.level));
            }
        }
        Ok(())
    }
}

impl<F: Form> Binance<F> {
    fn answer(&mut self, message: &[u8]) -> Result<Heard, Wrong> {
        let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
        if let Some(error) = message.get("error") {
            return Ok(Heard::Refused { code: error["code"].to_string(), text: error["msg"].to_string() });
        }
        let (channel, begins) = self.asked.pop_front().ok_or("an answer that was not asked for")?;
        Ok(match begins {
            true => Heard::Granted { channel, recovered: false },
            false => Heard::Answered,
        })
    }

    fn event(&mut self, event: &Value) -> Result<Heard, Wrong> {
        let channel = match event["e"].as_str() {
            Some("depthUpdate") => Channel::Book,
            Some("trade") => Channel::Trade,
            _ => return Err(format!("{event}")),
        };
        if channel == Channel::Trade {
            self.trade(event)?;
            return Ok(Heard::Update { channel, merged: false });
        }
        Ok(match self.depth.take(event)? {
            Done::Began(reason) => Heard::Snapshot { channel, reason },
            Done::Changed { merged } => Heard::Update { channel, merged },
            Done::Waits => Heard::Nothing,
        })
    }

    /// Takes a trade: each once, and in their order, but for those that happened while it was not connected.
    fn trade(&mut self, event: &Value) -> Result<(), Wrong> {
        let id = integer(event, "t")?;
        let level = self.depth.scale().level(&event["p"], &event["q"])?;
        let side = if event["m"] == Value::Bool(true) { Side::Ask } else { Side::Bid };
        let begins = std::mem::take(&mut self.trades_begin);
        if let Some(&Trade { id: last, .. }) = self.trades.last() {
            if id <= last && self.resumes {
                // A token may be older than what came after it.
                self.trades_begin = begins;
                return if begins {
                    Ok(())
                } else {
                    Err(format!("the trade {id} comes again, after {last}"))
                };
            }
            if id <= last || id > last + 1 && (self.resumes || !begins) {
                return Err(format!("the trade {id} comes after {last}"));
            }
        }
        self.trades.push(Trade { id, level, side });
        Ok(())
    }
}

fn query(streams: &str) -> String {
    format!("streams={streams}")
}

/// A request about one stream, as it is said over a transport.
fn request(transport: Transport, method: &'static str, stream: &str, since: Option<&Token>) -> Request {
    if !matches!(transport, Transport::SocketIo | Transport::SocketIoPolling) {
        return Request { method, params: format!("[\"{stream}\"]") };
    }
    let method = if method == "SUBSCRIBE" { "subscribe" } else { "unsubscribe" };
    let since = since.map(|token| format!(",\"since\":\"{token}\"")).unwrap_or_default();
    Request { method, params: format!("{{\"streams\":[\"{stream}\"]{since}}}") }
}
