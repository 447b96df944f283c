//! What a feed can do wrong, and what becomes of it. Nothing that a feed says stops the gateway.

use market::SymbolId;
use std::fmt;

/// A fault of the feed. Whatever is refused of a known symbol is a hole in what is known of it: the symbol is then
/// treated as after a gap (its book is stale until the next reset, and the feed is asked for it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An event of a symbol that is not in the feed's table. Its exchange event is dropped; there is no book to be hurt.
    UnknownSymbol = 0,
    /// A level before the book's first reset. The level is dropped, trades pass, and the feed is asked for the book. Of
    /// a feed that numbers for itself the exchange event is refused.
    BeforeReset = 1,
    /// Events of another symbol began before the exchange event had ended. What was there of it is refused. An exchange
    /// event of several symbols looks the same: all but the last run of it are refused.
    MixedSymbols = 2,
    /// The exchange event was broken off by an event that is part of none, by the feed's end or by its replacement. It
    /// is refused.
    Unfinished = 3,
    /// A reset within an exchange event. What was before it is refused; the reset, with what follows, stands for itself.
    MisplacedReset = 4,
    /// An exchange event that is too large. Over [`MAX_EXCHANGE_EVENT`](crate::MAX_EXCHANGE_EVENT) it is refused. Over a
    /// quarter of the ring it is replaced by its trades and a reset to the resulting book; of a feed that numbers for
    /// itself it is refused. Resets are cut, and no fault.
    TooLarge = 5,
    /// A number beyond 2^62, or none from a feed that numbers for itself. The exchange event is refused.
    BadNumber = 6,
    /// A time beyond the year 2262. The event passes, and does not move feed time.
    BadTime = 7,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 8] = [
        Fault::UnknownSymbol,
        Fault::BeforeReset,
        Fault::MixedSymbols,
        Fault::Unfinished,
        Fault::MisplacedReset,
        Fault::TooLarge,
        Fault::BadNumber,
        Fault::BadTime,
    ];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::UnknownSymbol => "unknown_symbol",
            Fault::BeforeReset => "before_reset",
            Fault::MixedSymbols => "mixed_symbols",
            Fault::Unfinished => "unfinished",
            Fault::MisplacedReset => "misplaced_reset",
            Fault::TooLarge => "too_large",
            Fault::BadNumber => "bad_number",
            Fault::BadTime => "bad_time",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Fault::UnknownSymbol => "it is not in the feed's table of instruments; its events are dropped",
            Fault::BeforeReset => "a level came before the book; dropped until the feed sends the book",
            Fault::MixedSymbols => {
                "its exchange event was not ended before one of another symbol began; its book is stale until the \
                 feed sends it anew"
            }
            Fault::Unfinished => {
                "its exchange event was broken off; its book is stale until the feed sends it anew"
            }
            Fault::MisplacedReset => "a reset came within an exchange event; what was before it is dropped",
            Fault::TooLarge => {
                "an exchange event is larger than a quarter of the ring; make the ring larger, or the feed's \
                 exchange events smaller"
            }
            Fault::BadNumber => {
                "an event has no valid number; its book is stale until the feed sends it anew"
            }
            Fault::BadTime => "a timestamp is beyond the year 2262; it does not move feed time",
        }
    }
}

/// The first occurrence of a [`Fault`], to be logged. Later ones are only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// What the feed did.
    pub fault: Fault,
    /// To which symbol; it may not be in the table.
    pub symbol: SymbolId,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, what) = (self.fault.as_str(), self.fault.what());
        write!(
            f,
            "the feed is at fault ({name}), instrument {}: {what}; further ones are only counted",
            self.symbol.0
        )
    }
}
