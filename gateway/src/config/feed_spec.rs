//! Which feed, as an operator names it.

use feed::shared::{FeedName, FeedNameError};
use std::{fmt, path::PathBuf, str::FromStr};

/// Where market data comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSpec {
    /// The simulated exchange: a built-in scenario or a scenario file.
    Sim(String),
    /// A recording.
    Journal(PathBuf),
    /// What another process of this machine writes into shared memory.
    Shared(FeedName),
}

impl Default for FeedSpec {
    fn default() -> FeedSpec {
        FeedSpec::Sim("market".to_owned())
    }
}

impl fmt::Display for FeedSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FeedSpec::Sim(scenario) => write!(f, "sim:{scenario}"),
            FeedSpec::Journal(dir) => write!(f, "journal:{}", dir.display()),
            FeedSpec::Shared(name) => write!(f, "shm:{name}"),
        }
    }
}

/// A text that names no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedSpecError {
    /// There is no feed of that kind.
    #[error("there is no feed '{0}'; use sim, sim:NAME, sim:FILE, journal:DIR, or shm:NAME")]
    Unknown(String),
    /// No feed in shared memory can have that name.
    #[error(transparent)]
    BadName(#[from] FeedNameError),
}

impl FromStr for FeedSpec {
    type Err = FeedSpecError;

    fn from_str(text: &str) -> Result<FeedSpec, FeedSpecError> {
        match text.split_once(':') {
            None if text == "sim" => Ok(FeedSpec::default()),
            Some(("sim", scenario)) if !scenario.is_empty() => Ok(FeedSpec::Sim(scenario.to_owned())),
            Some(("journal", dir)) if !dir.is_empty() => Ok(FeedSpec::Journal(dir.into())),
            Some(("shm", name)) => Ok(FeedSpec::Shared(name.parse()?)),
            _ => Err(FeedSpecError::Unknown(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_named_by_kind_and_place() {
        assert_eq!("sim".parse(), Ok(FeedSpec::Sim("market".into())));
        assert_eq!("sim:crash".parse(), Ok(FeedSpec::Sim("crash".into())));
        assert_eq!("journal:/data/btc".parse(), Ok(FeedSpec::Journal("/data/btc".into())));
        assert_eq!("shm:fast".parse::<FeedSpec>().unwrap().to_string(), "shm:fast");
        for bad in ["", "sim:", "journal:", "journal", "shm", "nats://host"] {
            let error = bad.parse::<FeedSpec>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("there is no feed '{bad}'; use sim, sim:NAME, sim:FILE, journal:DIR, or shm:NAME")
            );
        }
        let error = "shm:a/b".parse::<FeedSpec>().unwrap_err().to_string();
        assert!(error.starts_with("'a/b' cannot be the name of a feed in shared memory"), "{error}");
    }
}
