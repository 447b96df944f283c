//! How events are encoded.

use super::{ErrorCode, Refusal};

/// How the events of a connection are encoded. Requests, and answers to them, are JSON in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Encoding {
    /// Text.
    #[default]
    Json,
    /// Simple Binary Encoding.
    Sbe,
}

impl Encoding {
    /// The name in requests and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::Sbe => "sbe",
        }
    }

    /// The encoding of a name.
    ///
    /// # Errors
    /// [`ErrorCode::NotOffered`] with the names that exist.
    pub fn parse(name: &str) -> Result<Encoding, Refusal> {
        [Encoding::Json, Encoding::Sbe]
            .into_iter()
            .find(|encoding| encoding.as_str() == name)
            .ok_or(Refusal::new(ErrorCode::NotOffered, "there is no such encoding; use json or sbe"))
    }
}
