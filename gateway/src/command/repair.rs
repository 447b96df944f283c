//! `depthcast repair`: cuts from a recording what was never finished.

use super::Outcome;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The recording
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let repaired = match journal::repair(&arguments.dir) {
        Ok(repaired) => repaired,
        Err(error) => {
            eprintln!("depthcast: {error}");
            return Outcome::Failed;
        }
    };
    for (file, bytes) in &repaired.cut {
        println!("{}: {bytes} bytes that were never finished are cut", file.display());
    }
    if repaired.cut.is_empty() {
        println!(
            "there is nothing to cut; `depthcast verify {}` says whether all is whole",
            arguments.dir.display()
        );
    }
    Outcome::Done
}
