//! The canonical stream of a topic: the native JSON messages that a subscriber in step gets who asked for no stamps, each without its
//! `epoch` and `first_seq`. It is a function of the recording alone, so its hash is equal wherever and however often it is worked
//! out, and equal to what was served live.

use super::{Archive, out_of_range, unreadable};
use ingest::{Numbering, OnCross, Sequencer, SequencerOptions};
use journal::Playback;
use market::{Event, Instruments, Kind, Nanos, Seq, SymbolId};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use session::{ConnId, Ending, Limits, OpenOptions, Outlet, Worker};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use wire::{
    envelope::Envelope,
    message::{Channel, Depth, Interval, Refusal},
};

/// Which topic, and which part of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamOf {
    /// Of which symbol.
    pub symbol: SymbolId,
    /// `book`, `trade` or `bbo`.
    pub channel: Channel,
    /// How deep, of a book.
    pub depth: Depth,
    /// In which interval, of a book or its top.
    pub interval: Interval,
    /// Messages whose numbers all lie from here on…
    pub from: Seq,
    /// …up to here.
    pub to: Seq,
}

/// What a stream comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamHash {
    /// SHA-256 of the messages, joined by line feeds, in hexadecimal.
    pub hash: String,
    /// How many messages.
    pub messages: u64,
    /// How many bytes, the line feeds between them included.
    pub bytes: u64,
}

/// How far before the range the reading begins at first: far enough for a message that ends before it, most often.
const BEFORE: Seq = 64;

/// Bytes of history and of the log: of one symbol.
const HISTORY: usize = 64 << 20;

impl Archive {
    /// Works out the hash of a stream.
    pub(crate) fn stream_hash(&self, of: &StreamOf) -> Result<StreamHash, Refusal> {
        let mut before = BEFORE;
        loop {
            let begin = of.from.saturating_sub(before);
            if let Some(hash) = self.hash_from(of, begin)? {
                return Ok(hash);
            }
            before = before.saturating_mul(16);
        }
    }

    /// The hash, reading from the number `begin`; `None` if it cannot be told from there which is the first message within the range.
    fn hash_from(&self, of: &StreamOf, begin: Seq) -> Result<Option<StreamHash>, Refusal> {
        let position = self.before_seq(of.symbol, begin)?;
        let known = position.books.get(of.symbol).map_or(0, journal::Standing::seq);
        let mut reader = StreamReader::new(of, Playback::new(position, Nanos::MAX), self.epoch);
        let mut lines =
            Lines { of, hash: Sha256::new(), messages: 0, bytes: 0, settled: known == 0, ended: false };
        while !lines.ended && !reader.is_beyond(of) && reader.next(|line| lines.take(line))? {}
        // The range may end with the recording, but must not go beyond it.
        if reader.last_seq() < of.to {
            return Err(out_of_range("the range goes beyond what is recorded"));
        }
        Ok(lines.settled.then(|| lines.finish()))
    }
}

/// One subscriber of a worker that reads a recording.
struct StreamReader {
    playback: Playback,
    sequencer: Sequencer,
    worker: Worker,
    instruments: Instruments,
    symbol: SymbolId,
    conn: Option<ConnId>,
    request: Vec<u8>,
    sequenced: Vec<Event>,
    out: Written,
    to: Seq,
    /// The feed time at which the symbol's numbers went beyond the range.
    beyond_at: Option<Nanos>,
    now: Nanos,
}

/// What the subscriber is sent.
#[derive(Default)]
struct Written(Vec<u8>);

impl Outlet for Written {
    fn write(&mut self, _: ConnId, bytes: &[u8]) -> usize {
        self.0.extend_from_slice(bytes);
        bytes.len()
    }

    fn end(&mut self, _: ConnId, _: Ending) {}
}

