//! What several tests share: where captures are, and a book so plain that it can be an oracle.

use feed::{FeedSink, FeedSource, FeedState};
use journal::{
    Writer,
    import::{Format, Import},
};
use market::{Epoch, Event, Instrument, Instruments, Kind, Nanos, Price, Qty, Side, Status};
use std::{
    collections::BTreeMap,
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
