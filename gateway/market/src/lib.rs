//! The vocabulary of depthcast: what a price, a book event and a moment are.
//!
//! Everything else is written in these words. This crate knows nothing of rings, books, transports or files, and
//! it is the only one that reads a clock ([`clock`]).

pub mod clock;
mod decimal;
mod event;
mod instrument;
mod number;
mod speed;
mod time;

pub use decimal::{DecimalError, parse_fixed, push_digits, push_fixed, push_unsigned_fixed};
pub use event::{Event, Kind, ResetReason};
pub use instrument::{Instrument, InstrumentError, Instruments, Status, SymbolId, is_symbol};
pub use number::{Epoch, EpochError, Ids, Level, Price, Qty, Seq, Side};
pub use speed::{Speed, SpeedError};
pub use time::{Nanos, TimeError};
