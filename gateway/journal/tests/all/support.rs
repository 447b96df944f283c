//! What several tests share: where captures are, and a book so plain that it can be an oracle.

use feed::{FeedSink, FeedSource, FeedState};
use journal::{
    Writer,
    import::{Format, Import},
};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, Side, Status, SymbolId};
use simd_json::{OwnedValue, prelude::*};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The captures named, if the folder of recorded data is there.
pub fn captures(names: &[&str]) -> Option<Vec<PathBuf>> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = std::env::var_os("DEPTHCAST_DATA").map_or_else(default, PathBuf::from);
    let files: Vec<_> = names.iter().map(|name| dir.join(name)).collect();
    let missing = files.iter().find(|file| !file.exists());
    if let Some(file) = missing {
        eprintln!("SKIPPED: {} is missing; DEPTHCAST_DATA names the folder of recorded data", file.display());
        return None;
    }
    Some(files)
}

/// Everything that an import yields.
pub fn import(format: Format, files: &[PathBuf]) -> (Import, Vec<Event>) {
    let mut import = Import::open(format, files, &[]).unwrap();
    let mut events = Vec::new();
    while import.poll(Nanos::ZERO, &mut events).unwrap().state != FeedState::Ended {}
    (import, events)
}

/// The two sides of a book.
#[derive(Default)]
pub struct Model {
    pub sides: [BTreeMap<Price, Qty>; 2],
}

impl Model {
    pub fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::Reset => self.sides = Default::default(),
            Kind::Level if event.qty.is_zero() => drop(self.sides[event.side.index()].remove(&event.price)),
            Kind::Level => drop(self.sides[event.side.index()].insert(event.price, event.qty)),
            _ => {}
        }
    }

    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        let levels = &self.sides[side.index()];
        let best = if side == Side::Bid { levels.last_key_value() } else { levels.first_key_value() };
        best.map(|(&price, &qty)| (price, qty))
    }
}

/// Splits whole exchange events and statuses apart.
pub fn exchange_events(events: &[Event]) -> impl Iterator<Item = &[Event]> {
    events.split_inclusive(|event| event.last || !event.kind.is_numbered())
}

/// A table of instruments with these names, of two price and three quantity decimals.
pub fn instruments(symbols: &[&str]) -> Instruments {
    Instruments::new(symbols.iter().map(|symbol| instrument(symbol))).unwrap()
}

pub fn instrument(symbol: &str) -> Instrument {
    Instrument {
        symbol: symbol.into(),
        venue_symbol: symbol.replace('/', ""),
        price_decimals: 2,
        qty_decimals: 3,
        tick: Price(1),
        lot: Qty(1),
        status: Status::Trading,
    }
}

/// An exchange event of one level of the first symbol.
pub fn level(seq: u64, timestamp: u64, price: i64) -> Event {
    Event {
        seq,
        timestamp: Nanos(timestamp),
        price: Price(price),
        qty: Qty(seq),
        number: seq,
        last: true,
        ..Event::new(Kind::Level)
    }
}

/// A recording of one run, each of `blocks` in a block of its own.
pub fn record(dir: &Path, epoch: Epoch, symbols: &[&str], blocks: &[&[Event]]) -> Writer {
    let mut writer = Writer::open(dir, epoch, &instruments(symbols)).unwrap();
    for events in blocks {
        writer.push(events).unwrap();
        writer.sync().unwrap();
    }
    writer
}

/// The only segment of a run.
pub fn segment(dir: &Path, run: u32, first_record: u64) -> PathBuf {
    dir.join(format!("run-{run:06}/{first_record:020}.events"))
}

/// The lines of a capture, plain or compressed.
pub fn lines(file: &Path) -> impl Iterator<Item = String> {
    let input = flate2::read::MultiGzDecoder::new(File::open(file).unwrap());
    BufReader::new(input).lines().map(Result::unwrap)
}

