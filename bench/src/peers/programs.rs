//! Where the programs of the peers are.

use std::path::{Path, PathBuf};

/// Where the files of the peers are that are no Rust.
pub const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");

/// What to do about a program that is not there.
pub const INSTALL: &str = "`bash bench/peers/install` installs what the peers need";

/// Where `bench/peers/install` puts the programs that no package of the system has.
const INSTALLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers/bin");
/// Not in everybody's PATH, but there servers are.
const SYSTEM: &str = "/usr/sbin";

/// Finds a program: what `bench/peers/install` brought, then what PATH has.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    [PathBuf::from(INSTALLED)]
        .into_iter()
        .chain(std::env::split_paths(&path))
        .chain([PathBuf::from(SYSTEM)])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Says that something is not there, and what to do.
pub fn missing(what: impl AsRef<Path>) -> String {
    format!("there is no {}; {INSTALL}", what.as_ref().display())
}