impl StreamReader {
    fn new(of: &StreamOf, playback: Playback, epoch: market::Epoch) -> StreamReader {
        let limits = Limits { history_bytes: HISTORY, requests_per_second: 0, ..Limits::default() };
        let instruments = playback.instruments().clone();
        let options = SequencerOptions { on_cross: OnCross::Status, largest: 1 << 16 };
        let symbol = &instruments[of.symbol].symbol;
        let (channel, depth, interval) = (of.channel.as_str(), of.depth.get(), of.interval.millis());
        let mut params =
            format!(r#""channel":"{channel}","symbol":["{symbol}"],"policy":"lossless","snapshot":false"#);
        if of.channel == Channel::Book {
            params += &format!(r#","depth":{depth}"#);
        }
        if of.channel != Channel::Trade {
            params += &format!(r#","interval_ms":{interval}"#);
        }
        StreamReader {
            sequencer: Sequencer::new(Numbering::Kept(epoch), instruments.len(), options),
            worker: Worker::new(limits, Arc::new(instruments.clone()), epoch, || Nanos::ZERO),
            request: format!("{{\"method\":\"subscribe\",\"params\":{{{params}}}}}\n").into_bytes(),
            symbol: of.symbol,
            instruments,
            playback,
            conn: None,
            sequenced: Vec::new(),
            out: Written::default(),
            to: of.to,
            beyond_at: None,
            now: Nanos::ZERO,
        }
    }

    /// Reads the next part; gives each line that the subscriber is sent. Whether there was something to read.
    fn next(&mut self, mut each: impl FnMut(&[u8])) -> Result<bool, Refusal> {
        let Some(batch) = self.playback.next().map_err(unreadable)? else { return Ok(false) };
        for instrument in batch.listed {
            // The table took it when it was read.
            let _ = self.instruments.push(instrument);
        }
        if self.instruments.len() > self.sequencer.symbols() {
            self.sequencer.list(self.instruments.len(), self.now, &mut self.sequenced);
            self.worker.set_instruments(Arc::new(self.instruments.clone()));
        }
        self.sequencer.push(&batch.events, self.now, &mut self.sequenced);
        let sequenced = std::mem::take(&mut self.sequenced);
        let is_restored = |event: &Event| {
            event.symbol == self.symbol && event.kind == Kind::Reset && event.reset_reason().restores()
        };
        if self.conn.is_none() && !sequenced.iter().any(is_restored) {
            self.subscribe();
        }
        for event in &sequenced {
            if event.kind == Kind::Tick || event.symbol == self.symbol {
                self.worker.event(0, event, self.now);
            }
            if event.symbol == self.symbol && event.last {
                if self.conn.is_none() {
                    self.subscribe();
                }
                self.worker.flush(self.now, &mut self.out, || Nanos::ZERO);
            }
        }
        if self.beyond_at.is_none() && self.last_seq() > self.to {
            self.beyond_at = Some(self.sequencer.feed_time());
        }
        self.worker.flush(self.now, &mut self.out, || Nanos::ZERO);
        self.out.0.split_inclusive(|&byte| byte == b'\n').for_each(&mut each);
        self.out.0.clear();
        self.sequenced = sequenced;
        self.sequenced.clear();
        Ok(true)
    }

    /// Before the first event, or once the book is in place: what it is sent is what any subscriber in step is sent from there on.
    fn subscribe(&mut self) {
        let options = OpenOptions {
            heartbeat: Duration::ZERO,
            envelope: Envelope::Tcp,
            ..OpenOptions::new(&Limits::default())
        };
        let conn = self.worker.open(self.now, &options);
        self.conn = Some(conn);
        let mut request = self.request.clone();
        self.worker.input(conn, &mut request, self.now, &mut self.out);
    }

    /// Whether no message that is read from here on can lie within the range.
    fn is_beyond(&self, of: &StreamOf) -> bool {
        let interval = Duration::from_millis(2 * u64::from(of.interval.millis()));
        self.beyond_at.is_some_and(|at| self.sequencer.feed_time() >= at + interval)
    }

    fn last_seq(&self) -> Seq {
        self.worker.publisher().mark(self.symbol).seq
    }
}

/// Takes those lines that count.
struct Lines<'a> {
    of: &'a StreamOf,
    hash: Sha256,
    messages: u64,
    bytes: u64,
    /// Whether it is known where the messages of the range begin.
    settled: bool,
    ended: bool,
}

impl Lines<'_> {
    fn take(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let prefix = format!("{{\"channel\":\"{}\"", self.of.channel.as_str());
        if !line.starts_with(prefix.as_bytes()) {
            return;
        }
        let Some(seq) = number_of(line, b"\"seq\":", true) else { return };
        let first = number_of(line, b"\"first_seq\":", false).unwrap_or(seq);
        if seq > self.of.to {
            self.ended = true;
            self.settled = true;
        } else if first >= self.of.from && self.settled {
            self.count(line);
        } else if seq < self.of.from {
            // The next one begins where this one ends.
            self.settled = true;
        }
    }

    fn count(&mut self, line: &[u8]) {
        let text = without(&without(line, b"\"epoch\":"), b"\"first_seq\":");
        if self.messages > 0 {
            self.hash.update(b"\n");
            self.bytes += 1;
        }
        self.hash.update(&text);
        self.messages += 1;
        self.bytes += text.len() as u64;
    }

    fn finish(self) -> StreamHash {
        let hash = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        StreamHash { hash, messages: self.messages, bytes: self.bytes }
    }
}

/// The number behind a name; that of the last such name if `last`, as trades have numbers of their own before or behind it.
fn number_of(line: &[u8], name: &[u8], last: bool) -> Option<u64> {
    let at = if last { of_message(line, name)? } else { memmem::find(line, name)? };
    let digits = line[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, &digit| number * 10 + u64::from(digit - b'0')))
}

/// Where the message's own `seq` stands: in a message of trades before its data.
fn of_message(line: &[u8], name: &[u8]) -> Option<usize> {
    let data = memmem::find(line, b"\"data\":")?;
    memmem::find(&line[..data], name).or_else(|| memmem::rfind(line, name))
}

/// A message without a member whose value holds neither comma nor brace.
fn without(line: &[u8], name: &[u8]) -> Vec<u8> {
    let Some(at) = memmem::find(line, name) else { return line.to_vec() };
    let end =
        at + line[at..].iter().position(|&byte| byte == b',' || byte == b'}').unwrap_or(line.len() - at);
    // The comma behind it goes, or the one before it where it is the last.
    let (begin, end) = match line.get(end) {
        Some(b',') => (at, end + 1),
        _ => (at.saturating_sub(1), end),
    };
    [&line[..begin], &line[end..]].concat()
}