/// The JSON of what was received, each with the line's number.
pub fn messages(file: &Path) -> impl Iterator<Item = (u64, OwnedValue)> {
    (1..).zip(lines(file)).filter(|(_, line)| !line.starts_with("wss://")).filter_map(|(number, line)| {
        let (_, json) = line.split_once(": ")?;
        Some((number, simd_json::to_owned_value(&mut json.as_bytes().to_vec()).unwrap()))
    })
}

/// A number without the zeros at the end of its fraction.
pub fn without_zeros(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Holds the book after each change against the checksum that OKX or Bitget sent with it: of the 25 best levels of both
/// sides in turn, in the digits that the venue writes. How many there are, if all agree.
pub fn check_pair_checksums(
    file: &Path,
    instruments: &Instruments,
    events: &[Event],
    digits: fn(String) -> String,
) -> usize {
    let mut wanted: HashMap<String, Vec<i64>> = HashMap::new();
    for (_, message) in messages(file) {
        let Some(checksum) = message.get("data").and_then(|data| data.get_idx(0)?.get_i64("checksum")) else {
            continue;
        };
        let name = message.get("arg").and_then(|arg| arg.get_str("instId")).unwrap();
        wanted.entry(name.to_owned()).or_default().push(checksum);
    }
    let mut models: HashMap<SymbolId, Model> = HashMap::new();
    let mut seen: HashMap<String, Vec<i64>> = HashMap::new();
    for change in exchange_events(events).filter(|change| change[0].kind != Kind::Trade) {
        let (symbol, model) = (change[0].symbol, models.entry(change[0].symbol).or_default());
        change.iter().for_each(|event| model.apply(event));
        let text = pairs_text(model, &instruments[symbol], digits);
        let checksum = crc32fast::hash(text.as_bytes()) as i32;
        seen.entry(instruments[symbol].venue_symbol.clone()).or_default().push(checksum.into());
    }
    assert_eq!(seen, wanted);
    wanted.values().map(Vec::len).sum()
}

fn pairs_text(model: &Model, instrument: &Instrument, digits: fn(String) -> String) -> String {
    let text = |mantissa: i64, decimals| {
        let mut text = Vec::new();
        market::push_fixed(&mut text, mantissa, decimals);
        digits(String::from_utf8(text).unwrap())
    };
    let level = |(price, qty): (&Price, &Qty)| {
        format!(
            "{}:{}",
            text(price.0, instrument.price_decimals),
            text(qty.0 as i64, instrument.qty_decimals)
        )
    };
    let [bids, asks] = &model.sides;
    let bids: Vec<String> = bids.iter().rev().take(25).map(level).collect();
    let asks: Vec<String> = asks.iter().take(25).map(level).collect();
    let turns = (0..25).flat_map(|place| [bids.get(place), asks.get(place)]);
    turns.flatten().map(String::as_str).collect::<Vec<_>>().join(":")
}

/// Captures that a test writes.
pub struct Captured {
    dir: tempfile::TempDir,
    pub files: Vec<PathBuf>,
}

impl Captured {
    pub fn new(contents: &[&str]) -> Captured {
        let dir = tempfile::tempdir().unwrap();
        let mut captured = Captured { dir, files: Vec::new() };
        contents.iter().for_each(|content| captured.add(content.as_bytes()));
        captured
    }

    pub fn add(&mut self, content: &[u8]) {
        self.add_named(&format!("capture{}", self.files.len()), content);
    }

    pub fn add_named(&mut self, name: &str, content: &[u8]) {
        let file = self.dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        self.files.push(file);
    }

    /// Fails for a reason that says all of `wanted`.
    pub fn check_refused(&self, format: Format, names: &[&str], wanted: &[&str]) {
        let names: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        let error = Import::open(format, &self.files, &names).err().expect("refused").to_string();
        assert!(wanted.iter().all(|wanted| error.contains(wanted)), "{error}");
    }
}
