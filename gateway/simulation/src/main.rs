//! Runs worlds from seeds: `simulation --seeds 20 [--first 1]`. Exit code 1 and the seed if one of them fails.

use clap::Parser;
use std::process::ExitCode;

/// Deterministic simulation of the whole path under virtual time, with seeded faults.
#[derive(Parser)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    first: u64,
}

fn main() -> ExitCode {
    let Options { seeds, first } = Options::parse();
    let mut failed = 0;
    for seed in first..first + seeds {
        match simulation::run(seed) {
            Ok(report) => println!("seed {seed}: {report:?}"),
            Err(failure) => {
                println!(
                    "FAILED: {failure}\nagain with: cargo run --release -p simulation -- --first {seed} --seeds 1"
                );
                failed += 1;
            }
        }
    }
    println!("{} passed, {failed} failed", seeds - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
