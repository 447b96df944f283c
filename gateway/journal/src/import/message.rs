//! What captures say, in words that are the same for all venues and files: levels, books, trades. A venue's reader tells these of each
//! message; each of the two passes makes of them what it needs. Knows nothing of lines.

use super::{error::Refused, number::Number};
use market::{Nanos, Side};
use simd_json::tape::{Array, Value};

/// A venue's reader.
pub(super) trait Venue: Send {
    /// Tells `pass` what a message says.
    ///
    /// Whatever is wrong with a message has to come out at once: in the first pass nothing has been made of the captures yet.
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused>;

    /// Between the passes: forgets what follows from the order of messages.
    fn rewind(&mut self) {}
}

/// A message, and what its line says beside it.
#[derive(Clone, Copy)]
pub(super) struct Message<'t, 'a> {
    pub value: Value<'t, 'a>,
    /// When it was received.
    pub received: Nanos,
    /// Of a REST response, what was asked for.
    pub url: Option<&'t str>,
    /// The index of its file.
    pub file: usize,
}

/// One of the two passes over the captures.
pub(super) trait Pass {
    /// Names the market that the following is of.
    fn market(&mut self, name: &str) -> Result<(), Refused>;

    /// A level of the book message that is closed by [`Pass::book`].
    fn level(&mut self, side: Side, price: Number<'_>, qty: Number<'_>) -> Result<(), Refused>;

    /// Ends a book message: the levels since [`Pass::market`] are what it holds.
    fn book(&mut self, message: &BookMessage);

    /// A trade.
    fn trade(&mut self, trade: &Trade<'_>) -> Result<(), Refused>;

    /// The file is connected anew, and what happened before that is not in it.
    fn reconnected(&mut self);

    /// Leaves `count` messages or parts of one out.
    fn skip(&mut self, reason: &str, count: usize);
}

/// A message of a book, apart from its levels.
#[derive(Debug, Clone, Copy)]
pub(super) struct BookMessage {
    pub content: Content,
    /// The venue's event time. `None` if it says none: then it is as late as the latest that is known of the market, and
    /// if nothing is known, it happened when it was received.
    pub time: Option<Nanos>,
    /// CRC32 of the best levels after it, as the venue's rule writes them.
    pub checksum: Option<u32>,
}

/// What the levels of a message are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    /// The whole book, which has the venue's number (0: none), cut to so many levels a side.
    Whole { number: u64, depth: Option<usize> },
    /// Those that changed: each as it is now, gone if its quantity is zero.
    Change(Link),
}

/// How a change says which one it follows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Link {
    /// The venue numbers nothing.
    Unnumbered,
    /// It has a number, but so may others, and a hole cannot be seen.
    Named { number: u64 },
    /// Numbers grow, but not by one each: a hole cannot be seen.
    Grows { last: u64 },
    /// It holds the numbers from `first` to `last`, and there is no number between two changes.
    Span { first: u64, last: u64 },
    /// It follows the change that is numbered `previous`.
    Follows { previous: u64, last: u64 },
    /// It speaks of something that can only be in a change that is missing.
    Broken,
}

/// A trade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trade<'a> {
    /// The venue's number of it, which grows. `None` if it has none: trades of the market are counted then.
    pub id: Option<u64>,
    pub time: Nanos,
    pub price: Number<'a>,
    pub qty: Number<'a>,
    pub aggressor: Side,
}

impl Link {
    /// The venue's number of the change; 0 if it has none.
    pub fn last(self) -> u64 {
        match self {
            Link::Named { number: last }
            | Link::Grows { last }
            | Link::Span { last, .. }
            | Link::Follows { last, .. } => last,
            Link::Unnumbered | Link::Broken => 0,
        }
    }
}

/// Takes the price and the quantity out of a level; `None` if it is none.
pub(super) type ReadLevel = for<'a> fn(Value<'_, 'a>) -> Option<(Number<'a>, Number<'a>)>;

/// Tells the levels of both sides.
pub(super) fn tell_levels(
    pass: &mut dyn Pass,
    bids: Array<'_, '_>,
    asks: Array<'_, '_>,
    read: ReadLevel,
) -> Result<(), Refused> {
    for (side, levels) in [(Side::Bid, bids), (Side::Ask, asks)] {
        for level in levels.iter() {
            let (price, qty) = read(level).ok_or("a level without a price and a quantity")?;
            pass.level(side, price, qty)?;
        }
    }
    Ok(())
}

/// The numbers that a list begins with.
pub(super) fn pair<'a>(list: Value<'_, 'a>) -> Option<(Number<'a>, Number<'a>)> {
    Some((Number::of(list.get_idx(0)?)?, Number::of(list.get_idx(1)?)?))
}
