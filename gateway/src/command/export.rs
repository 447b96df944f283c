//! `depthcast export`: a recording becomes files that other tools read.

use super::{Outcome, progress::Progress};
use journal::export::{Export, ExportOptions, Target};
use market::Nanos;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = Target::guide())]
pub(super) struct Arguments {
    /// The recording
    dir: PathBuf,
    /// What to write; the formats are listed below
    #[arg(long = "to", value_name = "FORMAT")]
    target: Target,
    /// The folder to write into; it is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Replace files of an earlier export in that folder
    #[arg(long)]
    overwrite: bool,
    /// The number of the run; the newest that holds events if left out
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    /// Only what happened from this feed time on (RFC 3339, or ns since 1970), with the books as they stood then
    #[arg(long, value_name = "TIME")]
    from: Option<Nanos>,
    /// Only what happened up to this feed time, that included
    #[arg(long, value_name = "TIME")]
    until: Option<Nanos>,
    /// Only these symbols; all if left out
    #[arg(long, value_delimiter = ',')]
    symbol: Vec<String>,
    /// What stands in the column `exchange` (csv)
    #[arg(long, value_name = "NAME", default_value_t = ExportOptions::default().exchange, value_parser = exchange)]
    exchange: String,
}

/// A name that can stand in a table as it is.
fn exchange(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if text.is_empty() || !text.bytes().all(is_plain) {
        return Err("a name of an exchange is of A-Z a-z 0-9 . _ -".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    if arguments.from.zip(arguments.until).is_some_and(|(from, until)| from > until) {
        eprintln!("depthcast: --from has to be before --until");
        return Outcome::WrongUsage;
    }
    match export(arguments) {
        Ok(()) => Outcome::Done,
        Err(error) => {
            eprintln!("depthcast: {error:#}");
            Outcome::Failed
        }
    }
}

fn export(arguments: &Arguments) -> anyhow::Result<()> {
    let options = ExportOptions {
        run: arguments.run,
        from: arguments.from,
        until: arguments.until,
        symbols: arguments.symbol.clone(),
        exchange: arguments.exchange.clone(),
        overwrite: arguments.overwrite,
    };
    let mut export = Export::open(&arguments.dir, arguments.target, &arguments.out, &options)?;
    let mut progress = Progress::new("events");
    while export.step()? {
        progress.reach(export.events());
    }
    drop(progress);
    let (run, events) = (export.run(), export.events());
    let (files, tally) = export.finish()?;
    println!("{tally}");
    for file in files {
        println!("{}, {} bytes", file.display(), std::fs::metadata(&file)?.len());
    }
    println!("run {run} of {}, {events} events read", arguments.dir.display());
    Ok(())
}
