//! Prices and quantities from the text of a JSON number, exactly, with the decimals that the text shows.

use super::fault::FaultKind;
use market::{Level, Price, Qty};

/// The decimals in which an instrument's numbers are written: learnt from the first of them, the same ever after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Decimals {
    pub price: Option<u8>,
    pub qty: Option<u8>,
}

impl Decimals {
    /// Reads a level. The quantity may be zero.
    pub fn level(&mut self, price: &str, qty: &str) -> Result<Level, FaultKind> {
        Ok(Level { price: self.price(price)?, qty: self.qty(qty)? })
    }

    fn price(&mut self, text: &str) -> Result<Price, FaultKind> {
        let number = Fixed::read(text).ok_or_else(|| FaultKind::BadNumber(text.into()))?;
        settle(&mut self.price, &number, text)?;
        let mantissa = i64::try_from(number.digits).map_err(|_| FaultKind::BadNumber(text.into()))?;
        Ok(Price(if number.negative { -mantissa } else { mantissa }))
    }

    fn qty(&mut self, text: &str) -> Result<Qty, FaultKind> {
        let number = Fixed::read(text).filter(|number| !number.negative);
        let number = number.ok_or_else(|| FaultKind::BadNumber(text.into()))?;
        settle(&mut self.qty, &number, text)?;
        Ok(Qty(number.digits))
    }
}

fn settle(known: &mut Option<u8>, number: &Fixed, text: &str) -> Result<(), FaultKind> {
    match *known.get_or_insert(number.decimals) {
        expected if expected == number.decimals => Ok(()),
        expected => Err(FaultKind::Decimals { expected, text: text.into() }),
    }
}

/// `[-]digits[.digits]`.
struct Fixed {
    negative: bool,
    digits: u64,
    decimals: u8,
}

impl Fixed {
    fn read(text: &str) -> Option<Fixed> {
        let unsigned = text.strip_prefix('-');
        let (whole, fraction) = match unsigned.unwrap_or(text).split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (unsigned.unwrap_or(text), ""),
        };
        if whole.is_empty() {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).try_fold(0u64, |value, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            value.checked_mul(10)?.checked_add(digit)
        })?;
        Some(Fixed { negative: unsigned.is_some(), digits, decimals: u8::try_from(fraction.len()).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_digit_and_learns_the_decimals() {
        let mut decimals = Decimals::default();
        let level = decimals.level("61659.70", "184467440737095.51615").unwrap();
        assert_eq!(level, Level { price: Price(6_165_970), qty: Qty(u64::MAX) });
        assert_eq!(decimals, Decimals { price: Some(2), qty: Some(5) });
        assert_eq!(decimals.level("-0.05", "0.00000").unwrap(), Level { price: Price(-5), qty: Qty::ZERO });
    }

    #[test]
    fn refuses_other_decimals_and_what_is_no_plain_number() {
        let check = |price: &str, qty: &str| {
            let mut decimals = Decimals { price: Some(2), qty: Some(1) };
            decimals.level(price, qty).unwrap_err()
        };
        assert_eq!(check("1.0", "1.0"), FaultKind::Decimals { expected: 2, text: "1.0".into() });
        assert_eq!(check("1.00", "1"), FaultKind::Decimals { expected: 1, text: "1".into() });
        assert_eq!(check("1.00", "-1.0"), FaultKind::BadNumber("-1.0".into()));
        for bad in ["1e2", "1.", ".50", "\"1.00\"", "null", "", "-", "184467440737095516.16"] {
            assert_eq!(check(bad, "1.0"), FaultKind::BadNumber(bad.into()));
        }
    }
}
