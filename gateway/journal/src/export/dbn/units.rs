//! An instrument's numbers in DBN's units: prices in billionths, sizes in lots.

use super::DEPTH;
use crate::export::ExportError;
use book::Ladder;
use dbn::{BidAskPair, FIXED_PRICE_SCALE, UNDEF_ORDER_SIZE, UNDEF_PRICE};
use market::{Instrument, Price, Qty};

/// Decimals of billionths.
const DECIMALS: u8 = FIXED_PRICE_SCALE.ilog10() as u8;

/// Those of an instrument.
pub(super) struct Units<'a>(pub &'a Instrument);

impl Units<'_> {
    /// A price in billionths.
    pub fn price(&self, price: Price) -> Result<i64, ExportError> {
        self.billionths(price.0, self.0.price_decimals, "price")
    }

    /// The quantity of a lot in billionths.
    pub fn lot(&self) -> Result<i64, ExportError> {
        let lot = i64::try_from(self.0.lot.0).map_err(|_| self.unfit("its lot is too large".to_owned()))?;
        self.billionths(lot, self.0.qty_decimals, "lot")
    }

    /// How many lots a quantity is.
    pub fn size(&self, qty: Qty) -> Result<u32, ExportError> {
        let lots = qty.0 / self.0.lot.0;
        let of = || format!("the quantity {} is", text(qty.0, self.0.qty_decimals));
        if !qty.0.is_multiple_of(self.0.lot.0) {
            return Err(self.unfit(format!("{} no multiple of the lot {}", of(), self.0.lot_text())));
        }
        let size = u32::try_from(lots).ok().filter(|&size| size != UNDEF_ORDER_SIZE);
        size.ok_or_else(|| {
            let what = format!(
                "{} {lots} lots of {}, a size holds up to {}",
                of(),
                self.0.lot_text(),
                UNDEF_ORDER_SIZE - 1
            );
            self.unfit(what)
        })
    }

    /// The levels of a record.
    pub fn levels(&self, ladder: &Ladder) -> Result<[BidAskPair; DEPTH], ExportError> {
        let mut pairs = <[BidAskPair; DEPTH]>::default();
        for (pair, bid) in pairs.iter_mut().zip(&ladder.bids) {
            (pair.bid_px, pair.bid_sz) = (self.price(bid.price)?, self.size(bid.qty)?);
        }
        for (pair, ask) in pairs.iter_mut().zip(&ladder.asks) {
            (pair.ask_px, pair.ask_sz) = (self.price(ask.price)?, self.size(ask.qty)?);
        }
        Ok(pairs)
    }

    fn billionths(&self, mantissa: i64, decimals: u8, what: &str) -> Result<i64, ExportError> {
        let power = 10_i64.pow(decimals.abs_diff(DECIMALS).into());
        let fixed = if decimals <= DECIMALS {
            mantissa.checked_mul(power).filter(|&fixed| fixed != UNDEF_PRICE)
        } else {
            (mantissa % power == 0).then_some(mantissa / power)
        };
        let sign = if mantissa < 0 { "-" } else { "" };
        fixed.ok_or_else(|| {
            let shown = text(mantissa.unsigned_abs(), decimals);
            self.unfit(format!("the {what} {sign}{shown} is no number of billionths in 64 bits"))
        })
    }

    /// The instrument cannot be written.
    pub fn unfit(&self, what: String) -> ExportError {
        ExportError::Unfit { symbol: self.0.symbol.clone(), what }
    }
}

fn text(mantissa: u64, decimals: u8) -> String {
    let mut text = Vec::new();
    market::push_unsigned_fixed(&mut text, mantissa, decimals);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Status;

    fn instrument(price_decimals: u8, qty_decimals: u8, lot: u64) -> Instrument {
        Instrument {
            symbol: "A/B".into(),
            venue_symbol: "AB".into(),
            price_decimals,
            qty_decimals,
            tick: Price(1),
            lot: Qty(lot),
            status: Status::Trading,
        }
    }

    fn check<T: std::fmt::Debug + PartialEq>(seen: Result<T, ExportError>, wanted: Result<T, &str>) {
        match (seen, wanted) {
            (Ok(seen), Ok(wanted)) => assert_eq!(seen, wanted),
            (Err(error), Err(wanted)) => assert!(error.to_string().contains(wanted), "{error}"),
            (seen, wanted) => panic!("{seen:?} is not {wanted:?}"),
        }
    }

    #[test]
    fn a_price_is_exact_or_refused() {
        check(Units(&instrument(2, 0, 1)).price(Price(6_165_970)), Ok(61_659_700_000_000));
        check(Units(&instrument(12, 0, 1)).price(Price(-12_000)), Ok(-12));
        check(
            Units(&instrument(12, 0, 1)).price(Price(-12_001)),
            Err("the price -0.000000012001 is no number of"),
        );
        check(Units(&instrument(0, 0, 1)).price(Price(10_000_000_000)), Err("A/B cannot be written"));
    }

    #[test]
    fn a_size_is_a_count_of_lots() {
        check(Units(&instrument(0, 5, 100)).size(Qty(148_600)), Ok(1_486));
        check(Units(&instrument(0, 5, 100)).lot(), Ok(1_000_000));
        check(
            Units(&instrument(0, 5, 100)).size(Qty(148_601)),
            Err("1.48601 is no multiple of the lot 0.00100"),
        );
        check(Units(&instrument(0, 1, 1)).size(Qty(4_294_967_294)), Ok(4_294_967_294));
        check(
            Units(&instrument(0, 1, 1)).size(Qty(4_294_967_295)),
            Err("429496729.5 is 4294967295 lots of 0.1"),
        );
        check(
            Units(&instrument(0, 18, 1)).lot(),
            Err("the lot 0.000000000000000001 is no number of billionths"),
        );
    }
}
