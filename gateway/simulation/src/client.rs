//! A client of the simulation: the real client's tracker over a played socket, and what chance makes it do.

use crate::{
    chance::Chance,
    net::{Net, PipeId},
    record::Record,
};
use client::Tracker;
use market::{Instruments, Nanos, SymbolId};
use session::{OpenOptions, Worker};
use wire::message::Channel;

/// One subscription that a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// `book`, `trade` or `bbo`.
    pub channel: &'static str,
    /// Whose.
    pub symbol: SymbolId,
    /// How deep a book.
    pub depth: u32,
    /// In milliseconds of feed time.
    pub interval: u32,
    /// Every message, or a connection that is closed when it is too slow.
    pub lossless: bool,
    /// With the moments of the way.
    pub stamps: bool,
}

const DEPTHS: [u32; 5] = [0, 1, 5, 10, 25];
const INTERVALS: [u32; 5] = [0, 0, 0, 10, 100];

/// A client and its connection.
pub struct Client {
    tracker: Tracker,
    wishes: Vec<Wish>,
    /// The worker, and the pipe from it.
    conn: Option<(usize, PipeId)>,
    /// Frames that have not arrived whole.
    inbox: Vec<u8>,
    /// How many bytes it reads at a time, at most.
    appetite: u64,
    /// How often it came back.
    pub reconnects: u64,
    /// When it last got a message other than a heartbeat.
    pub last_news: Nanos,
}

impl Client {
    /// A client with wishes of its own.
    pub fn new(chance: &mut Chance, symbols: u64) -> Client {
        let mut wishes: Vec<Wish> = Vec::new();
        for _ in 0..1 + chance.below(5) {
            let wish = Wish {
                channel: chance.pick(&["book", "book", "book", "trade", "bbo"]),
                symbol: SymbolId(chance.below(symbols) as u32),
                depth: chance.pick(&DEPTHS),
                interval: chance.pick(&INTERVALS),
                lossless: chance.once_in(3),
                stamps: chance.once_in(3),
            };
            if !wishes.iter().any(|other| (other.channel, other.symbol) == (wish.channel, wish.symbol)) {
                wishes.push(wish);
            }
        }
        let appetite = chance.pick(&[50, 700, 5_000, 1 << 20]);
        Client {
            tracker: Tracker::new(),
            wishes,
            conn: None,
            inbox: Vec::new(),
            appetite,
            reconnects: 0,
            last_news: Nanos::ZERO,
        }
    }

    /// Where it is connected.
    pub fn conn(&self) -> Option<(usize, PipeId)> {
        self.conn
    }

    /// It reads all that comes from now on.
    pub fn becomes_fast(&mut self) {
        self.appetite = 1 << 20;
    }

    /// Connects to a worker and asks for what it wants, from where it left off.
    pub fn connect(&mut self, at: usize, worker: &mut Worker, net: &mut Net, now: Nanos, room: usize) {
        let options = OpenOptions { heartbeat: std::time::Duration::from_millis(250), ..options() };
        let conn = worker.open(now, &options);
        self.conn = Some((at, net.open(conn, room)));
        self.inbox.clear();
        self.reconnects += 1;
        let token = self.tracker.token().map(|token| token.to_string());
        self.tracker.reconnected();
        let instruments = worker.publisher().instruments().clone();
        for wish in self.wishes.clone() {
            let channel = Channel::parse(wish.channel).expect("a wish is of a channel");
            // A channel that it has nothing of cannot be resumed.
            let held = self.tracker.through(channel, &instruments[wish.symbol].symbol);
            let request = subscribe(&wish, &instruments, token.as_deref().filter(|_| held.is_some()));
            worker.input(conn, &mut masked(&request), now, net);
        }
    }

