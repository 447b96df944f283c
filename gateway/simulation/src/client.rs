//! A client of the simulation: the real client's tracker over a played connection of any transport, and what chance makes it
//! do.

use crate::{
    chance::Chance,
    ledger::Ledger,
    line::{self, Item},
    net::{Net, PipeId},
    record::Record,
    wish::Wish,
};
use client::{Polled, Tracker, Update};
use market::{Instruments, Nanos, SymbolId};
use session::{OpenOptions, Poll, Worker};
use std::{collections::BTreeMap, time::Duration};
use wire::{envelope::Envelope, message::Channel, token::Token};

/// A client and its connection.
pub struct Client {
    tracker: Tracker,
    trades: BTreeMap<SymbolId, Ledger>,
    wishes: Vec<Wish>,
    /// The last token of the gateway's own, from whatever transport.
    given: Option<Token>,
    conn: Option<Connection>,
    /// How many bytes it reads at a time, at most.
    appetite: u64,
    /// When it last got a message other than a heartbeat.
    pub last_news: Nanos,
}

/// A connection, or a client that polls.
struct Connection {
    /// Which worker.
    at: usize,
    envelope: Envelope,
    /// The pipe from the worker; a poll has none.
    pipe: Option<PipeId>,
    /// What has not arrived whole.
    inbox: Vec<u8>,
    /// With what it polls next.
    cursor: Option<Token>,
}

impl Client {
    /// A client with wishes of its own.
    pub fn new(chance: &mut Chance, symbols: u64) -> Client {
        Client {
            tracker: Tracker::new(),
            trades: BTreeMap::new(),
            wishes: Wish::some(chance, symbols),
            given: None,
            conn: None,
            appetite: chance.pick(&[50, 700, 5_000, 1 << 20]),
            last_news: Nanos::ZERO,
        }
    }

    /// At which worker it is connected.
    pub fn worker(&self) -> Option<usize> {
        self.conn.as_ref().map(|conn| conn.at)
    }

    /// The pipe of its connection, if that has one.
    pub fn pipe(&self) -> Option<PipeId> {
        self.conn.as_ref()?.pipe
    }

    /// It reads all that comes from now on.
    pub fn becomes_fast(&mut self) {
        self.appetite = 1 << 20;
    }

    /// Connects to a worker and asks for what it wants, from where it left off by its own reckoning or by the gateway's.
    pub fn connect(
        &mut self,
        at: usize,
        worker: &mut Worker,
        net: &mut Net,
        now: Nanos,
        chance: &mut Chance,
    ) {
        let instruments = worker.publisher().instruments().clone();
        let envelope = self.choose_envelope(&instruments, chance);
        let given = self.given.take().filter(|given| self.is_covered_by(given, &instruments));
        let since = if chance.once_in(2) { given } else { None }.or_else(|| self.tracker.token());
        if since.is_none() {
            self.start_over();
        }
        self.tracker.reconnected();
        let mut conn = Connection { at, envelope, pipe: None, inbox: Vec::new(), cursor: None };
        if envelope == Envelope::LongPoll {
            conn.cursor = since;
            self.conn = Some(conn);
            return;
        }
        let heartbeat = Duration::from_millis(250);
        let options = OpenOptions { heartbeat, envelope, ..OpenOptions::new(&session::Limits::default()) };
        let id = worker.open(now, &options);
        conn.pipe = Some(net.open(id, chance.pick(&[300, 4_000, 64_000])));
        self.conn = Some(conn);
        if let Some(mut greeting) = line::greeting(envelope) {
            worker.input(id, &mut greeting, now, net);
        }
        for wish in &self.wishes {
            if envelope == Envelope::Sse {
                worker.subscribe_at_once(id, wish.subscribe(&instruments, since.clone()), now);
                continue;
            }
            // A channel that it has nothing of cannot be resumed.
            let is_held = self.holds(wish, &instruments);
            let since = since.as_ref().filter(|_| is_held).map(Token::to_string);
            let params = wish.params(&instruments, since.as_deref());
            worker.input(id, &mut line::request(envelope, "subscribe", &params), now, net);
        }
    }

