//! Events as short text, so that a test shows what goes in beside what comes out.
//!
//! Words of a line: `R` reset (`Rgap`, `Rloop`: with that reason), `b100:5` bid, `a101:3` ask, `t100:2` trade; behind it
//! `#7` its number, `~` partial, `.` last of its exchange event. `1/` before it: of symbol 1 instead of 0. `gap`,
//! `crossed`, `listing` (of a symbol), `tick`, `stalled` and `ended` are as they are. `@12` is the time in milliseconds:
//! going in, a word of its own that holds for what follows; coming out, of ticks only, behind them.
#![allow(dead_code)]

pub mod venue;

use ingest::{Numbering, OnCross, Sequencer, SequencerOptions};
use market::{Epoch, Event, Kind, Nanos, Price, Qty, ResetReason, Side, SymbolId};

pub const MS: u64 = 1_000_000;
pub const EPOCH: Epoch = Epoch(7);
pub const NOW: Nanos = Nanos(1_000_000_000_000);

pub fn events(line: &str) -> Vec<Event> {
    let mut time = Nanos::ZERO;
    let mut out = Vec::new();
    for word in line.split_whitespace() {
        match word.strip_prefix('@') {
            Some(ms) => time = Nanos(ms.parse::<u64>().unwrap() * MS),
            None => out.push(Event { timestamp: time, engine: time, ..event(word) }),
        }
    }
    out
}

fn event(word: &str) -> Event {
    let (word, last) = strip(word, '.');
    let (word, partial) = strip(word, '~');
    let (word, seq) = word.split_once('#').map_or((word, 0), |(word, seq)| (word, seq.parse().unwrap()));
    let (symbol, word) = word.split_once('/').map_or((0, word), |(id, word)| (id.parse().unwrap(), word));
    Event { symbol: SymbolId(symbol), seq, last, partial, ..what(word) }
}

fn strip(word: &str, flag: char) -> (&str, bool) {
    word.strip_suffix(flag).map_or((word, false), |word| (word, true))
}

fn what(word: &str) -> Event {
    match word {
        "R" => Event::reset(SymbolId(0), ResetReason::Feed),
        "Rgap" => Event::reset(SymbolId(0), ResetReason::Gap),
        "Rloop" => Event::reset(SymbolId(0), ResetReason::Loop),
        "gap" => Event::new(Kind::FeedGap),
        "listing" => Event::new(Kind::Listing),
        "tick" => Event::new(Kind::Tick),
        _ => {
            let (kind, side) = match &word[..1] {
                "b" => (Kind::Level, Side::Bid),
                "a" => (Kind::Level, Side::Ask),
                "t" => (Kind::Trade, Side::Bid),
                _ => panic!("no event: {word}"),
            };
            let (price, qty) = word[1..].split_once(':').unwrap();
            let (price, qty) = (Price(price.parse().unwrap()), Qty(qty.parse().unwrap()));
            Event { side, price, qty, ..Event::new(kind) }
        }
    }
}

/// The events as text. The time is left out but of ticks.
pub fn text(events: &[Event]) -> String {
    events.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn word(event: &Event) -> String {
    let Event { price: Price(price), qty: Qty(qty), .. } = event;
    let what = match event.kind {
        Kind::Level if event.side == Side::Bid => format!("b{price}:{qty}"),
        Kind::Level => format!("a{price}:{qty}"),
        Kind::Trade => format!("t{price}:{qty}"),
        Kind::Reset => match event.reset_reason() {
            ResetReason::Feed => "R".into(),
            reason => format!("R{}", reason.as_str()),
        },
        Kind::Tick => format!("tick@{}", event.timestamp.0 / MS),
        Kind::Listing => "listing".into(),
        Kind::FeedGap => "gap".into(),
        Kind::Crossed => "crossed".into(),
        Kind::FeedStalled => "stalled".into(),
        Kind::FeedEnded => "ended".into(),
        Kind::Jump => format!("jump@{}", event.timestamp.0 / MS),
    };
    let symbol = if event.symbol.0 == 0 { String::new() } else { format!("{}/", event.symbol.0) };
    let seq = if event.seq == 0 { String::new() } else { format!("#{}", event.seq) };
    let partial = if event.partial { "~" } else { "" };
    let last = if event.last { "." } else { "" };
    format!("{symbol}{what}{seq}{partial}{last}")
}

/// A sequencer of two symbols whose exchange events are at most eight events long.
pub fn sequencer(numbering: Numbering, on_cross: OnCross) -> Sequencer {
    Sequencer::new(numbering, 2, SequencerOptions { on_cross, largest: 8, id_base: 0 })
}

/// What comes of these lines, each of them pushed by itself, ticks left out.
pub fn sequenced(sequencer: &mut Sequencer, lines: &[&str]) -> String {
    let mut out = Vec::new();
    for line in lines {
        sequencer.push(&events(line), NOW, &mut out);
    }
    out.retain(|event| event.kind != Kind::Tick);
    text(&out)
}
