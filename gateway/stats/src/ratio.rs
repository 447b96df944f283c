//! Numbers that are no whole number of an instrument's units, and the one rule by which they are rounded.

use market::Price;

/// An exact fraction, such as an average price: what [`Ticker`](crate::Ticker) and
/// [`AveragePrice`](crate::AveragePrice) give, and in what unit it is, is said there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    /// At least 1.
    denominator: u128,
}

/// Ten to a power that still fits; beyond it everything rounds to zero.
const MOST_DECIMALS: u8 = 38;

impl Ratio {
    /// With a denominator of at least 1.
    pub(crate) fn new(numerator: i128, denominator: u128) -> Ratio {
        Ratio { numerator, denominator: denominator.max(1) }
    }

    /// What was paid for each unit, in price decimals; `otherwise` if no quantity was traded.
    pub(crate) fn weighted(quote_volume: i128, base_volume: i128, otherwise: Price) -> Ratio {
        match base_volume.unsigned_abs() {
            0 => Ratio::from(i128::from(otherwise.0)),
            base => Ratio::new(quote_volume, base),
        }
    }

    /// What is divided; has the sign.
    pub fn numerator(self) -> i128 {
        self.numerator
    }

    /// By what it is divided, at least 1.
    pub fn denominator(self) -> u128 {
        self.denominator
    }

    /// In another unit: this ratio counts units of `from` decimals, the answer counts units of `to` decimals, and is the
    /// nearest integer, **half away from zero**. Exact whatever the sizes; what does not fit stays at the nearest bound.
    ///
    /// An average price of an instrument with 2 price decimals, to be written with 8: `average.rounded(2, 8)`.
    pub fn rounded(self, from: u8, to: u8) -> i128 {
        let magnitude = self.numerator.unsigned_abs();
        let (whole, rest) = (magnitude / self.denominator, magnitude % self.denominator);
        let rounded = if to >= from {
            widen(whole, rest, self.denominator, to - from)
        } else {
            narrow(whole, from - to)
        };
        let rounded = i128::try_from(rounded).unwrap_or(i128::MAX);
        if self.numerator < 0 { -rounded } else { rounded }
    }
}

/// A whole number: volumes are in price decimals plus quantity decimals, and written in fewer.
impl From<i128> for Ratio {
    fn from(whole: i128) -> Ratio {
        Ratio::new(whole, 1)
    }
}

/// More decimals, by long division.
fn widen(mut whole: u128, mut rest: u128, denominator: u128, decimals: u8) -> u128 {
    for _ in 0..decimals {
        let (digit, next) = divide_ten_times(rest, denominator);
        whole = whole.saturating_mul(10).saturating_add(digit);
        rest = next;
    }
    whole.saturating_add(u128::from(rest >= denominator - rest))
}

/// Ten times `rest` by `denominator`, which is greater than it, and what remains.
fn divide_ten_times(rest: u128, denominator: u128) -> (u128, u128) {
    if let Some(ten_times) = rest.checked_mul(10) {
        return (ten_times / denominator, ten_times % denominator);
    }
    let (mut digit, mut sum) = (0, 0);
    for _ in 0..10 {
        if sum >= denominator - rest {
            sum -= denominator - rest;
            digit += 1;
        } else {
            sum += rest;
        }
    }
    (digit, sum)
}

/// Fewer decimals. The fraction that was cut from `whole` cannot make a difference: half of a power of ten is whole.
fn narrow(whole: u128, decimals: u8) -> u128 {
    if decimals > MOST_DECIMALS {
        return 0;
    }
    let power = 10u128.pow(decimals.into());
    whole / power + u128::from(whole % power >= power / 2)
}

/// Appends `mantissa` with exactly `decimals` digits after the point, as [`market::push_fixed`] does with smaller numbers.
pub fn push_decimal(out: &mut Vec<u8>, mantissa: i128, decimals: u8) {
    if mantissa < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(mantissa.unsigned_abs()).as_bytes();
    let decimals = usize::from(decimals);
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(decimals));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    if decimals > 0 {
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', decimals - fraction.len()));
        out.extend_from_slice(fraction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_half_away_from_zero() {
        let check = |numerator, denominator, from, to, rounded| {
            let ratio = Ratio::new(numerator, denominator);
            assert_eq!(ratio.rounded(from, to), rounded, "{ratio:?} of {from} decimals in {to}");
        };
        check(10, 3, 0, 3, 3_333);
        check(20, 3, 0, 3, 6_667);
        check(1, 2, 0, 0, 1);
        check(-1, 2, 0, 0, -1);
        check(1, 8, 2, 4, 13);
        check(149, 1, 2, 0, 1);
        check(150, 1, 2, 0, 2);
        check(-150, 1, 2, 0, -2);
        check(299, 2, 2, 0, 1);
        check(7, 1, 2, 8, 7_000_000);
        check(i128::MAX, 1, 40, 0, 0);
        check(i128::MAX, 1, 0, 3, i128::MAX);
        check(i128::MIN, 1, 0, 0, -i128::MAX);
        check(i128::MAX, u128::MAX, 0, 2, 50);
    }

    #[test]
    fn writes_all_decimals() {
        let check = |mantissa, decimals, text: &str| {
            let mut out = Vec::new();
            push_decimal(&mut out, mantissa, decimals);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        };
        check(0, 0, "0");
        check(0, 3, "0.000");
        check(-7, 3, "-0.007");
        check(12_345, 3, "12.345");
        check(999, 3, "0.999");
        check(i128::MIN, 36, "-170.141183460469231731687303715884105728");
        check(5, 40, "0.0000000000000000000000000000000000000005");
    }

    proptest! {
        /// What comes out is within half a unit of what went in.
        #[test]
        fn is_the_nearest(n in -1_000_000_000i128..1_000_000_000, d in 1u128..100_000, from in 0u8..6, to in 0u8..6) {
            let rounded = Ratio::new(n, d).rounded(from, to);
            let (up, down) = (10i128.pow(to.into()), 10i128.pow(from.into()) * d as i128);
            prop_assert!((2 * (rounded * down - n * up)).abs() <= down);
        }
    }
}
