//! Numbers as people read them: three digits that count, and a unit.

/// In what a figure is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Milliseconds.
    Millis,
    /// Something a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A plain number.
    Count,
}

impl Unit {
    /// The number in the unit that suits its size.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Nanos => scaled(value, 1e3, &[" ns", " us", " ms", " s"]),
            Unit::Millis => Unit::Nanos.show(value * 1e6),
            Unit::PerSecond => scaled(value, 1e3, &["/s", " k/s", " M/s", " G/s"]),
            Unit::Bytes => scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB"]),
            Unit::Count => three_digits(value),
        }
    }
}

/// A ratio, as a factor.
pub fn ratio(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.0995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}x")
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut at = 0;
    // 999.6 would be written as 1000 of the smaller unit.
    while value.abs() >= step - 0.5 && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    format!("{}{}", three_digits(value), units[at])
}

fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        let check = |unit: Unit, value, expected: &str| assert_eq!(unit.show(value), expected, "{value}");
        check(Unit::Nanos, 93.0, "93 ns");
        check(Unit::Nanos, 143_200.0, "143 us");
        check(Unit::Nanos, 999_600.0, "1.00 ms");
        check(Unit::Nanos, 2_712_345.0, "2.71 ms");
        check(Unit::Millis, 1_500.0, "1.50 s");
        check(Unit::PerSecond, 4_012_345.0, "4.01 M/s");
        check(Unit::PerSecond, 20.0, "20/s");
        check(Unit::Bytes, 600.4, "600 B");
        check(Unit::Bytes, 65_536.0, "64 KiB");
        check(Unit::Count, 0.0, "0");
        assert_eq!((&*ratio(1.154), &*ratio(0.0926), &*ratio(44.13)), ("1.15x", "0.093x", "44.1x"));
    }
}
