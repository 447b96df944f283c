//! Fixed-point text: mantissas to decimals and back, without floats.

/// Most decimals that an instrument may have: ten to this power still fits an `i64`.
pub const MAX_DECIMALS: u8 = 18;

const POWERS: [u64; MAX_DECIMALS as usize + 1] = {
    let mut powers = [1; MAX_DECIMALS as usize + 1];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Why a text is not a number in the wanted decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not `[-]digits[.digits]`.
    #[error("not a plain decimal number")]
    Malformed,
    /// It has digits other than zero beyond the instrument's decimals.
    #[error("more decimals than the instrument has")]
    TooPrecise,
    /// Its mantissa does not fit.
    #[error("the number is too large")]
    TooLarge,
}

/// Appends the decimal digits of `value`, nothing else.
pub fn push_digits(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `mantissa` with exactly `decimals` digits after the point (no point if there are none): `push_fixed(out,
/// 6165970, 2)` is `61659.70`.
///
/// # Panics
/// If `decimals` is more than 18.
pub fn push_fixed(out: &mut Vec<u8>, mantissa: i64, decimals: u8) {
    if mantissa < 0 {
        out.push(b'-');
    }
    push_unsigned_fixed(out, mantissa.unsigned_abs(), decimals);
}

/// As [`push_fixed`], of a mantissa that has no sign.
///
/// # Panics
/// If `decimals` is more than 18.
pub fn push_unsigned_fixed(out: &mut Vec<u8>, mantissa: u64, decimals: u8) {
    assert!(decimals <= MAX_DECIMALS, "an instrument has at most 18 decimals");
    let decimals = usize::from(decimals);
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(mantissa).as_bytes();
    if decimals == 0 {
        out.extend_from_slice(digits);
    } else if digits.len() > decimals {
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        const ZEROS: &[u8; 2 + MAX_DECIMALS as usize] = b"0.000000000000000000";
        out.extend_from_slice(&ZEROS[..2 + decimals - digits.len()]);
        out.extend_from_slice(digits);
    }
}

/// Reads `[-]digits[.digits]` as a mantissa in `decimals`. Zeros beyond the decimals are allowed, other digits are not.
///
/// # Errors
/// [`DecimalError`] says what is wrong; no text is ever rounded.
pub fn parse_fixed(text: &[u8], decimals: u8) -> Result<i64, DecimalError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if let Some(mantissa) = parse_short(digits, decimals) {
        return Ok(if negative { -mantissa } else { mantissa });
    }
    let mut mantissa: i64 = 0;
    let mut fraction: Option<u8> = None;
    let mut seen = false;
    for &byte in digits {
        match byte {
            b'.' if fraction.is_none() && seen => {
                fraction = Some(0);
                seen = false;
            }
            b'0'..=b'9' => {
                seen = true;
                if let Some(count) = &mut fraction {
                    if *count == decimals {
                        if byte != b'0' {
                            return Err(DecimalError::TooPrecise);
                        }
                        continue;
                    }
                    *count += 1;
                }
                mantissa = mantissa
                    .checked_mul(10)
                    .and_then(|m| m.checked_add(i64::from(byte - b'0')))
                    .ok_or(DecimalError::TooLarge)?;
            }
            _ => return Err(DecimalError::Malformed),
        }
    }
    if !seen {
        return Err(DecimalError::Malformed);
    }
    let missing = decimals - fraction.unwrap_or(0);
    let power = *POWERS.get(missing as usize).ok_or(DecimalError::TooLarge)?;
    let power = i64::try_from(power).map_err(|_| DecimalError::TooLarge)?;
    let mantissa = mantissa.checked_mul(power).ok_or(DecimalError::TooLarge)?;
    Ok(if negative { -mantissa } else { mantissa })
}

/// The mantissa of a text with so few digits that none of them has to be checked for being too many: nearly all are. `None` of any
/// other, be it right or wrong.
fn parse_short(digits: &[u8], decimals: u8) -> Option<i64> {
    if digits.len() > usize::from(MAX_DECIMALS) {
        return None;
    }
    let (mut mantissa, mut point) = (0_i64, None);
    for (at, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(byte - b'0')),
            b'.' if point.is_none() && at > 0 => point = Some(at),
            _ => return None,
        }
    }
    let last = digits.len().checked_sub(1)?;
    let fraction = last - point.unwrap_or(last);
    if point == Some(last) {
        return None;
    }
    let power = i64::try_from(*POWERS.get(fraction.abs_diff(decimals.into()))?).ok()?;
    match fraction > decimals.into() {
        true if mantissa % power == 0 => Some(mantissa / power),
        true => None,
        false => mantissa.checked_mul(power),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(mantissa: i64, decimals: u8) -> String {
        let mut out = Vec::new();
        push_fixed(&mut out, mantissa, decimals);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_exactly_the_instruments_decimals() {
        assert_eq!(fixed(6_165_970, 2), "61659.70");
        assert_eq!(fixed(0, 5), "0.00000");
        assert_eq!(fixed(-7, 3), "-0.007");
        assert_eq!(fixed(42, 0), "42");
        assert_eq!(fixed(i64::MIN, 18), "-9.223372036854775808");
        assert_eq!(fixed(1_000, 3), "1.000");
        assert_eq!(fixed(999, 3), "0.999");
    }

    #[test]
    fn a_quantity_may_be_larger_than_any_price() {
        let mut out = Vec::new();
        push_unsigned_fixed(&mut out, u64::MAX, 18);
        assert_eq!(out, b"18.446744073709551615");
    }

    #[test]
    fn reads_what_venues_send_and_rounds_nothing() {
        let check = |text: &str, decimals, wanted| {
            assert_eq!(parse_fixed(text.as_bytes(), decimals), wanted, "{text}")
        };
        check("61737.63000000", 2, Ok(6_173_763));
        check("5", 2, Ok(500));
        check("-0.5", 1, Ok(-5));
        check("0.000022900", 9, Ok(22_900));
        check("1.001", 2, Err(DecimalError::TooPrecise));
        check("99999999999999999999", 0, Err(DecimalError::TooLarge));
        for bad in ["", "-", ".", "1.", ".5", "1e5", "+1", "1.2.3", " 1", "1,0", "NaN"] {
            check(bad, 3, Err(DecimalError::Malformed));
        }
    }

    proptest! {
        #[test]
        fn zeros_before_a_number_change_nothing(text in "-?[0-9]{1,14}(\\.[0-9]{0,8})?", decimals in 0u8..=18) {
            let (sign, digits) = text.split_at(usize::from(text.starts_with('-')));
            let longer = format!("{sign}00000000000000000000{digits}");
            prop_assert_eq!(parse_fixed(text.as_bytes(), decimals), parse_fixed(longer.as_bytes(), decimals));
        }

        #[test]
        fn text_round_trips(mantissa in -999_999_999_999_999i64..=999_999_999_999_999, decimals in 0u8..=18) {
            prop_assert_eq!(parse_fixed(fixed(mantissa, decimals).as_bytes(), decimals), Ok(mantissa));
        }
    }
}
