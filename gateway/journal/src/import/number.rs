//! A number as a file writes it: a text, a whole JSON number, a float, or a mantissa of known decimals.
//!
//! A float keeps 15 digits, so it is taken as the decimal with the fewest digits that agrees with it so far: that is the
//! number that was written. What lies farther from it than a billionth of itself is refused, not rounded.

use market::{DecimalError, parse_fixed};
use simd_json::{prelude::*, tape::Value};
use std::fmt::{self, Write};

/// Digits behind the point that an instrument may have.
const MAX_DECIMALS: u8 = 18;

/// How far, relative to itself, a float may lie from the decimal that it stands for: two of its steps, half of what lies
/// between two numbers of 15 digits.
const FLOAT_ERROR: f64 = 5e-16;
/// How far, relative to itself, a float may lie from what its instrument's decimals can hold.
const ROUNDING: f64 = 1e-9;

/// Which digits of a number count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// Those needed to hold it exactly.
    Least,
    /// All, zeros at the end too: a venue's checksum covers them.
    AsWritten,
}

/// A price or a quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number<'a> {
    Text(&'a str),
    Whole(i64),
    Float(f64),
    Fixed { mantissa: i64, decimals: u8 },
}

/// How much room a number needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    /// Its absolute value before the point; the largest number if it is larger.
    pub whole: u64,
    /// Digits behind the point.
    pub decimals: u8,
    pub is_negative: bool,
}

impl<'a> Number<'a> {
    /// A JSON text or number.
    pub fn of(value: Value<'_, 'a>) -> Option<Number<'a>> {
        if let Some(text) = value.into_string() {
            return Some(Number::Text(text));
        }
        match value.as_i64() {
            Some(whole) => Some(Number::Whole(whole)),
            None => value.as_f64().map(Number::Float),
        }
    }

    /// The room it needs; `None` if it is no decimal number of at most 18 decimals. A float is tried with at least
    /// `known` decimals, which changes nothing where they are needed anyway.
    pub fn size(self, digits: Digits, known: u8) -> Option<Size> {
        match self {
            Number::Text(text) => text_size(text, digits),
            Number::Whole(whole) => {
                Some(Size { whole: whole.unsigned_abs(), decimals: 0, is_negative: whole < 0 })
            }
            Number::Fixed { mantissa, decimals } => fixed_size(mantissa, decimals, digits),
            Number::Float(float) => {
                let decimals =
                    (known..=MAX_DECIMALS).find(|&decimals| holds(float, decimals, FLOAT_ERROR))?;
                // `as` gives the largest number for what is larger.
                Some(Size { whole: float.abs() as u64, decimals, is_negative: float < 0.0 })
            }
        }
    }

    /// To outlive its message; `None` of a text.
    pub fn owned(self) -> Option<Number<'static>> {
        match self {
            Number::Text(_) => None,
            Number::Whole(whole) => Some(Number::Whole(whole)),
            Number::Float(float) => Some(Number::Float(float)),
            Number::Fixed { mantissa, decimals } => Some(Number::Fixed { mantissa, decimals }),
        }
    }

    /// How many digits behind the point are written.
    pub fn written(self) -> u8 {
        match self {
            Number::Text(text) => {
                text.find('.').map_or(0, |point| u8::try_from(text.len() - point - 1).unwrap_or(u8::MAX))
            }
            _ => 0,
        }
    }

    /// Its mantissa in these decimals.
    pub fn fixed(self, decimals: u8) -> Result<i64, DecimalError> {
        match self {
            Number::Text(text) => parse_fixed(text.as_bytes(), decimals),
            Number::Whole(whole) => {
                let power = 10_i64.checked_pow(decimals.into()).ok_or(DecimalError::TooLarge)?;
                whole.checked_mul(power).ok_or(DecimalError::TooLarge)
            }
            Number::Fixed { mantissa, decimals: held } => rescaled(mantissa, held, decimals),
            Number::Float(float) if !holds(float, decimals, ROUNDING) => Err(DecimalError::TooPrecise),
            Number::Float(float) => {
                let mantissa = scaled(float, decimals);
                if mantissa.abs() >= i64::MAX as f64 {
                    return Err(DecimalError::TooLarge);
                }
                Ok(mantissa as i64)
            }
        }
    }
}

impl fmt::Display for Number<'_> {
    /// For a person; a text is cut and escaped, as it may be anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Text(text) => {
                f.write_char('\'')?;
                text.chars().take(40).try_for_each(|char| write!(f, "{}", char.escape_debug()))?;
                f.write_char('\'')
            }
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Float(float) => write!(f, "{float}"),
            Number::Fixed { mantissa, decimals } => {
                let mut text = Vec::new();
                market::push_fixed(&mut text, *mantissa, *decimals);
                f.write_str(&String::from_utf8_lossy(&text))
            }
        }
    }
}

