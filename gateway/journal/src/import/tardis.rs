//! Tardis' CSV datasets as a source: `incremental_book_L2` and `trades`, of any number of symbols in a file.
//!
//! Several files are one stream, by the times at which their messages were received; those of one file keep their order.

mod dataset;

use super::{
    error::{ImportError, Refused},
    message::{BookMessage, Content, Link, Pass, Trade},
    naming::{BINANCE_QUOTES, Pairs, distinct_name},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
    source::{Source, Step},
};
use dataset::{Dataset, Levels, Message, Said};
use market::Nanos;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(BINANCE_QUOTES),
};

/// Files of datasets.
pub(super) struct Tardis {
    paths: Vec<PathBuf>,
    files: Vec<Dataset>,
    /// The file of the present message.
    present: Option<usize>,
    markets: Markets,
}

impl Tardis {
    /// Opens the files.
    pub fn open(paths: &[PathBuf]) -> Result<Tardis, ImportError> {
        let files = open_all(paths)?;
        Ok(Tardis { paths: paths.to_vec(), files, present: None, markets: Markets::default() })
    }
}

/// Opens all files and reads their first messages.
fn open_all(paths: &[PathBuf]) -> Result<Vec<Dataset>, ImportError> {
    let open = |path: &PathBuf| {
        let mut file = Dataset::open(path)?;
        file.advance()?;
        Ok(file)
    };
    paths.iter().map(open).collect()
}

impl Source for Tardis {
    fn rules(&self) -> &'static Rules {
        &RULES
    }

    fn advance(&mut self) -> Result<Option<Step>, ImportError> {
        if let Some(file) = self.present.take() {
            self.files[file].advance()?;
        }
        let earliest = self.files.iter().enumerate().min_by_key(|(_, file)| file.message.received);
        let Some((index, file)) = earliest.filter(|(_, file)| file.message.received < Nanos::MAX) else {
            return Ok(None);
        };
        self.present = Some(index);
        Ok(Some(Step { file: index, number: file.message.number, received: file.message.received }))
    }

    fn tell(&mut self, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(index) = self.present else { return Ok(()) };
        let message = &self.files[index].message;
        let market = self.markets.of(message);
        match &message.said {
            Said::Levels(levels) => market.levels(message, levels, pass),
            Said::Trade(trade) => market.trade(trade.as_ref(), pass),
        }
    }

    fn rewind(&mut self) -> Result<(), ImportError> {
        self.files = open_all(&self.paths)?;
        (self.present, self.markets) = (None, Markets::default());
        Ok(())
    }
}

/// All markets so far, by exchange and symbol: the same symbol at two exchanges is two markets.
#[derive(Default)]
struct Markets {
    list: Vec<Market>,
    by_symbol: HashMap<String, HashMap<String, usize>>,
    names: HashSet<String>,
}

struct Market {
    /// As it may be written.
    name: String,
    /// Whether its last row of a book was of a snapshot.
    in_snapshot: bool,
}

impl Markets {
    fn of(&mut self, message: &Message) -> &mut Market {
        let Message { exchange, symbol, .. } = message;
        let known = self.by_symbol.get(symbol).and_then(|exchanges| exchanges.get(exchange)).copied();
        let at = known.unwrap_or_else(|| self.push(exchange, symbol));
        &mut self.list[at]
    }

    fn push(&mut self, exchange: &str, symbol: &str) -> usize {
        let at = self.list.len();
        let name = distinct_name(symbol, &[exchange, &at.to_string()], &self.names);
        self.names.insert(name.clone());
        self.list.push(Market { name, in_snapshot: false });
        self.by_symbol.entry(symbol.to_owned()).or_default().insert(exchange.to_owned(), at);
        at
    }
}

impl Market {
    /// A snapshot begins the book anew where the row before it was none; further rows of it, in a message of their own, add to it.
    fn levels(&mut self, message: &Message, levels: &Levels, pass: &mut dyn Pass) -> Result<(), Refused> {
        let is_whole = levels.of_snapshot && !self.in_snapshot;
        self.in_snapshot = levels.of_snapshot;
        pass.market(&self.name)?;
        for &(side, price, qty) in &levels.list {
            if !is_whole || !qty.is_zero() {
                pass.level(side, price, qty)?;
            }
        }
        let content = match is_whole {
            true => Content::Whole { number: 0, depth: None },
            false => Content::Change(Link::Unnumbered),
        };
        pass.book(&BookMessage { content, time: Some(message.time), checksum: None });
        Ok(())
    }

    fn trade(&self, trade: Option<&Trade<'static>>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(trade) = trade else {
            pass.skip("trade without an aggressor", 1);
            return Ok(());
        };
        pass.market(&self.name)?;
        pass.trade(trade)
    }
}

impl Number<'_> {
    fn is_zero(self) -> bool {
        match self {
            Number::Fixed { mantissa, .. } => mantissa == 0,
            Number::Float(float) => float == 0.0,
            Number::Whole(whole) => whole == 0,
            Number::Text(_) => false,
        }
    }
}
