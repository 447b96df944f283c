//! How a client of Binance's dialect keeps a book: the venue's documented procedure. Events of changes make a chain, in which each
//! begins with the id after the one that the last ended with; a book that is fetched over REST joins it somewhere. Where the chain
//! is broken, all of it begins anew.

use crate::{
    native::SYMBOL,
    support::{Wrong, ask, transport::Transport},
};
use book::Ladder;
use market::{Level, Price, Qty, Seq};
use serde_json::Value;
use std::net::SocketAddr;
use wire::message::SnapshotReason;

/// The symbol's name in this dialect.
pub const NAME: &str = "BTCUSDT";
/// The digits of a price and a quantity.
const DECIMALS: usize = 8;
/// How much of the venue's time an event of changes is of, in ms.
const SPEED: u64 = 100;

/// A book, and what is needed to keep it.
pub struct Depth {
    addresses: [SocketAddr; 2],
    /// How prices and quantities count in the gateway.
    scale: Scale,
    book: Option<Book>,
    /// Events that came before there was a book.
    waiting: Vec<Diff>,
    /// The id with which the last event ended, over all connections.
    last: Option<u64>,
    /// In which of the venue's hundredths of a second it ended.
    last_bucket: u64,
    connection: Connected,
    /// Whether there ever was a book.
    had_book: bool,
    /// The id of the gateway's number 0.
    base: Option<u64>,
}

/// What is to be expected of what comes.
#[derive(Clone, Copy)]
struct Connected {
    transport: Transport,
    /// It goes on where a token was.
    resumes: bool,
    /// Nothing came yet.
    is_new: bool,
}

struct Book {
    ladder: Ladder,
    id: u64,
}

/// What an event did.
pub enum Done {
    /// The book was fetched, and why.
    Began(SnapshotReason),
    /// It changed; whether by what usually comes in several events.
    Changed { merged: bool },
    /// There is no book yet.
    Waits,
}

impl Depth {
    /// There is nothing yet.
    pub fn new(addresses: [SocketAddr; 2]) -> Depth {
        let connection = Connected { transport: Transport::WebSocket, resumes: false, is_new: true };
        Depth {
            addresses,
            scale: Scale::of(addresses[0]),
            book: None,
            waiting: Vec::new(),
            last: None,
            last_bucket: 0,
            connection,
            had_book: false,
            base: None,
        }
    }

    /// A new connection begins, perhaps with a token.
    pub fn connects(&mut self, transport: Transport, resumes: bool) {
        self.connection = Connected { transport, resumes, is_new: true };
        if !resumes {
            self.begin_anew();
        }
    }

    /// What is left of it when the gateway is another one: ids have to be larger there than all that there were.
    pub fn outlives(&self, addresses: [SocketAddr; 2]) -> Depth {
        Depth { last: self.last, had_book: true, ..Depth::new(addresses) }
    }

    fn begin_anew(&mut self) {
        self.book = None;
        self.waiting.clear();
    }

    /// The gateway's number through which the book is; 0 if there is none.
    pub fn through(&self) -> Seq {
        self.book.as_ref().map_or(0, |book| book.id - self.base.unwrap_or(0))
    }

    /// The book.
    pub fn ladder(&self) -> Option<&Ladder> {
        self.book.as_ref().map(|book| &book.ladder)
    }

    /// How prices and quantities count.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Takes an event.
    pub fn take(&mut self, event: &Value) -> Result<Done, Wrong> {
        let diff = Diff::read(event, self.scale)?;
        self.check_chain(&diff)?;
        let bucket = diff.time / SPEED;
        let merged = bucket > self.last_bucket + 1;
        (self.last, self.last_bucket) = (Some(diff.last), bucket);
        if let Some(book) = &mut self.book {
            book.apply(&diff);
            return Ok(Done::Changed { merged });
        }
        if diff.changes.is_empty() {
            // It only breaks the chain.
            self.last = None;
            return Ok(Done::Waits);
        }
        self.waiting.push(diff);
        self.begin()
    }

    /// Whether an event may come now; one that does not go on where the last one was ends the book, where that may be.
    fn check_chain(&mut self, diff: &Diff) -> Result<(), Wrong> {
        let Connected { resumes, is_new, .. } = self.connection;
        self.connection.is_new = false;
        let Some(last) = self.last else { return Ok(()) };
        let is_next = diff.first == last + 1;
        let goes_on = match is_new {
            // A token may be older than what came after it.
            true => self.book.is_some() && resumes && diff.first <= last + 1,
            false => is_next,
        };
        if goes_on {
            return Ok(());
        }
        self.begin_anew();
        // Ids are never used again; and who counts sees that one is left out, unless it began anew by itself.
        let may_be_next = is_new && !resumes;
        if diff.first <= last || is_next && !may_be_next {
            return Err(format!("the events {}..={} come after {last}", diff.first, diff.last));
        }
        Ok(())
    }

