//! Numbers in binary messages: an integer, and of which power of ten it counts.

use market::Qty;

/// The exponent of numbers with so many decimals, at most [`market::MAX_DECIMALS`].
pub(super) const fn exponent(decimals: u8) -> i8 {
    -(decimals as i8)
}

/// A quantity where numbers have a sign: no market has half of what fits.
pub(super) fn signed(qty: Qty) -> i64 {
    i64::try_from(qty.0).unwrap_or(i64::MAX)
}
