//! What a contest came to, for people: a Markdown table, and one page of plots that needs nothing beside it.
//!
//! It is made of results.json alone and measures nothing.

mod group;
mod html;
mod markdown;
mod metric;
mod page;
mod plot;
#[cfg(test)]
mod sample;
mod summary;
mod target;
mod unit;

use crate::result::Contest;
use anyhow::Context;
use std::{fs, path::PathBuf};

/// Options of `bench report`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where results.json lies; report.md and report.html are written beside it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes both and prints the first.
///
/// # Errors
/// If there are no results, or they cannot be read, or nothing can be written there.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let results = options.folder.join("results.json");
    let text = fs::read_to_string(&results)
        .with_context(|| format!("read {}, which a contest writes", results.display()))?;
    let contest: Contest =
        serde_json::from_str(&text).with_context(|| format!("{} holds no contest", results.display()))?;

    let markdown = markdown::write(&contest);
    let write = |name: &str, text: &str| {
        let path = options.folder.join(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    };
    write("report.md", &markdown)?;
    write("report.html", &page::write(&contest)?)?;
    print!("{markdown}");
    Ok(())
}
