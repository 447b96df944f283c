//! BitMEX's WebSocket API: tables `orderBookL2` or `orderBookL2_25`, and `trade`.
//!
//! Levels have ids, and an update or a delete of one names no price: which price an id is at has to be remembered. An id that
//! is not known can only have come in a message that is missing. Older captures give the book no time, so it is when a message
//! was received.

use crate::import::{
    error::Refused,
    json::{list, rfc3339, side, text, whole},
    message::{BookMessage, Content, Link, Message, Pass, Trade, Venue},
    naming::{Pairs, QUOTES},
    number::{Digits, Number},
    rules::{Holes, Rules, Snapshots},
};
use market::Nanos;
use simd_json::tape::{Array, Value};
use std::collections::HashMap;

pub(in crate::import) const RULES: Rules = Rules {
    digits: Digits::Least,
    snapshots: Snapshots::Pushed,
    holes: Holes::Hidden,
    checksum: None,
    pairs: Pairs::Joined(QUOTES),
};

#[derive(Default)]
pub(in crate::import) struct Bitmex {
    /// The table that books are taken of: the first that shows one.
    table: Option<String>,
    /// The prices of the levels of each market, by their ids.
    prices: HashMap<String, Prices>,
}

type Prices = HashMap<u64, Number<'static>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Partial,
    Insert,
    Update,
    Delete,
}

impl Venue for Bitmex {
    fn read(&mut self, message: Message<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
        let Some(table) = text(message.value, "table") else {
            let is_answer = message.value.contains_key("success");
            pass.skip(if is_answer { "answer to a request" } else { "message without a table" }, 1);
            return Ok(());
        };
        if !matches!(table, "orderBookL2" | "orderBookL2_25" | "trade") {
            pass.skip(table, 1);
            return Ok(());
        }
        let read = || {
            let action = match text(message.value, "action")? {
                "partial" => Action::Partial,
                "insert" => Action::Insert,
                "update" => Action::Update,
                "delete" => Action::Delete,
                _ => return None,
            };
            Some((action, list(message.value, "data")?))
        };
        let (action, rows) = read().ok_or("a message without its action and data")?;
        if table == "trade" {
            return tell_trades(action, rows, pass);
        }
        if self.table.get_or_insert_with(|| table.to_owned()) != table {
            pass.skip("book beside one of another table", 1);
            return Ok(());
        }
        if action == Action::Partial && rows.is_empty() {
            let filter = message.value.get("filter").and_then(|filter| text(filter, "symbol"));
            let name = filter.ok_or("an empty book without its market")?;
            return self.tell_book(name, action, &[], message.received, pass);
        }
        let rows: Vec<_> = rows.iter().collect();
        for run in rows.chunk_by(|one, next| text(*one, "symbol") == text(*next, "symbol")) {
            let name = text(run[0], "symbol").ok_or("a level without its market")?;
            self.tell_book(name, action, run, message.received, pass)?;
        }
        Ok(())
    }

    fn rewind(&mut self) {
        *self = Bitmex::default();
    }
}

impl Bitmex {
    /// Tells what rows of one market say.
    fn tell_book(
        &mut self,
        name: &str,
        action: Action,
        rows: &[Value<'_, '_>],
        received: Nanos,
        pass: &mut dyn Pass,
    ) -> Result<(), Refused> {
        if !self.prices.contains_key(name) {
            self.prices.insert(name.to_owned(), Prices::new());
        }
        let Some(prices) = self.prices.get_mut(name) else { return Ok(()) };
        if action == Action::Partial {
            prices.clear();
        }
        pass.market(name)?;
        let (mut link, mut time) = (Link::Unnumbered, None);
        for &row in rows {
            let level = read_level(row, action, prices).ok_or("a level that is not whole")?;
            time = time.max(rfc3339(row, "timestamp"));
            match level {
                (side, Some(price), size) => pass.level(side, price, size)?,
                (_, None, _) => link = Link::Broken,
            }
        }
        let content = match action {
            Action::Partial => Content::Whole { number: 0, depth: None },
            _ => Content::Change(link),
        };
        pass.book(&BookMessage { content, time: time.or(Some(received)), checksum: None });
        Ok(())
    }
}

/// Side, price and size of a level; no price if its id is not known.
fn read_level<'a>(
    row: Value<'_, 'a>,
    action: Action,
    prices: &mut Prices,
) -> Option<(market::Side, Option<Number<'static>>, Number<'a>)> {
    let (id, side) = (whole(row, "id")?, side(row, "side")?);
    let size = || Number::of(row.get("size")?);
    Some(match action {
        Action::Partial | Action::Insert => {
            let price = Number::of(row.get("price")?)?.owned()?;
            prices.insert(id, price);
            (side, Some(price), size()?)
        }
        Action::Update => (side, prices.get(&id).copied(), size()?),
        Action::Delete => (side, prices.remove(&id), Number::Whole(0)),
    })
}

/// Trades have an id that is no number.
fn tell_trades(action: Action, rows: Array<'_, '_>, pass: &mut dyn Pass) -> Result<(), Refused> {
    if action != Action::Insert {
        pass.skip("trade of before the capture", rows.len());
        return Ok(());
    }
    rows.iter().try_for_each(|row| {
        let read = || {
            let trade = Trade {
                id: None,
                time: rfc3339(row, "timestamp")?,
                price: Number::of(row.get("price")?)?,
                qty: Number::of(row.get("size")?)?,
                aggressor: side(row, "side")?,
            };
            Some((text(row, "symbol")?, trade))
        };
        let (name, trade) = read().ok_or("a trade that is not whole")?;
        pass.market(name)?;
        pass.trade(&trade)
    })
}
