//! The canonical stream of a topic: the native JSON messages that a subscriber in step gets who asked for no stamps, each without its
//! `epoch` and `first_seq`. It is a function of the recording alone, so its hash is equal wherever and however often it is worked
//! out, and equal to what was served live.

use super::{Archive, Lane, out_of_range, unreadable};
use journal::Playback;
use market::{Epoch, Instruments, Nanos, Seq, SymbolId};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use session::Limits;
use sha2::{Digest, Sha256};
use std::time::Duration;
use wire::message::{Channel, Depth, Interval, Policy, Refusal, SnapshotReason, Subscribe};

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
        while !lines.ended && !reader.is_beyond() && reader.next(|line| lines.take(line))? {}
        // The range may end with the recording, but must not go beyond it.
        if reader.last_seq() < of.to {
            return Err(out_of_range("the range goes beyond what is recorded"));
        }
        Ok(lines.settled.then(|| lines.finish()))
    }
}

/// One subscriber that reads a recording from some position on.
struct StreamReader {
    playback: Playback,
    lane: Lane,
    instruments: Instruments,
    of: StreamOf,
    /// The feed time at which the symbol's numbers went beyond the range.
    beyond_at: Option<Nanos>,
}

impl StreamReader {
    fn new(of: &StreamOf, playback: Playback, epoch: Epoch) -> StreamReader {
        let playback = playback.of_symbols([of.symbol]);
        let instruments = playback.instruments().clone();
        let subscribe = Subscribe {
            channel: of.channel,
            symbols: Vec::new(),
            depth: of.depth,
            interval: of.interval,
            policy: Policy::Lossless,
            stamps: false,
            // What it is sent is what any subscriber in step is sent from there on.
            snapshot: Some(false),
            since: None,
            heartbeat: None,
        };
        let (limits, reason) = (Limits::default(), SnapshotReason::Subscribe);
        let lane = Lane::new(limits, &instruments, epoch, &subscribe, vec![of.symbol], reason);
        StreamReader { playback, lane, instruments, of: *of, beyond_at: None }
    }

    /// Reads the next part; gives each message that the subscriber is sent. Whether there was something to read.
    fn next(&mut self, each: impl FnMut(&[u8])) -> Result<bool, Refusal> {
        let Some(batch) = self.playback.next().map_err(unreadable)? else { return Ok(false) };
        for instrument in batch.listed {
            // The table took it when it was read.
            let _ = self.instruments.push(instrument);
        }
        self.lane.take(&batch.events, &self.instruments, self.playback.feed_time(), Nanos::ZERO);
        if self.beyond_at.is_none() && self.last_seq() > self.of.to {
            self.beyond_at = Some(self.lane.feed_time());
        }
        self.lane.drain(each);
        Ok(true)
    }

    /// Whether no message that is read from here on can lie within the range.
    fn is_beyond(&self) -> bool {
        let interval = Duration::from_millis(2 * u64::from(self.of.interval.millis()));
        self.beyond_at.is_some_and(|at| self.lane.feed_time() >= at + interval)
    }

    fn last_seq(&self) -> Seq {
        self.lane.last_seq(self.of.symbol)
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
