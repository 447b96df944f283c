//! Short names for what readers of venues ask a JSON value most.

use super::line::decimal_time;
use market::{Nanos, Side};
use simd_json::{
    prelude::*,
    tape::{Array, Value},
};

/// The text in a field.
pub(super) fn text<'a>(object: Value<'_, 'a>, key: &str) -> Option<&'a str> {
    object.get(key)?.into_string()
}

/// The list in a field.
pub(super) fn list<'t, 'a>(object: Value<'t, 'a>, key: &str) -> Option<Array<'t, 'a>> {
    object.get(key)?.as_array()
}

/// The whole number in a field, written as a number or as a text.
pub(super) fn whole(object: Value<'_, '_>, key: &str) -> Option<u64> {
    let value = object.get(key)?;
    value.as_u64().or_else(|| value.into_string()?.parse().ok())
}

/// The side in a field, written as `buy` or `sell`.
pub(super) fn side(object: Value<'_, '_>, key: &str) -> Option<Side> {
    side_of(object.get(key)?)
}

/// A side, written as `buy` or `sell`.
pub(super) fn side_of(value: Value<'_, '_>) -> Option<Side> {
    let text = value.into_string()?;
    let is = |side: &str| text.eq_ignore_ascii_case(side);
    if is("buy") { Some(Side::Bid) } else { is("sell").then_some(Side::Ask) }
}

/// The time in a field in milliseconds since 1970.
pub(super) fn millis(object: Value<'_, '_>, key: &str) -> Option<Nanos> {
    time(object.get(key)?, 1_000_000)
}

/// The time in a field in microseconds since 1970.
pub(super) fn micros(object: Value<'_, '_>, key: &str) -> Option<Nanos> {
    time(object.get(key)?, 1_000)
}

/// The time in a field as RFC 3339.
pub(super) fn rfc3339(object: Value<'_, '_>, key: &str) -> Option<Nanos> {
    text(object, key)?.parse().ok()
}

/// The time in a text in seconds since 1970, with a fraction.
pub(super) fn seconds(text: &str) -> Option<Nanos> {
    decimal_time(text.as_bytes(), 9)
}

/// A time in units of so many nanoseconds, written as a number or as a text.
pub(super) fn time(value: Value<'_, '_>, unit: u64) -> Option<Nanos> {
    let units = value.as_u64().or_else(|| value.into_string()?.parse().ok())?;
    units.checked_mul(unit).map(Nanos).filter(|&time| time < Nanos::MAX)
}