    /// Fetches a book, and joins the events that came to it, if it is new enough.
    fn begin(&mut self) -> Result<Done, Wrong> {
        let path = format!("/api/v3/depth?symbol={NAME}&limit=5000");
        let answer = ask(self.addresses[0], &path);
        if answer.status != 200 {
            return Err(format!("{path} is answered {}: {}", answer.status, answer.body));
        }
        let answer = answer.json();
        let id = integer(&answer, "lastUpdateId")?;
        let ladder = self.scale.ladder(&answer, ["bids", "asks"])?;
        let [first, last] = [self.waiting[0].first, self.waiting[self.waiting.len() - 1].last];
        // What a poll tells is newer: books are as of the ends of tenths of a second.
        if self.connection.transport != Transport::LongPoll && id < last {
            return Err(format!("the book of {id} is older than the event that ended with {last}"));
        }
        if first > id + 1 {
            return Ok(Done::Waits);
        }
        if self.base.is_none() {
            self.base = Some(self.find_base()?);
        }
        let mut book = Book { ladder, id };
        self.waiting.drain(..).for_each(|diff| book.apply(&diff));
        self.book = Some(book);
        let reason = match std::mem::replace(&mut self.had_book, true) {
            true => SnapshotReason::Resume,
            false => SnapshotReason::Subscribe,
        };
        Ok(Done::Began(reason))
    }

    /// What ids count from: a poll that goes on behind a number begins with the id after that.
    fn find_base(&self) -> Result<u64, Wrong> {
        let now = ask(self.addresses[0], &format!("/v1/book?symbol={SYMBOL}&depth=1")).json();
        let (epoch, seq) = (now["epoch"].as_str().unwrap_or_default(), integer(&now, "seq")?);
        let cursor = format!("{epoch}:{SYMBOL}@0={seq}");
        let poll = ask(self.addresses[0], &format!("/poll?streams=btcusdt@depth&cursor={cursor}")).json();
        Ok(integer(&poll["messages"][0]["data"], "U")? - 1 - seq)
    }
}

impl Book {
    fn apply(&mut self, diff: &Diff) {
        if diff.last > self.id {
            self.ladder.apply(&diff.changes);
            self.id = diff.last;
        }
    }
}

/// An event of changes.
struct Diff {
    first: u64,
    last: u64,
    /// In ms.
    time: u64,
    changes: Ladder,
}

impl Diff {
    fn read(event: &Value, scale: Scale) -> Result<Diff, Wrong> {
        let [first, last, time] = [integer(event, "U")?, integer(event, "u")?, integer(event, "E")?];
        if first > last || event["s"] != NAME {
            return Err(format!("{event}"));
        }
        Ok(Diff { first, last, time, changes: scale.ladder(event, ["b", "a"])? })
    }
}

/// How many decimals the gateway counts prices and quantities in.
#[derive(Clone, Copy)]
pub struct Scale {
    price: usize,
    qty: usize,
}

impl Scale {
    fn of(address: SocketAddr) -> Scale {
        let instruments = ask(address, "/v1/instruments").json();
        let rows = instruments["instruments"].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| row["symbol"] == SYMBOL).unwrap_or_default();
        let [price, qty] =
            ["price_decimals", "qty_decimals"].map(|name| row[name].as_u64().unwrap_or(0) as usize);
        Scale { price, qty }
    }

    fn ladder(self, of: &Value, names: [&str; 2]) -> Result<Ladder, Wrong> {
        let [bids, asks] = names.map(|name| {
            let levels = of[name].as_array().ok_or_else(|| format!("there is no {name}: {of}"))?;
            levels.iter().map(|level| self.level(&level[0], &level[1])).collect::<Result<Vec<Level>, Wrong>>()
        });
        Ok(Ladder { bids: bids?, asks: asks? })
    }

    /// A price and a quantity.
    pub fn level(self, price: &Value, qty: &Value) -> Result<Level, Wrong> {
        let price = Price(fixed(price, self.price)? as i64);
        Ok(Level { price, qty: Qty(fixed(qty, self.qty)?) })
    }
}

/// A number that is text with eight decimals, of which those beyond `decimals` are zeros.
fn fixed(value: &Value, decimals: usize) -> Result<u64, Wrong> {
    let wrong = || format!("{value} is no number of {DECIMALS} decimals, {decimals} of which count");
    let text = value.as_str().ok_or_else(wrong)?;
    let (whole, fraction) = text.split_once('.').ok_or_else(wrong)?;
    let (fraction, zeros) = fraction.split_at_checked(decimals).ok_or_else(wrong)?;
    if fraction.len() + zeros.len() != DECIMALS || zeros.bytes().any(|digit| digit != b'0') {
        return Err(wrong());
    }
    format!("{whole}{fraction}").parse().map_err(|_| wrong())
}

/// A member that is an integer.
pub fn integer(of: &Value, name: &str) -> Result<u64, Wrong> {
    of[name].as_u64().ok_or_else(|| format!("there is no {name}: {of}"))
}
