//! Where plain TCP connections are taken: an address, or nowhere.

use std::{fmt, net::SocketAddr, str::FromStr};

/// Where plain TCP connections are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Nowhere.
    Off,
    /// At this address.
    At(SocketAddr),
}

/// A text that says neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an address such as 127.0.0.1:9001 nor off")]
pub struct PlainError;

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plain::Off => f.write_str("off"),
            Plain::At(address) => address.fmt(f),
        }
    }
}

impl FromStr for Plain {
    type Err = PlainError;

    fn from_str(text: &str) -> Result<Plain, PlainError> {
        if text == "off" {
            return Ok(Plain::Off);
        }
        text.parse().map(Plain::At).map_err(|_| PlainError)
    }
}
