//! How a feed in shared memory is called.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where shared memory is: a file system without a disk.
pub(super) const FOLDER: &str = "/dev/shm";
/// Most characters of a name.
const LONGEST: usize = 64;

/// The name of a feed: 1 to 64 of `A-Z a-z 0-9 . _ -`. Its file is `/dev/shm/depthcast-NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeedName(String);

/// A text that names no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' cannot be the name of a feed in shared memory: 1 to 64 of A-Z a-z 0-9 . _ -")]
pub struct FeedNameError(String);

impl FeedName {
    /// The feed's file.
    pub fn path(&self) -> PathBuf {
        Path::new(FOLDER).join(format!("depthcast-{}", self.0))
    }
}

impl FromStr for FeedName {
    type Err = FeedNameError;

    fn from_str(text: &str) -> Result<FeedName, FeedNameError> {
        let is_good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_good) {
            Ok(FeedName(text.to_owned()))
        } else {
            Err(FeedNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_file_in_one_folder() {
        let name: FeedName = "Binance.spot_1-a".parse().unwrap();
        assert_eq!(name.path(), Path::new("/dev/shm/depthcast-Binance.spot_1-a"));
        for bad in ["", "a/b", "../x", "a b", "ä", "a\0", &"x".repeat(65)] {
            assert!(bad.parse::<FeedName>().is_err(), "{bad}");
        }
    }
}
