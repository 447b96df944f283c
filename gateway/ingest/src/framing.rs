//! Finds the exchange events in what a source yields.

use crate::Fault;
use market::{Event, Kind, SymbolId};

/// How a run of events of one symbol ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As an exchange event should. The pieces of a reset that was cut count as one.
    Whole,
    /// It does not yet: the rest is still to come.
    Open,
    /// By something that cannot be part of it.
    Broken(Fault),
}

/// How many of the first of `events` belong together, and how they end. If `open`, they carry on an exchange event of
/// that symbol.
pub(crate) fn frame(open: Option<SymbolId>, events: &[Event]) -> (usize, End) {
    let symbol = open.unwrap_or(events[0].symbol);
    for (at, event) in events.iter().enumerate() {
        let begins = at == 0 && open.is_none();
        if !begins && let Some(fault) = breaks(symbol, event) {
            return (at, End::Broken(fault));
        }
        if event.last && !event.partial {
            return (at + 1, End::Whole);
        }
    }
    (events.len(), End::Open)
}

/// Why an event cannot carry on an exchange event of `symbol`.
fn breaks(symbol: SymbolId, event: &Event) -> Option<Fault> {
    if !event.kind.is_numbered() {
        Some(Fault::Unfinished)
    } else if event.symbol != symbol {
        Some(Fault::MixedSymbols)
    } else if event.kind == Kind::Reset {
        Some(Fault::MisplacedReset)
    } else {
        None
    }
}