    /// Where a query has one token for all, it cannot leave out a channel of which nothing is held. A book is told apart by
    /// the token itself.
    fn choose_envelope(&self, instruments: &Instruments, chance: &mut Chance) -> Envelope {
        let is_ragged = self.wishes.iter().any(|wish| {
            let others = self.wishes.iter().filter(|other| other.symbol == wish.symbol);
            wish.channel != Channel::Book
                && !self.holds(wish, instruments)
                && others.clone().any(|other| self.holds(other, instruments))
        });
        match chance.pick(&Envelope::ALL) {
            Envelope::Sse | Envelope::LongPoll if is_ragged => Envelope::Tcp,
            envelope => envelope,
        }
    }

    fn holds(&self, wish: &Wish, instruments: &Instruments) -> bool {
        self.tracker.through(wish.channel, &instruments[wish.symbol].symbol).is_some()
    }

    /// Whether a token names every symbol of which something is held.
    fn is_covered_by(&self, token: &Token, instruments: &Instruments) -> bool {
        self.wishes.iter().all(|wish| {
            !self.holds(wish, instruments) || token.find(&instruments[wish.symbol].symbol).is_some()
        })
    }

    /// Without a token everything begins anew.
    fn start_over(&mut self) {
        self.tracker = Tracker::new();
        self.trades.clear();
    }

    /// Asks for something else than before, of one subscription.
    pub fn modify(&mut self, worker: &mut Worker, net: &mut Net, now: Nanos, chance: &mut Chance) {
        let Some(conn) = &self.conn else { return };
        let Some(id) = conn.pipe.and_then(|pipe| net.conn(pipe)) else { return };
        if !line::takes_requests(conn.envelope) {
            return;
        }
        let at = chance.below(self.wishes.len() as u64) as usize;
        let params = self.wishes[at].change(worker.publisher().instruments(), chance);
        worker.input(id, &mut line::request(conn.envelope, "modify", &params), now, net);
    }

    /// Sends the beginning of a request, and never its end.
    pub fn send_part(&self, worker: &mut Worker, net: &mut Net, now: Nanos, chance: &mut Chance) {
        let Some(conn) = &self.conn else { return };
        let Some(id) = conn.pipe.and_then(|pipe| net.conn(pipe)) else { return };
        let mut request = line::request(conn.envelope, "list", "{}");
        let part = chance.below(request.len() as u64) as usize;
        worker.input(id, &mut request[..part], now, net);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.conn = None;
    }

