//! What the records of a market have in common, whatever their schema is.

use crate::import::{error::Refused, number::Number};
use dbn::{
    BidAskPair, FIXED_PRICE_SCALE, FlagSet, HasRType, MboMsg, Mbp1Msg, Mbp10Msg, RType, RecordHeader,
    RecordRef, Schema, TradeMsg, UNDEF_PRICE, UNDEF_TIMESTAMP,
};
use market::{Nanos, Side};

/// A record of a market.
pub(super) struct Row<'a> {
    pub publisher: u16,
    pub instrument: u32,
    /// The venue's event time.
    pub time: Option<Nanos>,
    /// What happened: a letter.
    pub action: u8,
    /// `None` where the venue names none.
    pub side: Option<Side>,
    /// In billionths; `None` where there is none.
    pub price: Option<i64>,
    pub size: u32,
    pub flags: FlagSet,
    pub sequence: u32,
    pub content: Content<'a>,
}

/// What it says of the book.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// It is of this order.
    Order(u64),
    /// The best levels as they are now.
    Levels(&'a [BidAskPair]),
    /// Nothing: it is a trade alone.
    Trade,
}

/// Takes what all of these records have.
macro_rules! row {
    ($record:expr, $content:expr) => {
        Row {
            action: $record.action as u8,
            side: side($record.side as u8),
            price: (($record.price != UNDEF_PRICE).then_some($record.price)),
            size: $record.size,
            flags: $record.flags,
            sequence: $record.sequence,
            ..Row::head(&$record.hd, $content)
        }
    };
}

impl<'a> Row<'a> {
    /// What a record says of a market; `None` if it is no book and no trade.
    pub fn of(record: RecordRef<'a>, schema: Option<Schema>) -> Result<Option<Row<'a>>, Refused> {
        if let Some(record) = whole::<MboMsg>(record)? {
            return Ok(Some(row!(record, Content::Order(record.order_id))));
        }
        if let Some(record) = whole::<Mbp1Msg>(record)? {
            // Those of tbbo are trades, each with the best levels of before it.
            let is_book = schema != Some(Schema::Tbbo);
            let content = if is_book { Content::Levels(&record.levels) } else { Content::Trade };
            return Ok(Some(row!(record, content)));
        }
        if let Some(record) = whole::<Mbp10Msg>(record)? {
            return Ok(Some(row!(record, Content::Levels(&record.levels))));
        }
        Ok(whole::<TradeMsg>(record)?.map(|record| row!(record, Content::Trade)))
    }

    fn head(header: &RecordHeader, content: Content<'a>) -> Row<'a> {
        Row {
            publisher: header.publisher_id,
            instrument: header.instrument_id,
            time: (header.ts_event != UNDEF_TIMESTAMP).then_some(Nanos(header.ts_event)),
            action: 0,
            side: None,
            price: None,
            size: 0,
            flags: FlagSet::empty(),
            sequence: 0,
            content,
        }
    }

    /// Its side and price, which it cannot do without.
    pub fn order(&self) -> Result<(Side, i64), Refused> {
        self.side.zip(self.price).ok_or_else(|| "an order without a side or a price".into())
    }
}

/// A record, if it is of this type, which its length has to bear out: nobody but the file says either.
fn whole<T: HasRType<Header = RecordHeader>>(record: RecordRef<'_>) -> Result<Option<&T>, Refused> {
    if !record.has::<T>() {
        return Ok(None);
    }
    record.try_get::<T>().map(Some).map_err(|_| {
        let length = record.header().record_size();
        Refused(format!("a record of {length} bytes is shorter than its type; the file is damaged"))
    })
}

/// When a record of a market was received, in nanoseconds; `None` of others, and of one that is not whole.
pub(super) fn received(record: RecordRef<'_>) -> Option<u64> {
    let by_order = record.try_get::<MboMsg>().map(|record| record.ts_recv);
    let by_price = || record.try_get::<Mbp1Msg>().map(|record| record.ts_recv);
    let ten_levels = || record.try_get::<Mbp10Msg>().map(|record| record.ts_recv);
    let trade = || record.try_get::<TradeMsg>().map(|record| record.ts_recv);
    let received = by_order.or_else(|_| by_price()).or_else(|_| ten_levels()).or_else(|_| trade());
    received.ok().filter(|&received| received != UNDEF_TIMESTAMP)
}

/// Bid or ask by its letter.
pub(super) fn side(letter: u8) -> Option<Side> {
    match letter {
        b'B' => Some(Side::Bid),
        b'A' => Some(Side::Ask),
        _ => None,
    }
}

/// Decimals of a price in billionths.
pub(super) const PRICE_DECIMALS: u8 = FIXED_PRICE_SCALE.ilog10() as u8;

/// A price in billionths.
pub(super) fn price(price: i64) -> Number<'static> {
    Number::Fixed { mantissa: price, decimals: PRICE_DECIMALS }
}

/// For a person, what a record is that is no book and no trade.
pub(super) fn kind(record: RecordRef<'_>) -> String {
    let rtype = record.header().rtype;
    match RType::try_from(rtype) {
        Ok(rtype) => format!("record of type {}", rtype.as_str()),
        Err(_) => format!("record of type {rtype}"),
    }
}
