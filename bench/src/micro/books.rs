//! A change of one level in the book, its checksum and its text: the parts of what a worker does.

use super::{
    events::Even,
    measure::{Item, Samples, Setup, Target, time},
};
use book::{Book, EventView, History, Ladder};
use market::{Epoch, Event, Instrument, Nanos, SymbolId};
use std::hint::black_box;
use wire::{
    dialect::{native_json, native_sbe},
    envelope::websocket::{self, Opcode},
    message::{BookKind, BookMessage, Stamps},
};

pub const ITEMS: &[Item] = &[
    Item { name: "book/apply-and-changes-10", target: None, measure: apply_and_changes },
    Item { name: "book/apply-changes-and-checksum-10", target: None, measure: checksum },
    Item { name: "json/update-of-one-level", target: None, measure: encode },
    Item { name: "sbe/update-of-one-level", target: None, measure: encode_binary },
    Item {
        name: "book+json/apply-and-encode",
        target: Some(Target::Nanos(100.0)),
        measure: apply_and_encode,
    },
];

const DEPTH: u32 = 10;
const EVENTS: usize = 1_000_000;

/// A book that is watched, and the message of its last change.
pub struct Desk {
    book: Book,
    history: History,
    changes: Ladder,
    instrument: Instrument,
    out: Vec<u8>,
}

impl Desk {
    /// A standing book.
    pub fn new(events: &Even) -> Desk {
        let mut desk = Desk {
            book: Book::new(),
            history: History::new(super::worker::HISTORY_BYTES),
            changes: Ladder::default(),
            instrument: events.instruments[SymbolId(0)].clone(),
            out: Vec::new(),
        };
        desk.book.watch(DEPTH);
        for event in &events.reset {
            desk.book.apply(event, &mut desk.history);
        }
        desk
    }

    /// Applies an exchange event of one event; returns whether it changed the view.
    pub fn apply(&mut self, event: &Event) -> bool {
        self.book.apply(event, &mut self.history);
        self.book.event_changes(DEPTH, &mut self.changes) == EventView::Changed
    }

    /// Writes the frame of the last change, over the one before, with a checksum of nothing.
    pub fn encode(&mut self) {
        self.encode_as(Opcode::Text, native_json::push_book);
    }

    /// The same in binary.
    fn encode_binary(&mut self) {
        self.encode_as(Opcode::Binary, native_sbe::push_book);
    }

    fn encode_as(&mut self, opcode: Opcode, push_book: impl FnOnce(&mut Vec<u8>, &BookMessage<'_>)) {
        let mark = self.book.mark();
        let stamps =
            Stamps { engine: mark.engine, ingest: mark.ingest, encode: Nanos::ZERO, engine_first: None };
        let message = BookMessage {
            instrument: &self.instrument,
            ids: Epoch(1).into(),
            kind: BookKind::Update { first_seq: mark.seq, merged: None },
            levels: &self.changes,
            checksum: 0,
            mark,
            stamps: Some(stamps),
        };
        self.out.clear();
        websocket::frame(&mut self.out, opcode, |body| push_book(body, black_box(&message)));
    }

    /// The checksum of the view.
    pub fn checksum(&mut self) -> u32 {
        black_box(&mut self.book).checksum(DEPTH)
    }

    /// Applies an event and writes its frame.
    pub fn apply_and_encode(&mut self, event: &Event) {
        if self.apply(event) {
            self.encode();
        }
        black_box(&self.out);
    }
}

fn apply_and_changes(setup: &Setup) -> anyhow::Result<Samples> {
    each_event(setup, |desk, event| {
        black_box(desk.apply(event));
    })
}

fn checksum(setup: &Setup) -> anyhow::Result<Samples> {
    each_event(setup, |desk, event| {
        black_box(desk.apply(event));
        black_box(desk.checksum());
    })
}

fn encode(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    while !desk.apply(&events.next()) {}
    let samples = setup.measure(EVENTS, || time(|| (0..EVENTS).for_each(|_| desk.encode())));
    Ok(samples.with_note(format!("{} bytes a frame, with stamps", desk.out.len())))
}

fn encode_binary(setup: &Setup) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    while !desk.apply(&events.next()) {}
    let samples = setup.measure(EVENTS, || time(|| (0..EVENTS).for_each(|_| desk.encode_binary())));
    Ok(samples.with_note(format!("{} bytes a frame, with stamps", desk.out.len())))
}

fn apply_and_encode(setup: &Setup) -> anyhow::Result<Samples> {
    let samples = each_event(setup, Desk::apply_and_encode)?;
    Ok(samples.with_note("the book and the dialect alone, without checksum"))
}

fn each_event(setup: &Setup, mut work: impl FnMut(&mut Desk, &Event)) -> anyhow::Result<Samples> {
    let mut events = Even::new()?;
    let mut desk = Desk::new(&events);
    Ok(setup.measure(EVENTS, || time(|| (0..EVENTS).for_each(|_| work(&mut desk, &events.next())))))
}
