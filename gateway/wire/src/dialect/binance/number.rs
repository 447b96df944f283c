//! Prices and quantities: text with eight decimals.

use market::{Instrument, Price, Qty, push_unsigned_fixed};

/// Digits after the point, always.
pub const DECIMALS: u8 = 8;

/// Whether all prices and quantities of an instrument can be written with [`DECIMALS`].
pub fn is_offered(instrument: &Instrument) -> bool {
    let fits = |step: u64, decimals: u8| {
        let beyond = u32::from(decimals.saturating_sub(DECIMALS));
        step.is_multiple_of(10_u64.pow(beyond))
    };
    fits(instrument.tick.0.unsigned_abs(), instrument.price_decimals)
        && fits(instrument.lot.0, instrument.qty_decimals)
}

/// Appends a price of an instrument that [`is_offered`].
pub fn push_price(out: &mut Vec<u8>, price: Price, instrument: &Instrument) {
    if price.0 < 0 {
        out.push(b'-');
    }
    push_eight(out, price.0.unsigned_abs(), instrument.price_decimals);
}

/// Appends a quantity of an instrument that [`is_offered`].
pub fn push_qty(out: &mut Vec<u8>, qty: Qty, instrument: &Instrument) {
    push_eight(out, qty.0, instrument.qty_decimals);
}

/// Appends what a quantity is worth at a price; digits beyond the eight are cut.
pub(super) fn push_product(out: &mut Vec<u8>, price: Price, qty: Qty, instrument: &Instrument) {
    if price.0 < 0 {
        out.push(b'-');
    }
    let product = u128::from(price.0.unsigned_abs()) * u128::from(qty.0);
    let decimals = u32::from(instrument.price_decimals) + u32::from(instrument.qty_decimals);
    let one = 10_u128.pow(decimals);
    let (whole, mut fraction) = (product / one, product % one);
    match decimals.checked_sub(u32::from(DECIMALS)) {
        Some(beyond) => fraction /= 10_u128.pow(beyond),
        None => fraction *= 10_u128.pow(u32::from(DECIMALS) - decimals),
    }
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let (mut digits, rest) = (*b".00000000", itoa::Buffer::new().format(fraction).len());
    digits[1 + usize::from(DECIMALS) - rest..]
        .copy_from_slice(itoa::Buffer::new().format(fraction).as_bytes());
    out.extend_from_slice(&digits);
}

fn push_eight(out: &mut Vec<u8>, mantissa: u64, decimals: u8) {
    const ZEROS: &[u8; DECIMALS as usize] = b"00000000";
    if decimals > DECIMALS {
        return push_unsigned_fixed(out, mantissa / 10_u64.pow(u32::from(decimals - DECIMALS)), DECIMALS);
    }
    push_unsigned_fixed(out, mantissa, decimals);
    if decimals == 0 {
        out.push(b'.');
    }
    out.extend_from_slice(&ZEROS[usize::from(decimals)..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::Status;

    fn instrument(price_decimals: u8, qty_decimals: u8, tick: i64, lot: u64) -> Instrument {
        let (symbol, venue_symbol) = ("A/B".to_owned(), "AB".to_owned());
        let (tick, lot, status) = (Price(tick), Qty(lot), Status::Trading);
        Instrument { symbol, venue_symbol, price_decimals, qty_decimals, tick, lot, status }
    }

    #[test]
    fn all_numbers_have_eight_decimals() {
        let check = |decimals, mantissa: u64, wanted: &str| {
            let (mut price, mut qty) = (Vec::new(), Vec::new());
            let instrument = instrument(decimals, decimals, 1, 1);
            push_price(&mut price, Price(mantissa as i64), &instrument);
            push_qty(&mut qty, Qty(mantissa), &instrument);
            assert_eq!((&*price, &*qty), (wanted.as_bytes(), wanted.as_bytes()), "{decimals}");
        };
        check(2, 6_165_970, "61659.70000000");
        check(0, 42, "42.00000000");
        check(8, 1, "0.00000001");
        check(5, 0, "0.00000000");
        check(10, 12_300, "0.00000123");
    }

    #[test]
    fn a_product_has_eight_decimals_and_does_not_overflow() {
        let check = |decimals: u8, price: i64, qty: u64, wanted: &str| {
            let mut out = Vec::new();
            push_product(&mut out, Price(price), Qty(qty), &instrument(decimals, decimals, 1, 1));
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        };
        check(2, 6_165_970, 150, "92489.55000000");
        check(0, 7, 6, "42.00000000");
        check(5, 3, 7, "0.00000000");
        check(8, 123_456_789, 100_000_000, "1.23456789");
        check(2, -150, 200, "-3.00000000");
        check(0, i64::MAX, u64::MAX, "170141183460469231704017187605319778305.00000000");
        check(18, i64::MAX, u64::MAX, "170.14118346");
    }

    #[test]
    fn what_needs_more_decimals_is_not_offered() {
        assert!(is_offered(&instrument(8, 8, 1, 1)));
        assert!(is_offered(&instrument(10, 18, 100, 10_000_000_000)));
        assert!(!is_offered(&instrument(9, 8, 1, 1)));
        assert!(!is_offered(&instrument(8, 10, 1, 10)));
    }
}