    /// Reads what its socket holds, or polls, and proves every message.
    ///
    /// # Errors
    /// What is wrong with a message.
    pub fn read(
        &mut self,
        worker: &mut Worker,
        net: &mut Net,
        now: Nanos,
        chance: &mut Chance,
    ) -> Result<(), String> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        let Some(pipe) = conn.pipe else { return self.poll(worker, now, chance) };
        let limit = 1 + chance.below(self.appetite) as usize;
        let read = net.read(pipe, limit, &mut conn.inbox);
        for item in line::take_items(conn.envelope, &mut conn.inbox) {
            match item {
                Item::Message(text) => self.message(&text, now, worker.publisher().instruments())?,
                Item::Token(text) => self.token(&text)?,
            }
        }
        if let Some(id) = read.writable {
            worker.writable(id, now, net);
        }
        if read.ended {
            net.cut(pipe);
            self.conn = None;
        }
        Ok(())
    }

    /// Polls now and then. An answer may be lost; then it polls with the same cursor again.
    fn poll(&mut self, worker: &mut Worker, now: Nanos, chance: &mut Chance) -> Result<(), String> {
        let Some(conn) = &mut self.conn else { return Ok(()) };
        if self.appetite < 1 << 20 && !chance.once_in(5) {
            return Ok(());
        }
        let instruments = worker.publisher().instruments().clone();
        let since = conn.cursor.clone();
        let subscribe: Vec<_> =
            self.wishes.iter().map(|wish| wish.polled(&instruments, since.clone())).collect();
        let poll =
            Poll::new(&subscribe, &instruments, since.clone()).map_err(|refusal| refusal.to_string())?;
        let mut body = Vec::new();
        if !worker.publisher_mut().push_poll(&poll, now, &mut body) || chance.once_in(10) {
            return Ok(());
        }
        let (cursor, messages) = line::poll_answer(&body)?;
        let wanted = self.wishes.iter().map(|wish| Polled {
            channel: wish.channel,
            symbol: &instruments[wish.symbol].symbol,
            depth: wish.depth(),
        });
        self.tracker.polled(wanted, since.as_ref(), &cursor).map_err(|fault| fault.to_string())?;
        conn.cursor = Some(cursor.parse().map_err(|error| format!("{error}"))?);
        for text in messages {
            self.message(&text, now, &instruments)?;
        }
        self.token(&cursor)?;
        for wish in self.wishes.iter().filter(|wish| wish.channel == Channel::Trade) {
            let through = self.tracker.through(wish.channel, &instruments[wish.symbol].symbol);
            if let Some(through) = through {
                self.trades.entry(wish.symbol).or_default().begin(through);
            }
        }
        Ok(())
    }

    fn message(&mut self, text: &[u8], now: Nanos, instruments: &Instruments) -> Result<(), String> {
        let ledger = |trades: &mut BTreeMap<_, _>, symbol: &str, change: &dyn Fn(&mut Ledger)| {
            let symbol = instruments.find(symbol).expect("a wish is of a listed symbol");
            change(trades.entry(symbol).or_insert_with(Ledger::default));
        };
        let mut begun = None;
        match self.tracker.on_text(text).map_err(|fault| fault.to_string())? {
            Update::Heartbeat => return Ok(()),
            Update::Trades { symbol, trades, snapshot: None, .. } => {
                ledger(&mut self.trades, symbol, &|ledger| {
                    trades.iter().for_each(|trade| ledger.see(trade.seq));
                })
            }
            Update::Gap { symbol, from_seq, to_seq, .. } => {
                ledger(&mut self.trades, symbol, &|ledger| ledger.miss(from_seq, to_seq));
            }
            Update::Subscribed(answer) if answer.channel == Channel::Trade => {
                begun = Some(answer.symbol.to_owned());
            }
            Update::Refused { text, .. } => return Err(text),
            // Tokens from before name what is no longer held.
            Update::Noted => self.given = None,
            _ => {}
        }
        if let Some(symbol) = begun {
            let through = self.tracker.through(Channel::Trade, &symbol);
            ledger(&mut self.trades, &symbol, &|ledger| {
                through.into_iter().for_each(|through| ledger.begin(through));
            });
        }
        self.last_news = now;
        Ok(())
    }

    fn token(&mut self, text: &str) -> Result<(), String> {
        self.tracker.on_token(text).map_err(|fault| fault.to_string())?;
        // It speaks for what was subscribed to by then.
        let is_whole = self.tracker.subscriptions().count() == self.wishes.len();
        if is_whole {
            self.given = Some(text.parse().map_err(|error| format!("{error}"))?);
        }
        Ok(())
    }

    /// Compares what it has with the book of record: of every subscription it has everything, and its books are equal.
    ///
    /// # Errors
    /// Which subscription differs, and how.
    pub fn compare(&self, record: &Record, instruments: &Instruments) -> Result<u64, String> {
        let mut compared = 0;
        for wish in &self.wishes {
            let symbol = &instruments[wish.symbol].symbol;
            self.compare_one(wish, symbol, record)
                .map_err(|what| format!("{:?} of {symbol}: {what}", wish.channel))?;
            compared += u64::from(wish.channel == Channel::Book);
        }
        Ok(compared)
    }

    fn compare_one(&self, wish: &Wish, symbol: &str, record: &Record) -> Result<(), String> {
        let through = self.tracker.through(wish.channel, symbol);
        // Nothing tells who polls that nothing happened.
        let is_told = self.conn.as_ref().is_some_and(|conn| conn.envelope != Envelope::LongPoll);
        if is_told && through != Some(record.seq(wish.symbol)) {
            return Err(format!("{through:?} is not all of {}", record.seq(wish.symbol)));
        }
        let view = |depth| record.view(wish.symbol, depth).ok_or("the book of record does not stand");
        match wish.channel {
            Channel::Book => {
                let (held, wanted) = (self.tracker.book(symbol), view(wish.depth)?);
                let held = held.map(|book| &book.ladder);
                if held != Some(&wanted) {
                    return Err(format!("at depth {}: {held:?}\nis not {wanted:?}", wish.depth));
                }
            }
            Channel::Bbo => {
                let (held, top) = (self.tracker.bbo(symbol), view(1)?);
                let held = held.map(|bbo| (bbo.bid, bbo.ask));
                if held != Some((top.bids.first().copied(), top.asks.first().copied())) {
                    return Err(format!("{held:?}\nis not {top:?}"));
                }
            }
            _ => {
                let ledger = self.trades.get(&wish.symbol).ok_or("no stream of trades ever began")?;
                ledger.compare(record.trades(wish.symbol))?;
            }
        }
        Ok(())
    }
}