    /// Asks for something else than before, of one subscription.
    pub fn modify(&mut self, worker: &mut Worker, net: &mut Net, now: Nanos, chance: &mut Chance) {
        let Some(conn) = self.conn.and_then(|(_, pipe)| net.conn(pipe)) else { return };
        let at = chance.below(self.wishes.len() as u64) as usize;
        let wish = &mut self.wishes[at];
        let symbol = &worker.publisher().instruments()[wish.symbol].symbol;
        let mut params = format!("\"channel\":\"{}\",\"symbol\":\"{symbol}\"", wish.channel);
        if wish.channel == "book" && chance.once_in(3) {
            wish.depth = chance.pick(&DEPTHS);
            params += &format!(",\"depth\":{}", wish.depth);
        }
        if wish.channel != "trade" && chance.once_in(3) {
            wish.interval = chance.pick(&INTERVALS);
            params += &format!(",\"interval_ms\":{}", wish.interval);
        }
        if chance.once_in(3) {
            wish.lossless = chance.once_in(2);
            params += &format!(",\"policy\":\"{}\"", wish.policy());
        }
        if chance.once_in(3) {
            wish.stamps = chance.once_in(2);
            params += &format!(",\"stamps\":{}", wish.stamps);
        }
        let request = format!(r#"{{"method":"modify","params":{{{params}}}}}"#);
        worker.input(conn, &mut masked(&request), now, net);
    }

    /// Sends the beginning of a frame, and never its end.
    pub fn send_part_of_a_frame(&self, worker: &mut Worker, net: &mut Net, now: Nanos, chance: &mut Chance) {
        let Some(conn) = self.conn.and_then(|(_, pipe)| net.conn(pipe)) else { return };
        let mut frame = masked(r#"{"method":"list"}"#);
        let part = chance.below(frame.len() as u64) as usize;
        worker.input(conn, &mut frame[..part], now, net);
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.conn = None;
    }

    /// Reads what its socket holds and proves every message.
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
        let Some((_, pipe)) = self.conn else { return Ok(()) };
        let limit = 1 + chance.below(self.appetite) as usize;
        let read = net.read(pipe, limit, &mut self.inbox);
        self.take_frames(now)?;
        if let Some(conn) = read.writable {
            worker.writable(conn, now, net);
        }
        if read.ended {
            net.cut(pipe);
            self.conn = None;
        }
        Ok(())
    }

    fn take_frames(&mut self, now: Nanos) -> Result<(), String> {
        let mut at = 0;
        while let Some((opcode, payload, end)) = frame(&self.inbox, at) {
            if opcode == 0x1 {
                let text = &self.inbox[payload..end];
                self.tracker.on_text(text).map_err(|fault| fault.to_string())?;
                if !text.starts_with(br#"{"channel":"heartbeat""#) {
                    self.last_news = now;
                }
            }
            at = end;
        }
        self.inbox.drain(..at);
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
            let channel = Channel::parse(wish.channel).expect("a wish is of a channel");
            let through = self.tracker.through(channel, symbol);
            if through != Some(record.seq(wish.symbol)) {
                return Err(format!(
                    "{channel:?} of {symbol}: {through:?} is not all of {}",
                    record.seq(wish.symbol)
                ));
            }
            if channel == Channel::Book {
                self.compare_book(wish, symbol, record)?;
                compared += 1;
            }
        }
        Ok(compared)
    }

    fn compare_book(&self, wish: &Wish, symbol: &str, record: &Record) -> Result<(), String> {
        let wanted = record.view(wish.symbol, wish.depth);
        let wanted = wanted.ok_or_else(|| format!("{symbol}: the book of record does not stand"))?;
        let book = self.tracker.book(symbol).ok_or_else(|| format!("{symbol}: the client has no book"))?;
        if book.ladder != wanted {
            return Err(format!("{symbol} at depth {}: {:?}\nis not {wanted:?}", wish.depth, book.ladder));
        }
        Ok(())
    }
}

impl Wish {
    fn policy(&self) -> &'static str {
        if self.lossless { "lossless" } else { "conflate" }
    }
}

fn options() -> OpenOptions {
    OpenOptions::new(&session::Limits::default())
}

fn subscribe(wish: &Wish, instruments: &Instruments, token: Option<&str>) -> String {
    let Wish { channel, symbol, depth, interval, stamps, .. } = *wish;
    let symbol = &instruments[symbol].symbol;
    let depth = if channel == "book" { format!(",\"depth\":{depth}") } else { String::new() };
    let interval = if channel == "trade" { String::new() } else { format!(",\"interval_ms\":{interval}") };
    let policy = wish.policy();
    let since = token.map_or(String::new(), |token| format!(",\"since\":\"{token}\""));
    format!(
        r#"{{"method":"subscribe","params":{{"channel":"{channel}","symbol":"{symbol}"{depth}{interval},"policy":"{policy}","stamps":{stamps}{since}}}}}"#
    )
}

/// A client's text frame, under a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..=125 => frame.push(0x80 | short as u8),
        medium => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// The whole frame at a place: its opcode, where its payload begins, and where it ends.
fn frame(bytes: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let (first, short) = (*bytes.get(at)?, *bytes.get(at + 1)?);
    let number = |count: usize| {
        let length = bytes.get(at + 2..at + 2 + count)?;
        Some((length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte)), at + 2 + count))
    };
    let (length, payload) = match short {
        126 => number(2)?,
        127 => number(8)?,
        short => (usize::from(short), at + 2),
    };
    let end = payload + length;
    (end <= bytes.len()).then_some((first & 0x0F, payload, end))
}
