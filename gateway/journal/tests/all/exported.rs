//! What the tests of exports share: a recording of a capture, and what happened in it as an oracle keeps it.

use crate::support::{Model, exchange_events};
use feed::{FeedSink, FeedSource, FeedState};
use ingest::{Numbering, OnCross, Sequencer, SequencerOptions};
use journal::{
    Reader, Writer,
    export::{Export, ExportOptions, Tally, Target},
    import::{Format, Import},
};
use market::{Epoch, Event, Instruments, Kind, Nanos, Price, Qty, Side, SymbolId};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

/// Both sides of a book.
pub type Sides = [BTreeMap<Price, Qty>; 2];
/// The last book of each time, by symbol and time.
pub type Books = BTreeMap<(SymbolId, Nanos), Sides>;

/// Records a capture as the program does, and reads what is recorded.
pub fn recorded(dir: &Path, format: Format, files: &[PathBuf]) -> (Instruments, Vec<Event>) {
    let mut import = Import::open(format, files, &[]).unwrap();
    let options = SequencerOptions { on_cross: OnCross::Status, largest: 1 << 16, id_base: 0 };
    let mut sequencer = Sequencer::new(Numbering::Own(Epoch(1)), import.instruments().len(), options);
    let mut writer = Writer::open(dir, Epoch(1), import.instruments()).unwrap();
    let (mut taken, mut sequenced) = (Vec::new(), Vec::new());
    while import.poll(Nanos::ZERO, &mut taken).unwrap().state != FeedState::Ended {
        sequencer.push(&taken, Nanos::ZERO, &mut sequenced);
        writer.push(&sequenced).unwrap();
        taken.clear();
        sequenced.clear();
    }
    sequencer.end(Nanos::ZERO, &mut sequenced);
    writer.push(&sequenced).unwrap();
    writer.sync().unwrap();
    (import.instruments().clone(), read(dir))
}

fn read(dir: &Path) -> Vec<Event> {
    let mut reader = Reader::open(dir).unwrap();
    let mut events = Vec::new();
    while reader.next_block(&mut events).unwrap().is_some() {}
    events
}

/// Exports to the end.
pub fn export(dir: &Path, target: Target, out: &Path, options: &ExportOptions) -> (Vec<PathBuf>, Tally) {
    let mut export = Export::open(dir, target, out, options).unwrap();
    while export.step().unwrap() {}
    export.finish().unwrap()
}

/// The book at the end of each time at which one changed, with the times as `round` leaves them.
pub fn books_by_time(events: &[Event], round: impl Fn(Nanos) -> Nanos) -> Books {
    let mut models: HashMap<SymbolId, Model> = HashMap::new();
    let mut books = Books::new();
    for change in
        exchange_events(events).filter(|change| change.iter().any(|event| event.kind != Kind::Trade))
    {
        if !change[0].kind.is_numbered() {
            continue;
        }
        let model = models.entry(change[0].symbol).or_default();
        change.iter().for_each(|event| model.apply(event));
        books.insert((change[0].symbol, round(change[change.len() - 1].timestamp)), model.sides.clone());
    }
    books
}

/// Symbol, aggressor, price, quantity and id of each trade.
pub fn trades(events: &[Event]) -> Vec<(SymbolId, Side, Price, Qty, u64)> {
    let trades = events.iter().filter(|event| event.kind == Kind::Trade);
    trades.map(|trade| (trade.symbol, trade.side, trade.price, trade.qty, trade.number)).collect()
}
