//! How fast recorded time passes when it is played again.

use std::{fmt, str::FromStr};

/// How fast feed time passes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(Option<f64>);

// A factor is never NaN.
impl Eq for Speed {}

impl Speed {
    /// As it was recorded.
    pub const REAL_TIME: Speed = Speed(Some(1.0));
    /// As fast as it is taken.
    pub const MAX: Speed = Speed(None);

    /// So many seconds of feed time in one second of real time.
    ///
    /// # Errors
    /// If it is not a number above 0.
    pub fn times(factor: f64) -> Result<Speed, SpeedError> {
        if factor.is_finite() && factor > 0.0 { Ok(Speed(Some(factor))) } else { Err(SpeedError) }
    }

    /// Seconds of feed time in one second of real time; `None` for [`Speed::MAX`].
    pub const fn factor(self) -> Option<f64> {
        self.0
    }
}

/// A text or number that is no speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a speed is a number above 0, such as 1 or 0.5, or max")]
pub struct SpeedError;

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Speed, SpeedError> {
        if text == "max" {
            return Ok(Speed::MAX);
        }
        Speed::times(text.parse().map_err(|_| SpeedError)?)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(factor) => factor.fmt(f),
            None => f.write_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_above_zero_or_max() {
        assert_eq!("max".parse(), Ok(Speed::MAX));
        assert_eq!("1".parse(), Ok(Speed::REAL_TIME));
        assert_eq!("0.5".parse::<Speed>().unwrap().to_string(), "0.5");
        for bad in ["0", "-1", "NaN", "inf", "", "fast", "1x"] {
            assert_eq!(bad.parse::<Speed>(), Err(SpeedError), "{bad}");
        }
    }
}
