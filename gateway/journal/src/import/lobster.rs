//! LOBSTER's pairs of files as a source: a row of `orderbook` holds the best levels after the event in the same row of `message`.
//!
//! The levels are those of `orderbook` alone: what comes into its depth from behind is in no message. The messages tell the times and
//! the trades.

mod name;

use super::{
    best_levels::{BestLevels, Moment},
    error::{ImportError, Refused},
    message::{Pass, Trade},
    naming::Pairs,
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
    source::{Source, Step},
    table::{Table, shown},
};
use market::{Level, Nanos, Price, Qty, Side, parse_fixed};
use name::Name;
use std::path::PathBuf;

/// Prices are in ten-thousandths of a dollar.
const PRICE_DECIMALS: u8 = 4;
/// Decimals of the seconds since midnight.
const TIME_DECIMALS: u8 = 9;

const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(&[]),
};

/// Pairs of files, as one stream by the times of their events.
pub(super) struct Lobster {
    paths: Vec<PathBuf>,
    pairs: Vec<Pair>,
    /// The pair of the present row.
    present: Option<usize>,
}

struct Pair {
    name: Name,
    messages: Table,
    books: Table,
    levels: BestLevels,
    /// Of the present row; later than everything at the end of the files.
    time: Nanos,
}

impl Lobster {
    /// Opens the files: a message file and its orderbook file, and so on.
    pub fn open(paths: &[PathBuf]) -> Result<Lobster, ImportError> {
        Ok(Lobster { paths: paths.to_vec(), pairs: open_all(paths)?, present: None })
    }
}

/// Opens all pairs and reads their first rows.
fn open_all(paths: &[PathBuf]) -> Result<Vec<Pair>, ImportError> {
    let open = |pair: &[PathBuf]| {
        let mut pair = Pair::open(pair)?;
        pair.advance()?;
        Ok(pair)
    };
    paths.chunks(2).map(open).collect()
}

impl Source for Lobster {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn advance(&mut self) -> Result<Option<Step>, ImportError> {
        if let Some(pair) = self.present.take() {
            self.pairs[pair].advance()?;
        }
        let earliest = self.pairs.iter().enumerate().min_by_key(|(_, pair)| pair.time);
        let Some((index, pair)) = earliest.filter(|(_, pair)| pair.time < Nanos::MAX) else {
            return Ok(None);
        };
        self.present = Some(index);
        Ok(Some(Step { file: 2 * index, number: pair.messages.number(), received: pair.time }))
    }

    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused> {
        self.present.map_or(Ok(()), |pair| self.pairs[pair].tell(pass))
    }

    fn rewind(&mut self) -> Result<(), ImportError> {
        (self.pairs, self.present) = (open_all(&self.paths)?, None);
        Ok(())
    }
}

impl Pair {
    fn open(paths: &[PathBuf]) -> Result<Pair, ImportError> {
        let [messages, books] = paths else {
            let file = paths.first().cloned().unwrap_or_default();
            return Err(ImportError::Unfit {
                file,
                what: "files come in pairs: MESSAGE ORDERBOOK".to_owned(),
            });
        };
        let name = Name::of_pair(messages, books)?;
        Ok(Pair {
            name,
            messages: Table::open(messages)?,
            books: Table::open(books)?,
            levels: BestLevels::new(PRICE_DECIMALS),
            time: Nanos::ZERO,
        })
    }

    /// Reads the next row of both files, or comes to their end.
    fn advance(&mut self) -> Result<(), ImportError> {
        match (self.messages.advance()?, self.books.advance()?) {
            (true, true) => {}
            (false, false) => {
                self.time = Nanos::MAX;
                return Ok(());
            }
            (true, false) => {
                return Err(self.messages.wrong(&"the orderbook file has no row for this message".into()));
            }
            (false, true) => {
                return Err(self.books.wrong(&"the message file has no row for this book".into()));
            }
        }
        self.time = self.time().map_err(|refused| self.messages.wrong(&refused))?;
        self.look().map_err(|refused| self.books.wrong(&refused))
    }

    fn time(&self) -> Result<Nanos, Refused> {
        let text = self.messages.cell(0);
        let since =
            parse_fixed(text.as_bytes(), TIME_DECIMALS).ok().and_then(|nanos| u64::try_from(nanos).ok());
        let time = since.and_then(|since| self.name.midnight.0.checked_add(since)).map(Nanos);
        time.ok_or_else(|| Refused(format!("'{}' is no time in seconds since midnight", shown(text))))
    }

    /// Takes the levels: ask price, ask size, bid price, bid size, and so on. A level that is not there has no size.
    fn look(&mut self) -> Result<(), Refused> {
        let Pair { books, levels, .. } = self;
        levels.now.clear();
        let cells = books.cells().count();
        if cells == 0 || cells % 4 != 0 {
            return Err("the row is no book: ask price, ask size, bid price, bid size of each level".into());
        }
        for at in (0..cells).step_by(4) {
            for (side, at) in [(&mut levels.now.asks, at), (&mut levels.now.bids, at + 2)] {
                let level = Level { price: Price(books.whole(at)?), qty: Qty(books.whole(at + 1)?) };
                if !level.qty.is_zero() {
                    side.push(level);
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused> {
        match self.messages.cell(1) {
            // A new order, a part of one cancelled, all of one: that is in the levels.
            "1" | "2" | "3" => {}
            "4" | "5" => self.tell_trade(pass)?,
            "6" => pass.skip("trade without an aggressor", 1),
            "7" => pass.skip("trading halt", 1),
            other => return Err(Refused(format!("there is no type of event '{}'", shown(other)))),
        }
        let moment = Moment { time: Some(self.time), number: 0, is_anew: false };
        self.levels.tell(&self.name.ticker, moment, pass)
    }

    /// An execution of an order, which may be hidden: the aggressor is on the other side.
    fn tell_trade(&self, pass: &mut dyn Pass) -> Result<(), Refused> {
        let aggressor = match self.messages.cell(5) {
            "1" => Side::Ask,
            "-1" => Side::Bid,
            other => return Err(Refused(format!("there is no direction '{}'", shown(other)))),
        };
        pass.market(&self.name.ticker)?;
        pass.trade(&Trade {
            id: None,
            time: self.time,
            price: Number::Fixed { mantissa: self.messages.whole(4)?, decimals: PRICE_DECIMALS },
            qty: Number::Whole(self.messages.whole(3)?),
            aggressor,
        })
    }
}
