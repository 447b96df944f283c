//! The markets of the files: what they are called, and which records tell their book and their trades.

use super::{
    level_book::LevelBook,
    order_book::OrderBook,
    row::{self, Content, Row},
};
use crate::import::{
    error::Refused,
    message::{Pass, Trade},
    naming::distinct_name,
    number::Number,
};
use dbn::Publisher;
use std::collections::{HashMap, HashSet};

/// All markets so far. A market is an instrument of one publisher: the same share at two venues has two books.
#[derive(Default)]
pub(super) struct Markets {
    list: Vec<Market>,
    /// Where an id of a publisher was last.
    by_id: HashMap<(u16, u32), usize>,
    by_symbol: HashMap<(u16, String), usize>,
    names: HashSet<String>,
}

struct Market {
    /// As the files write it.
    symbol: String,
    /// As it may be written.
    name: String,
    book: Option<Book>,
    /// What kind of records its trades come from.
    trades: Option<Told>,
}

enum Book {
    Orders(OrderBook),
    Levels(LevelBook),
}

/// A kind of records that tell of trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    ByOrder,
    ByLevel,
    Alone,
}

impl Markets {
    /// Takes a record of the instrument that is called `symbol`, if it is known what it is called.
    pub fn take(
        &mut self,
        row: &Row<'_>,
        symbol: Option<&str>,
        file: usize,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        let market = self.market(row, symbol);
        if row.action == b'T' {
            market.trade(row, pass)?;
        }
        let book = match (row.content, &mut market.book) {
            (Content::Trade, _) => return Ok(()),
            (Content::Order(_), book) => book.get_or_insert_with(|| Book::Orders(OrderBook::default())),
            (Content::Levels(_), book) => book.get_or_insert_with(|| Book::Levels(LevelBook::new())),
        };
        match (row.content, book) {
            (Content::Order(id), Book::Orders(book)) => book.take(row, id, file, &market.name, pass),
            (Content::Levels(levels), Book::Levels(book)) => book.take(row, levels, &market.name, pass),
            _ => {
                pass.skip("book record of a market whose book another schema tells", 1);
                Ok(())
            }
        }
    }

    /// At the end of the files.
    pub fn end(&mut self, pass: &mut dyn Pass) {
        for market in &mut self.list {
            match &mut market.book {
                Some(Book::Orders(book)) => book.end(pass),
                Some(Book::Levels(book)) => book.end(pass),
                None => {}
            }
        }
    }

    fn market(&mut self, row: &Row<'_>, symbol: Option<&str>) -> &mut Market {
        let by_number = row.instrument.to_string();
        let symbol = symbol.unwrap_or(&by_number);
        let id = (row.publisher, row.instrument);
        // An id may be another instrument's on another day.
        let known = self.by_id.get(&id).copied().filter(|&at| self.list[at].symbol == symbol);
        let at = known.unwrap_or_else(|| self.find(row.publisher, symbol));
        self.by_id.insert(id, at);
        &mut self.list[at]
    }

    fn find(&mut self, publisher: u16, symbol: &str) -> usize {
        let key = (publisher, symbol.to_owned());
        if let Some(&at) = self.by_symbol.get(&key) {
            return at;
        }
        let name = self.name(publisher, symbol);
        self.names.insert(name.clone());
        self.by_symbol.insert(key, self.list.len());
        self.list.push(Market { symbol: symbol.to_owned(), name, book: None, trades: None });
        self.list.len() - 1
    }

    /// The symbol; where another publisher's market is called so, with its venue or its number.
    fn name(&self, publisher: u16, symbol: &str) -> String {
        let venue = Publisher::try_from(publisher).map(|publisher| publisher.venue().as_str().to_owned());
        distinct_name(symbol, &[&venue.unwrap_or_default(), &publisher.to_string()], &self.names)
    }
}

impl Market {
    fn trade(&mut self, row: &Row<'_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let told = match row.content {
            Content::Order(_) => Told::ByOrder,
            Content::Levels(_) => Told::ByLevel,
            Content::Trade => Told::Alone,
        };
        if *self.trades.get_or_insert(told) != told {
            pass.skip("trade of a market whose trades another schema tells", 1);
            return Ok(());
        }
        let Some(aggressor) = row.side else {
            pass.skip("trade without an aggressor", 1);
            return Ok(());
        };
        let (time, price) = row.time.zip(row.price).ok_or("a trade without a time or a price")?;
        pass.market(&self.name)?;
        pass.trade(&Trade {
            id: None,
            time,
            price: row::price(price),
            qty: Number::Whole(row.size.into()),
            aggressor,
        })
    }
}
