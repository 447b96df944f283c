//! The best levels of a market whose files hold all of them after each event: those that differ are told.

use super::{
    error::Refused,
    message::{BookMessage, Content, Link, Pass},
    number::Number,
};
use book::Ladder;
use market::{Level, Nanos, Qty, Side};

/// The levels as told, and as they are now.
pub(super) struct BestLevels {
    /// Of the mantissas of prices.
    decimals: u8,
    told: Ladder,
    /// To be set before they are told.
    pub now: Ladder,
    /// Whether a whole book was told.
    stands: bool,
}

/// What there is to say of the levels besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The venue's event time.
    pub time: Option<Nanos>,
    /// The venue's number of the event; 0 if it has none.
    pub number: u64,
    /// Whether the book begins anew.
    pub is_anew: bool,
}

impl BestLevels {
    /// No levels, with prices of so many decimals.
    pub fn new(decimals: u8) -> BestLevels {
        BestLevels { decimals, told: Ladder::default(), now: Ladder::default(), stands: false }
    }

    /// Tells what differs of the market called `name`, if anything does.
    pub fn tell(&mut self, name: &str, moment: Moment, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Moment { time, number, is_anew } = moment;
        let is_whole = is_anew || !self.stands;
        if is_whole {
            self.told.clear();
        } else if self.told == self.now {
            return Ok(());
        }
        pass.market(name)?;
        for side in Side::BOTH {
            for change in changes(self.told.side(side), self.now.side(side)) {
                let qty = i64::try_from(change.qty.0).map_err(|_| "a quantity that is too large")?;
                let price = Number::Fixed { mantissa: change.price.0, decimals: self.decimals };
                pass.level(side, price, Number::Whole(qty))?;
            }
        }
        let content = match is_whole {
            true => Content::Whole { number, depth: None },
            false => Content::Change(Link::Named { number }),
        };
        pass.book(&BookMessage { content, time, checksum: None });
        self.told.clone_from(&self.now);
        self.stands = true;
        Ok(())
    }
}

/// What leads from one side to another: ten levels are compared faster than they are sorted.
fn changes<'a>(from: &'a [Level], to: &'a [Level]) -> impl Iterator<Item = Level> + 'a {
    let is_gone = |level: &&Level| to.iter().all(|other| other.price != level.price);
    let gone = from.iter().filter(is_gone).map(|level| Level { qty: Qty::ZERO, ..*level });
    gone.chain(to.iter().filter(|level| !from.contains(level)).copied())
}
