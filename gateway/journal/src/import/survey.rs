//! The first pass over captures: which markets there are, what they are called, and how many decimals they need.

use super::{
    Rename,
    at::At,
    error::{ImportError, Place, Refused},
    message::{BookMessage, Pass, Trade},
    naming::common_name,
    number::{Digits, Number, Size},
    rules::Rules,
    tally::Tally,
};
use market::{Event, Instrument, InstrumentError, Instruments, Price, Qty, Side, Status};
use std::{collections::HashMap, path::PathBuf};

/// What has been seen of the markets so far, in the order of their first appearance.
pub(super) struct Survey<'a> {
    rules: &'static Rules,
    files: &'a [PathBuf],
    markets: Vec<Market>,
    by_name: HashMap<String, usize>,
    /// What says nothing of a market.
    left_out: Tally,
}

struct Market {
    venue_symbol: String,
    first: Spot,
    price: Room,
    qty: Room,
}

/// What a market's prices or quantities need.
#[derive(Default)]
struct Room {
    decimals: u8,
    /// The largest of them, before the point, and where it stands.
    whole: u64,
    whole_at: Spot,
}

/// A file and a line of it.
#[derive(Debug, Clone, Copy, Default)]
struct Spot {
    file: usize,
    line: u64,
}

/// A step of the first pass.
pub(super) struct SurveyPass<'s, 'a> {
    survey: &'s mut Survey<'a>,
    at: Spot,
    market: usize,
}

impl<'a> Survey<'a> {
    /// Nothing has been seen yet of `files`.
    pub fn new(rules: &'static Rules, files: &'a [PathBuf]) -> Survey<'a> {
        Survey { rules, files, markets: Vec::new(), by_name: HashMap::new(), left_out: Tally::default() }
    }

    /// Takes what the step at `at` says.
    pub fn step(&mut self, at: At<'_>) -> SurveyPass<'_, 'a> {
        SurveyPass { survey: self, at: Spot { file: at.file, line: at.number }, market: 0 }
    }

    /// The instrument table, of at least one.
    pub fn finish(self, renames: &[Rename]) -> Result<Instruments, ImportError> {
        if self.markets.is_empty() {
            return Err(ImportError::Nothing { left_out: self.left_out });
        }
        if let Some(rename) = renames.iter().find(|rename| !self.by_name.contains_key(&rename.venue)) {
            let held =
                self.markets.iter().map(|market| market.venue_symbol.as_str()).collect::<Vec<_>>().join(", ");
            return Err(ImportError::UnknownMarket { venue: rename.venue.clone(), held });
        }
        let mut instruments = Instruments::default();
        for market in &self.markets {
            self.check_room(market, &market.price)?;
            self.check_room(market, &market.qty)?;
            let instrument = market.instrument(self.rules, renames);
            instruments.push(instrument).map_err(|error| self.refused(market, error))?;
        }
        Ok(instruments)
    }

    fn check_room(&self, market: &Market, room: &Room) -> Result<(), ImportError> {
        let most = i64::MAX.unsigned_abs() / 10_u64.pow(room.decimals.into());
        if room.whole < most {
            return Ok(());
        }
        Err(ImportError::TooLarge {
            place: self.place(room.whole_at),
            venue: market.venue_symbol.clone(),
            whole: room.whole,
            decimals: room.decimals,
        })
    }

    fn refused(&self, market: &Market, error: InstrumentError) -> ImportError {
        ImportError::Market { place: self.place(market.first), venue: market.venue_symbol.clone(), error }
    }

    fn place(&self, spot: Spot) -> Place {
        spot.place(self.files)
    }
}

impl Pass for SurveyPass<'_, '_> {
    fn market(&mut self, name: &str) -> Result<(), Refused> {
        if let Some(&index) = self.survey.by_name.get(name) {
            self.market = index;
            return Ok(());
        }
        if !market::is_symbol(name) {
            let shown: String = name.chars().take(40).flat_map(char::escape_debug).collect();
            return Err(Refused(format!("'{shown}' is no market's name: 1 to 32 of A-Z 0-9 . / _ -")));
        }
        self.market = self.survey.markets.len();
        if self.market >= Event::MAX_SYMBOLS as usize {
            return Err("this is one market more than there can be".into());
        }
        self.survey.by_name.insert(name.to_owned(), self.market);
        self.survey.markets.push(Market {
            venue_symbol: name.to_owned(),
            first: self.at,
            price: Room::default(),
            qty: Room::default(),
        });
        Ok(())
    }

    fn level(&mut self, _: Side, price: Number<'_>, qty: Number<'_>) -> Result<(), Refused> {
        let digits = self.survey.rules.digits;
        let market = &mut self.survey.markets[self.market];
        market.price.note(price, digits, self.at)?;
        if market.qty.note(qty, digits, self.at)?.is_negative {
            return Err(Refused(format!("the quantity {qty} is negative")));
        }
        Ok(())
    }

    fn book(&mut self, _: &BookMessage) {}

    fn trade(&mut self, trade: &Trade<'_>) -> Result<(), Refused> {
        self.level(trade.aggressor, trade.price, trade.qty)
    }

    fn reconnected(&mut self) {}

    fn skip(&mut self, reason: &str, count: usize) {
        let Survey { left_out, files, .. } = &mut *self.survey;
        left_out.skip_many(reason, count as u64, || self.at.place(files));
    }
}

impl Spot {
    fn place(self, files: &[PathBuf]) -> Place {
        Place { file: files[self.file].clone(), line: self.line }
    }
}

impl Room {
    fn note(&mut self, number: Number<'_>, digits: Digits, at: Spot) -> Result<Size, Refused> {
        let size = number
            .size(digits, self.decimals)
            .ok_or_else(|| Refused(format!("{number} is no decimal number of at most 18 decimals")))?;
        self.decimals = self.decimals.max(size.decimals);
        if size.whole > self.whole {
            (self.whole, self.whole_at) = (size.whole, at);
        }
        Ok(size)
    }
}

impl Market {
    fn instrument(&self, rules: &Rules, renames: &[Rename]) -> Instrument {
        let rename = renames.iter().find(|rename| rename.venue == self.venue_symbol);
        let own_name = || common_name(&self.venue_symbol, rules.pairs);
        Instrument {
            symbol: rename.map_or_else(own_name, |rename| rename.name.clone()),
            venue_symbol: self.venue_symbol.clone(),
            price_decimals: self.price.decimals,
            qty_decimals: self.qty.decimals,
            tick: Price(1),
            lot: Qty(1),
            status: Status::Trading,
        }
    }
}
