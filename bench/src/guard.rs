//! What CI can hold without a clock: how many instructions each part takes, and how many system calls a delivery.
//!
//! Neither depends on how fast the machine is or on what else runs there, so each has a bound, and growing beyond it fails. It
//! knows nothing of times; these are measured by the others and judged by people.

mod calls;
mod client;
mod instructions;
mod table;

use anyhow::bail;
use std::process::Command;

/// Options of `bench guard`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write the instructions that are counted now into the table that later runs are held against
    #[arg(long)]
    record: bool,

    /// Do one part and nothing else: for valgrind, which counts what this takes
    #[arg(long, hide = true, requires = "times")]
    repeat: Option<String>,

    /// How often
    #[arg(long, hide = true)]
    times: Option<usize>,
}

/// Counts, compares, and prints both.
///
/// # Errors
/// If something has grown beyond its bound, or cannot be counted for another reason than a tool that is missing.
pub fn run(options: &Options) -> anyhow::Result<()> {
    if let (Some(part), Some(times)) = (&options.repeat, options.times) {
        return instructions::repeat(part, times);
    }
    if options.record {
        return instructions::record();
    }
    let grown = [instructions::check()?, calls::check()?].concat();
    if !grown.is_empty() {
        bail!("more work than before: {}", grown.join("; "));
    }
    Ok(())
}

/// Whether a tool can be started; says so if not.
fn is_there(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !there {
        println!("SKIPPED, as there is no {tool}: `apt-get install {tool}` brings it");
    }
    there
}