/// Powers of ten, each of which a float holds exactly.
const POWERS: [f64; MAX_DECIMALS as usize + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// The nearest mantissa.
fn scaled(float: f64, decimals: u8) -> f64 {
    (float * POWERS[usize::from(decimals)]).round()
}

/// Whether a float lies within `error` of itself of a number with these decimals.
fn holds(float: f64, decimals: u8, error: f64) -> bool {
    let nearest = scaled(float, decimals) / POWERS[usize::from(decimals)];
    (nearest - float).abs() <= float.abs() * error
}

/// The room for a mantissa.
fn fixed_size(mantissa: i64, decimals: u8, digits: Digits) -> Option<Size> {
    if decimals > MAX_DECIMALS {
        return None;
    }
    let (mut left, mut needed) = (mantissa.unsigned_abs(), decimals);
    let whole = left / 10_u64.pow(decimals.into());
    while digits == Digits::Least && needed > 0 && left.is_multiple_of(10) {
        left /= 10;
        needed -= 1;
    }
    Some(Size { whole, decimals: needed, is_negative: mantissa < 0 })
}

/// A mantissa of `held` decimals in `wanted` ones.
fn rescaled(mantissa: i64, held: u8, wanted: u8) -> Result<i64, DecimalError> {
    let power = |decimals: u8| 10_i64.checked_pow(decimals.into()).ok_or(DecimalError::TooLarge);
    if wanted >= held {
        return mantissa.checked_mul(power(wanted - held)?).ok_or(DecimalError::TooLarge);
    }
    let divisor = power(held - wanted)?;
    if mantissa % divisor != 0 {
        return Err(DecimalError::TooPrecise);
    }
    Ok(mantissa / divisor)
}

/// The room for `[-]digits[.digits]`.
fn text_size(text: &str, digits: Digits) -> Option<Size> {
    let (is_negative, plain) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mut whole, mut point, mut decimals) = (0_u64, None, 0);
    for (at, byte) in plain.bytes().enumerate() {
        match (byte, point) {
            (b'0'..=b'9', None) => {
                whole = whole.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
            }
            (b'0', Some(_)) if digits == Digits::Least => {}
            (b'0'..=b'9', Some(point)) => decimals = at - point,
            (b'.', None) if at > 0 => point = Some(at),
            _ => return None,
        }
    }
    let ends_in_digit = plain.len().checked_sub(1).is_some_and(|last| point != Some(last));
    let decimals = u8::try_from(decimals).ok().filter(|&decimals| decimals <= MAX_DECIMALS)?;
    ends_in_digit.then_some(Size { whole, decimals, is_negative })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_count_as_the_venue_needs_them() {
        let check = |text, least, as_written| {
            let decimals = |digits| Number::Text(text).size(digits, 0).map(|size| size.decimals);
            assert_eq!(decimals(Digits::Least), least, "{text}");
            assert_eq!(decimals(Digits::AsWritten), as_written, "{text}");
        };
        check("61737.63000000", Some(2), Some(8));
        check("5", Some(0), Some(0));
        check("5.0", Some(0), Some(1));
        check("-0.000022900", Some(7), Some(9));
        for bad in ["", ".", "1.", ".5", "1e5", "1.2.3", "--1", "-", "NaN", "0.1234567890123456789"] {
            check(bad, None, None);
        }
    }

    #[test]
    fn a_float_is_the_decimal_that_was_written() {
        let check = |float: f64, known, decimals: Option<u8>, mantissa| {
            let number = Number::Float(float);
            assert_eq!(number.size(Digits::Least, known).map(|size| size.decimals), decimals, "{float}");
            if let Some(decimals) = decimals {
                assert_eq!(number.fixed(decimals), mantissa, "{float}");
            }
        };
        check(32180.5, 0, Some(1), Ok(321_805));
        check(3e-8, 0, Some(8), Ok(3));
        check(4787.0, 0, Some(0), Ok(4_787));
        check(0.0015, 6, Some(6), Ok(1_500));
        check(0.1 + 0.2, 0, Some(1), Ok(3));
        check(-2.5, 0, Some(1), Ok(-25));
        check(0.0, 0, Some(0), Ok(0));
        check(1e-300, 0, None, Ok(0));
        check(1e19, 0, Some(0), Err(DecimalError::TooLarge));
        check(f64::NAN, 0, None, Ok(0));
    }

    #[test]
    fn a_mantissa_needs_the_decimals_that_are_not_zero() {
        let check = |mantissa, decimals, needed: u8, fixed| {
            let number = Number::Fixed { mantissa, decimals };
            let size = number.size(Digits::Least, 0).unwrap();
            assert_eq!((size.decimals, size.is_negative), (needed, mantissa < 0), "{number}");
            assert_eq!(number.fixed(needed), Ok(fixed), "{number}");
            assert_eq!(number.fixed(needed + 1), Ok(fixed * 10), "{number}");
        };
        check(4_810_250_000_000, 9, 2, 481_025);
        check(-500_000_000, 9, 1, -5);
        check(0, 9, 0, 0);
        check(7, 0, 0, 7);
        let number = Number::Fixed { mantissa: 4_810_250_000_000, decimals: 9 };
        assert_eq!(number.size(Digits::Least, 0).unwrap().whole, 4_810);
        assert_eq!(number.fixed(1), Err(DecimalError::TooPrecise));
        assert_eq!(number.fixed(18), Err(DecimalError::TooLarge));
        assert_eq!(number.to_string(), "4810.250000000");
        assert_eq!(Number::Fixed { mantissa: 1, decimals: 19 }.size(Digits::Least, 0), None);
    }

    #[test]
    fn a_float_is_not_rounded_by_more_than_a_billionth() {
        assert_eq!(Number::Float(1.000_000_000_1).fixed(1), Ok(10));
        assert_eq!(Number::Float(1.000_000_01).fixed(1), Err(DecimalError::TooPrecise));
        assert_eq!(Number::Float(0.04).fixed(1), Err(DecimalError::TooPrecise));
    }

    proptest! {
        #[test]
        fn fifteen_digits_survive_a_float(mantissa in 1_i64..1_000_000_000_000_000, decimals in 0_u8..=15) {
            let mut text = Vec::new();
            market::push_fixed(&mut text, mantissa, decimals);
            let text = String::from_utf8(text).unwrap();
            let float = Number::Float(text.parse().unwrap());
            let least = Number::Text(&text).size(Digits::Least, 0).unwrap();
            prop_assert_eq!(float.size(Digits::Least, 0), Some(least));
            prop_assert_eq!(float.fixed(decimals), Ok(mantissa));
        }
    }
}
